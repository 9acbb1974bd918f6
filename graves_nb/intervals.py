"""Is one network better than another? The mean difference of their losses on the same lines, with an interval.

The lines are the same, so their differences tell more than two means do. But lines of one writer are
alike: a second line of a writer says less than the first line of another. So chance draws writers
with all their lines, not lines (the cluster bootstrap). A line whose writer is unknown counts as a writer.
"""

from pathlib import Path

import numpy as np
import torch

from . import datasets
from .checkpoints import load_weights
from .evaluation import digest, score_lines
from .results import commit, device_name
from .strokes import Normalisation

KINDS = ("nats", "dequantised")  # of losses
CHUNK = 500  # draws at a time


def clusters(writers) -> np.ndarray:
    """Number the writers of lines (L,) from 0; each line with writer -1 gets a number of its own."""
    writers = np.array(writers, dtype=np.int64)
    unknown = writers < 0
    writers[unknown] = writers.max(initial=0) + 1 + np.arange(unknown.sum())
    return np.unique(writers, return_inverse=True)[1]


def bootstrap_means(values, groups, draws: int, seed: int = 0) -> np.ndarray:
    """Return `draws` means of `values` (L,), each over as many groups as there are, drawn with replacement."""
    sums, sizes = np.bincount(groups, values), np.bincount(groups)  # (G,)
    rng, G = np.random.default_rng(seed), len(sums)
    means = []
    for start in range(0, draws, CHUNK):
        times = rng.multinomial(G, np.full(G, 1 / G), min(CHUNK, draws - start))  # how often each group is drawn
        means.append(times @ sums / (times @ sizes))
    return np.concatenate(means)


def paired_interval(a, b, writers, level: float = 0.95, draws: int = 10_000, seed: int = 0) -> dict:
    """Return the mean of a - b over lines (L,), and the interval in which `level` of the drawn means lie.

    Below 0, `a` has the lower loss. With few writers such an interval is a little too narrow.
    """
    difference, groups = np.asarray(a, float) - np.asarray(b, float), clusters(writers)
    means = bootstrap_means(difference, groups, draws, seed)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return dict(difference=difference.mean().item(), low=low, high=high, se=means.std().item(),
                lines_lower=int((difference < 0).sum()), lines=len(difference), clusters=int(groups.max() + 1))


def compare(first, second, data=None, split="validation", device="cpu", *, limit=0, level=0.95, draws=10_000,
            seed=0) -> dict:
    """Score two weights files on the same lines and return what `data/results/` holds of the comparison.

    Losses are taken in tablet units, which no normalisation moves; the two networks must drop the same points.
    """
    networks = [load_weights(path) for path in (first, second)]
    for model, _ in networks:
        model.operands = torch.float32  # the same figures on every device
    if any("normalisation" not in info for _, info in networks):
        raise ValueError("Only networks of ink can be compared line by line.")
    units = [Normalisation(**info["normalisation"]) for _, info in networks]
    if units[0].threshold != units[1].threshold:
        raise ValueError("These networks drop other long steps, so their losses are of other points.")
    data = data or networks[0][1]["data"]
    lines = datasets.load(data, split)[: limit or None]
    raw = [raw_losses(model.to(device), lines, unit, device) for (model, _), unit in zip(networks, units)]
    writers = [line.writer for line in lines]
    metrics = {kind: paired_interval(*(r[kind] for r in raw), writers, level, draws, seed) for kind in KINDS}
    for kind in KINDS:
        metrics[kind] |= {f"{name}_raw": r[kind].mean().item() for name, r in zip(("first", "second"), raw)}
    return dict(
        task="comparison", first=about(first, networks[0]), second=about(second, networks[1]),
        data=dict(name=data, split=split, lines=len(lines), sha256=digest(lines)), metrics=metrics,
        level=level, draws=draws, seed=seed, device=device_name(device), commit=commit())


def raw_losses(model, lines, unit: Normalisation, device) -> dict:
    """Return each line's nats in tablet units, as they are and dequantised."""
    s = score_lines(model, lines, unit, device=device, progress=True)
    return {kind: (s[kind] + s["steps"] * np.log(unit.std).sum()).numpy() for kind in KINDS}


def about(path, network) -> dict:
    """Say which network this is."""
    model, info = network
    return dict(weights=Path(path).name, model=info["model"], config=info["config"],
                parameters=sum(w.numel() for w in model.parameters()), training=info.get("training", {}))
