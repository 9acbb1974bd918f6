"""Scores: nats a line and a step, dequantised, in tablet units, and squared error."""

import hashlib
import json
import math
import os
import platform
import re
import subprocess
import time
from pathlib import Path

import torch
from tqdm import tqdm

from . import datasets
from .batches import collate
from .checkpoints import load_weights
from .mixture import mixture_loss, mixture_parameters
from .strokes import Normalisation


def squared_errors(y_hat, y) -> tuple[torch.Tensor, torch.Tensor]:
    """Return two readings of "sum-squared error", (T, B) each: top component and mixture mean.

    The first takes the likeliest component's centre and adds the pen's (x_3 - e)^2; the second
    takes the mean of the mixture and leaves the pen out. The paper does not say which it means.
    """
    p = mixture_parameters(y_hat)
    j = p.pi.argmax(-1, keepdim=True)
    top = sum((y[..., i] - mu.gather(-1, j).squeeze(-1)) ** 2 for i, mu in enumerate((p.mu1, p.mu2)))
    mean = sum((y[..., i] - (p.pi * mu).sum(-1)) ** 2 for i, mu in enumerate((p.mu1, p.mu2)))
    return top + (y[..., 2] - p.e) ** 2, mean


def dequantised(y, normalisation, generator) -> torch.Tensor:
    """Spread targets (T, B, 3) over their tablet unit: add uniform noise in [-0.5, 0.5]."""
    noise = torch.rand(*y.shape[:-1], 2, generator=generator).to(y) - 0.5
    std = torch.tensor(normalisation.std).to(y)
    return torch.cat([y[..., :2] + noise / std, y[..., 2:]], -1)


@torch.no_grad()
def score_lines(model, lines, normalisation, *, batch=64, device="cpu", seed=0, progress=False) -> dict:
    """Return one value a line of everything we sum: `nats`, `dequantised`, `sse_top`, `sse_mean`, `steps`."""
    generator = torch.Generator().manual_seed(seed)
    order = sorted(range(len(lines)), key=lambda i: len(lines[i].offsets_raw))
    scores = {}
    chunks = [order[i : i + batch] for i in range(0, len(order), batch)]
    for chunk in tqdm(chunks, disable=not progress, unit="batch", desc="evaluating"):
        b = collate([lines[i] for i in chunk], normalisation).to(device)
        y_hat, _ = model(b.x, b.text)
        top, mean = squared_errors(y_hat, b.y)
        spread = dequantised(b.y, normalisation, generator)
        values = dict(nats=mixture_loss(y_hat, b.y), dequantised=mixture_loss(y_hat, spread),
                      sse_top=top, sse_mean=mean, steps=torch.ones_like(top))
        for name, value in values.items():
            total = (value * b.mask).double().sum(0).cpu()
            scores.setdefault(name, torch.zeros(len(lines), dtype=torch.float64))[chunk] = total
    return scores


def nats(model, lines, normalisation, **options) -> dict:
    """Summarise a data set under the names that `data/results/` uses (canonical protocol)."""
    s = score_lines(model, lines, normalisation, **options)
    n, steps = len(lines), s["steps"].sum().item()
    per_line = s["nats"].sum().item() / n
    to_raw = math.log(normalisation.std[0]) + math.log(normalisation.std[1])
    return dict(
        nats_per_line=per_line,
        nats_per_line_dequantised=s["dequantised"].sum().item() / n,
        nats_per_step=s["nats"].sum().item() / steps,
        nats_per_line_raw=per_line + steps / n * to_raw,
        steps=int(steps),
        sse_top=s["sse_top"].sum().item() / steps,
        sse_mean=s["sse_mean"].sum().item() / steps,
    )


def evaluate_weights(path, data=None, split="validation", device="cpu") -> dict:
    """Score a weights file and return all that a file in `data/results/` holds."""
    started = time.time()
    model, info = load_weights(path)
    normalisation, training = Normalisation(**info["normalisation"]), info.get("training", {})
    data = data or info["data"]
    lines = datasets.load(data, split)
    metrics = nats(model.to(device), lines, normalisation, device=device, progress=True)
    return dict(
        name=Path(path).stem, task="handwriting-synthesis",
        network=f"{info['config']['layers']}x{info['config']['hidden']}",
        faithful=training.get("optimiser") == "rmsprop" and not training.get("truncate"),
        regularisation="none", dynamic=False, evaluated_with="mean",
        parameters=sum(w.numel() for w in model.parameters()), config=training,
        data=dict(name=data, split=split, lines=len(lines), sha256=digest(lines)),
        normalisation=info["normalisation"], metrics=metrics, seeds=[training.get("seed")],
        device=device_name(device), seconds=round(time.time() - started, 1), commit=commit(),
    )


def digest(lines) -> str:
    """Return one SHA-256 of all texts and offsets: two data sets with the same digest are the same."""
    sha = hashlib.sha256()
    for line in lines:
        sha.update(line.text.encode())
        sha.update(line.offsets_raw.astype("<i2").tobytes())
    return sha.hexdigest()


def device_name(device: str) -> str:
    """Name the GPU, or the processor as the system names it."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    cpuinfo = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.is_file() else []
    return f"{names[0] if names else platform.processor()}, {torch.get_num_threads()} threads"


def commit() -> str:
    """Return the commit that is checked out, or what $GRAVES_NB_COMMIT says where there is no git."""
    try:
        return subprocess.run(["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, check=True,
                              capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("GRAVES_NB_COMMIT", "unknown")


def write_result(result: dict, path) -> None:
    """Write a result, unless the file there says more than we would."""
    path = Path(path)
    if path.is_file() and not keys(json.loads(path.read_text())) <= keys(result):
        raise ValueError(f"{path} holds figures that this run lacks. Move it away to write a smaller one.")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    os.replace(part, path)


def keys(result: dict, prefix="") -> set:
    """List a result's keys, those inside `metrics` too; a run's own settings may differ."""
    names = {prefix + k for k in result}
    return names | (keys(result["metrics"], "metrics.") if "metrics" in result else set())
