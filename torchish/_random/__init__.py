"""torch's CPU random numbers, number for number, in NumPy: the generator and the samplers that draw from it.

Beside the engine of tensors, not above it: imports NumPy and torchish._dtype only.
"""
from torchish._random.generator import DEFAULT_SEED as DEFAULT_SEED
from torchish._random.generator import STATE_BYTES as STATE_BYTES
from torchish._random.generator import Generator as Generator
from torchish._random.generator import default_generator as default_generator
from torchish._random.rejection import binomial as binomial
from torchish._random.rejection import dirichlet as dirichlet
from torchish._random.rejection import poisson as poisson
from torchish._random.rejection import standard_gamma as standard_gamma
from torchish._random.samplers import bernoulli as bernoulli
from torchish._random.samplers import cauchy as cauchy
from torchish._random.samplers import exponential as exponential
from torchish._random.samplers import geometric as geometric
from torchish._random.samplers import log_normal as log_normal
from torchish._random.samplers import multinomial as multinomial
from torchish._random.samplers import normal as normal
from torchish._random.samplers import normal_of as normal_of
from torchish._random.samplers import randint as randint
from torchish._random.samplers import random_ as random_
from torchish._random.samplers import randperm as randperm
from torchish._random.samplers import uniform as uniform
