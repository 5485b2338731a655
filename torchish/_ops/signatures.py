"""Signatures of functions that have several, or whose wrong calls torch reports by showing them: facts of torch's interface, as text.

call_errors.py reads them after a call has failed. Knows no operation; the functions themselves take their arguments as Python does.
"""
from __future__ import annotations

_FACTORY = ("torch.dtype dtype = None, torch.layout layout = None, torch.device device = None, bool pin_memory = False, "
            "bool requires_grad = False")
_GENERATOR = "torch.Generator generator"
_TABLE = """
add sub: Tensor input, Tensor or number other, *, Number alpha = 1, OUT
addbmm: Tensor input, Tensor batch1, Tensor batch2, *, Number beta = 1, Number alpha = 1, OUT
addcdiv addcmul: Tensor input, Tensor tensor1, Tensor tensor2, *, Number value = 1, OUT
addmm: Tensor input, Tensor mat1, Tensor mat2, *, Number beta = 1, Number alpha = 1, OUT
  | Tensor input, Tensor mat1, Tensor mat2, torch.dtype out_dtype, *, Number beta = 1, Number alpha = 1, OUT
addmv: Tensor input, Tensor mat, Tensor vec, *, Number beta = 1, Number alpha = 1, OUT
addr: Tensor input, Tensor vec1, Tensor vec2, *, Number beta = 1, Number alpha = 1, OUT
baddbmm: Tensor input, Tensor batch1, Tensor batch2, *, Number beta = 1, Number alpha = 1, OUT
  | Tensor input, Tensor batch1, Tensor batch2, torch.dtype out_dtype, *, Number beta = 1, Number alpha = 1, OUT
all any: Tensor input, *, OUT | Tensor input, tuple of ints dim = None, bool keepdim = False, *, OUT
  | Tensor input, int dim, bool keepdim = False, *, OUT
arange: Number end, *, OUT, FACTORY | Number start, Number end, *, FACTORY | Number start, Number end, Number step = 1, *, OUT, FACTORY
argsort: Tensor input, *, bool stable, int dim = -1, bool descending = False, OUT | Tensor input, int dim = -1, bool descending = False
bernoulli: Tensor input, *, GENERATOR = None, OUT | Tensor input, float p, *, GENERATOR = None
bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor remainder: Tensor input, Tensor other, *, OUT
  | Number self, Tensor other | Tensor input, Number other, *, OUT
bmm mm: Tensor input, Tensor mat2, *, OUT | Tensor input, Tensor mat2, torch.dtype out_dtype, *, OUT
bucketize: Tensor input, Tensor boundaries, *, bool out_int32 = False, bool right = False, OUT
  | Number self, Tensor boundaries, *, bool out_int32 = False, bool right = False
clamp clip: Tensor input, Tensor min = None, Tensor max = None, *, OUT | Tensor input, Number min = None, Number max = None, *, OUT
clamp_max: Tensor input, Tensor max, *, OUT | Tensor input, Number max, *, OUT
clamp_min: Tensor input, Tensor min, *, OUT | Tensor input, Number min, *, OUT
nn.functional.conv1d nn.functional.conv2d nn.functional.conv3d conv1d conv2d conv3d: Tensor input, Tensor weight, Tensor bias = None,
  tuple of ints? stride = 1, tuple of ints? padding = 0, tuple of ints? dilation = 1, int groups = 1
  | Tensor input, Tensor weight, Tensor bias = None, tuple of ints? stride = 1, str padding = "valid", tuple of ints? dilation = 1, int groups = 1
copysign eq fmod ge greater greater_equal gt le less less_equal lt ne not_equal: Tensor input, Tensor other, *, OUT
  | Tensor input, Number other, *, OUT
count_nonzero: Tensor input, int dim = None | Tensor input, tuple of ints dim
cumulative_trapezoid trapezoid: Tensor y, Tensor x, *, int dim = -1 | Tensor y, *, Number dx = 1, int dim = -1
div: Tensor input, Tensor or number other, *, OUT | Tensor input, Tensor other, *, str rounding_mode, OUT
  | Tensor input, Number other, *, str rounding_mode
divide: Tensor input, Tensor other, *, OUT | Tensor input, Tensor other, *, str rounding_mode, OUT | Tensor input, Number other
  | Tensor input, Number other, *, str rounding_mode
eye: int n, *, OUT, FACTORY | int n, int m, *, OUT, FACTORY
fill: Tensor input, Tensor value | Tensor input, Number value
float_power pow: Tensor input, Tensor exponent, *, OUT | Number self, Tensor exponent, *, OUT | Tensor input, Number exponent, *, OUT
floor_divide multiply true_divide: Tensor input, Tensor other, *, OUT | Tensor input, Number other
histogram: Tensor input, Tensor bins, *, Tensor weight = None, bool density = False, OUTS
  | Tensor input, int bins = 100, *, tuple of floats range = None, Tensor weight = None, bool density = False, OUTS
histogramdd: Tensor input, int bins, tuple of floats range = None, Tensor weight = None, bool density = False
  | Tensor input, tuple of ints bins, tuple of floats range = None, Tensor weight = None, bool density = False
  | Tensor input, tuple of Tensors bins, tuple of floats range = None, Tensor weight = None, bool density = False
index_fill: Tensor input, int dim, Tensor index, Tensor value | Tensor input, int dim, Tensor index, Number value
isin: Tensor elements, Tensor test_elements, *, bool assume_unique = False, bool invert = False, OUT
  | Number element, Tensor test_elements, *, bool assume_unique = False, bool invert = False, OUT
  | Tensor elements, Number test_element, *, bool assume_unique = False, bool invert = False, OUT
lerp: Tensor input, Tensor end, Tensor weight, *, OUT | Tensor input, Tensor end, Number weight, *, OUT
linspace: Tensor start, Tensor end, int steps, *, OUT, FACTORY | Number start, Tensor end, int steps, *, OUT, FACTORY
  | Tensor start, Number end, int steps, *, OUT, FACTORY | Number start, Number end, int steps, *, OUT, FACTORY
logspace: Tensor start, Tensor end, int steps, float base = 10.0, *, OUT, FACTORY
  | Number start, Tensor end, int steps, float base = 10.0, *, OUT, FACTORY | Tensor start, Number end, int steps, float base = 10.0, *, OUT, FACTORY
  | Number start, Number end, int steps, float base = 10.0, *, OUT, FACTORY
masked_fill: Tensor input, Tensor mask, Tensor value | Tensor input, Tensor mask, Number value
max min: Tensor input, *, OUT | Tensor input, Tensor other, *, OUT | Tensor input, int dim, bool keepdim = False, *, OUTS
mean: Tensor input, *, torch.dtype dtype = None, OUT | Tensor input, tuple of ints? dim, bool keepdim = False, *, torch.dtype dtype = None, OUT
median nanmedian: Tensor input | Tensor input, int dim, bool keepdim = False, *, OUTS
nonzero: Tensor input, *, OUT | Tensor input, *, bool as_tuple
normal: Tensor mean, Tensor std, *, GENERATOR = None, OUT | Tensor mean, float std = 1, *, GENERATOR = None, OUT
  | float mean, Tensor std, *, GENERATOR = None, OUT | float mean, float std, tuple of ints size, *, GENERATOR = None, OUT, FACTORY
prod: Tensor input, *, torch.dtype dtype = None | Tensor input, int dim, bool keepdim = False, *, torch.dtype dtype = None, OUT
randint: int high, tuple of ints size, *, GENERATOR, OUT, FACTORY | int high, tuple of ints size, *, OUT, FACTORY
  | int low, int high, tuple of ints size, *, GENERATOR, OUT, FACTORY | int low, int high, tuple of ints size, *, OUT, FACTORY
randperm: int n, *, GENERATOR, OUT, FACTORY | int n, *, OUT, FACTORY
repeat_interleave: Tensor input, Tensor repeats, int dim = None, *, int output_size = None | Tensor repeats, *, int output_size = None
  | Tensor input, int repeats, int dim = None, *, int output_size = None
result_type: Tensor tensor, Tensor other | Number scalar, Tensor tensor | Tensor tensor, Number other | Number scalar1, Number scalar2
round: Tensor input, *, OUT | Tensor input, *, int decimals, OUT
rsub: Tensor input, Tensor other, *, Number alpha = 1 | Tensor input, Number other, Number alpha = 1
scatter: Tensor input, int dim, Tensor index, Tensor src, *, OUT | Tensor input, int dim, Tensor index, Tensor src, *, str reduce, OUT
  | Tensor input, int dim, Tensor index, Number value, *, OUT | Tensor input, int dim, Tensor index, Number value, *, str reduce, OUT
searchsorted: Tensor sorted_sequence, Tensor input, *, bool out_int32 = False, bool right = False, str side = None, Tensor sorter = None, OUT
  | Tensor sorted_sequence, Number self, *, bool out_int32 = False, bool right = False, str side = None, Tensor sorter = None, OUT
sort: Tensor input, *, bool stable, int dim = -1, bool descending = False, OUTS | Tensor input, int dim = -1, bool descending = False, *, OUTS
squeeze: Tensor input | Tensor input, int dim | Tensor input, tuple of ints dim
std var: Tensor input, tuple of ints? dim, bool unbiased = True, bool keepdim = False, *, OUT
  | Tensor input, tuple of ints? dim = None, *, Number correction = None, bool keepdim = False, OUT | Tensor input, bool unbiased = True
std_mean var_mean: Tensor input, tuple of ints? dim, bool unbiased = True, bool keepdim = False
  | Tensor input, tuple of ints? dim = None, *, Number correction = None, bool keepdim = False | Tensor input, bool unbiased = True
subtract: Tensor input, Tensor other, *, Number alpha = 1, OUT | Tensor input, Number other, Number alpha = 1
sum: Tensor input, *, torch.dtype dtype = None | Tensor input, tuple of ints? dim, bool keepdim = False, *, torch.dtype dtype = None, OUT
trapz: Tensor y, *, float dx = 1, int dim = -1 | Tensor y, Tensor x, *, int dim = -1
where: Tensor condition | Tensor condition, Tensor input, Tensor other, *, OUT | Tensor condition, Number self, Tensor other
  | Tensor condition, Tensor input, Number other | Tensor condition, Number self, Number other
xlogy: Tensor input, Tensor other, *, OUT | Number self, Tensor other, *, OUT | Tensor input, Number other, *, OUT
"""


