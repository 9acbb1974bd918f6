"""Beyond the paper: a text network whose symbols have vectors, the same ones at its input and at its output."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .lstm import PeepholeLSTMCell
from .models import Predictor


class TiedTextPredictor(Predictor):
    """Pr(x_{t+1} | x_1..t) of symbols, as V logits; each symbol has one vector (Press and Wolf 2017).

    The vector of a symbol goes in where it is read. The product with it comes out where the symbol may come next.
    While the network learns, `dropout` takes that share of what goes in and of what comes out, the same
    numbers all along a sequence (Gal and Ghahramani 2016). Inputs are labels (T, B), with -1 for the null vector.
    """

    def __init__(self, V=10_000, hidden=650, layers=1, embedding=650, dropout=0.5, *, cell=PeepholeLSTMCell,
                 clip_lstm=1.0):
        super().__init__(embedding, hidden, layers, cell=cell, clip=clip_lstm)
        self.config = dict(V=V, hidden=hidden, layers=layers, embedding=embedding, dropout=dropout)
        self.vectors = nn.Parameter(torch.randn(V, embedding) * embedding**-0.5)
        self.bias = nn.Parameter(torch.zeros(V))
        self.join_output(embedding)

    def forward(self, x: Tensor, state=None, path: str = "auto") -> tuple[Tensor, tuple]:
        """Predict all along: labels (T, B) give logits (T, B, V), and the last state."""
        return super().forward(self.thinned(self.look_up(x)), state, path)

    def joined(self, x: Tensor, h: Tensor | None) -> Tensor:
        """Set the input, labels or vectors, and the output of the layer below side by side."""
        return super().joined(x if x.is_floating_point() else self.look_up(x), h)

    def look_up(self, x: Tensor) -> Tensor:
        """Return the vectors (..., E) of labels; zeros for the label -1."""
        return F.embedding(x.clamp(min=0), self.vectors) * (x >= 0).unsqueeze(-1)

    def thinned(self, x: Tensor) -> Tensor:
        """Drop some of the numbers of each sequence of x (T, B, n), and make the others larger in return."""
        return x * F.dropout(torch.ones_like(x[:1]), self.config["dropout"], self.training)

    def readout(self, h: Tensor) -> Tensor:
        """Turn all layers' outputs into logits. With 10,000 words no product is larger, so it takes `operands`."""
        with torch.autocast(h.device.type, self.operands, enabled=self.operands == torch.bfloat16):
            return F.linear(super().readout(self.thinned(h)), self.vectors, self.bias).to(self.bias.dtype)
