"""Scores: of ink, nats a line and a step, dequantised, in tablet units, and squared error; of text, bits."""

import copy
import hashlib
import math
import time
from contextlib import nullcontext
from pathlib import Path

import torch
import torch.nn.functional as F
from tqdm import tqdm

from . import datasets
from .batches import collate, collate_text, line_end, sentences, streams
from .checkpoints import load_weights, load_widths
from .dynamic import read
from .embedding import verification_error
from .mixture import mixture_loss, mixture_parameters
from .models import HandwritingPredictor
from .noise import AdaptiveWeightNoise, WeightNoise
from .recogniser import errors, read_lines, tidy
from .results import commit, device_name, is_faithful, mean_and_sd
from .results import write_result as write_result
from .strokes import Normalisation

TIED = "tied "  # before the size of a network that is not the paper's
LOGITS = 2**25  # so many numbers at a time, when text is scored


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
        y_hat, _ = model(b.x) if isinstance(model, HandwritingPredictor) else model(b.x, b.text)
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


@torch.no_grad()
def score_text(model, text, spans, *, batch=64, device="cpu", progress=False) -> dict:
    """Return the summed nats of a text, how many symbols were not the likeliest, and how many there are.

    Each span is read from an empty state, all its symbols are predicted, and nothing is learnt. `segments`
    are the bits a symbol over each fiftieth part of the text.
    """
    order, seen = sorted(spans, key=lambda span: span[1] - span[0]), {}
    stretch = min(200, max(1, LOGITS // (batch * len(text.vocabulary.symbols))))
    for i in tqdm(range(0, len(order), batch), disable=not progress, unit="batch", desc="evaluating"):
        whole = collate_text(text.labels, order[i : i + batch]).to(device)
        state, nats, right = None, [], []
        for t in range(0, len(whole.x), stretch):
            b = whole.stretch(t, t + stretch)
            logits, state = model(b.x, state)
            nats.append(F.cross_entropy(logits.transpose(1, 2), b.y, reduction="none").cpu())  # (stretch, B)
            right.append((logits.argmax(-1) == b.y).cpu())
        for column, span in enumerate(order[i : i + batch]):
            n = span[1] - span[0]
            seen[span] = torch.cat(nats)[:n, column].double(), torch.cat(right)[:n, column]
    return summed([seen[span] for span in spans])


def score_dynamic(model, text, spans, optimiser, *, stretch=0, device="cpu", progress=False) -> dict:
    """Return what `score_text` does, of a network that goes on learning while it reads span after span."""
    def sequences():
        for span in tqdm(spans, disable=not progress, unit="sequence", desc="reading"):
            b = collate_text(text.labels, [span]).to(device)
            yield b.x[:, 0], b.y[:, 0]

    return summed([(nats.double().cpu(), right.cpu()) for nats, right in read(model, sequences(), optimiser, stretch)])


def summed(seen: list[tuple]) -> dict:
    """Join what was read: for each part in order, the nats of its symbols and whether each was the likeliest."""
    nats, right = (torch.cat(column) for column in zip(*seen))
    segments = [part.mean().item() / math.log(2) for part in nats.tensor_split(min(50, len(nats)))]
    return dict(nats=nats.sum().item(), wrong=int((~right).sum()), symbols=len(nats), segments=segments)


def text_metrics(scores: dict, text) -> dict:
    """Name the scores of a text as `data/results/` does.

    `bpc` are bits a character (of the text, whatever the network's symbols are), `error` the share of
    symbols that were not the likeliest, and `perplexity_paper` the paper's 2^(5.6 bpc).
    """
    total = scores["nats"] / math.log(2)
    bpc = total / text.characters
    metrics = dict(bpc=bpc, total_bits=total, error=scores["wrong"] / scores["symbols"], symbols=scores["symbols"],
                   characters=text.characters, perplexity_paper=power(5.6 * bpc))
    if text.words:
        metrics |= dict(bits_per_word=total / text.words, perplexity=power(total / text.words), words=text.words)
    return metrics | dict(segments=scores["segments"])


def power(bits: float) -> float:
    """Return 2 to the power of some bits; infinity where no float is so large."""
    return 2**bits if bits < 1024 else math.inf


def spans_of(text, training: dict) -> list[tuple[int, int]]:
    """Cut a text as its network was trained: into sentences, or into spans of some stretches."""
    if training.get("sequences") == "sentences":
        return sentences(text.labels, line_end(text.vocabulary))
    span = training.get("truncate", 0) * training.get("reset", 0)
    return [spans[0] for spans in streams(len(text.labels), 1, span)]


def evaluate_weights(path, data=None, split="validation", device="cpu", *, dynamic: dict | None = None,
                     draws=0, limit=0) -> dict:
    """Score a weights file and return all that a file in `data/results/` holds.

    `dynamic` (lr, momentum) lets a text network learn while it reads. `draws` > 0 scores that many draws
    of noisy weights, instead of their means. `limit` scores the first lines or sentences only.
    """
    started = time.time()
    model, info = load_weights(path)
    model.operands = torch.float32  # the same figures on every device
    model.to(device)
    training = info.get("training", {})
    data = data or info["data"]
    score = SCORES.get(info["model"], evaluate_ink)
    noise = noise_of(path, model, training, device)
    if draws and not noise.std:
        raise ValueError("These weights were trained without noise: there is nothing to draw. Leave out --draws.")
    rows, size = [], f"{info['config']['layers']}x{info['config']['hidden']}"
    for seed in range(draws or 1):
        with noise.drawn(seed) if draws else nullcontext():
            row = score(model, info, data, split, device, dynamic, limit)
        rows.append(row["metrics"] | description(noise, row))
    return dict(
        name=Path(path).stem, task=row.pop("task"), network=TIED * (info["model"] == "TiedTextPredictor") + size,
        faithful=is_faithful(info["model"], info["config"], training), regularisation=regularisation(training),
        dynamic=bool(dynamic), evaluated_with="sampled" if draws else "mean",
        parameters=sum(w.numel() for w in model.parameters()), config=training | dict(dynamic=dynamic or None),
        **row | dict(metrics=mean_and_sd(rows)), seeds=[training.get("seed")],
        device=device_name(device), seconds=round(time.time() - started, 1), commit=commit(),
    )


def regularisation(training: dict) -> str:
    """Name what kept a network from learning its lines by heart."""
    noise = training.get("noise", "none")
    return "dropout" if training.get("dropout") or training.get("weight_drop") else noise


def evaluate_ink(model, info, data, split, device, dynamic, limit) -> dict:
    """Score lines of ink, by the canonical protocol."""
    if dynamic:
        raise ValueError("Dynamic evaluation is for text networks. Leave out --dynamic.")
    lines, normalisation = datasets.load(data, split)[: limit or None], Normalisation(**info["normalisation"])
    kind = "synthesis" if info["model"] == "HandwritingSynthesizer" else "prediction"
    return dict(task=f"handwriting-{kind}", data=dict(name=data, split=split, lines=len(lines), sha256=digest(lines)),
                normalisation=info["normalisation"],
                metrics=nats(model, lines, normalisation, device=device, progress=True))


def evaluate_text(model, info, data, split, device, dynamic, limit) -> dict:
    """Score a text, static or dynamic."""
    text, training = datasets.load_text(data, split), info.get("training", {})
    if list(text.vocabulary.symbols) != info["vocabulary"]["symbols"]:
        raise ValueError(f"The symbols of {data} are not those that these weights learnt, of {info['data']}.")
    spans = spans_of(text, training)[: limit or None]
    text = text.head(spans[-1][1])
    if dynamic:
        learner = copy.deepcopy(model).requires_grad_(True)
        for cell in learner.layers:
            cell.clip = training.get("clip_lstm", cell.clip) or None
        optimiser = torch.optim.SGD(learner.parameters(), fused=True, **dynamic)
        scores = score_dynamic(learner, text, spans, optimiser, stretch=training.get("truncate", 0), device=device,
                               progress=True)
    else:
        scores = score_text(model, text, spans, device=device, progress=True)
    name = text.name.removesuffix("-char").removesuffix("-word")
    return dict(task=text.name.removesuffix("-prefix"), normalisation=None, metrics=text_metrics(scores, text),
                data=dict(name=name, split=split, lines=len(spans), sha256=text.sha256()))


def evaluate_recogniser(model, info, data, split, device, dynamic, limit) -> dict:
    """Let a recogniser read lines of ink."""
    if dynamic:
        raise ValueError("Dynamic evaluation is for text networks. Leave out --dynamic.")
    lines = datasets.load(data, split)[: limit or None]
    texts, read = [tidy(line.text) for line in lines], read_lines(model, [line.offsets_raw for line in lines])
    return dict(task="recogniser", data=dict(name=data, split=split, lines=len(lines), sha256=digest(lines)),
                normalisation=None, metrics=errors(texts, read))


def evaluate_style_reader(model, info, data, split, device, dynamic, limit) -> dict:
    """Ask a reader of hands of all pairs of lines: one writer, or two?"""
    if dynamic:
        raise ValueError("Dynamic evaluation is for text networks. Leave out --dynamic.")
    lines, unit = datasets.load(data, split)[: limit or None], Normalisation(**info["normalisation"])
    lines = [line for line in lines if line.writer >= 0]
    return dict(task="style-reader", data=dict(name=data, split=split, lines=len(lines), sha256=digest(lines)),
                normalisation=info["normalisation"],
                metrics=dict(equal_error_rate=verification_error(model, lines, unit)))


# How a network that is no pen is scored
SCORES = dict(TextPredictor=evaluate_text, TiedTextPredictor=evaluate_text, Recogniser=evaluate_recogniser,
              StyleReader=evaluate_style_reader)


def noise_of(path, model, training, device) -> WeightNoise:
    """Return the noise that a file's weights were trained with, to draw from."""
    widths = load_widths(path, model)
    if not widths:
        noisy = training.get("noise") == WeightNoise.name
        return WeightNoise(model.parameters(), training["noise_std"] if noisy else 0.0)
    noise = AdaptiveWeightNoise(model.parameters(), S=1)
    noise.stds = [s.to(device) for s in widths]
    return noise


def description(noise: WeightNoise, row: dict) -> dict:
    """Return what it costs, in nats, to tell the weights (`kl`) and, with them, the training data."""
    if not noise.stds:
        return {}
    m, data, kl = row["metrics"], row["data"], noise.kl()
    nats = m["total_bits"] * math.log(2) if "total_bits" in m else m["nats_per_line"] * data["lines"]
    return dict(kl=kl) | (dict(description_length=nats + kl) if data["split"] == "train" else {})


def digest(lines) -> str:
    """Return one SHA-256 of all texts and offsets: two data sets with the same digest are the same."""
    sha = hashlib.sha256()
    for line in lines:
        sha.update(line.text.encode())
        sha.update(line.offsets_raw.astype("<i2").tobytes())
    return sha.hexdigest()
