"""Anomaly detection: which line of the user's program recorded a failing graph node, and the search for nan in gradients.

The search reads every gradient, so each node is evaluated on its own: slow, as it says when it is switched on.
"""
from __future__ import annotations

import traceback
import warnings

import numpy as np

from .evaluate import read
from .explain import PACKAGE
from .grad_graph import GradNode
from .tape import Value, state


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on in this thread."""
    return state.anomaly


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly detection looks for nan."""
    return state.anomaly_nan


def remember_line(node: GradNode) -> None:
    """Note where the user's program recorded `node`, and the node whose backward was running then."""
    frames = traceback.extract_stack()
    while frames and (_ours(frames[-1]) or frames[-1].filename == "<string>" and len(frames) > 1 and _ours(frames[-2])):  # generated fronts too
        frames.pop()
    node.metadata["traceback_"] = traceback.format_list(frames)
    if state.running is not None:
        node.metadata["parent_"] = state.running


def _ours(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith(PACKAGE)


def warn_of(node: GradNode) -> None:
    """Say where the forward of a node was recorded whose backward failed."""
    lines, parent = node.metadata.get("traceback_"), node.metadata.get("parent_")
    if lines is None:
        warnings.warn(f"Error detected in {node.name()}. No forward pass information available. Enable detect anomaly during forward pass for more "
                      "information.", stacklevel=2)
        return
    warnings.warn(f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n{''.join(lines)}", stacklevel=2)
    while parent is not None:
        lines = parent.metadata.get("traceback_")
        if lines is None:
            warnings.warn(f"\n\nPrevious calculation was induced by {parent.name()}. No forward pass information available. Enable detect anomaly "
                          "during forward pass for more information.", stacklevel=2)
            return
        warnings.warn(f"\n\nPrevious calculation was induced by {parent.name()}. Traceback of forward call that induced the previous calculation:\n"
                      f"{''.join(lines)}", stacklevel=2)
        parent = parent.metadata.get("parent_")


def check_nan(node: GradNode, needs: tuple, gradients) -> None:
    """Raise RuntimeError if a gradient that `node` returned has a nan."""
    for i, g in zip(needs, gradients):
        if g is not None and _has_nan(g if g.__class__ is Value else g._read()):
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {i}th output.")


def _has_nan(value: Value) -> bool:
    host = read(value, "anomaly detection")
    return bool(np.isnan(host.astype(np.float32) if host.dtype.kind == "V" else host).any())
