"""A reader of hands: it maps a line to a place on a sphere, where lines of one writer lie close together.

It learns to tell the writers of its training lines apart, and is then asked about writers that it never met.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .recogniser import BothWays, side_by_side
from .strokes import Normalisation, targets

SHARPNESS = 16.0  # of the softmax over writers: cosines alone are too blunt


class StyleReader(nn.Module):
    """e = f(line), |e| = 1: from offsets (T, B, 3), normalised, and lengths (B,) to places (B, E).

    With the places come their cosines with the proxies of all training writers, (B, writers).
    """

    def __init__(self, writers: int, hidden: int = 96, layers: int = 1, size: int = 32, dropout: float = 0.25):
        super().__init__()
        self.config = dict(writers=writers, hidden=hidden, layers=layers, size=size, dropout=dropout)
        self.operands = None
        self.look = nn.Conv1d(3, 64, kernel_size=9, stride=4, padding=4)
        self.layers = nn.ModuleList(BothWays(2 * hidden if n else 64, hidden) for n in range(layers))
        self.dropout, self.output = nn.Dropout(dropout), nn.Linear(2 * hidden, size)
        self.proxies = nn.Parameter(torch.randn(writers, size))  # a place for each writer of the training lines

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return a place for each line: the mean of what is seen along it, made one unit long."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.operands == torch.bfloat16):
            h = torch.tanh(self.look(x.clamp(-5, 5).permute(1, 2, 0))).permute(2, 0, 1)  # (T', B, 64)
            lengths = (lengths + 3) // 4
            for layer in self.layers:
                h = layer(h, lengths)
            counts = torch.arange(len(h), device=x.device).unsqueeze(1) < lengths  # (T', B)
            h = (h * counts.unsqueeze(-1)).sum(0) / lengths.unsqueeze(-1)
            places = F.normalize(self.output(self.dropout(h)).float(), dim=-1)
        return places, places @ F.normalize(self.proxies, dim=-1).T


def proxy_loss(cosines: Tensor, writers: Tensor) -> Tensor:
    """Return the summed nats of naming the writers (B,) of lines by their cosines with all proxies (B, writers)."""
    return F.cross_entropy(SHARPNESS * cosines, writers, reduction="sum")


@torch.no_grad()
def embed(reader: StyleReader, lines: list[np.ndarray], unit: Normalisation, batch: int = 64) -> np.ndarray:
    """Return the places (L, E) of lines of offsets in tablet units."""
    rows, device = [unit.apply(targets(offsets, unit.threshold)) for offsets in lines], reader.proxies.device
    chunks = [side_by_side(rows[i : i + batch]) for i in range(0, len(rows), batch)]
    return torch.cat([reader(x.to(device), lengths.to(device))[0].cpu() for x, lengths in chunks]).numpy()


def equal_error_rate(same: np.ndarray, other: np.ndarray) -> float:
    """Return the rate of errors at the threshold where both kinds are equally frequent.

    `same` are the cosines of pairs of one writer, `other` those of two; a pair above the threshold is called the same.
    """
    thresholds = np.unique(np.concatenate([same, other]))
    missed = np.searchsorted(np.sort(same), thresholds) / len(same)  # below the threshold
    taken = 1 - np.searchsorted(np.sort(other), thresholds) / len(other)  # not below it
    return float(np.maximum(missed, taken).min())


def pairs(places: np.ndarray, writers, pages) -> dict:
    """Return the cosines of all pairs of lines: of one writer on one page and on two, and of two writers."""
    first, second = np.triu_indices(len(places), 1)
    cosines = (places @ places.T)[first, second]
    writers, pages = np.asarray(writers), np.asarray(pages)
    writer, page = writers[first] == writers[second], pages[first] == pages[second]
    return dict(one_page=cosines[writer & page], one_writer=cosines[writer & ~page], two_writers=cosines[~writer])


def verification_error(reader: StyleReader, lines: list, unit: Normalisation) -> float:
    """Return the equal error rate of "one writer or two?" on all pairs of lines."""
    places = embed(reader, [line.offsets_raw for line in lines], unit)
    found = pairs(places, [line.writer for line in lines], range(len(places)))
    return equal_error_rate(found["one_writer"], found["two_writers"])
