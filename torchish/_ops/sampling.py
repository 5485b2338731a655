"""Random tensors. Numbers are drawn on the host when the call is made, in torch's order, and enter the tape as inputs."""
from __future__ import annotations

import numpy as np

from .. import _dtype as dt
from .. import _random as rng
from .._core.evaluate import read
from .._core.handle import TensorBase, from_array, set_strides
from .._core.op import Op, simple
from .._core.record import call
from .._core.tape import constant, state
from .._core.view import write
from .._device import CPU
from .._device import device as Device
from .declare import broadcast_shapes
from .factory import check_dtype, check_layout, check_sizes, default_device, mark_leaf
from .gathering import strict_out
from .layout import like_strides, ordered_strides
from .shared import sizes
from .variants import FUNCTIONS, METHODS, check_writable, public, register


class Generator(rng.Generator):
    """torch's CPU random number generator: `Generator().manual_seed(0)` gives torch's stream."""

    def __init__(self, device="cpu"):
        super().__init__(Device(device))

    @property
    def device(self) -> Device:
        """Always the CPU."""
        return CPU

    @device.setter
    def device(self, value):
        pass

    def get_state(self):
        """The state as a uint8 tensor of 5056 bytes, torch's own layout."""
        return from_array(super().get_state())

    def set_state(self, new_state):
        """Continue from a state that `get_state` gave (here or in torch)."""
        return super().set_state(new_state._host("generator state") if isinstance(new_state, TensorBase) else new_state)

    def clone_state(self):
        """A generator of its own in the same state."""
        return Generator().set_state(self.get_state())


default_generator = Generator().manual_seed(rng.DEFAULT_SEED)


def source(generator) -> Generator:
    """The generator to draw from. Raises TypeError for anything else."""
    if state.scope is not None:
        state.scope.draw()
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(f"expected a torch.Generator, but got {type(generator).__name__}")
    return generator


def _drawn(array: np.ndarray, device, requires_grad: bool):
    return mark_leaf(from_array(array, None, None if device is None else Device(device)), requires_grad)


def _drawable(d: dt.dtype) -> dt.dtype:
    if d is dt.complex32:
        raise NotImplementedError("torchish: random numbers of dtype torch.complex32")
    return d


def _memory_order(t: TensorBase) -> list | None:
    """The dimensions from the slowest to the fastest in memory, in which torch draws; None where that is their own order."""
    if t._strides is None:
        return None
    strides = ordered_strides(tuple(t._spec.shape), [t._current_strides])
    return sorted(range(len(strides)), key=lambda d: (-strides[d], d))


def _drawn_like(input: TensorBase, draw, device, requires_grad: bool, scattered: bool):
    """A tensor with the shape and the strides of `input`, filled by `draw(shape)` in memory order. `scattered`: see _in_place."""
    order, shape = _memory_order(input), tuple(input._spec.shape)
    if order is None:
        return _drawn(draw(shape), device or input._spec.device, requires_grad)
    more = {"contiguous": False} if scattered else {}
    array = draw(tuple(shape[d] for d in order), **more).transpose(np.argsort(order))
    made = _drawn(np.ascontiguousarray(array), device or input._spec.device, requires_grad)
    set_strides(made, like_strides(input._spec, (input,)))
    return made


# ---------------------------------------------------------------- functions
def _sampler(name: str, sample, doc: str) -> None:
    def plain(*dims, size=None, generator=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False, names=None):
        check_layout(layout)
        return _drawn(sample(source(generator), check_sizes(sizes(dims if size is None else (size,))),
                             _drawable(check_dtype(dtype))),
                      device or default_device(), requires_grad)

    def like(input, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None):
        check_layout(layout)
        d = _drawable(check_dtype(dtype, input._spec.dtype))
        return _drawn_like(input, lambda shape, **more: sample(source(generator), shape, d, **more), device, requires_grad, name == "randn")
    plain.__doc__ = f"{doc} of the given sizes; default float dtype unless given."
    like.__doc__ = f"{doc} with the shape, dtype and device of `input` unless given."
    public(name, method=False, out=True)(plain)
    public(name + "_like", method=False)(like)


_sampler("rand", rng.uniform, "Uniform numbers in [0, 1)")
_sampler("randn", rng.normal, "Standard normal numbers")


