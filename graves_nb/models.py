"""The network of section 5: three LSTM layers, skip connections, a soft window, a mixture output."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .lstm import LSTMState, PeepholeLSTMCell, clip_gradient
from .sequence import best_path, run_whole
from .window import SoftWindow, WindowState


class SynthesizerState(NamedTuple):
    """Everything the network remembers between two points."""

    layers: tuple[LSTMState, ...]
    window: WindowState


class HandwritingSynthesizer(nn.Module):
    """Pr(x_{t+1} | x_1..t, c): predict the next pen point from the points so far and a text.

    `cell` and `window` are the parts it is made of: pass your own to see what they do.
    """

    def __init__(self, hidden=400, layers=3, M=20, K=10, V=76, *, cell=PeepholeLSTMCell,
                 window=SoftWindow, clip_lstm=10.0, clip_output=100.0):
        super().__init__()
        self.config = dict(hidden=hidden, layers=layers, M=M, K=K, V=V)
        self.clip_output = clip_output
        self.operands = None  # of products: torch.bfloat16 is faster, None keeps the weights' own type
        below = [3 + V] + (layers - 1) * [3 + V + hidden]  # x, w, and the layer below
        self.layers = nn.ModuleList(cell(size, hidden, clip_lstm) for size in below)
        self.window = window(hidden, K)
        self.output = nn.Linear(layers * hidden, 1 + 6 * M)
        nn.init.normal_(self.output.weight, std=(layers * hidden) ** -0.5)
        nn.init.zeros_(self.output.bias)

    def initial_state(self, batch: int) -> SynthesizerState:
        """Return the state before the first point."""
        window = self.window.initial_state(batch, self.config["V"])
        return SynthesizerState(tuple(cell.initial_state(batch) for cell in self.layers), window)

    def step(self, x: Tensor, text: Tensor, state: SynthesizerState) -> tuple[Tensor, SynthesizerState]:
        """Read one point `x` (B, 3) and return the outputs (B, layers * H) of all layers.

        `text` (B, U, V) is one-hot, zero where a line is shorter than U.
        """
        first, *rest = self.layers
        window = state.window
        below = first(torch.cat([x, window.w], -1), state.layers[0])  # eq. (52)
        window = self.window(below.h, text, window)
        states = [below]
        for cell, before in zip(rest, state.layers[1:]):
            below = cell(torch.cat([x, window.w, below.h], -1), before)  # eq. (53)
            states.append(below)
        h = torch.cat([layer.h for layer in states], -1)
        return h, SynthesizerState(tuple(states), window)

    def readout(self, h: Tensor) -> Tensor:
        """Turn all layers' outputs (..., layers * H) into raw mixture parameters (eq. 17)."""
        return clip_gradient(self.output(h), self.clip_output)

    def forward(self, x: Tensor, text: Tensor, state: SynthesizerState | None = None,
                path: str = "auto") -> tuple[Tensor, SynthesizerState]:
        """Predict all along the lines: `x` (T, B, 3) gives raw outputs (T, B, 1 + 6M), and the last state.

        `path` is "plain" (the loop that the book teaches), "steps" or "native" (the same numbers, with
        the backward pass written out: see `sequence.py`), or "auto", the fastest that can be had.
        """
        state = state or self.initial_state(x.shape[1])
        path = best_path(self, x) if path == "auto" else path
        if path != "plain":
            h, state = run_whole(self, x, text, state, path)
            return self.readout(h), state
        outputs = []
        for x_t in x:
            h, state = self.step(x_t, text, state)
            outputs.append(h)
        return self.readout(torch.stack(outputs)), state
