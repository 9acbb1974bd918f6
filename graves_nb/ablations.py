"""What is each part worth? The same run with one thing changed (`python -m graves_nb ablate NAME ...`).

A part that is taken away is a set of weights held at zero: the network without it runs on the same fast paths.
"""

import json
from pathlib import Path

from torch import Tensor

BASE = dict(data="iam-ondb", optimiser="rmsprop", average=0.0, batch=32, updates=6000, validate_every=500,
            validation_lines=0)

ABLATIONS = {  # a name, and how its run differs from BASE
    "whole": {},
    "no-peepholes": dict(held="peepholes"),
    "no-skips": dict(held="skips"),
    "window-to-first-layer": dict(held="window-above"),
    "no-lstm-clip": dict(clip_lstm=0.0),
    "no-output-clip": dict(clip_output=0.0),
    "no-clip": dict(clip_lstm=0.0, clip_output=0.0),
    # Of the summed loss of a line: about the norm of a trained network
    "norm-clip": dict(clip_lstm=0.0, clip_output=0.0, clip_norm=500.0),
    "M=1": dict(M=1),
    "M=5": dict(M=5),
    "K=1": dict(K=1),
    "adam": dict(optimiser="adam"),
    "weight-noise": dict(noise="weight-noise"),
}


def peepholes(model) -> list:
    """What the gates see of the cells."""
    return [(cell.peephole, ...) for cell in model.layers]


def skips(model) -> list:
    """From the input to all layers but the first, and from all but the last to the output."""
    last = model.layers[-1].hidden_size
    inputs = [(cell.weight_x, (slice(None), slice(3))) for cell in model.layers[1:]]
    return [*inputs, (model.output.weight, (slice(None), slice(-last)))]


def window_above(model) -> list:
    """From the window to all layers but the first."""
    V = model.config["V"]
    return [(cell.weight_x, (slice(None), slice(3, 3 + V))) for cell in model.layers[1:]]


HELD = {"peepholes": peepholes, "skips": skips, "window-above": window_above}


def hold(model, part: str) -> None:
    """Set the weights of a part to zero and keep them there, whatever the optimiser."""
    for weight, where in HELD[part](model) if part else ():
        weight.data[where] = 0
        weight.register_hook(lambda gradient, where=where: without(gradient, where))


def without(gradient: Tensor, where) -> Tensor:
    """Return a gradient that is zero at some places."""
    gradient = gradient.clone()
    gradient[where] = 0
    return gradient


def ablate(name: str, out: str | Path, device: str, ledger: str | Path, seeds: int = 2, **settings) -> dict:
    """Train one variant once for each seed (or go on with it), score it, and write its row into the ledger."""
    from .results import mean_and_sd

    base, numbers = BASE | settings, list(range(1, seeds + 1))
    read_rows(ledger, base)  # before hours of work
    runs = [train(name, Path(out) / f"{name}-{seed}", device, seed=seed, **settings) for seed in numbers]
    row = dict(changed=ABLATIONS[name], seeds=numbers, minutes=round(sum(run["minutes"] for run in runs), 2))
    row |= {key: [run[key] for run in runs] for key in ("updates", "diverged_at")}
    if all("metrics" in run for run in runs):
        row = runs[0] | row | dict(metrics=mean_and_sd([run["metrics"] for run in runs]))
    write_row(ledger, name, row, base)
    return row


def train(name: str, out: Path, device: str, **settings) -> dict:
    """Train one variant from one seed, or go on with it, and score the best weights that it had."""
    from .evaluation import evaluate_weights
    from .training import Config, Trainer

    trainer = Trainer(Config(**BASE | ABLATIONS[name] | settings), out, device)
    row = dict(diverged_at=None)
    try:
        trainer.run()
    except FloatingPointError:
        row["diverged_at"] = trainer.progress["update"]
    row |= dict(updates=trainer.progress["update"], minutes=round(trainer.progress["seconds"] / 60, 2))
    if (weights := out / "weights.safetensors").is_file():
        result = evaluate_weights(weights, device=device, limit=trainer.config.validation_lines)
        row |= {k: result[k] for k in ("metrics", "data", "config", "network", "device", "commit")}
        row["parameters"] = result["parameters"] - sum(int((w == 0).sum()) for w in trainer.model.parameters())
    return row


def read_rows(ledger: str | Path, base: dict) -> dict:
    """Return the rows of a ledger, none if it is new. Rows of runs with other settings cannot be compared."""
    path = Path(ledger)
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else dict(base=base, rows={})
    if found["base"] != base:
        raise ValueError(f"{path} holds runs with other settings. Choose another --json.")
    return found["rows"]


def write_row(ledger: str | Path, name: str, row: dict, base: dict) -> None:
    """Add a row to the ledger, in the order of ABLATIONS, or replace it."""
    from .results import write_result

    path = Path(ledger)
    rows = read_rows(path, base)
    rows[name] = row
    rows = {known: rows[known] for known in ABLATIONS if known in rows}
    minutes = round(sum(row["minutes"] for row in rows.values()), 1)
    write_result(dict(name=path.stem, task="ablations", base=base, minutes=minutes, rows=rows), path)
