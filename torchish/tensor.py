"""Tensor and Parameter: what users hold. Identity, attributes and protocols; operations are attached from `_ops.variants`."""
from __future__ import annotations

import builtins
import copy
import warnings
from collections import OrderedDict

import numpy as np

from . import _dtype as dt
from . import _format
from ._core import handle
from ._core.backward import backward_of, is_dense
from ._core.dual import detached, tangents_of
from ._core.errors import type_name
from ._core.evaluate import read
from ._core.grad_graph import INVALID
from ._core.handle import TensorBase
from ._core.hooks import register_tensor_hook, retain_grad, tensor_hooks
from ._core.outgrown import shared_array
from ._core.removable import add_hook
from ._core.spec import Size
from ._core.storage import REWRITTEN, VersionCounter
from ._core.tape import state
from ._device import device
from ._ops.indexing import alias_view
from ._ops.legacy_constructor import tensor_from
from ._ops.shared import wrap_dim
from ._ops.variants import METHODS, PROPERTIES, assign, check_writable

_NOT_A_LEAF = ("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated during "
               "autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf "
               "Tensor. If you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead. See "
               "github.com/pytorch/pytorch/pull/30531 for more information.")


_USE_DETACH = " If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."


class _TensorMeta(type):
    """Lets `isinstance(p, Parameter)` follow torch: the metaclass only exists so that class-level reprs stay torch's."""


