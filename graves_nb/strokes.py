"""Ink: a line as offsets, its places on the page, and the units of the network."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


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
