"""Does a lower loss mean that a line is easier to read? Two lines to spoil, and the reader as the judge."""

from functools import cache

import numpy as np
import torch
from traitlets import Bool, Float, List, TraitError, Unicode, default, validate

from ..alphabet import one_hot
from ..mixture import mixture_loss
from ..pen import Pen
from ..strokes import to_page
from ..svg import to_svg
from ..widgets import GravesWidget

TEXT, SEED, BIAS = "can you read this", 4, 1.0
SHAKES = [float(a) for a in range(7)]  # tablet units
PULLS = [share / 10 for share in range(11)]


def shaken(places: np.ndarray, jitter: np.ndarray, amount: float) -> np.ndarray:
    """Move each place (T, 2) by up to `amount` in each direction."""
    return places + amount * jitter


def pulled(places: np.ndarray, pen: np.ndarray, share: float) -> np.ndarray:
    """Move each stroke as it is, a share of the way back to where the line begins."""
    begins = np.r_[True, pen[:-1] > 0.5]
    start = places[np.flatnonzero(begins), 0][np.cumsum(begins) - 1]  # (T,): where each one's stroke begins
    return np.stack([places[:, 0] - share * (start - places[0, 0]), places[:, 1]], 1)


@torch.no_grad()
def losses(pen: Pen, text: str, lines: list[np.ndarray]) -> list[float]:
    """Return the loss of each line of offsets (T, 3) in tablet units, in nats, all of one length."""
    y = torch.stack([pen.normalisation.apply(line) for line in lines], 1)  # (T, B, 3)
    y_hat, _ = pen.model(torch.cat([torch.zeros_like(y[:1]), y[:-1]]), one_hot([text] * len(lines)))
    return mixture_loss(y_hat, y).sum(0).tolist()


@cache
def measured() -> dict:
    """Let the pen of this site write a line, and score it in all the states that the sliders have."""
    pen = Pen.load()
    ink = pen.normalisation.invert(pen.write([TEXT], BIAS, [SEED])[0].offsets).round().numpy()
    places, jitter = to_page(ink), np.random.default_rng(1).uniform(-1, 1, (len(ink), 2)).round(2)
    variants = [shaken(places, jitter, a) for a in SHAKES] + [pulled(places, ink[:, 2], s) for s in PULLS]
    lines = [np.column_stack([np.diff(v, axis=0, prepend=0), ink[:, 2]]) for v in variants]
    nats = [round(loss, 1) for loss in losses(pen, TEXT, lines)]
    return dict(ink=ink.astype(int).tolist(), jitter=jitter.tolist(), shake_nats=nats[: len(SHAKES)],
                pull_nats=nats[len(SHAKES) :])


class Judge(GravesWidget):
    """A line that the pen wrote, twice: shaken by `shake` tablet units, and with its strokes `pull`ed together.

    `shake_nats` and `pull_nats` are the pen's own loss of each state. `reads_first` and `reads_second`
    are what the reader says of them.
    """

    module = "judge.js"
    sheets = ("widgets.css", "judge.css")

    text = Unicode(TEXT).tag(sync=True)
    ink = List(help="rows of dx, dy and end_of_stroke in tablet units").tag(sync=True)
    jitter = List(help="rows of two numbers from -1 to 1").tag(sync=True)
    shakes, pulls = List(SHAKES).tag(sync=True), List(PULLS).tag(sync=True)
    shake_nats, pull_nats = List().tag(sync=True), List().tag(sync=True)
    shake, pull = Float(0.0).tag(sync=True), Float(0.0).tag(sync=True)
    reads_first, reads_second = Bool(True).tag(sync=True), Bool(True).tag(sync=True)

    @default("ink")
    def _ink(self) -> list:
        return measured()["ink"]

    @default("jitter")
    def _jitter(self) -> list:
        return measured()["jitter"]

    @default("shake_nats")
    def _shake_nats(self) -> list:
        return measured()["shake_nats"]

    @default("pull_nats")
    def _pull_nats(self) -> list:
        return measured()["pull_nats"]

    @validate("shake", "pull")
    def _check_level(self, proposal) -> float:
        levels = getattr(self, f"{proposal.trait.name}s")
        if proposal.value not in levels:
            raise TraitError(f"`{proposal.trait.name}` must be one of {levels}, not {proposal.value!r}: "
                             "the losses of these states were measured.")
        return proposal.value

    def still(self) -> str:
        """Return the line as it was written, and what the loss says of two ways to spoil it."""
        told = [f"Untouched, the line has a loss of {self.shake_nats[0]:.0f} nats.",
                f"Shaken by up to {self.shakes[4]:g} units, and as easy to read: {self.shake_nats[4]:.0f}.",
                f"With its strokes pulled together by {self.pulls[8]:.0%}, a knot: {self.pull_nats[8]:.0f}."]
        words = " ".join(told).replace("-", "\N{MINUS SIGN}")
        return to_svg(self.ink, title=f"A line that the pen wrote: {self.text}") + f"<p>{words}</p>"