class Tensor(TensorBase, metaclass=_TensorMeta):
    """A multi-dimensional array with torch's interface. Made by factories (`tensor`, `zeros`, ...) and by operations."""

    __array_priority__ = 1000
    __hash__ = object.__hash__

    def __new__(cls, *args, **kwargs):
        return tensor_from(cls, args, kwargs)

    def __init__(self, *args, **kwargs):
        pass

    # ------------------------------------------------------------ facts
    @property
    def shape(self) -> Size:
        """The sizes, as a torch.Size."""
        return self._spec.shape

    @property
    def dtype(self) -> dt.dtype:
        """The data type."""
        return self._spec.dtype

    @property
    def device(self) -> device:
        """Where the tensor lives."""
        return self._spec.device

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._spec.ndim

    @property
    def itemsize(self) -> int:
        """Bytes in one element."""
        return self._spec.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes in all elements."""
        return self._spec.nbytes

    @property
    def layout(self):
        """Always torch.strided."""
        return strided

    is_cuda = property(lambda self: self._spec.device.type == "cuda")
    is_cpu = property(lambda self: self._spec.device.type == "cpu")
    is_meta = property(lambda self: self._spec.device.type == "meta")
    is_sparse = property(lambda self: False)
    is_quantized = property(lambda self: False)
    is_mkldnn = property(lambda self: False)
    is_nested = property(lambda self: False)
    is_mps = is_xpu = is_xla = is_sparse_csr = is_quantized
    names = property(lambda self: (None,) * self._spec.ndim)

    def size(self, dim: int | None = None):
        """All sizes, or the size of dimension `dim`. Raises IndexError for a dimension out of range."""
        shape = self._spec.shape
        if dim is None:
            return shape
        if not isinstance(dim, (builtins.int, np.integer)):
            raise TypeError(f"size(): argument 'dim' (position 1) must be int, not {type(dim).__name__}")
        return shape[wrap_dim(dim, len(shape))]

    def dim(self) -> int:
        """The number of dimensions."""
        return self._spec.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self._spec.numel

    nelement = numel

    def element_size(self) -> int:
        """Bytes in one element."""
        return self._spec.dtype.itemsize

    def get_device(self) -> int:
        """The device's index; -1 on the CPU."""
        where = self._spec.device
        return -1 if where.type == "cpu" else where.index or 0

    def stride(self, dim: int | None = None):
        """The strides in elements, or that of dimension `dim`."""
        strides = self._current_strides
        return tuple(strides) if dim is None else strides[wrap_dim(dim, len(strides))]

    def storage_offset(self) -> int:
        """Where the tensor begins in its storage, in elements."""
        return self._offset

    def data_ptr(self) -> int:
        """A number that stands for the address of the first element: equal exactly where torch's would be. Not a pointer."""
        return 0 if self._spec.numel == 0 else self._storage.address + self._offset * self._spec.dtype.itemsize

    def is_floating_point(self) -> bool:
        """Whether the dtype is a floating-point one."""
        return self._spec.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Whether the dtype is complex."""
        return self._spec.dtype.is_complex

    def is_signed(self) -> bool:
        """Whether the dtype has a sign."""
        return self._spec.dtype.is_signed

    def is_inference(self) -> bool:
        """Whether it was made in inference mode."""
        return self._inference

    def is_pinned(self) -> bool:
        """False: JAX pins host memory by itself where a transfer needs it."""
        return False

    def is_shared(self) -> bool:
        """False: memory is never shared between processes."""
        return False

    is_distributed = is_shared

    # ------------------------------------------------------------ autograd
    @property
    def requires_grad(self) -> bool:
        """Whether gradients are tracked. Setting it raises RuntimeError on a non-leaf or a non-float tensor."""
        return self._current_edge() is not None

    @requires_grad.setter
    def requires_grad(self, on: bool):
        if not isinstance(on, builtins.bool):
            raise RuntimeError("requires_grad must be a bool")
        if on and not self._spec.differentiable:
            raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
        if not handle.is_leaf(self):
            raise RuntimeError("you can only change requires_grad flags of leaf variables." + ("" if on else _USE_DETACH))
        self.requires_grad_(on)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Start (or stop) tracking gradients for this leaf, in place; returns self."""
        if not isinstance(requires_grad, builtins.bool):
            raise TypeError(f"requires_grad_(): argument 'requires_grad' (position 1) must be bool, not {type(requires_grad).__name__}")
        have = self._current_edge()
        if have is not None and not handle.is_leaf(self):
            if not requires_grad:
                raise RuntimeError("you can only change requires_grad flags of leaf variables." + _USE_DETACH)
            return self
        if requires_grad and not self._spec.differentiable:
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if requires_grad and self._inference and not state.inference:
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        if (have is not None) != requires_grad:
            handle.set_leaf(self, requires_grad)
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no differentiable operation produced it."""
        return handle.is_leaf(self)

    @property
    def grad_fn(self):
        """The graph node that produced it; None for a leaf."""
        return handle.grad_fn(self)

    @property
    def output_nr(self) -> int:
        """Which output of `grad_fn` it is."""
        edge = self._current_edge()
        return 0 if edge is None else edge[1]

    @property
    def grad(self):
        """The accumulated gradient: None until backward() reaches this leaf (or non-leaf after `retain_grad()`)."""
        gradient = self._grad
        if gradient is None and (self._edge is not None or self._origin is not None) and not handle.is_leaf(self) and self._retains is None:
            warnings.warn(_NOT_A_LEAF, stacklevel=2)
        return gradient

    @grad.setter
    def grad(self, value):
        if value is not None:
            self._check_grad(value)
        self._grad = value

    @grad.deleter
    def grad(self):
        self._grad = None

    def _check_grad(self, value) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad")
        have, got = self._spec, value._spec
        if got.dtype is not have.dtype:
            raise RuntimeError(f"attempting to assign a gradient with dtype '{_ctype(got)}' to a tensor with grad_dtype '{have.dtype.legacy}'. "
                               "The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). "
                               "You can set the tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. "
                               "Set grad_dtype with caution. Diverging the dtypes of a tensor and its gradient may break downstream "
                               "systems that assume they match.")
        if got.device is not have.device:
            raise RuntimeError(f"attempting to assign a gradient located on device with type '{got.device.type}' to a tensor located on "
                               f"device with type '{have.device.type}'. Please ensure that the gradient and the tensor are on the same device")
        if got.shape != have.shape:
            raise RuntimeError(f"attempting to assign a gradient of size '{list(got.shape)}' to a tensor of size '{list(have.shape)}'. "
                               "Please ensure that the gradient and the tensor are the same size")

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None) -> None:
        """Accumulate the gradients of this tensor into the leaves of its graph.

        Raises RuntimeError if it is not a scalar and `gradient` (of its shape and dtype) is missing, or if the graph was freed.
        """
        if gradient is not None and not isinstance(gradient, TensorBase):
            gradient, = tuple(gradient)
        backward_of((self,), None if gradient is None else (gradient,), retain_graph, create_graph, inputs)

    def detach(self) -> Tensor:
        """The same data outside the graph: shares storage and version counter."""
        return detached(self) if state.dual else handle.alias(self)

    def detach_(self) -> Tensor:
        """Take this tensor out of the graph, in place. Raises RuntimeError on a view."""
        if self._base_tensor is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, "
                               "and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be "
                               "called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in "
                               "torch/optim/optimizer.py as the solution.")
        if self._edge is not None:
            _ = self._storage  # its node notes whose versions to watch
            self._edge = None
        return self

    @property
    def data(self) -> Tensor:
        """The same data outside the graph, with a version counter of its own."""
        made = handle.alias(self)
        made._counter = VersionCounter(self._edge is not None and not self._edge[0].ends)
        return made

    @data.deleter
    def data(self):
        raise RuntimeError("Deleting tensor data is not allowed. Delete tensor instead!")

    @data.setter
    def data(self, other: Tensor):
        if not isinstance(other, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(other).__name__}")
        have, got = self._read().spec, other._read().spec
        if have.dtype is not got.dtype and self._current_edge() is not None and not got.differentiable:
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        source, counter = handle.alias(other), self._counter or self._storage
        if self._chain is None and source._chain is None and have is got:
            REWRITTEN[self._read()] = source._storage  # a graph that keeps this tensor sees the new data
        for name in ("_own", "_storage", "_chain", "_value", "_generation", "_offset", "_strides"):
            if name in source.__dict__:
                self.__dict__[name] = source.__dict__[name]
            else:
                self.__dict__.pop(name, None)
        self._counter = counter  # versions are still shared with those that shared the old memory

    @property
    def _base(self):
        return self._base_tensor

    def _is_view(self) -> bool:
        return self._base_tensor is not None

    @property
    def _version(self) -> int:
        if self._inference:
            raise RuntimeError("Inference tensors do not track version counter.")
        return (self._counter or self._storage).version

    @property
    def retains_grad(self) -> bool:
        """Whether a non-leaf keeps its gradient in `.grad`."""
        return self._retains is not None

    def retain_grad(self) -> None:
        """Keep this non-leaf's gradient in `.grad` from now on. Raises RuntimeError if it does not require grad."""
        retain_grad(self)

    def register_hook(self, hook):
        """Call `hook(grad)` when this tensor's gradient is computed; what it returns replaces it. Returns a handle with `remove()`.

        Raises RuntimeError if the tensor does not require grad.
        """
        return register_tensor_hook(self, hook)

    def register_post_accumulate_grad_hook(self, hook):
        """Call `hook(self)` each time this leaf's `.grad` has been accumulated. Returns a handle with `remove()`."""
        edge = self._current_edge()
        if edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if not handle.is_leaf(self):
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._post_hooks is None:
            self._post_hooks = OrderedDict()
        return add_hook(self._post_hooks, hook)

    _backward_hooks = property(lambda self: tensor_hooks(self))
    _post_accumulate_grad_hooks = property(lambda self: self._post_hooks)

    # ------------------------------------------------------------ reading values
    def _host(self, cause: str = "read") -> np.ndarray:
        value = self._read()
        if value.spec.device.type == "meta":
            raise NotImplementedError("Cannot copy out of meta tensor; no data!")
        return read(value, cause)

    def item(self):
        """The only element as a Python number. Raises RuntimeError for more than one element, or for none."""
        n = self._spec.numel
        if n != 1:
            raise RuntimeError(f"a Tensor with {n} elements cannot be converted to Scalar")
        if self._spec.device.type == "meta":
            raise RuntimeError("Tensor.item() cannot be called on meta tensors")
        return self._host("item").reshape(()).item() if self._spec.dtype is not dt.bfloat16 else float(self._host("item").reshape(()))

    def tolist(self):
        """The elements as (nested lists of) Python numbers. Raises RuntimeError for a zero tensor, such as the gradient of `sgn`."""
        if self._is_zerotensor():
            raise RuntimeError("tolist() shouldn't be called on a tensor with unallocated storage")
        host = self._host("tolist")
        return (host.astype(np.float32) if host.dtype.kind == "V" or self._spec.dtype in _ML else host).tolist()

    def _is_zerotensor(self) -> builtins.bool:
        """Whether this is zeros without memory, as some gradients are."""
        return self._own is None and self._storage.zero

    def numpy(self, *, force: builtins.bool = False) -> np.ndarray:
        """A NumPy array that shares memory with this tensor: writes to either are seen by both. A copy where only `force` makes it possible.

        Raises RuntimeError if the tensor requires grad or is a conjugate, TypeError for a device other than the CPU, unless `force`; TypeError
        for bfloat16.
        """
        if self._current_edge() is not None and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if self._is_zerotensor() and not force:
            raise RuntimeError(" Cannot convert a ZeroTensor to numpy. Set force=True if you need the zero array.")
        if self._spec.device.type != "cpu" and not force:
            raise TypeError(f"can't convert {self._spec.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory "
                            "first.")
        if self._spec.dtype in _ML or self._spec.dtype is dt.complex32:
            raise TypeError(f"Got unsupported ScalarType {self._spec.dtype.legacy}")
        for kind, mark in ((handle.CONJUGATING, "conj"), (handle.NEGATING, "neg")):
            if handle.is_marked(self, kind) and not force:
                raise RuntimeError(f"Can't call numpy() on Tensor that has {'conjugate' if mark == 'conj' else 'negative'} bit set. "
                                   f"Use tensor.resolve_{mark}().numpy() instead.")
        if handle.is_altered(self):
            return np.array(self._host("numpy"))
        return shared_array(self) if self._spec.device.type == "cpu" else np.array(self._host("numpy"))

    def __array__(self, dtype=None, copy=None):
        made = self.numpy() if dtype is None else self.numpy().astype(dtype, copy=False)
        return made.copy() if copy else made

    def __array_wrap__(self, array, context=None, return_scalar: builtins.bool = False) -> Tensor:
        """NumPy's results on tensors are tensors; truth values come as uint8, as in torch."""
        return handle.from_array(array.astype(np.uint8) if array.dtype == np.bool_ else np.array(array))

    def __bool__(self) -> builtins.bool:
        n = self._spec.numel
        if n != 1:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous" if n == 0 else
                               "Boolean value of Tensor with more than one value is ambiguous")
        return builtins.bool(self._host("bool").reshape(()).item())

    def __int__(self) -> builtins.int:
        return builtins.int(self._real_number("int64_t"))

    def __float__(self) -> builtins.float:
        return builtins.float(self._real_number("double"))

    def __complex__(self) -> complex:
        return complex(self._number())

    def _number(self):
        """`item()` as Python's conversions call it: their error for another number of elements is a ValueError."""
        if self._spec.numel != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self.item()

    def _real_number(self, target: str):
        number = self._number()
        if number.__class__ is complex:
            if number.imag:
                raise RuntimeError(f"value cannot be converted to type {target} without overflow")
            return number.real
        return number

    def __index__(self) -> builtins.int:
        if self._spec.numel != 1 or self._spec.dtype.category > dt.INTEGER:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return builtins.int(self.item())

    def __len__(self) -> builtins.int:
        if self._spec.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self._spec.shape[0]

    def __iter__(self):
        if self._spec.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(METHODS["unbind"](self, 0))

    def __contains__(self, element) -> builtins.bool:
        if isinstance(element, (Tensor, builtins.int, builtins.float, complex, builtins.bool)):
            return METHODS["any"](METHODS["eq"](self, element)).item()
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")

    # ------------------------------------------------------------ text
    def __repr__(self, *, tensor_contents=None) -> str:
        return self._text("Parameter containing:\ntensor(" if isinstance(self, Parameter) else "tensor(")

    def _text(self, prefix: str) -> str:
        edge, spec = self._current_edge(), self._spec
        try:
            node = INVALID if edge is not None and edge[0] is INVALID else handle.grad_fn(self)
        except RuntimeError:  # a view that a write elsewhere made invalid
            node = INVALID
        where = None if spec.device.type == "cpu" else str(spec.device) if ":" in str(spec.device) or spec.device.type == "meta" \
            else f"{spec.device}:0"
        text = _format.format_tensor(None if spec.device.type == "meta" else self._host("print"), spec.dtype, shape=tuple(spec.shape), device=where,
                                     requires_grad=edge is not None, grad_fn_name=None if node is None else node.name().rpartition("::")[2],
                                     default_dtype=dt.get_default_dtype(), prefix=prefix)
        tangent = tangents_of(self._read()).get(state.dual[-1]) if state.dual else None
        return text if tangent is None else f"{text[:-1]}, tangent={tangent!r})"

    def __format__(self, spec: str) -> str:
        if self._spec.ndim == 0 and type(self) is Tensor and self._spec.device.type != "meta":
            return _format.format_scalar(self._host("print"), spec)
        return object.__format__(self, spec)

    def type(self, dtype=None, non_blocking: builtins.bool = False):
        """The old type name ('torch.FloatTensor'), or this tensor converted to `dtype`."""
        if dtype is None:
            return type_name(self._spec)
        if isinstance(dtype, str):
            found = [d for d in dt.DTYPES if f"torch.{d.legacy}Tensor" == dtype]
            if not found:
                raise ValueError(f"invalid type: '{dtype}'")
            dtype = found[0]
        elif not isinstance(dtype, (dt.dtype, builtins.type)):
            raise TypeError("dtype must be a type, str, or dtype object")
        return METHODS["to"](self, dtype)

    # ------------------------------------------------------------ copies
    def __deepcopy__(self, memo):
        if not handle.is_leaf(self):
            raise RuntimeError("Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
                               "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, "
                               "see https://github.com/pytorch/pytorch/pull/103001")
        if id(self) in memo:
            return memo[id(self)]
        made = handle.own_copy(self, type(self))
        if not isinstance(self, Parameter) and not handle.is_altered(self):
            made._storage.version = 1  # torch fills a fresh tensor
        if self._current_edge() is not None:
            handle.set_leaf(made, True)
        memo[id(self)] = made
        if self._grad is not None:
            made._grad = copy.deepcopy(self._grad, memo)
        handle.copy_user_attributes(self, made, memo)
        return made

    def __copy__(self):
        made = handle.alias(self, type(self))
        made._counter = VersionCounter()
        made._counter.version = 0 if isinstance(self, Parameter) else 1
        if self._current_edge() is not None:
            handle.set_leaf(made, True)
        made.__dict__.update(handle.user_attributes(self))
        return made

    def __reduce_ex__(self, protocol):
        strides = self._strides if self._strides is not None and is_dense(self._spec.shape, self._strides) else None
        return _rebuild, (type(self), self._host("pickle"), self._spec.dtype, self._current_edge() is not None, handle.user_attributes(self), strides)

    def __setstate__(self, attributes):
        self.__dict__.update(attributes)

    @classmethod
    def _make_subclass(cls, data: Tensor, require_grad: builtins.bool = False) -> Tensor:
        made = handle.alias(data, cls)
        if require_grad:
            made.requires_grad_(True)
        return made

    def as_subclass(self, cls):
        """The same data as an instance of `cls`, a subclass of Tensor: a view."""
        made = alias_view(self)
        made.__class__ = cls
        return made

    def __dir__(self):
        return sorted(set(object.__dir__(self)) | set(METHODS))


