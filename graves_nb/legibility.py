"""Can it be read, and is it still various? A recogniser reads what a pen wrote, beside real lines of the same texts."""

from pathlib import Path

import numpy as np

from . import datasets, hand, stops
from .checkpoints import load_weights
from .checks import check_text
from .evaluation import digest
from .pen import Pen
from .recogniser import distance, errors, read_lines, tidy
from .results import commit, device_name

STRINGS = 1000  # of which we count how many stop wrongly


def measure(pen, recogniser, biases, data="iam-ondb", split="validation", device="cpu", *, limit=0, seed=0) -> dict:
    """Return, for real lines and for each bias, how well they are read and how much they differ."""
    from .intervals import paired_interval

    writer, (reader, _) = Pen.load(pen), load_weights(recogniser)
    lines = [line for line in datasets.load(data, split)[: limit or None] if can_be_written(line.text)]
    texts, real = [line.text for line in lines], [line.offsets_raw for line in lines]
    row, real_rates = reading(reader.to(device), texts, real)
    rows, real_hands = [dict(ink="real", spread=1.0) | row], hands(texts, real)
    for bias in biases:
        samples = stops.write_all(writer, texts, bias, seed, batch=64)
        inks = [ink_of(writer, sample) for sample in samples]
        row, rates = reading(reader, texts, inks)
        row["against_real"] = paired_interval(rates, real_rates, [line.writer for line in lines])
        row["spread"], row["spreads"] = spread(hands(texts, inks), real_hands)
        rows.append(dict(ink=writer.name, bias=bias, stops=endings(samples[:STRINGS])) | row)
    return dict(name="legibility", task="legibility", pen=writer.name, recogniser=name_of(recogniser), seed=seed,
                data=dict(name=data, split=split, lines=len(lines), sha256=digest(lines)), rows=rows,
                device=device_name(device), commit=commit())


def name_of(weights) -> str:
    """Name a run's weights by their folder as well: all are called weights.safetensors."""
    return "/".join(Path(weights).parts[-2:])


def can_be_written(text: str) -> bool:
    """Say whether the pen knows all of a text."""
    try:
        return bool(check_text(text))
    except ValueError:
        return False


def ink_of(pen: Pen, sample) -> np.ndarray:
    """Return a sample as a tablet would have recorded it: offsets in whole units."""
    return pen.normalisation.invert(sample.offsets).round().numpy()


def reading(reader, texts: list[str], inks: list) -> tuple[dict, list[float]]:
    """Return the error rates of lines, and each line's own."""
    texts, read = [tidy(text) for text in texts], read_lines(reader, inks)
    return errors(texts, read), [distance(text, other) / len(text) for text, other in zip(texts, read)]


def endings(samples: list) -> dict:
    """Count the lines that stopped too early, and those that never did."""
    judged = [stops.judge(sample) for sample in samples]
    return dict(strings=len(judged), early=sum(s.early for s in judged), never=sum(s.never for s in judged))


def hands(texts: list[str], inks: list) -> np.ndarray:
    """Return the six numbers of each line's hand, (L, 6)."""
    return np.array([hand.measure(ink, text) for text, ink in zip(texts, inks)])


def middle_half(hands: np.ndarray) -> np.ndarray:
    """Return how wide the middle half of the lines spreads, in each number: a line that went astray is no variety."""
    return np.subtract(*np.quantile(hands, [0.75, 0.25], axis=0))


def spread(written: np.ndarray, real: np.ndarray) -> tuple[float, dict]:
    """Return how much hands differ, against real ones of the same texts: 1 is as much. In the mean, and each number."""
    ratios = middle_half(written) / np.maximum(middle_half(real), 1e-9)
    return ratios.mean().item(), dict(zip(hand.Hand._fields, ratios.tolist()))
