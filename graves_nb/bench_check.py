"""The fused path on the GPU at hand: does it compute what it should? A table of what passed and what failed."""

import copy
import dataclasses
import itertools
import json

import numpy as np
import torch
import torch.nn.functional as F

from .batches import collate
from .kernels import cuda
from .mixture import mixture_loss
from .models import HandwritingPredictor, HandwritingSynthesizer, TextPredictor
from .paths import data_path, site_pen
from .strokes import Line, Normalisation

LIMITS = {torch.bfloat16: 2e-2, torch.float32: 1e-3}  # of the norm of the error over that of the gradient


@dataclasses.dataclass
class Check:
    """One line of the table."""

    name: str
    found: float
    limit: float

    @property
    def passed(self) -> bool:
        """Say whether the figure keeps the limit; what is not a number does not."""
        return self.found <= self.limit

    def __str__(self):
        return f"{'pass' if self.passed else 'FAIL'}  {self.name:<58} {self.found:10.3g}  (limit {self.limit:g})"


def run(hangs: int = 10_000) -> int:
    """Print the table line by line; return 1 if anything failed."""
    torch.manual_seed(1)
    checks = [gradients(), shapes(), no_window(), lengths(), growth(), curves(), hanging(hangs)]
    failed = 0
    for check in itertools.chain(*checks):
        print(check, flush=True)
        failed += not check.passed
    print(f"{failed} failed" if failed else "all passed")
    return int(failed > 0)


def lines(T: int, B: int, U=30, V=76) -> tuple:
    """Return fresh random lines on the GPU: x, y, text; the texts are of unequal lengths."""
    y = torch.cat([torch.randn(T, B, 2), (torch.rand(T, B, 1) > 0.9).float()], -1)
    text = F.one_hot(torch.randint(0, V, (B, U)), V).float()
    for b in range(B):
        text[b, max(1, U - b) :] = 0
    return tuple(part.cuda() for part in (torch.randn(T, B, 3), y, text))


def poison() -> None:
    """Fill freed memory with what is not a number: an output that was never written would show."""
    [torch.full((1 << 26,), float("nan"), device="cuda") for _ in range(8)].clear()


def labels(T: int, B: int, V: int) -> tuple:
    """Return fresh random symbols on the GPU: x and y, the first input being the null vector."""
    y = torch.randint(0, V, (T, B), device="cuda")
    return torch.cat([torch.full_like(y[:1], -1), y[:-1]]), y


def text_loss(logits, y) -> torch.Tensor:
    """Return the nats of each symbol (eq. 13)."""
    return F.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none")


def gradient(model, x, y, *text, path) -> list:
    """Return the gradient of the summed loss along a path."""
    model.zero_grad()
    y_hat = model(x, *text, path=path)[0]
    losses = text_loss(y_hat, y) if isinstance(model, TextPredictor) else mixture_loss(y_hat, y)
    losses.sum().backward()
    return [w.grad.double() for w in model.parameters()]


def errors(model, kind, batch) -> tuple[float, float]:
    """Compare the fused gradient with the plain loop's in float64: all tensors together, and the worst one."""
    wide = [part.double() if part.is_floating_point() else part for part in batch]
    exact = gradient(copy.deepcopy(model).double(), *wide, path="plain")
    model.operands = kind
    poison()
    found = gradient(model, *batch, path="fused")
    together = sum(((a - b) ** 2).sum() for a, b in zip(found, exact)) / sum((b**2).sum() for b in exact)
    return together.sqrt().item(), max(((a - b).norm() / b.norm()).item() for a, b in zip(found, exact))


def compare(name: str, model, kind, draw) -> list[Check]:
    """Judge the middle one of three fresh batches: a far point can carry a whole gradient."""
    together, worst = (sorted(column)[1] for column in zip(*(errors(model, kind, draw()) for _ in range(3))))
    limit = LIMITS[kind]
    return [Check(name, together, limit), Check(f"{name}, worst tensor", worst, 2.5 * limit)]


def gradients():
    """3x400 at its start and, where the pen ships, at trained weights."""
    for kind in LIMITS:
        yield from compare(f"3x400 at its start, {kind}", HandwritingSynthesizer().cuda(), kind, lambda: lines(150, 64))
    from .checkpoints import load_weights

    try:
        model = load_weights(data_path(f"weights/{site_pen()}.safetensors"))[0].cuda().requires_grad_(True)
    except FileNotFoundError:
        return
    for kind in LIMITS:
        yield from compare(f"3x400 trained, {kind}", model, kind, lambda: lines(150, 64))


def shapes():
    """Several widths and odd batches, one layer and several."""
    for hidden, layers, B in ((400, 1, 1), (400, 3, 5), (700, 2, 20), (50, 3, 200)):
        for kind in LIMITS:
            model = HandwritingSynthesizer(hidden=hidden, layers=layers).cuda()
            yield from compare(f"{layers}x{hidden}, B={B}, {kind}", model, kind, lambda B=B: lines(40, B, U=70))