def _ctype(spec) -> str:
    names = {"float32": "float", "float64": "double", "int64": "long int", "int32": "int", "int16": "short int", "uint8": "unsigned char",
             "int8": "signed char", "bool": "bool", "float16": "c10::Half", "bfloat16": "c10::BFloat16", "complex64": "c10::complex<float>",
             "complex128": "c10::complex<double>"}
    return names.get(spec.dtype.name, spec.dtype.name)


def _rebuild(cls, array, dtype, requires_grad, attributes, strides=None):
    made = handle.from_array(np.array(array), cls, None, dtype if dtype is dt.complex32 else None)
    if strides is not None:
        handle.set_strides(made, strides)
    made._storage.version = 1  # as torch has it, which fills a fresh tensor
    if requires_grad:
        handle.set_leaf(made, True)
    made.__dict__.update(attributes)
    return made


class _ParameterMeta(_TensorMeta):
    def __instancecheck__(cls, instance):
        return type.__instancecheck__(cls, instance) or (isinstance(instance, Tensor) and getattr(instance, "_is_param", False))


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that a Module registers as its parameter when it is assigned as an attribute. Requires grad unless told otherwise."""

    def __new__(cls, data=None, requires_grad: builtins.bool = True):
        if data is None:
            data = Tensor([])
        if not isinstance(data, Tensor):
            data.detach  # noqa: B018 - what has none raises AttributeError, as in torch
            raise RuntimeError(f"Creating a Parameter from an instance of type {type(data).__name__} requires that detach() returns an instance of "
                               "the same type, but return type Tensor was found instead. To use the type as a Parameter, please correct the "
                               "detach() semantics defined by its __torch_dispatch__() implementation.")
        made = handle.alias(data, cls)
        made._inference = data._inference
        if requires_grad and not data._spec.differentiable:
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        return made.requires_grad_(requires_grad)

    def __deepcopy__(self, memo):
        if id(self) in memo:
            return memo[id(self)]
        made = handle.own_copy(self, type(self))
        handle.set_leaf(made, self.requires_grad)
        memo[id(self)] = made
        return made


class layout:
    """torch's layout objects; only `strided` has an implementation."""

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"


