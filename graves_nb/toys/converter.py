"""Is my loss right? One loss in the units of several papers, beside the figures of Graves (2013)."""

import json
import math

from traitlets import Bool, Float, Int, List, TraitError, default, validate

from ..paths import data_path
from ..units import VRNN
from ..widgets import GravesWidget

PAPER = [["prediction, 1 × 900", -1025.7], ["prediction, 3 × 400", -1041.0],
         ["prediction, adaptive noise", -1057.7], ["synthesis, 3 × 400", -1096.9],
         ["synthesis, adaptive noise", -1128.2]]  # tables 3 and 4: nats a line
CANONICAL = 1000  # tablet units


def measured() -> dict:
    """Return what was measured on IAM-OnDB: the units that each threshold leaves."""
    return json.loads(data_path("results/iam_ondb_ink.json").read_text(encoding="utf-8"))


class Converter(GravesWidget):
    """A loss `value`, a line or `per_step`, in nats or `bits`, of offsets that were divided by `std`.

    A `likelihood` is the loss with its sign changed; `steps` is the mean number of points a line.
    `lowest` is the lowest threshold, in tablet units, that the paper may have used.
    """

    module = "converter.js"
    sheets = ("widgets.css", "converter.css")

    value = Float(-1000.0).tag(sync=True)
    likelihood = Bool(False).tag(sync=True)
    per_step = Bool(False).tag(sync=True)
    bits = Bool(False).tag(sync=True)
    std = List().tag(sync=True)
    steps = Float().tag(sync=True)
    lowest = Int(800, min=500, max=CANONICAL).tag(sync=True)
    presets = List(help="rows of a name and two stds; the first is this book's").tag(sync=True)
    thresholds = List(help="rows of a threshold and what it adds to a loss, in nats a line").tag(sync=True)
    paper = List(PAPER).tag(sync=True)

    @default("std")
    def _std_of_this_book(self) -> list:
        return self.presets[0][1:]

    @default("steps")
    def _steps(self) -> float:
        return round(measured()["validation"]["targets_per_line"], 2)

    @default("presets")
    def _presets(self) -> list:
        stds = {row["threshold"]: [round(s, 2) for s in row["std"]] for row in measured()["thresholds"]}
        return [["their stds, long steps dropped", *stds[CANONICAL]], ["their stds, none dropped", *stds[None]],
                ["one std, as in VRNN's code", *VRNN.std], ["1: tablet units", 1.0, 1.0]]

    @default("thresholds")
    def _thresholds(self) -> list:
        rows = {row["threshold"]: row["nats_per_line"] for row in measured()["thresholds"]}
        return [[threshold or 0, round(nats - rows[CANONICAL], 2)] for threshold, nats in rows.items()]  # 0: none

    @validate("std")
    def _check_std(self, proposal) -> list:
        std = list(proposal.value)
        if len(std) != 2 or not all(math.isfinite(s) and s > 0 for s in std):
            raise TraitError(f"`std` is what dx and dy were divided by, two numbers above 0, not {std!r}.")
        return std

    @validate("steps")
    def _check_steps(self, proposal) -> float:
        if not (math.isfinite(proposal.value) and proposal.value > 0):
            raise TraitError(f"`steps` is the mean number of points a line, above 0, not {proposal.value!r}. Try 615.")
        return proposal.value

    def still(self) -> str:
        """Return the paper's figures as a table."""
        rows = "".join(f"<tr><th scope='row'>{name}</th><td>−{-value}</td></tr>" for name, value in self.paper)
        return f"<table><caption>The figures of Graves (2013), nats a line</caption>{rows}</table>"
