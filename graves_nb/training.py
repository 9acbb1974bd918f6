"""One loop that trains every model: progress, validation, checkpoints, exact resume, several devices.

It knows nothing of ink or text (see `tasks.py`), of noise in the weights (`noise.py`), or of how a
gradient is made.
"""

import dataclasses
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from . import parallel
from .ablations import HELD, hold
from .checkpoints import load_widths, read_tensors, save_weights, write_tensors
from .lstm import detached
from .noise import AdaptiveWeightNoise, WeightDrop, WeightNoise
from .optim import GravesRMSprop
from .quantise import dequantise
from .tasks import TASKS

SAVE_EVERY = 120  # seconds
OPERANDS = dict(auto=None, float32=torch.float32, bfloat16=torch.bfloat16)


@dataclass
class Config:
    """All that a run depends on. Two runs with equal settings give equal weights on one machine."""

    model: str = "synthesis"  # or "prediction", "text", "tied", "recogniser" or "style"
    data: str = "synthetic"
    train_split: str = "train"
    validation_split: str = "validation"
    hidden: int = 400
    layers: int = 3
    clip_lstm: float = 10.0  # 0 is none
    clip_output: float = 100.0  # 0 is none
    clip_norm: float = 0.0  # of the weights' whole gradient, a line; 0 is none, as in the paper
    M: int = 20  # components of the mixture
    K: int = 10  # components of the window
    input_std: float = 1.0  # of the first weights of a text network that meet its symbols; a tied one has vectors
    embedding: int = 0  # of a tied network: the numbers of a symbol's vector; 0 is as many as `hidden`
    dropout: float = 0.0  # of a tied network: the share of what goes in and comes out that is left out
    weight_drop: float = 0.0  # the share of the weights from cells to cells that each minibatch lacks
    held: str = ""  # a part whose weights stay at zero: see `ablations.py`
    batch: int = 64
    rare: float = 0.0  # lines with a character that fewer lines than this share hold are met more often
    operands: str = "auto"  # of products: "float32", "bfloat16", or what the path through the network chooses
    sequences: str = "sentences"  # of text: each by itself; or "streams", with the state carried along
    truncate: int = 0  # steps of back-propagation; 0 goes through whole lines, as the paper
    reset: int = 100  # stretches of a stream after which its state is emptied; 0 is never
    optimiser: str = "adam"  # or "sgd"; or "rmsprop": the paper's, with the paper's constants
    lr: float = 1e-3  # of Adam and SGD; the paper's RMSProp keeps its own
    momentum: float = 0.99  # of SGD
    gradient: str = "mean"  # over the sequences of a batch; or "sum"
    noise: str = "none"  # in the weights; or "weight-noise" or "adaptive-weight-noise"
    noise_std: float = 0.075  # adaptive noise starts there, or with the widths of `start_from`
    curvature: str = "squared"  # of adaptive noise; or "reparameterised"
    warmup: int = 100  # updates of Adam
    updates: int = 3000  # 0 is as many as our patience lasts
    epochs: int = 0  # if not 0, the run has so many, whatever `updates` says
    final_lr: float = 0.02  # of lr: a cosine goes there, with Adam
    average: float = 0.998  # of the weights over updates, for validation and for the result; 0 is none
    validate_every: int = 250  # updates; 0 is at the end of each epoch
    validation_lines: int = 256  # or sentences or spans of text; 0 is all
    patience: int = 0  # validations without improvement before we stop; 0 never stops
    seed: int = 1
    start_from: str = ""  # weights to begin with

    def __post_init__(self):
        choices = dict(model=TASKS, sequences=("sentences", "streams"), optimiser=("adam", "sgd", "rmsprop"),
                       gradient=("mean", "sum"), noise=("none", "weight-noise", "adaptive-weight-noise"),
                       curvature=("squared", "reparameterised"), operands=OPERANDS, held=("", *HELD))
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} cannot be {getattr(self, name)!r}. Choose {' or '.join(known)}.")
        if self.noise != "none" and (self.held or self.weight_drop):
            raise ValueError("A part that is held at zero or dropped meets no noise. Leave out --noise, or the other.")
        if not (0 <= self.dropout < 1 and 0 <= self.weight_drop < 1):
            raise ValueError("The shares of dropout and of weight drop must be from 0 to below 1.")
        if self.dropout and self.model != "tied":
            raise ValueError("Only a tied network has a share of dropout to choose. Leave out --dropout.")
        if self.held and self.model != "synthesis":
            raise ValueError("Parts are held at zero in a network of synthesis alone. Leave out --held.")
        if self.weight_drop and self.model in ("recogniser", "style"):
            raise ValueError("A network that reads ink drops no weights. Leave out --weight-drop.")
        if not (self.updates or self.epochs or self.patience):
            raise ValueError("This run would never end. Say how many updates or epochs, or give it a patience.")


