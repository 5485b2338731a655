"""Every torch-level function and constant by name: what `import torchish` shows. Modules of this package write `from . import _public as torch`."""
from __future__ import annotations

from . import _dtype
from ._core.anomaly import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
from ._core.anomaly import is_anomaly_enabled as is_anomaly_enabled
from ._core.disk_cache import program_cache_dir as program_cache_dir
from ._core.disk_cache import set_program_cache as set_program_cache
from ._core.evaluate import raise_failed_checks as _raise_failed_checks
from ._core.explain import explain as explain
from ._core.explain import reset_explain as reset_explain
from ._core.modes import enable_grad as enable_grad
from ._core.modes import inference_mode as inference_mode
from ._core.modes import is_eager as is_eager
from ._core.modes import is_grad_enabled as is_grad_enabled
from ._core.modes import is_inference_mode_enabled as is_inference_mode_enabled
from ._core.modes import no_grad as no_grad
from ._core.modes import set_eager as set_eager
from ._core.modes import set_grad_enabled as set_grad_enabled
from ._core.op import forget_plans
from ._core.spec import Size as Size
from ._device import device as device
from ._dtype import dtype as dtype
from ._dtype import get_default_dtype as get_default_dtype
from ._format import get_printoptions as get_printoptions
from ._format import set_printoptions as set_printoptions
from ._ops import (
    activation,
    arithmetic,
    attention,
    bitwise,
    bounds,
    class_loss,
    comparison,
    complex_parts,
    contraction,
    conversion,
    convolution,
    creation,
    distance,
    division,
    dropout,
    dyadic,
    embedding,
    factorization,
    filling,
    finite_differences,
    folding,
    foreign_memory,
    fourier,
    fractional_pooling,
    gathering,
    graph_facts,
    graph_shapes,
    grid_sampling,
    histogram,
    incomplete_gamma,
    indexing,
    interpolation,
    joining,
    linear_loss,
    loss,
    low_rank,
    margin_loss,
    matmul,
    matrix_functions,
    multihead,
    norm,
    normalization,
    optimizer_rules,
    optimizer_steps,
    order_statistics,
    packing,
    padding,
    pointwise,
    polynomials,
    pooling,
    powers,
    queries,
    rearranging,
    recurrent,
    reduction,
    reinterpret,
    reshape,
    sampling,
    scan,
    scattering,
    searching,
    short_time_fourier,
    solving,
    sorting,
    special_bessel,
    special_functions,
    special_more,
    splitting,
    statistics,
    strided,
    symmetric_factorization,
    triangles,
    unravel,
    vectors,
    view_copies,
    view_ops,
    where,
    windows,
)
from ._ops.factory import set_default_device as set_default_device
from ._ops.memory_format import channels_last as channels_last
from ._ops.memory_format import channels_last_3d as channels_last_3d
from ._ops.memory_format import contiguous_format as contiguous_format
from ._ops.memory_format import memory_format as memory_format
from ._ops.memory_format import preserve_format as preserve_format
from ._ops.sampling import Generator as Generator
from ._ops.sampling import default_generator as default_generator
from ._ops.variants import FUNCTIONS as _FUNCTIONS
from ._type_info import finfo as finfo
from ._type_info import iinfo as iinfo
from .tensor import Parameter as Parameter
from .tensor import Tensor as Tensor
from .tensor import _attach
from .tensor import is_tensor as is_tensor
from .tensor import layout as layout
from .tensor import sparse_bsc as sparse_bsc
from .tensor import sparse_bsr as sparse_bsr
from .tensor import sparse_coo as sparse_coo
from .tensor import sparse_csc as sparse_csc
from .tensor import sparse_csr as sparse_csr
from .tensor import strided as strided

inf, nan, pi, e, newaxis = float("inf"), float("nan"), 3.141592653589793, 2.718281828459045, None


def set_default_dtype(d) -> None:
    """Change the dtype of floating-point factories. Raises TypeError unless `d` is a floating-point dtype."""
    _dtype.set_default_dtype(d)
    forget_plans()


for _d in _dtype.DTYPES:
    globals()[_d.name] = _d
globals().update(_dtype.ALIASES)
globals().update({name: function for name, function in _FUNCTIONS.items() if "." not in name})
_attach()
