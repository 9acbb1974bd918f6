"""A reader of ink: a small network that says what a line reads (Graves et al. 2009). It measures how legible lines are.

It sees shapes alone. A line is made level and brought to one size, and its strokes are cut into steps of one length:
how fast the pen went, how large it wrote and on which slope make no difference.
"""

import re

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .alphabet import ALPHABET, OTHER
from .strokes import to_strokes

STEP = 0.45  # in sizes of a line: some eleven steps a character
BLANK = OTHER + 1  # "no new character here"
STEEPEST = 0.15  # a slope beyond this is a short word's shape


class Recogniser(nn.Module):
    """Pr(label | line) at each place: labels of characters, or BLANK. Layers read the line both ways.

    `x` (T, B, 4) are features and `lengths` (B,) say how many count; logits come out for each second place.
    """

    def __init__(self, hidden: int = 128, layers: int = 2, dropout: float = 0.25):
        super().__init__()
        self.config, self.operands = dict(hidden=hidden, layers=layers, dropout=dropout), None
        self.look = nn.Conv1d(4, 64, kernel_size=7, stride=2, padding=3)
        self.layers = nn.ModuleList(BothWays(2 * hidden if n else 64, hidden) for n in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(2 * hidden, BLANK + 1)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (T', B, labels) and how many count, (B,)."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.operands == torch.bfloat16):
            h = torch.tanh(self.look(x.permute(1, 2, 0))).permute(2, 0, 1)  # (T', B, 64)
            lengths = (lengths + 1) // 2
            for layer in self.layers:
                h = self.dropout(layer(h, lengths))
            return self.output(h).float(), lengths


class BothWays(nn.Module):
    """Two LSTMs, one from each end. Lines of unequal length do not see each other's padding."""

    def __init__(self, inputs: int, hidden: int):
        super().__init__()
        self.onward, self.back = nn.LSTM(inputs, hidden), nn.LSTM(inputs, hidden)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Turn `x` (T, B, I) into (T, B, 2 H)."""
        return torch.cat([self.onward(x)[0], turned(self.back(turned(x, lengths))[0], lengths)], -1)


def turned(x: Tensor, lengths: Tensor) -> Tensor:
    """Turn each line of `x` (T, B, I) back to front, within its length; what lies beyond stays."""
    t = torch.arange(len(x), device=x.device).unsqueeze(1)  # (T, 1)
    places = torch.where(t < lengths, lengths - 1 - t, t)  # (T, B)
    return x.gather(0, places.unsqueeze(-1).expand_as(x))


def features(offsets_raw) -> Tensor:
    """Return what the reader sees of a line, (T, 4): a step's dx and dy, its height, and 1 where a stroke begins."""
    strokes = [walk(stroke, STEP) for stroke in level(to_strokes(offsets_raw))]
    begins = np.zeros(sum(map(len, strokes)), np.float32)
    begins[np.cumsum([0, *map(len, strokes[:-1])])] = 1
    return seen(np.concatenate(strokes), begins)


def seen(places: np.ndarray, begins: np.ndarray) -> Tensor:
    """Turn places (T, 2) into features (T, 4)."""
    steps = np.diff(places, axis=0, prepend=places[:1]).clip(-5, 5)
    return torch.from_numpy(np.column_stack([steps, places[:, 1], begins]).astype(np.float32))


def varied(rows: Tensor, rng: np.random.Generator) -> Tensor:
    """Slant, stretch and turn a line's features a little, and let its strokes shake slowly: for training alone."""
    rows = rows.numpy()
    places = np.stack([rows[:, 0].cumsum(), rows[:, 2]], 1)
    matrix = np.eye(2) + rng.normal(0, [[0.1, 0.2], [0.003, 0.1]])  # x from y: slant; y from x: slope
    way = STEP * np.arange(len(rows))[:, None, None]
    periods, phases = rng.uniform(2, 12, (2, 3)), rng.uniform(0, 2 * np.pi, (2, 3))
    waves = np.sin(way / periods + phases).sum(-1)  # (T, 2)
    return seen(places @ matrix.T + 0.06 * waves, rows[:, 3])


def level(strokes: list[np.ndarray]) -> list[np.ndarray]:
    """Take a line's slope out, set its middle at 0, and bring its height to one standard deviation."""
    x, y = np.concatenate(strokes).T
    slope = np.clip(np.polyfit(x, y, 1)[0] if np.ptp(x) > 2 * np.ptp(y) else 0, -STEEPEST, STEEPEST)
    size, middle = max(1.0, (y - slope * x).std()), (y - slope * x).mean()
    return [np.stack([s[:, 0], s[:, 1] - slope * s[:, 0] - middle], 1) / size for s in strokes]


def walk(stroke: np.ndarray, step: float) -> np.ndarray:
    """Walk along a stroke: its places at equal distances of about `step`, both ends included."""
    way = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
    stops = np.linspace(0, way[-1], max(1, round(way[-1] / step)) + 1) if way[-1] > step / 2 else way[-1:]
    return np.stack([np.interp(stops, way, axis) for axis in stroke.T], 1)


def side_by_side(rows: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Put the features of lines side by side: (T, B, 4), zero past each one's end, and their lengths (B,)."""
    return nn.utils.rnn.pad_sequence(rows), torch.tensor([len(row) for row in rows])


def ctc_loss(logits: Tensor, lengths: Tensor, labels: Tensor) -> Tensor:
    """Return -log Pr(text | line), summed over lines: over all ways to place the characters (Graves et al. 2006).

    `labels` (B, U) are those of the texts, -1 past a text's end. It is computed on the processor: on a GPU
    no two runs would be alike.
    """
    log_probs, labels, lengths = logits.log_softmax(-1).cpu(), labels.cpu(), lengths.cpu()
    return F.ctc_loss(log_probs, labels.clamp(min=0), lengths, (labels >= 0).sum(1), blank=BLANK, reduction="sum",
                      zero_infinity=True)


def decode(logits: Tensor, lengths: Tensor) -> list[str]:
    """Read greedily: the likeliest labels, each run taken once, blanks left out."""
    texts = []
    for best, n in zip(logits.argmax(-1).T, lengths.tolist()):
        best = best[:n].unique_consecutive()
        texts.append("".join(CHARACTERS[i] for i in best[best != BLANK].tolist()))
    return texts


CHARACTERS = ALPHABET + "\N{REPLACEMENT CHARACTER}"  # what stands for OTHER


@torch.no_grad()
def read_lines(model: Recogniser, lines: list, batch: int = 64) -> list[str]:
    """Read lines of offsets in tablet units (T, 3); lines of about one length go together."""
    return read_features(model, [features(offsets) for offsets in lines], batch)


@torch.no_grad()
def read_features(model: Recogniser, rows: list[Tensor], batch: int = 64) -> list[str]:
    """Read lines of which we have the features."""
    device, texts = model.output.weight.device, [""] * len(rows)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for chunk in (order[i : i + batch] for i in range(0, len(order), batch)):
        x, lengths = side_by_side([rows[i] for i in chunk])
        for i, text in zip(chunk, decode(*model(x.to(device), lengths.to(device)))):
            texts[i] = text
    return texts


def tidy(text: str) -> str:
    """Join marks to their words: some transcripts read `Mr . Gaitskell`, though nobody leaves such a gap."""
    text = re.sub(r" ([.,;:?!)])", r"\1", text)
    return re.sub(r'^" | "$', '"', text)


def align(text: str, read: str) -> list[tuple[str, str]]:
    """Pair the characters of two texts so that the fewest pairs differ; "" stands for none.

    The number of pairs that differ is the edit distance.
    """
    cost = [list(range(len(read) + 1))]
    for u, character in enumerate(text):
        above, row = cost[-1], [u + 1]
        for r, other in enumerate(read):
            row.append(min(above[r] + (character != other), above[r + 1] + 1, row[r] + 1))
        cost.append(row)
    pairs, u, r = [], len(text), len(read)
    while u or r:
        here = cost[u][r]
        if u and r and here == cost[u - 1][r - 1] + (text[u - 1] != read[r - 1]):
            u, r = u - 1, r - 1
            pairs.append((text[u], read[r]))
        elif u and here == cost[u - 1][r] + 1:
            u -= 1
            pairs.append((text[u], ""))
        else:
            r -= 1
            pairs.append(("", read[r]))
    return pairs[::-1]


def distance(text: str, read: str) -> int:
    """Return the least number of characters to change, insert or delete."""
    return sum(a != b for a, b in align(text, read))


def error_rate(texts: list[str], read: list[str]) -> float:
    """Return the character error rate: edits a character of what the lines say."""
    return sum(map(distance, texts, read)) / sum(map(len, texts))


KINDS = dict(letters=str.isalpha, digits=str.isdigit, punctuation=lambda c: not (c.isalnum() or c.isspace()))


def errors(texts: list[str], read: list[str]) -> dict:
    """Return the character error rate, and the share of the letters, digits and punctuation marks that were misread.

    The first counts what was read too much as well; the others cannot, for it is of no kind.
    """
    pairs = [pair for text, other in zip(texts, read) for pair in align(text, other)]
    rates = dict(cer=sum(a != b for a, b in pairs) / max(1, sum(map(len, texts))))
    for name, kind in KINDS.items():
        wrong = [a != b for a, b in pairs if a and kind(a)]
        rates |= {f"cer_{name}": sum(wrong) / len(wrong) if wrong else None, f"{name}": len(wrong)}
    return rates | dict(lines=len(texts), characters=sum(map(len, texts)))
