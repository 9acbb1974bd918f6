"""Beyond the paper: a text network whose symbols have vectors, the same ones at its input and at its output."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .lstm import OneHot, PeepholeLSTMCell
from .models import Predictor


class TiedTextPredictor(Predictor):
    """Pr(x_{t+1} | x_1..t) of symbols, as V logits; a symbol has one vector.

    It is the input where the symbol is read, and its product with the projected
    outputs, plus a bias, is the symbol's logit (Press and Wolf 2017). In training,
    the share `dropout` of what goes in and of what comes out is left out.
    Inputs are labels (T, B), with -1 for the null vector.
    """

    def __init__(self, V=10_000, hidden=650, layers=1, embedding=650, dropout=0.4, *,
                 cell=PeepholeLSTMCell, clip_lstm=1.0):
        super().__init__(embedding, hidden, layers, cell=cell, clip=clip_lstm)
        self.config = dict(V=V, hidden=hidden, layers=layers, embedding=embedding,
                           dropout=dropout)
        # Short vectors: they make the scores too, which should start near one another
        self.vectors = nn.Parameter(torch.randn(V, embedding) * embedding**-0.5)
        self.bias = nn.Parameter(torch.zeros(V))
        self.join_output(embedding)

    def forward(self, x: Tensor, state=None, path: str = "auto") -> tuple[Tensor, tuple]:
        """Predict all along: labels (T, B) give logits (T, B, V), and the last state."""
        return super().forward(self.thinned(self.look_up(x)), state, path)

    def look_up(self, x: Tensor) -> Tensor:
        """Return the vectors (..., E) of labels; zeros for the null vector, -1."""
        return OneHot(x) @ self.vectors

    def joined(self, x: Tensor, h: Tensor | None) -> Tensor:
        """Set labels, as vectors, and the output of the layer below side by side."""
        return super().joined(x if x.is_floating_point() else self.look_up(x), h)

    def thinned(self, x: Tensor) -> Tensor:
        """In training, leave out the same numbers at every step of x (T, B, n)."""
        kept = F.dropout(torch.ones_like(x[:1]), self.config["dropout"], self.training)
        return x * kept  # (1, B, n), scaled up where it is not zero

    def readout(self, h: Tensor) -> Tensor:
        """Turn all layers' outputs (..., N * H) into logits (..., V).

        No product is larger, so it is done in bfloat16 where `operands` says so.
        """
        narrow = self.operands == torch.bfloat16
        with torch.autocast(h.device.type, self.operands, enabled=narrow):
            projected = super().readout(self.thinned(h))
            logits = F.linear(projected, self.vectors, self.bias)
        return logits.to(self.bias.dtype)
