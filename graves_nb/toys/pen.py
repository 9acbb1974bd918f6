"""The live pen."""

import math

from traitlets import Float, Int, TraitError, Unicode, validate

from ..svg import to_svg
from .writing import WritingToy


class Pen(WritingToy):
    """The live pen: `text` written at a `bias`, in the hand of a `style`, with a `seed`.

    `style` counts the gallery's lines from 1, 0 is none; `priming` is how many words of that line
    the network reads before it goes on, if there are so many.
    """

    module = "pen.js"
    sheets = ("widgets.css", "pen.css")

    text = Unicode("the pen moves and the words appear").tag(sync=True)
    bias = Float(0.75, min=0, max=5).tag(sync=True)
    style = Int(0, min=0).tag(sync=True)
    priming = Int(99, min=0, max=99).tag(sync=True)

    def still(self) -> str:
        """Return the first line of the gallery."""
        line = self._lines[0]
        return to_svg(line["offsets_raw"], title=f"Handwriting that the network made: {line['text']}")

    @validate("bias")
    def _check_bias(self, proposal) -> float:
        if not math.isfinite(proposal.value):
            raise TraitError(f"The bias must be a number from 0 to 5, not {proposal.value!r}. Try 0.75.")
        return proposal.value

    @validate("style")
    def _check_style(self, proposal) -> int:
        if proposal.value > len(self._lines):
            raise TraitError(f"There is no style {proposal.value}: the gallery has {len(self._lines)}, and 0 is none.")
        return proposal.value