def _read_table() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in _TABLE.strip().replace("\n  ", " ").splitlines():
        names, _, texts = line.partition(": ")
        for short, full in (("OUTS", "tuple of Tensors out = None"), ("OUT", "Tensor out = None"), ("FACTORY", _FACTORY), ("GENERATOR", _GENERATOR)):
            texts = texts.replace(short, full)
        found.update(dict.fromkeys(names.split(), tuple(t.strip() for t in texts.split(" | "))))
    return found


SIGNATURES = _read_table()
# of a parameter, by its name, in functions with one signature
PARAMETER_TYPES = dict.fromkeys("""input mat2 vec vec2 mat index mask source src tensor1 tensor2 batch1 batch2 boundaries values weight
    sorted_sequence""".split(), "Tensor")
PARAMETER_TYPES.update({"other": "Tensor or number", "tensor": "Tensor", "target": "Tensor", "tensors": "tuple of Tensors"})
PARAMETER_TYPES.update(dict.fromkeys("dim dim0 dim1 k n diagonal offset steps chunks num_samples num_classes start_dim end_dim".split(), "int"))
PARAMETER_TYPES.update(dict.fromkeys("size shape dims sizes tile".split(), "tuple of ints"))
PARAMETER_TYPES.update(dict.fromkeys("shifts".split(), "tuple of ints?"))
PARAMETER_TYPES.update(dict.fromkeys("keepdim largest sorted descending train training requires_grad".split(), "bool"))
PARAMETER_TYPES.update({"fill_value": "Number", "dtype": "torch.dtype", "from_": "torch.dtype", "type1": "torch.dtype", "type2": "torch.dtype"})

# names that NumPy has for a parameter
NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "x1": "input", "x2": "other", "a": "input"}
# functions that take a Python number for any tensor, `out` included
NUMBERS_AS_TENSORS = frozenset("add sub mul div true_divide floor_divide multiply subtract divide".split())
# functions of nn.functional that torch does not write in Python
NATIVE = frozenset("nn.functional." + name for name in """adaptive_avg_pool1d avg_pool1d avg_pool2d avg_pool3d bilinear conv_transpose1d
    conv_transpose2d conv_transpose3d cosine_similarity gelu hardshrink linear logsigmoid one_hot pairwise_distance prelu
    scaled_dot_product_attention softplus softshrink""".split())
# other functions that torch writes in Python
PYTHON = frozenset("""split einsum norm unique unique_consecutive meshgrid tensordot stft cdist chain_matmul lu block_diag cartesian_prod atleast_1d
    atleast_2d atleast_3d broadcast_tensors broadcast_shapes unravel_index manual_seed is_tensor""".split())

__all__ = ["NATIVE", "NUMBERS_AS_TENSORS", "NUMPY_NAMES", "PARAMETER_TYPES", "PYTHON", "SIGNATURES"]