# Where a model's usual settings differ from those above: the paper's for prediction and text.
DEFAULTS = {
    "synthesis": {},
    "prediction": dict(hidden=900, layers=1),
    "text": dict(data="plays", hidden=1000, layers=1, clip_lstm=1.0, clip_output=0.0, batch=8, optimiser="sgd",
                 lr=1e-4, gradient="sum", average=0.0, updates=0, validate_every=0, validation_lines=0, patience=3),
    # Beyond the paper
    "tied": dict(data="ptb-word", hidden=650, layers=1, embedding=650, dropout=0.4, clip_lstm=1.0, clip_output=0.0,
                 batch=20, sequences="streams", truncate=35, lr=2e-3, updates=0, epochs=12, average=0.995,
                 validate_every=0, validation_lines=0),
    # Beyond the paper, of ink: split 2 is taken out of the training, and chooses.
    "recogniser": dict(data="iam-ondb", train_split="train-without-2", validation_split="validation2", hidden=128,
                       layers=2, batch=16, rare=0.02, lr=2e-3, warmup=200, updates=20000, validate_every=1000),
    "style": dict(data="iam-ondb", train_split="train-without-2", validation_split="validation2", hidden=96, layers=1,
                  batch=64, lr=2e-3, updates=4000, validate_every=250, validation_lines=0),
}


