"""Which gradient for the widths, and how large a batch? `python -m graves_nb.noise_check` trains and measures.

For each seed the small network of chapter 12 learns without noise, and from there with adaptive weight
noise: in batches of 8 sentences; in batches of 64, for as many epochs and for as many updates; each with
the squared gradient of Graves (2011) and with the reparameterised one. data/results/adaptive-noise.json
keeps what each comes to.
"""

import json
import math
from pathlib import Path

from .evaluation import evaluate_weights
from .paths import data_path
from .results import commit, device_name, mean_and_sd
from .training import DEFAULTS, Config, Trainer

COMMON = DEFAULTS["text"] | dict(data="grammar", hidden=48, optimiser="adam", lr=0.005, gradient="mean", warmup=50,
                                 patience=0, validate_every=10**6)
FIRST = 25  # epochs without noise
CHOICES = [(*choice, curvature) for choice in ((8, 20), (64, 20), (64, 160))  # sentences a batch, epochs
           for curvature in ("squared", "reparameterised")]
SEEDS, DRAWS = (1, 2), 8


def train(out: Path, **settings) -> Path:
    """Train, or go on where a run stopped; return the weights' place."""
    Trainer(Config(model="text", **COMMON | settings), out).run()
    return out / "weights.safetensors"


def measure(weights: Path) -> dict:
    """Return bits: of the whole message and of the weights in it, and of a sentence that is new."""
    told, new = evaluate_weights(weights, split="train", draws=DRAWS), evaluate_weights(weights)
    message, weights = (told["metrics"][nats] / math.log(2) for nats in ("description_length", "kl"))
    return dict(message=message, weights=weights, new_sentence=new["metrics"]["total_bits"] / new["data"]["lines"])


def main(runs="runs/adaptive-noise") -> dict:
    """Train all, measure all, and return the figures."""
    found = {choice: [] for choice in CHOICES}
    for seed in SEEDS:
        first = train(Path(runs) / f"{seed}", seed=seed, epochs=FIRST, batch=16)
        for batch, epochs, curvature in CHOICES:
            noise = dict(noise="adaptive-weight-noise", curvature=curvature, start_from=str(first))
            out = Path(runs) / f"{seed}-{batch}-{epochs}-{curvature}"
            weights = train(out, seed=seed, epochs=epochs, batch=batch, **noise)
            found[batch, epochs, curvature].append(measure(weights))
    rows = [dict(batch=batch, epochs=epochs, curvature=curvature, metrics=mean_and_sd(seeds))
            for (batch, epochs, curvature), seeds in found.items()]
    return dict(name="adaptive-noise", task="adaptive-noise", network="1x48", seeds=list(SEEDS), rows=rows,
                device=device_name("cpu"), commit=commit())


if __name__ == "__main__":
    path = data_path("results") / "adaptive-noise.json"
    path.write_text(json.dumps(main(), indent=2) + "\n", encoding="utf-8")
    print(path.read_text(encoding="utf-8"))
