"""torch.nn.parallel: DataParallel on one device. Several devices are the business of torchish's distributed part, which is not there yet."""

from __future__ import annotations

from typing import Any

from .modules.module import Module


class DataParallel(Module):
    """Runs `module`, kept as its attribute of that name. torch splits the batch over GPUs; here it goes whole to the device of its tensors.

    Raises NotImplementedError for several `device_ids`.
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        if device_ids is not None and len(device_ids) > 1:
            raise NotImplementedError("torchish: nn.DataParallel over several devices")
        self.module = module
        self.device_ids: list[int] = []
        self.dim = dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


__all__ = ["DataParallel"]