@public("randint", method=False, out=True)
def randint(low=None, high=None, size=None, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Integers in [low, high) (low is 0 if only one bound is given), int64 unless given."""
    check_layout(layout)
    if size is None:  # randint(high, size)
        low, high, size = None, low, high
    if high is None:
        low, high = None, low
    if size is None or high is None:
        raise TypeError(f"randint() missing 1 required positional argument: '{'size' if size is None else 'high'}'")
    low = 0 if low is None else low
    d = check_dtype(dtype, dt.int64)
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    return _drawn(rng.randint(source(generator), check_sizes(sizes((size,))), d, int(low), int(high)), device or default_device(), requires_grad)


@public("randint_like", method=False)
def randint_like(input, low, high=None, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None):
    """Integers in [low, high) with the shape, dtype and device of `input` unless given."""
    check_layout(layout)
    low, high = (0, low) if high is None else (low, high)
    d = check_dtype(dtype, input._spec.dtype)
    return _drawn_like(input, lambda shape: rng.randint(default_generator, shape, d, int(low), int(high)), device, requires_grad, False)


@public("randperm", method=False, out=True)
def randperm(n, *, generator=None, dtype=dt.int64, layout=None, device=None, requires_grad=False, pin_memory=False):
    """A random permutation of 0 .. n - 1."""
    check_layout(layout)
    return _drawn(rng.randperm(source(generator), n, check_dtype(dtype, dt.int64)), device or default_device(), requires_grad)


@public("normal", method=False, out=True)
def normal(mean=0.0, std=1.0, size=None, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Normal numbers; `mean` and `std` are numbers (with `size`) or tensors."""
    check_layout(layout)
    g = source(generator)
    tensors = [x for x in (mean, std) if isinstance(x, TensorBase)]
    if not tensors:
        if size is None:
            raise TypeError("normal() received an invalid combination of arguments - got (float, float), but expected a size or tensor arguments")
        _check_std(std)
        return _drawn(rng.normal(g, check_sizes(sizes((size,))), check_dtype(dtype), float(mean), float(std)), device or default_device(),
                      requires_grad)
    if isinstance(std, TensorBase) and std._spec.dtype.is_complex:
        raise RuntimeError("normal expects standard deviation to be non-complex")
    broadcast_shapes([t._spec.shape for t in tensors])
    values = [read(x._read()) if isinstance(x, TensorBase) else x for x in (mean, std)]
    drawn = from_array(rng.normal_of(g, values[0], values[1], tensors[0]._spec.dtype))
    if not any(t._current_edge() is not None for t in tensors):
        return drawn
    return call(_NORMAL[isinstance(mean, TensorBase), isinstance(std, TensorBase)], (mean, std, drawn))


def _normal_op(which: str, number: int) -> Op:
    """Numbers drawn on the host, as they are; no gradient passes to their parameters."""
    def body(xp, mean, std, drawn):
        return drawn
    return Op(f"normal of {which}", body, simple(lambda mean, std, drawn: drawn), grad=f"NormalBackward{number}",
              vjp=(lambda xp, g, out, *operands: xp.zeros_like(g),))


_NORMAL = {(True, False): _normal_op("mean", 1), (False, True): _normal_op("std", 2), (True, True): _normal_op("mean and std", 3)}


def _check_std(std) -> None:
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")


@public("bernoulli", out=True)
def bernoulli(input, p=None, *, generator=None):
    """Zeros and ones: 1 with the probability that `input` (or `p`) gives."""
    spec = input._spec
    chance = read(input._read()) if p is None else p
    return _overwritten("bernoulli", rng.bernoulli(source(generator), chance, tuple(spec.shape), spec.dtype), input)


@public("poisson", method=False)
def poisson(input, generator=None):
    """Poisson counts with the rates in `input`."""
    return _overwritten("poisson", rng.poisson(source(generator), read(input._read())), input)


@public("binomial", method=False)
def binomial(count, prob, generator=None):
    """Binomial counts of `count` trials with probability `prob`, elementwise."""
    return from_array(rng.binomial(source(generator), read(count._read()), read(prob._read())))


@public("multinomial", out=True)
def multinomial(input, num_samples, replacement=False, *, generator=None):
    """`num_samples` indices for each row of weights in `input`, with or without replacement: int64."""
    return from_array(rng.multinomial(source(generator), read(input._read()), num_samples, replacement))


strict_out("multinomial", lambda want, got: f"multinomial expects Long tensor out, got: {got.legacy}", dt.int64)


# ---------------------------------------------------------------- in place
def _overwrite_op(name: str) -> Op:
    """What replaces a tensor's content with numbers drawn on the host; no gradient passes through it."""
    return Op(f"{name} (drawn)", lambda xp, old, new: new, lambda op, argtypes, static: ((lambda xp, old, new: new), argtypes[1]),
              grad="".join(w.capitalize() for w in name.split("_")) + "Backward0",
              vjp=(lambda xp, g, out, old, new: xp.zeros(old.shape, g.dtype),))


_OVERWRITE = {name: _overwrite_op(name)
              for name in ("poisson", "uniform", "normal", "bernoulli", "random", "exponential", "geometric", "cauchy", "log_normal")}


def _overwritten(name: str, array: np.ndarray, like: TensorBase):
    drawn = from_array(array)
    return call(_OVERWRITE[name], (like, drawn)) if like._current_edge() is not None else drawn


def _in_place(name: str, sample, doc: str) -> None:
    """Tensor.name_: draws in the order of memory. Where memory is not in order, torch makes normals one by one, which is another stream."""
    def method(self, *args, generator=None, **kwargs):
        check_writable(self)
        spec, order = self._spec, _memory_order(self)
        shape = tuple(spec.shape)
        if order is None:
            array = sample(source(generator), shape, spec.dtype, *args, **kwargs)
        else:
            if name == "normal":
                kwargs["contiguous"] = False
            args = [np.broadcast_to(read(a._read()), shape).transpose(order) if isinstance(a, TensorBase) else a for a in args]
            drawn = sample(source(generator), tuple(shape[d] for d in order), spec.dtype, *args, **kwargs)
            array = np.ascontiguousarray(drawn.transpose(np.argsort(order)))
        if self._current_edge() is None:
            write(self, constant(array, spec.device), None)
        else:
            made = call(_OVERWRITE[name], (self, from_array(array, None, spec.device)))
            write(self, made._read(), made._edge)
        return self
    method.__name__, method.__doc__ = name + "_", doc
    register(METHODS, name + "_", method)


def _uniform(g, shape, d, from_=0.0, to=1.0, **kw):
    return rng.uniform(g, shape, d, kw.get("from", from_), to)


def _normal(g, shape, d, mean=0.0, std=1.0, contiguous=True):
    _check_std(std)
    return rng.normal(g, shape, d, mean, std, contiguous)


def _bernoulli(g, shape, d, p=0.5):
    return rng.bernoulli(g, read(p._read()) if isinstance(p, TensorBase) else p, shape, d)


def _random(g, shape, d, from_=None, to=None, **kw):
    low = kw.get("from", from_)
    return rng.random_(g, shape, d, 0 if to is None and low is not None else low, low if to is None else to)


_in_place("uniform", _uniform, "Overwrite with uniform numbers in [from, to).")
_in_place("normal", _normal, "Overwrite with normal numbers of the given mean and standard deviation.")
_in_place("bernoulli", _bernoulli, "Overwrite with zeros and ones: 1 with probability `p`.")
_in_place("random", _random, "Overwrite with integers in [from, to), or over the dtype's whole range.")
_in_place("exponential", rng.exponential, "Overwrite with exponential numbers of rate `lambd`.")
_in_place("geometric", rng.geometric, "Overwrite with geometric counts of success probability `p`.")
_in_place("cauchy", rng.cauchy, "Overwrite with Cauchy numbers.")
_in_place("log_normal", rng.log_normal, "Overwrite with numbers whose logarithm is normal.")


# ---------------------------------------------------------------- the stream
@public("manual_seed", method=False)
def manual_seed(seed):
    """Seed the default generator; returns it."""
    return default_generator.manual_seed(int(seed))


@public("seed", method=False)
def seed():
    """Seed the default generator from the system's entropy; returns the seed."""
    return default_generator.seed()


@public("initial_seed", method=False)
def initial_seed():
    """The seed that the default generator was given last."""
    return default_generator.initial_seed()


@public("get_rng_state", method=False)
def get_rng_state():
    """The default generator's state: a uint8 tensor."""
    return default_generator.get_state()


@public("set_rng_state", method=False)
def set_rng_state(new_state):
    """Set the default generator's state."""
    default_generator.set_state(new_state)


__all__ = ["FUNCTIONS", "Generator", "default_generator", "source"]