def no_window():
    """The paper's other networks: prediction of ink, characters, and the deep stack of bytes."""
    for kind in LIMITS:
        for hidden, layers in ((900, 1), (400, 3)):
            model = HandwritingPredictor(hidden, layers).cuda()
            yield from compare(f"prediction {layers}x{hidden}, {kind}", model, kind, lambda: lines(40, 33)[:2])
        for V, hidden, layers in ((50, 1000, 1), (205, 700, 5)):
            model = TextPredictor(V, hidden, layers).cuda()
            yield from compare(f"text {layers}x{hidden}, {kind}", model, kind, lambda V=V: labels(40, 33, V))


def lengths():
    """A short line beside long ones has the gradient of the short line alone."""
    model, (x, y, text) = HandwritingSynthesizer().cuda(), lines(120, 8)
    model.operands, mask = torch.float32, torch.zeros(120, 8, device="cuda")
    mask[:50, 3] = 1
    model.zero_grad()
    (mixture_loss(model(x, text, path="fused")[0], y) * mask).sum().backward()
    found = torch.cat([w.grad.flatten() for w in model.parameters()]).double()
    alone = gradient(model, x[:50, 3:4], y[:50, 3:4], text[3:4], path="fused")
    alone = torch.cat([g.flatten() for g in alone])
    yield Check("a short line among long ones", ((found - alone).norm() / alone.norm()).item(), 1e-4)


def hanging(steps: int):
    """Many steps one after the other; a barrier that nobody passes would not come back."""
    model, batch = HandwritingSynthesizer().cuda(), lines(20, 64)
    first = gradient(model, *batch, path="fused")
    for _ in range(steps):
        last = gradient(model, *batch, path="fused")
    same = max((a - b).abs().max().item() for a, b in zip(first, last))
    yield Check(f"{steps} steps, none hung; the last as the first", same, 0.0)


def growth():
    """Time and memory grow with T and not faster."""
    from .bench import memory, milliseconds, step

    ms = milliseconds({t: step("fused", t, 64, "cuda") for t in (700, 1400)}, 5)
    yield Check("time of T=1400 over that of T=700", ms[1400] / ms[700], 2.1)
    (_, one), (_, two) = memory(700, 64)["megabytes"]
    yield Check(f"memory of T=1400 over that of T=700 ({one} MB)", two / one, 2.1)


def curves(updates=300):
    """Losses along the graph and the fused path differ less than two seeds do."""
    fused, graph, other = (curve(path, seed, updates) for path, seed in (("fused", 1), ("graph", 1), ("fused", 2)))
    apart = (fused - other).abs().mean().item()
    ratio = (fused - graph).abs().mean().item() / apart
    yield Check("graph and fused losses apart, over two seeds apart", ratio, 1.0)


def curve(path: str, seed: int, updates: int) -> torch.Tensor:
    """Return the losses of a small network that learns the lines which the pen of the site wrote for its gallery."""
    torch.manual_seed(seed)
    rows = json.loads(data_path(f"weights/{site_pen()}.gallery.json").read_text(encoding="utf-8"))
    written = [Line(row["text"], np.array(row["offsets_raw"])) for row in rows]
    batch = collate(written, Normalisation.fit(written)).to("cuda")
    model = HandwritingSynthesizer(hidden=128).cuda()
    optimiser, losses = torch.optim.Adam(model.parameters(), lr=2e-3), []
    for _ in range(updates):
        optimiser.zero_grad()
        loss = (mixture_loss(model(batch.x, batch.text, path=path)[0], batch.y) * batch.mask).sum() / batch.mask.sum()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return torch.stack(losses).cpu()


def tune(T=700, B=64) -> None:
    """Print the time of one step for each way to split the work: what to try first where the default misses."""
    from . import bench

    room, chosen, usual = cuda.device_room("cuda"), cuda.make_plan, cuda.STRETCHES
    plan = chosen(B, 400, 76, 3, torch.bfloat16, *room)
    splits = ((64, 16, 2, (4, 8)), (64, 16, 2, (8, 8)), (64, 16, 4, (4, 8)), (64, 16, 1, (4, 8)), (32, 32, 2, (8, 8)),
              (64, 32, 2, (8, 8)), (32, 16, 2, (4, 4)), (32, 16, 2, (8, 8)))
    for (BB, BH, LW, warps), lanes in itertools.product(splits, (3, 1)):
        first, other = (cuda.programs(B, 400, window, BB, BH, LW) for window in (True, False))
        if first + (lanes - 1) * other > room[0]:
            continue  # programs that wait for one another must all be running
        trial = plan._replace(BB=BB, BH=BH, LW=LW, warps=warps, lanes=lanes)
        for cuda.STRETCHES in (6, 8, usual, 20) if lanes > 1 else (usual,):
            try:
                cuda.make_plan = lambda *_, trial=trial: trial
                ms = bench.milliseconds(dict(step=bench.step("fused", T, B, "cuda")), 7)
                print(trial, cuda.STRETCHES, ms, flush=True)
            except Exception as error:  # a split that does not fit is a row of the table too
                print(trial, type(error).__name__, str(error)[:100], flush=True)
            finally:
                cuda.make_plan, cuda.STRETCHES = chosen, usual
