"""Files in `data/results/`: what a row says beside its figures, and how rows of several seeds are joined."""

import json
import os
import platform
import re
import subprocess
from pathlib import Path

import torch

# What a run must have to count as the paper's own. What the paper leaves open is free: batch, start, epochs.
PAPER = {
    "HandwritingSynthesizer": [dict(hidden=400, layers=3)],
    "HandwritingPredictor": [dict(hidden=900, layers=1), dict(hidden=400, layers=3)],
    "TextPredictor": [dict(hidden=1000, layers=1), dict(hidden=700, layers=7), dict(hidden=700, layers=5)],
}
PAPER_INK = dict(optimiser="rmsprop", clip_lstm=10.0, clip_output=100.0, truncate=0, rare=0.0, average=0.0,
                 clip_norm=0.0, held="", weight_drop=0.0, M=20, K=10)
PAPER_TEXT = dict(optimiser="sgd", lr=1e-4, clip_lstm=1.0, clip_output=0.0, average=0.0, gradient="sum",
                  clip_norm=0.0, held="", dropout=0.0, weight_drop=0.0)


def is_faithful(model: str, config: dict, training: dict) -> bool:
    """Say whether topology, loss, clips, optimiser and regulariser are the paper's."""
    wanted = PAPER_INK
    if model == "TextPredictor":  # one rate for both tasks, two momenta: Wikipedia's networks have 700 cells a layer
        wanted = PAPER_TEXT | dict(momentum=0.9 if config["hidden"] == 700 else 0.99)
    if training.get("noise", "none") != "none":
        wanted = wanted | dict(noise_std=0.075, curvature="squared")
    shape = {k: config[k] for k in ("hidden", "layers")}
    return shape in PAPER.get(model, []) and all(training.get(k, v) == v for k, v in wanted.items())


def mean_and_sd(rows: list[dict]) -> dict:
    """Join the metrics of several draws or seeds: means, and where there are several, `_sd` beside them."""
    if len(rows) == 1:
        return rows[0]
    joined = {}
    for name, value in rows[0].items():
        if name.endswith("_sd") and name[:-3] in rows[0]:
            continue  # of the draws of one seed
        values = torch.tensor([row[name] for row in rows], dtype=torch.float64)
        same = (values == values[0]).all()
        joined[name] = value if same else values.mean(0).tolist()
        if not same and values.ndim == 1:
            joined[f"{name}_sd"] = values.std().item()
    return joined


# Of a run's config, what another seed changes of itself
OF_ONE_RUN = {"seed", "update", "epoch", "seconds", "curve", "start_from"}


def merge_seeds(results: list[dict]) -> dict:
    """Join the results of runs that differ in their seeds alone into one, with `_sd` over seeds."""
    first, free = results[0], {"metrics", "seeds", "seconds", "config", "name", "commit", "device"}
    for other in results[1:]:
        differ = {k for k in first.keys() | other.keys() if first.get(k) != other.get(k)} - free
        ours, theirs = first["config"], other["config"]
        differ |= {f"config.{k}" for k in ours.keys() & theirs.keys() - OF_ONE_RUN if ours[k] != theirs[k]}
        if differ:
            raise ValueError(f"These results differ in more than their seeds: {', '.join(sorted(differ))}.")
    seeds = [s for r in results for s in r["seeds"]]
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"A seed comes twice: {seeds}. Its run would count as two.")
    return first | dict(metrics=mean_and_sd([r["metrics"] for r in results]), seeds=seeds,
                        seconds=sum(r["seconds"] for r in results))


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
