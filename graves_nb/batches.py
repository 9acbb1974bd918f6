"""Lines side by side, and how often an epoch meets each."""

from collections import Counter
from typing import NamedTuple

import torch
from torch import Tensor

from .alphabet import ALPHABET, one_hot
from .strokes import Line, Normalisation, targets


class Batch(NamedTuple):
    """Lines side by side: inputs `x` (T, B, 3), targets `y` (T, B, 3), `mask` (T, B), `text` (B, U, V)."""

    x: Tensor
    y: Tensor
    mask: Tensor
    text: Tensor

    def to(self, device) -> "Batch":
        """Move everything to a device."""
        return Batch(*(part.to(device) for part in self))


def collate(lines: list[Line], normalisation: Normalisation) -> Batch:
    """Put lines side by side. The first input is the null vector; each later one is the last target."""
    rows = [normalisation.apply(targets(line.offsets_raw, normalisation.threshold)) for line in lines]
    y = torch.nn.utils.rnn.pad_sequence(rows)
    x = torch.cat([torch.zeros_like(y[:1]), y[:-1]])
    lengths = torch.tensor([len(row) for row in rows])
    mask = (torch.arange(len(y)).unsqueeze(1) < lengths).to(y.dtype)
    return Batch(x, y, mask, one_hot([line.text for line in lines]))


def batches(lines: list[Line], size: int, generator: torch.Generator) -> list[list[Line]]:
    """Deal lines into batches of about one length, in an order that the generator draws."""
    wobble = 60 * torch.rand(len(lines), generator=generator)  # so that a line meets new neighbours
    lengths = torch.tensor([len(line.offsets_raw) for line in lines])
    order = torch.argsort(lengths + wobble).tolist()
    deals = [order[i : i + size] for i in range(0, len(order), size)]
    return [[lines[i] for i in deals[j]] for j in torch.randperm(len(deals), generator=generator).tolist()]


def repeat_factors(lines: list[Line], share: float) -> Tensor:
    """Say how often an epoch should meet each line (L,): more than once for its rarest character's sake.

    A character that a share f of the lines holds asks for sqrt(share / f), if that is more than 1.
    """
    counts = Counter(character for line in lines for character in set(line.text))
    asks = {c: (share * len(lines) / n) ** 0.5 for c, n in counts.items() if c in ALPHABET}
    return torch.tensor([max([1.0, *(asks.get(c, 0) for c in set(line.text))]) for line in lines])


def repeated(lines: list[Line], factors: Tensor, generator: torch.Generator) -> list[Line]:
    """Repeat each line by its factor; chance rounds a fraction up or down."""
    times = (factors + torch.rand(len(factors), generator=generator)).long().tolist()
    return [line for line, n in zip(lines, times) for _ in range(n)]
