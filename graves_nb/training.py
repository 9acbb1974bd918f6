"""One loop that trains every model: progress, validation, checkpoints, exact resume."""

import dataclasses
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from . import datasets
from .batches import batches, collate, repeat_factors, repeated
from .checkpoints import read_tensors, save_weights, write_tensors
from .mixture import mixture_loss
from .models import HandwritingSynthesizer
from .optim import GravesRMSprop
from .strokes import Normalisation


@dataclass
class Config:
    """All that a run depends on. Two runs with equal settings give equal weights on one machine."""

    data: str = "synthetic"
    train_split: str = "train"
    validation_split: str = "validation"
    hidden: int = 400
    layers: int = 3
    clip_lstm: float = 10.0
    clip_output: float = 100.0
    batch: int = 64
    rare: float = 0.0  # lines with a character that fewer lines than this share hold are met more often
    operands: str = "float32"  # or "bfloat16": of products, where the processor has them
    truncate: int = 0  # steps of back-propagation; 0 goes through whole lines, as the paper
    optimiser: str = "adam"  # or "rmsprop": the paper's, with the paper's constants
    lr: float = 1e-3  # of Adam; the paper's optimiser keeps its own
    warmup: int = 100  # updates
    updates: int = 3000
    final_lr: float = 0.02  # of lr: a cosine goes there
    average: float = 0.998  # of the weights over updates, for validation and for the result
    validate_every: int = 250  # updates
    validation_lines: int = 256
    patience: int = 0  # validations without improvement before we stop; 0 never stops
    seed: int = 1
    start_from: str = ""  # weights to begin with


