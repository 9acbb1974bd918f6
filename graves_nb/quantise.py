"""Weights in 8 bits, for the page: a quarter of float32's bytes.

`NAME` of a file then holds whole numbers q from -127 to 127, and `NAME.scale` one float32 s for each
row: the weights are s q. Peepholes and biases are few, so they stay float16.
"""

import torch
from torch import Tensor

SCALE = ".scale"


def quantise(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of an 8-bit file: each matrix of a `state_dict` row by row, its largest weight as 127."""
    tensors = {}
    for name, weight in state.items():
        if weight.ndim == 2 and "weight" in name:
            weight = weight.float()
            scale = weight.abs().amax(1).clamp(min=1e-12) / 127  # (rows,); a row of zeros stays one
            tensors[name] = (weight / scale[:, None]).round().to(torch.int8)
            tensors[name + SCALE] = scale
        else:
            tensors[name] = weight.half()
    return tensors


def dequantise(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a `state_dict` in float32, the very weights that the page computes with, from a file of any kind."""
    return {
        name: tensor.float() * tensors[name + SCALE][:, None] if tensor.dtype == torch.int8 else tensor.float()
        for name, tensor in tensors.items() if not name.endswith(SCALE)
    }
