"""The paper's three networks: of text (section 3), of handwriting (section 4), and of writing (section 5)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .lstm import DeepLSTM, LSTMState, PeepholeLSTMCell
from .sequence import best_path, run_whole
from .window import SoftWindow, WindowState


class Predictor(DeepLSTM):
    """A deep LSTM that takes the fastest path through a sequence that can be had.

    The paths compute the same numbers: "plain" is the loop of `DeepLSTM`, and "steps" and "native"
    have their backward pass written out (see `sequence.py`); "auto" chooses.
    """

    operands = None  # of products: torch.bfloat16 is faster; None lets the path choose

    def forward(self, x: Tensor, state=None, path: str = "auto") -> tuple[Tensor, tuple]:
        """Predict all along: `x` (T, B, I) or labels (T, B) give raw outputs (T, B, O), and the last state."""
        path = best_path(self, x) if path == "auto" else path
        if path == "plain":
            return super().forward(x, state)
        h, state = run_whole(self, x, None, state or self.initial_state(x.shape[1]), path)
        return self.readout(h), state


class TextPredictor(Predictor):
    """Pr(x_{t+1} | x_1..t) of symbols, as V logits: characters, words or bytes (section 3).

    Its inputs are labels (T, B), which stand for one-hot vectors; -1 is the null vector that begins a text.
    """

    def __init__(self, V=50, hidden=1000, layers=1, *, cell=PeepholeLSTMCell, clip_lstm=1.0, clip_output=None,
                 input_std=1.0):
        super().__init__(V, hidden, layers, cell=cell, clip=clip_lstm)
        self.config = dict(V=V, hidden=hidden, layers=layers)
        for layer in self.layers:  # of V inputs one is on: the others add no variance
            nn.init.normal_(layer.weight_x.data[:, :V], std=input_std)
        self.join_output(V, clip_output)  # eq. (12): softmax over these

    def readout(self, h: Tensor) -> Tensor:
        """Turn all layers' outputs into logits. With 10,000 words no product is larger, so it takes `operands`."""
        with torch.autocast(h.device.type, self.operands, enabled=self.operands == torch.bfloat16):
            return super().readout(h).to(self.output.weight.dtype)


class HandwritingPredictor(Predictor):
    """Pr(x_{t+1} | x_1..t) of pen points, as 1 + 6M raw outputs: no text (section 4)."""

    def __init__(self, hidden=900, layers=1, M=20, *, cell=PeepholeLSTMCell, clip_lstm=10.0, clip_output=100.0):
        super().__init__(3, hidden, layers, cell=cell, clip=clip_lstm)
        self.config = dict(hidden=hidden, layers=layers, M=M)
        self.join_output(1 + 6 * M, clip_output)


class SynthesizerState(NamedTuple):
    """Everything the network remembers between two points."""

    layers: tuple[LSTMState, ...]
    window: WindowState


class HandwritingSynthesizer(DeepLSTM):
    """Pr(x_{t+1} | x_1..t, c): predict the next pen point from the points so far and a text (section 5).

    `cell` and `window` are the parts it is made of: pass your own to see what they do.
    """

    def __init__(self, hidden=400, layers=3, M=20, K=10, V=76, *, cell=PeepholeLSTMCell,
                 window=SoftWindow, clip_lstm=10.0, clip_output=100.0):
        super().__init__(3 + V, hidden, layers, cell=cell, clip=clip_lstm)  # every layer reads x and w
        self.config = dict(hidden=hidden, layers=layers, M=M, K=K, V=V)
        self.operands = None  # of products: torch.bfloat16 is faster; None lets the path choose
        self.window = window(hidden, K)
        self.join_output(1 + 6 * M, clip_output)

    def initial_state(self, batch: int) -> SynthesizerState:
        """Return the state before the first point."""
        window = self.window.initial_state(batch, self.config["V"])
        return SynthesizerState(super().initial_state(batch), window)

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
