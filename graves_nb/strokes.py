"""Ink: offsets and the page, units, pictures, and batches of lines."""

from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .alphabet import ALPHABET, one_hot


@dataclass
class Line:
    """A line of ink: `offsets_raw` (T, 3) holds rows of dx, dy, end_of_stroke in tablet units.

    Row one is where the line starts; it is never predicted.
    """

    text: str
    offsets_raw: np.ndarray
    writer: int = -1
    line_id: str = ""


def targets(offsets_raw: np.ndarray, threshold: float) -> np.ndarray:
    """Return the rows that count: all but row one and the leaps longer than `threshold`."""
    rows = offsets_raw[1:]
    return rows[np.hypot(rows[:, 0], rows[:, 1]) <= threshold]


@dataclass
class Normalisation:
    """The units of the network: each coordinate less its mean, over its standard deviation."""

    mean: tuple[float, float]
    std: tuple[float, float]
    threshold: float = 1000.0

    @classmethod
    def fit(cls, lines: list[Line], threshold: float = 1000.0) -> "Normalisation":
        """Measure the units on training lines."""
        offsets = np.concatenate([targets(line.offsets_raw, threshold)[:, :2] for line in lines]).astype(np.float64)
        return cls(tuple(offsets.mean(0).tolist()), tuple(offsets.std(0).tolist()), threshold)

    def apply(self, offsets_raw) -> Tensor:
        """Turn tablet units (..., 3) into the network's."""
        offsets = torch.as_tensor(np.asarray(offsets_raw, dtype=np.float32)).clone()
        offsets[..., :2] = (offsets[..., :2] - torch.tensor(self.mean)) / torch.tensor(self.std)
        return offsets

    def invert(self, offsets: Tensor) -> Tensor:
        """Turn the network's units (..., 3) into tablet units."""
        raw = offsets.clone()
        raw[..., :2] = raw[..., :2] * torch.tensor(self.std).to(raw) + torch.tensor(self.mean).to(raw)
        return raw


def to_page(offsets_raw) -> np.ndarray:
    """Return the places (T, 2) that the pen visits: the running sum of its offsets."""
    return np.cumsum(np.asarray(offsets_raw, dtype=np.float64)[:, :2], axis=0)


def to_strokes(offsets_raw) -> list[np.ndarray]:
    """Return what is drawn: for each stroke the places (n, 2) between two lifts of the pen."""
    rows = np.asarray(offsets_raw, dtype=np.float64)
    ends = np.flatnonzero(rows[:, 2] > 0.5) + 1
    return [stroke for stroke in np.split(to_page(rows), ends) if len(stroke)]


def from_strokes(strokes: list[np.ndarray]) -> np.ndarray:
    """Return offsets (T, 3) that draw these strokes, starting at the first one's first place."""
    places = np.concatenate(strokes)
    rows = np.zeros((len(places), 3))
    rows[1:, :2] = np.diff(places, axis=0)
    rows[np.cumsum([len(stroke) for stroke in strokes]) - 1, 2] = 1
    return rows


def to_svg(offsets_raw, title: str = "handwriting", width: float = 9.0, margin: float = 40.0) -> str:
    """Draw a line as SVG: one smooth path a stroke, in the colour of the text around it."""
    strokes = to_strokes(offsets_raw)
    places = np.concatenate(strokes) if strokes else np.zeros((1, 2))
    x, y = places.min(0) - margin
    w, h = places.max(0) + margin - (x, y)
    paths = "".join(f'<path d="{svg_path(stroke)}"/>' for stroke in strokes)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x:.0f} {y:.0f} {w:.0f} {h:.0f}" role="img">'
            f"<title>{escape(title)}</title>"
            f'<g fill="none" stroke="currentColor" stroke-width="{width:g}" stroke-linecap="round" '
            f'stroke-linejoin="round">{paths}</g></svg>\n')


def svg_path(stroke: np.ndarray) -> str:
    """Return one stroke as a path: curves through the midpoints, so that no corner shows."""
    if len(stroke) == 1:
        return f"M{stroke[0, 0]:.1f} {stroke[0, 1]:.1f}h0"
    middle = (stroke[:-1] + stroke[1:]) / 2
    curves = "".join(f"Q{a:.1f} {b:.1f} {c:.1f} {d:.1f}" for (a, b), (c, d) in zip(stroke[1:-1], middle[1:]))
    (x0, y0), (x1, y1), (xn, yn) = stroke[0], middle[0], stroke[-1]
    return f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}{curves}L{xn:.1f} {yn:.1f}"


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
