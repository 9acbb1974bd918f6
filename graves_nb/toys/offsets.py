"""Ink as offsets: a line, one row of which is wrong."""

import math

import numpy as np
from traitlets import Bool, List, TraitError, Unicode, default, validate

from ..checks import check_text
from ..datasets import synthetic
from ..svg import to_svg
from ..widgets import GravesWidget

WRITER = 4  # a seed: the hand that it chooses is slanted and joined


class InkLine(GravesWidget):
    """What the toys of one line share: its `text`, and `offsets`, rows [dx, dy, end_of_stroke] in tablet units, y down.

    Where no offsets are given, a synthetic hand writes the text.
    """

    sheets = ("widgets.css", "offsets.css")

    text = Unicode("ink in small steps").tag(sync=True)
    offsets = List().tag(sync=True)

    @default("offsets")
    def _write(self) -> list:
        rng = np.random.default_rng(WRITER)
        return synthetic.draw(self.text, synthetic.Style.draw(rng), rng).offsets_raw.tolist()

    @validate("text")
    def _check_text(self, proposal) -> str:
        return check_text(proposal.value)

    @validate("offsets")
    def _check_offsets(self, proposal) -> list:
        rows = [list(row) for row in proposal.value]
        good = [len(row) == 3 and all(math.isfinite(x) for x in row) and row[2] in (0, 1) for row in rows]
        if len(rows) < 10 or not all(good):
            raise TraitError("The offsets must be at least ten rows [dx, dy, end_of_stroke] with 0 or 1 as the last.")
        return rows


class Offsets(InkLine):
    """A line beside its offsets, to be mended: `broken` is the wrong row, from 0, and what was added to its dx and dy.

    With `positions` the file stores places instead, and the same wrong numbers move one point.
    """

    module = "offsets.js"

    broken = List().tag(sync=True)
    positions = Bool(False).tag(sync=True)

    @default("broken")
    def _break_a_letter(self) -> list:
        middle = len(self.offsets) // 2
        ends = [row for row, (_, _, end) in enumerate(self.offsets) if end]
        far = (row for row in range(middle, len(self.offsets)) if all(abs(row - end) > 8 for end in ends))
        return [next(far, middle), 110, 150]

    @validate("broken")
    def _check_broken(self, proposal) -> list:
        value = list(proposal.value)
        if len(value) != 3 or not (isinstance(value[0], int) and 0 < value[0] < len(self.offsets)):
            raise TraitError(f"`broken` is [row, dx, dy] with a row from 1 to {len(self.offsets) - 1}, not {value!r}.")
        return value

    def still(self) -> str:
        """Return the line as the toy begins: half of it has slid away."""
        rows = np.array(self.offsets, float)
        row, dx, dy = self.broken
        rows[row, :2] += dx, dy
        words = f"A line of synthetic ink, “{self.text}”. In mid-letter it breaks, and all that follows lies too low."
        return to_svg(rows, title=words)