class Trainer:
    """A run in a folder: `checkpoint.safetensors` to go on from, `weights.safetensors` the best so far."""

    def __init__(self, config: Config, out: str | Path, device: str = "cpu"):
        self.config, self.out, self.device = config, Path(out), device
        torch.manual_seed(config.seed)
        self.train = datasets.load(config.data, config.train_split)
        self.validation = datasets.load(config.data, config.validation_split)[: config.validation_lines]
        self.normalisation = Normalisation.fit(self.train)
        self.factors = repeat_factors(self.train, config.rare)
        self.model = self.make_model().to(device)
        self.model.operands = getattr(torch, config.operands)
        self.average = [w.detach().clone() for w in self.model.parameters()]
        self.optimiser = self.make_optimiser()
        self.progress = dict(update=0, epoch=0, batch=0, best=math.inf, stale=0, seconds=0.0, log=[])

    def make_model(self):
        """Build the network, or take the one that the run starts from."""
        c = self.config
        model = HandwritingSynthesizer(c.hidden, c.layers, clip_lstm=c.clip_lstm, clip_output=c.clip_output)
        if c.start_from:
            model.load_state_dict({k: v.float() for k, v in read_tensors(c.start_from)[0].items()})
        return model

    def make_optimiser(self):
        """Build Adam, or the paper's RMSProp."""
        if self.config.optimiser == "rmsprop":
            return GravesRMSprop(self.model.parameters())
        return torch.optim.Adam(self.model.parameters(), lr=self.config.lr, betas=(0.9, 0.99))

    def run(self) -> dict:
        """Train to the end (or on from the checkpoint) and return the log."""
        self.resume()
        bar = tqdm(total=self.config.updates, initial=self.progress["update"], unit="update")
        with bar:
            while not self.finished():
                self.run_epoch(bar)
        if self.progress["log"][-1:] == [] or self.progress["log"][-1]["update"] < self.progress["update"]:
            self.validate()
            self.save()
        return self.progress

    def finished(self) -> bool:
        """Say whether the updates, or our patience, are at an end."""
        p, c = self.progress, self.config
        return p["update"] >= c.updates or (c.patience and p["stale"] >= c.patience)

    def run_epoch(self, bar) -> None:
        """Meet every line once (rare characters more often), in an order that the seed and the epoch fix."""
        p = self.progress
        order = torch.Generator().manual_seed(self.config.seed * 1000 + p["epoch"])
        epoch = batches(repeated(self.train, self.factors, order), self.config.batch, order)
        for lines in epoch[p["batch"] :]:
            started, before = time.time(), p["update"]
            nats = self.train_on(collate(lines, self.normalisation))
            p["batch"] += 1
            p["seconds"] += time.time() - started
            bar.update(p["update"] - before)
            bar.set_postfix(nats_per_step=f"{nats:.3f}", epoch=p["epoch"])
            if before // self.config.validate_every != p["update"] // self.config.validate_every:
                self.validate()
                self.save()
            if self.finished():
                return
        p["epoch"], p["batch"] = p["epoch"] + 1, 0

    def train_on(self, batch) -> float:
        """Update the weights once for each stretch of one batch; return its nats a step."""
        batch = batch.to(self.device)
        T, state, total = len(batch.x), None, 0.0
        stretch = self.config.truncate or T
        for t in range(0, T, stretch):
            x, y, mask = (a[t : t + stretch] for a in (batch.x, batch.y, batch.mask))
            y_hat, state = self.model(x, batch.text, state)
            loss = (mixture_loss(y_hat, y) * mask).sum()
            self.update(loss, lines=x.shape[1])
            total += loss.item()
        return total / batch.mask.sum().item()

    def update(self, loss, lines: int) -> None:
        """Move the weights against the mean over lines of the summed loss (see eq. 26)."""
        self.set_rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        weights = list(self.model.parameters())
        for w in weights:
            w.grad.div_(lines)
        if not all(torch.isfinite(w.grad).all() for w in weights):
            raise FloatingPointError("A gradient is not finite. Resume from the checkpoint with a lower rate.")
        self.optimiser.step()
        self.progress["update"] += 1
        n = self.progress["update"]
        keep = min(self.config.average, (1 + n) / (10 + n))
        torch._foreach_lerp_(self.average, [w.detach() for w in weights], 1 - keep)

    def set_rate(self) -> None:
        """Warm up, then follow a cosine down. The paper's optimiser is left alone."""
        c, n = self.config, self.progress["update"]
        if c.optimiser == "rmsprop":
            return
        done = min(1.0, max(0.0, (n - c.warmup) / max(1, c.updates - c.warmup)))
        cosine = c.final_lr + (1 - c.final_lr) * (1 + math.cos(math.pi * done)) / 2
        for group in self.optimiser.param_groups:
            group["lr"] = c.lr * min(1.0, (n + 1) / max(1, c.warmup)) * cosine

    def validate(self) -> None:
        """Score the averaged weights, and keep them if they are the best so far."""
        from .evaluation import nats  # evaluation needs no training

        live = [w.detach().clone() for w in self.model.parameters()]
        self.put(self.average)
        score = nats(self.model, self.validation, self.normalisation)["nats_per_line"]
        p = self.progress
        p["log"].append(dict(update=p["update"], epoch=p["epoch"], nats_per_line=score, seconds=p["seconds"]))
        p["stale"] += 1
        tqdm.write(f"update {p['update']}: {score:.1f} nats a line on {len(self.validation)} validation lines")
        if score < p["best"]:
            p.update(best=score, stale=0)
            save_weights(self.out / "weights.safetensors", self.model, dtype=torch.float32,
                         normalisation=dataclasses.asdict(self.normalisation), data=self.config.data,
                         training=dataclasses.asdict(self.config) | {k: p[k] for k in ("update", "epoch", "seconds")})
        self.put(live)

    @torch.no_grad()
    def put(self, weights) -> None:
        """Copy these weights into the model."""
        for w, value in zip(self.model.parameters(), weights):
            w.copy_(value)

    def save(self) -> None:
        """Write all that resuming needs."""
        tensors = {f"model.{i}": w.detach() for i, w in enumerate(self.model.parameters())}
        tensors |= {f"average.{i}": w for i, w in enumerate(self.average)}
        for i, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{i}.{k}": torch.as_tensor(v) for k, v in state.items()}
        info = dict(config=dataclasses.asdict(self.config), progress=self.progress)
        write_tensors(self.out / "checkpoint.safetensors", tensors, info)

    def resume(self) -> None:
        """Go on from the folder's checkpoint, if it has one."""
        path = self.out / "checkpoint.safetensors"
        if not path.is_file():
            return
        tensors, info = read_tensors(path)
        if info["config"] != dataclasses.asdict(self.config):
            raise ValueError(f"{path} belongs to a run with other settings. Choose another --out.")
        n = len(self.average)
        self.put([tensors[f"model.{i}"].to(self.device) for i in range(n)])
        self.average = [tensors[f"average.{i}"].to(self.device) for i in range(n)]
        state = {}
        for name, value in tensors.items():
            if name.startswith("optimiser."):
                _, i, key = name.split(".")
                state.setdefault(int(i), {})[key] = value
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict(dict(state=state, param_groups=groups))
        self.progress = info["progress"]
        tqdm.write(f"going on from update {self.progress['update']}")
