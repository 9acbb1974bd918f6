"""Speeds on this machine: a training step, sampling, and the pen in a page."""

import statistics
import time
from pathlib import Path

import torch

from .alphabet import one_hot
from .evaluation import commit, device_name, write_result
from .mixture import mixture_loss
from .models import HandwritingSynthesizer
from .sampling import Writer, draws


def run(out) -> None:
    """Measure everything and write one JSON file for each kind."""
    out = Path(out)
    report("sampling", sampling(), out)
    report("training_step_cpu", training_step(), out)
    report("in_page", in_page(out), out)


def report(name: str, figures: dict, out: Path) -> None:
    """Print figures, and keep them with the machine that they were taken on."""
    row = dict(name=name, device=device_name("cpu"), commit=commit(), **figures)
    write_result(row, out / f"{name}.json")
    print(name, {k: v for k, v in row.items() if k not in ("name", "commit")})


def seconds(job, repeats=5) -> float:
    """Return the median time of a job, after one run to warm up."""
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        job()
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def sampling(steps=200) -> dict:
    """Time the 3x400 network writing one line, and sixteen at once, in steps a second."""
    model = HandwritingSynthesizer().eval().requires_grad_(False)
    figures = {}
    for lines in (1, 16):
        chance = draws(0, steps).float().expand(lines, -1, -1)

        def job(lines=lines, chance=chance):
            Writer(model, ["x" * 200] * lines).write(0.5, chance)

        figures[f"steps_per_second_{lines}"] = round(lines * steps / seconds(job))
    return figures


def training_step(T=100, B=16) -> dict:
    """Time one forward and backward pass of the 3x400 network along both paths, in ms."""
    model = HandwritingSynthesizer()
    x, text = torch.randn(T, B, 3) / 2, one_hot(["a line of thirty characters ok"] * B)
    figures = dict(T=T, B=B, ms={})
    for path in ("plain", "whole"):

        def job(path=path):
            model.zero_grad()
            mixture_loss(model(x, text, path=path)[0], x).sum().backward()

        figures["ms"][path] = round(1000 * seconds(job, 3))
    return figures


def in_page(out: Path) -> dict:
    """Time the 3x400 network in headless Chromium."""
    from .bench_page import in_page_steps_per_second
    from .checkpoints import save_weights

    weights = out / "random.safetensors"
    save_weights(weights, HandwritingSynthesizer(), normalisation=dict(mean=[8, 0], std=[40, 40], threshold=1000))
    return in_page_steps_per_second(weights)