class Trainer:
    """A run in a folder: `checkpoint.safetensors` to go on from, `weights.safetensors` the best so far."""

    def __init__(self, config: Config, out: str | Path, device: str = "cpu"):
        self.config, self.out, self.device = config, Path(out), parallel.start(device)
        torch.manual_seed(config.seed)
        self.task = TASKS[config.model](config)
        self.model = self.make_model().to(self.device)
        self.model.operands = OPERANDS[config.operands]
        self.net = parallel.wrap(self.model)
        self.noise = self.make_noise()
        self.average = [w.detach().clone() for w in self.model.parameters()] if config.average else []
        self.optimiser = self.make_optimiser()
        self.updates = config.updates
        self.progress = dict(update=0, epoch=0, batch=0, best=math.inf, stale=0, seconds=0.0, log=[])
        self.saved = time.time()

    def make_model(self):
        """Build the network, or take the one that the run starts from."""
        model, start, self.before = self.task.make_model(), self.config.start_from, []
        if start:
            try:
                tensors, info = read_tensors(start)
                tensors = dequantise(tensors)
                model.load_state_dict({k: tensors[k] for k in model.state_dict()})
                self.before = info.get("training", {}).get("curve", [])
            except (KeyError, RuntimeError) as error:
                raise ValueError(f"The weights in {start} do not fit this network: {error}") from error
        hold(model, self.config.held)
        return model

    def make_noise(self) -> WeightNoise:
        """Choose what noise the weights meet."""
        c, weights = self.config, self.model.parameters()
        if c.weight_drop:
            return WeightDrop(weights, [cell.weight_h for cell in self.model.layers], c.weight_drop)
        if c.noise == "adaptive-weight-noise":
            noise = AdaptiveWeightNoise(weights, self.task.sequences(), c.noise_std, c.curvature)
            learnt = load_widths(c.start_from, self.model) if c.start_from else []
            for s, width in zip(noise.stds, learnt):  # of a run that goes on
                s.copy_(width)
            return noise
        return WeightNoise(weights, c.noise_std if c.noise == "weight-noise" else 0.0)

    def make_optimiser(self) -> torch.optim.Optimizer:
        """Build the paper's RMSProp, its gradient descent with momentum, or Adam."""
        c, all_that_learns = self.config, self.noise.parameters()
        if c.optimiser == "rmsprop":
            return GravesRMSprop(all_that_learns)
        if c.optimiser == "sgd":
            return torch.optim.SGD(all_that_learns, lr=c.lr, momentum=c.momentum, fused=True)
        return torch.optim.Adam(all_that_learns, lr=c.lr, betas=(0.9, 0.99), fused=True)

    def run(self) -> dict:
        """Train to the end (or on from the checkpoint) and return the log."""
        self.resume()
        if self.config.epochs:
            self.updates = self.config.epochs * self.updates_in_an_epoch()
        with tqdm(total=self.updates or None, initial=self.progress["update"], unit="update",
                  disable=parallel.rank() > 0) as bar:
            while not self.finished():
                self.run_epoch(bar)
        if self.progress["log"][-1:] == [] or self.progress["log"][-1]["update"] < self.progress["update"]:
            self.validate()
            self.save()
        return self.progress

    def updates_in_an_epoch(self) -> int:
        """Count them in the first epoch."""
        stretch = self.config.truncate
        deals = self.task.epoch(self.order(0))
        return sum(-(-len(self.task.collate(deal).x) // stretch) for deal in deals) if stretch else len(deals)

    def order(self, epoch: int) -> torch.Generator:
        """Return the chance that orders an epoch, fixed by the seed and the epoch's number."""
        return torch.Generator().manual_seed(self.config.seed * 1000 + epoch)

    def finished(self) -> bool:
        """Say whether the updates, or our patience, are at an end."""
        p, c = self.progress, self.config
        return bool(self.updates and p["update"] >= self.updates or c.patience and p["stale"] >= c.patience)

    def run_epoch(self, bar) -> None:
        """Meet every sequence once, in the epoch's order, from the batch where we stand."""
        p, every = self.progress, self.config.validate_every
        deals = self.task.epoch(self.order(p["epoch"]))
        if not deals:
            raise ValueError("There is nothing to train on: no batch can be made of this data with these settings.")
        for deal in deals[p["batch"] :]:
            started, before = time.time(), p["update"]
            nats = self.train_on(self.task.collate(deal))
            p["batch"] += 1
            p["seconds"] += time.time() - started
            bar.update(p["update"] - before)
            bar.set_postfix(nats_per_step=f"{nats:.3f}", epoch=p["epoch"])
            if every and before // every != p["update"] // every:
                self.validate()
                self.save()
            elif time.time() - self.saved > SAVE_EVERY:
                self.save()
            if self.finished() and p["batch"] < len(deals):
                return
        p["epoch"], p["batch"] = p["epoch"] + 1, 0
        if not every:
            self.validate()
            self.save()

    def train_on(self, batch) -> float:
        """Update the weights once for each stretch of one batch; return its nats a step."""
        mine = batch.share(parallel.rank(), parallel.ranks()).to(self.device)
        T, state, nats = len(batch.x), None, 0.0
        stretch = self.config.truncate or T
        for t in range(0, T, stretch):
            chance = self.chance()
            torch.manual_seed(self.chance(parallel.rank()))  # for dropout, after a restart too
            with self.noise.drawn(chance):
                loss, state = self.task.loss(self.net, mine.stretch(t, t + stretch), state)
                loss.backward()
            self.update(sequences=batch.mask.shape[1])
            state, nats = detached(state), nats + loss.item()
        return parallel.total(nats, self.device) / batch.mask.sum().item()

    def chance(self, rank: int = 0) -> int:
        """Return a seed of this update's own. It has 32 bits: a processor's generator ignores all others.

        The two large numbers keep seeds and ranks apart for more updates than any run has.
        """
        return ((self.config.seed - 1) * 0x9E3779B1 + rank * 0x85EBCA6B + self.progress["update"]) % 2**32

    def update(self, sequences: int) -> None:
        """Move all that learns. The weights' gradients are of the summed loss of all sequences (see eq. 26).

        Several processes hold the mean of theirs, whatever each one's share: times their number it is the sum.
        """
        weights = list(self.model.parameters())
        gradients = [w.grad for w in weights]
        torch._foreach_mul_(gradients, parallel.ranks() / sequences)
        if not torch.stack(torch._foreach_norm(gradients)).isfinite().all():
            raise FloatingPointError("A gradient is not finite. Start anew from the best weights, with a lower rate.")
        if self.config.clip_norm:
            torch.nn.utils.clip_grad_norm_(weights, self.config.clip_norm)
        self.noise.finish_gradients(sequences)
        if self.config.gradient == "sum":
            torch._foreach_mul_([w.grad for w in self.noise.parameters()], sequences)
        self.set_rate()
        self.optimiser.step()
        self.noise.settle()
        self.optimiser.zero_grad(set_to_none=True)
        self.progress["update"] += 1
        n = self.progress["update"]
        if self.average:
            keep = min(self.config.average, (1 + n) / (10 + n))
            torch._foreach_lerp_(self.average, [w.detach() for w in weights], 1 - keep)

    def set_rate(self) -> None:
        """Warm Adam up, then let it follow a cosine down. The paper's optimisers are left alone."""
        c, n = self.config, self.progress["update"]
        if c.optimiser != "adam":
            return
        done = min(1.0, max(0.0, (n - c.warmup) / max(1, self.updates - c.warmup))) if self.updates else 0.0
        cosine = c.final_lr + (1 - c.final_lr) * (1 + math.cos(math.pi * done)) / 2
        for group in self.optimiser.param_groups:
            group["lr"] = c.lr * min(1.0, (n + 1) / max(1, c.warmup)) * cosine

    def validate(self) -> None:
        """Score the averaged weights, and keep them if they are the best so far."""
        live = [w.detach().clone() for w in self.model.parameters()]
        self.put(self.average or live)
        self.model.eval()
        score = parallel.from_first(self.task.score(self.model, self.device) if parallel.rank() == 0 else None)
        p, task = self.progress, self.task
        entry = {"update": p["update"], "epoch": p["epoch"], task.metric: score, "seconds": p["seconds"]}
        p["log"].append(entry | (dict(kl=self.noise.kl()) if self.noise.stds else {}))
        p["stale"] += 1
        if score < p["best"]:
            p.update(best=score, stale=0)
            self.keep_best()
        self.put(live)
        self.model.train()
        if parallel.rank() == 0:
            tqdm.write(f"update {p['update']}: {score:.{1 if abs(score) > 20 else 4}f} {task.unit} in validation")

    def keep_best(self) -> None:
        """Write the weights as they are now, with all that must be known of them."""
        if parallel.rank() == 0:
            p = self.progress
            training = dataclasses.asdict(self.config) | {k: p[k] for k in ("update", "epoch", "seconds")}
            training["curve"] = self.curve()
            training["start_from"] = "/".join(Path(training["start_from"]).parts[-2:])  # a run's name, not its place
            save_weights(self.out / "weights.safetensors", self.model, dtype=torch.float32, stds=self.noise.stds,
                         data=self.config.data, training=training, **self.task.header())

    def curve(self) -> list[list[float]]:
        """Return [sequences or stretches read, score] of each validation, after those of the run we start from."""
        read = self.before[-1][0] if self.before else 0
        return self.before + [[read + entry["update"] * self.config.batch, entry[self.task.metric]]
                              for entry in self.progress["log"]]

    @torch.no_grad()
    def put(self, weights) -> None:
        """Copy these weights into the model."""
        for w, value in zip(self.model.parameters(), weights):
            w.copy_(value)

    def save(self) -> None:
        """Write all that resuming needs."""
        self.saved = time.time()
        if parallel.rank() > 0:
            return
        tensors = {f"model.{i}": w.detach() for i, w in enumerate(self.model.parameters())}
        tensors |= {f"average.{i}": w for i, w in enumerate(self.average)}
        tensors |= {f"std.{i}": s for i, s in enumerate(self.noise.stds)}
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
        if Config(**info["config"]) != self.config:
            raise ValueError(f"{path} belongs to a run with other settings. Choose another --out.")
        self.put([tensors[f"model.{i}"].to(self.device) for i, _ in enumerate(self.model.parameters())])
        self.average = [tensors[f"average.{i}"].to(self.device) for i, _ in enumerate(self.average)]
        for i, s in enumerate(self.noise.stds):
            s.copy_(tensors[f"std.{i}"])
        self.resume_optimiser(tensors)
        self.progress = info["progress"]
        if parallel.rank() == 0:
            tqdm.write(f"going on from update {self.progress['update']}")

    def resume_optimiser(self, tensors: dict) -> None:
        """Give the optimiser back what it had gathered."""
        state = {}
        for name, value in tensors.items():
            if name.startswith("optimiser."):
                _, i, key = name.split(".")
                state.setdefault(int(i), {})[key] = value
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict(dict(state=state, param_groups=groups))
