"""Sequences side by side, and how often an epoch meets each."""

from collections import Counter
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .alphabet import ALPHABET, one_hot
from .strokes import Line, Normalisation, targets


class Batch(NamedTuple):
    """Sequences side by side: inputs `x`, targets `y` and `mask`, time first, and for synthesis the `text`.

    Of ink: `x` and `y` (T, B, 3), `mask` (T, B), `text` (B, U, V) or None. Of text: labels `x` and `y` (T, B).
    """

    x: Tensor
    y: Tensor
    mask: Tensor
    text: Tensor | None = None

    def to(self, device) -> "Batch":
        """Move everything to a device."""
        return Batch(*(part if part is None else part.to(device) for part in self))

    def stretch(self, start: int, stop: int) -> "Batch":
        """Return some of its time steps."""
        return Batch(*(part[start:stop] for part in self[:3]), self.text)

    def share(self, rank: int, ranks: int) -> "Batch":
        """Return what one of several devices takes: each `ranks`-th sequence, or one that does not count."""
        mine = list(range(rank, self.mask.shape[1], ranks)) or [0]
        mask = self.mask[:, mine] * (rank < self.mask.shape[1])
        return Batch(self.x[:, mine], self.y[:, mine], mask, None if self.text is None else self.text[mine])


def collate(lines: list[Line], normalisation: Normalisation) -> Batch:
    """Put lines side by side. The first input is the null vector; each later one is the last target."""
    rows = [normalisation.apply(targets(line.offsets_raw, normalisation.threshold)) for line in lines]
    y = torch.nn.utils.rnn.pad_sequence(rows)
    x = torch.cat([torch.zeros_like(y[:1]), y[:-1]])
    return Batch(x, y, mask_of(rows).to(y.dtype), one_hot([line.text for line in lines]))


def collate_text(labels: np.ndarray, spans: list[tuple[int, int]]) -> Batch:
    """Put spans of a text side by side. The first input is the null vector, -1; each later one is the last target."""
    rows = [torch.from_numpy(labels[start:stop].astype(np.int64)) for start, stop in spans]
    y = torch.nn.utils.rnn.pad_sequence(rows)
    x = torch.cat([torch.full_like(y[:1], -1), y[:-1]])
    return Batch(x, y, mask_of(rows).float())


def mask_of(rows: list[Tensor]) -> Tensor:
    """Say which places (T, B) hold something."""
    lengths = torch.tensor([len(row) for row in rows])
    return torch.arange(int(lengths.max())).unsqueeze(1) < lengths


def line_end(vocabulary) -> int:
    """Return the label of a line's end; ValueError where a text has none, and so no sentences."""
    if "\n" not in vocabulary.symbols:
        raise ValueError("This text has no line's end, and so no sentences. Choose --sequences streams --truncate 100.")
    return vocabulary.symbols.index("\n")


def sentences(labels: np.ndarray, end: int) -> list[tuple[int, int]]:
    """Cut a text after each label `end`: spans of sentences."""
    stops = np.flatnonzero(labels == end) + 1
    if len(labels) and (not len(stops) or stops[-1] < len(labels)):
        stops = np.append(stops, len(labels))
    return list(zip([0, *stops[:-1].tolist()], stops.tolist()))


def streams(n: int, count: int, span: int) -> list[list[tuple[int, int]]]:
    """Cut n symbols into `count` streams side by side, and these into spans: one batch for each, in reading order.

    A state is carried within a span, not from one to the next. Fewer than `count` symbols are left over.
    """
    long = n // count
    starts = range(0, long, span or max(long, 1))
    return [[(i * long + j, i * long + min(j + (span or long), long)) for i in range(count)] for j in starts]


def batches(lines: list[Line], size: int, generator: torch.Generator) -> list[list[Line]]:
    """Deal lines into batches of about one length, in an order that the generator draws."""
    return deal(lines, [len(line.offsets_raw) for line in lines], size, generator)


def deal(items: list, lengths: list[int], size: int, generator: torch.Generator, wobble=60) -> list[list]:
    """Deal items into batches of about one length, in an order that the generator draws."""
    wobble = wobble * torch.rand(len(items), generator=generator)  # so that each meets new neighbours
    order = torch.argsort(torch.tensor(lengths) + wobble).tolist()
    deals = [order[i : i + size] for i in range(0, len(order), size)]
    return [[items[i] for i in deals[j]] for j in torch.randperm(len(deals), generator=generator).tolist()]


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