strided = layout("strided")
sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc = (layout(f"sparse_{_name}") for _name in ("coo", "csr", "csc", "bsr", "bsc"))
_ML = (dt.bfloat16, dt.float8_e4m3fn, dt.float8_e5m2)


def is_tensor(obj) -> builtins.bool:
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)


class _Fact(property):
    """A read-only attribute, which says so in torch's words."""

    def __set__(self, obj, value):
        raise AttributeError(f"attribute '{self.name}' of 'torch._C.TensorBase' objects is not writable")


def _fact(name: str, getter) -> _Fact:
    made = _Fact(getter)
    made.name = name
    return made


def _attach() -> None:
    for name, method in METHODS.items():
        if name not in Tensor.__dict__:
            setattr(Tensor, name, method)
    for name, (getter, setter) in PROPERTIES.items():
        setattr(Tensor, name, property(getter, setter))
    for name, entry in list(vars(Tensor).items()):
        if entry.__class__ is property and entry.fset is None:
            setattr(Tensor, name, _fact(name, entry.fget))


handle.install(Tensor)
__all__ = ["Parameter", "Tensor", "assign", "check_writable", "is_tensor", "layout", "sparse_bsc", "sparse_bsr",
           "sparse_coo", "sparse_csc", "sparse_csr", "strided"]
