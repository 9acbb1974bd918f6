"""Speeds on this machine: a training step, sampling, and the pen in a page.

What is compared takes turns, so that a machine that warms up or gets busy hurts all alike; each figure
is a median.
"""

import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

from .alphabet import one_hot
from .evaluation import commit, device_name, write_result
from .kernels import cpu
from .mixture import mixture_loss
from .models import HandwritingSynthesizer
from .sampling import Writer, draws, quick

TEXT = "a line of thirty characters ok"
QUICK = ("fused", "cudnn", "cudnn_bf16")  # of a step on a GPU: the others take seconds


def run(out, what=("training", "sampling", "page")) -> None:
    """Measure what is asked for and write one JSON file for each kind."""
    out, cuda = Path(out), torch.cuda.is_available()
    if "training" in what and cuda:
        report("training_step", training_step("cuda", T=700, B=64), out, "cuda")
    if "training" in what and not cuda:
        report("training_step_cpu", training_step("cpu", T=100, B=16), out)
    if "sampling" in what:
        report("sampling", sampling(), out)
    if "page" in what:
        report("in_page", in_page(), out)


def report(name: str, figures: dict, out: Path, device="cpu") -> None:
    """Print figures, and keep them with the machine that they were taken on."""
    row = dict(name=name, device=device_name(device), commit=commit(), **figures)
    write_result(row, out / f"{name}.json")
    print(name, {k: v for k, v in row.items() if k not in ("name", "commit")})


def seconds(jobs: dict, repeats=7, synchronize=lambda: None) -> dict:
    """Return the median time of each job, after one run of each to warm up; the jobs take turns."""
    times = {name: [] for name in jobs}
    for turn in range(repeats + 1):
        for name, job in jobs.items():
            synchronize()
            started = time.perf_counter()
            job()
            synchronize()
            times[name] += [time.perf_counter() - started] if turn else []
    return {name: statistics.median(all) for name, all in times.items()}


# ---- A training step: forward, loss and backward of the 3x400 network ----


def step(path: str, T: int, B: int, device: str, operands=None):
    """Return a job: one step along a path."""
    model = HandwritingSynthesizer().to(device)
    model.operands = operands
    x, text = torch.randn(T, B, 3, device=device) / 2, one_hot([TEXT] * B).to(device)

    def job():
        model.zero_grad()
        mixture_loss(model(x, text, path=path)[0], x).sum().backward()

    return job


def cudnn_step(T: int, B: int, kind, H=400, layers=3):
    """Return a job: the library's own stack of the same width, without peepholes, window, clips or loss."""
    stack = nn.LSTM(3 + 76, H, layers).to("cuda", kind)
    x = torch.randn(T, B, 3 + 76, device="cuda", dtype=kind)

    def job():
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        stack.zero_grad()
        stack(x)[0].sum().backward()
        torch.backends.cuda.matmul.allow_tf32 = False

    return job


def training_step(device: str, T: int, B: int) -> dict:
    """Time one step along every path that this machine has, in ms, with the ratios to the fastest."""
    if device == "cpu":
        paths = ["plain", "steps"] + ["native"] * cpu.available()
        ms = milliseconds({path: step(path, T, B, device) for path in paths}, 3)
        return dict(T=T, B=B, ms=ms, scaling=scaling(paths[-1], T, B, device, 3))
    jobs = dict(fused=step("fused", T, B, device), cudnn=cudnn_step(T, B, torch.float32),
                cudnn_bf16=cudnn_step(T, B, torch.bfloat16))
    ms = milliseconds(jobs, 15)
    slow = dict(fused=jobs["fused"], fused_float32=step("fused", T, B, device, torch.float32),
                graph=step("graph", T, B, device), plain=step("plain", T, B, device))
    ms = milliseconds(slow, 3) | ms
    ratios = {name: round(value / ms["fused"], 2) for name, value in ms.items()}
    return dict(T=T, B=B, ms=ms, times_fused=ratios, scaling=scaling("fused", T, B, device, 7), **memory(T, B))


def milliseconds(jobs: dict, repeats: int) -> dict:
    """Time jobs in turn, in ms."""
    synchronize = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    return {name: round(1000 * value, 2) for name, value in seconds(jobs, repeats, synchronize).items()}


def scaling(path: str, T: int, B: int, device: str, repeats: int) -> dict:
    """Time the step along a path over lengths and over batches: rows of [T or B, ms]."""
    by_T = milliseconds({t: step(path, t, B, device) for t in (T // 4, T // 2, T, 2 * T)}, repeats)
    by_B = milliseconds({b: step(path, T, b, device) for b in (1, B // 4, B // 2, B, 2 * B, 4 * B)}, repeats)
    return dict(T=[[t, ms] for t, ms in by_T.items()], B=[[b, ms] for b, ms in by_B.items()])


def memory(T: int, B: int) -> dict:
    """Return the megabytes that a fused step needs at T and at 2T, beyond the weights."""
    peaks = {}
    for t in (T, 2 * T):
        job = step("fused", t, B, "cuda")
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        job()
        peaks[t] = round((torch.cuda.max_memory_allocated() - before) / 1e6)
    return dict(megabytes=[[t, peak] for t, peak in peaks.items()])


# ---- Sampling ----


def sampling(steps=400) -> dict:
    """Time the 3x400 network writing one line, and sixteen at once, in steps a second: as it writes, and readably."""
    model = HandwritingSynthesizer().eval().requires_grad_(False)
    figures = {}
    for lines in (1, 16):
        chance = draws(0, steps).float().expand(lines, -1, -1)
        jobs = {name: lambda kind=kind: kind(model, ["x" * 200] * lines).write(0.5, chance)  # noqa: B023 (called at once)
                for name, kind in (("", quick(Writer, model)), ("_readable", Writer))}
        for name, value in seconds(jobs, 5).items():
            figures[f"steps_per_second_{lines}{name}"] = round(lines * steps / value)
    return figures


def in_page() -> dict:
    """Time the 3x400 network in headless Chromium."""
    from .bench_page import in_page_steps_per_second
    from .checkpoints import save_weights

    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.safetensors"
        save_weights(weights, HandwritingSynthesizer(), normalisation=dict(mean=[8, 0], std=[40, 40], threshold=1000))
        return in_page_steps_per_second(weights)
