"""Gates as a puzzle: one LSTM cell that holds a bit, then counts to a step."""

import math

from traitlets import Float, Int, List, TraitError, Unicode, validate

from ..widgets import GravesWidget

# Noise as strong as the bit. A plain unit, whatever its weight, ends at one value for either bit.
INPUTS = [-0.8, 0.6, -0.9, -0.5, -0.8, 0.9, -0.8, -0.9, 0.7, -0.8, -0.5,
          -0.9, -0.9, -0.7, -0.9, 0.5, -0.9, 0.5, -0.8, 0.6, -0.7, 0.9]
OPEN, SHUT = "1" * len(INPUTS), "0" * len(INPUTS)


class Gates(GravesWidget):
    """One LSTM cell as a puzzle: hold a bit (level 1), spike on every Nth step without a peephole (2), with it (3).

    In level 1 the strings `i`, `f` and `o` say at which of the 22 steps a gate is open ("1"). In levels 2
    and 3 the cell adds `add` to c at each step; its output gate has the bias `ob`, the weight `oh` of h and
    the peephole `oc` (level 3 alone), its forget gate the weight `fh` of h. `plain` is the weight of the
    plain unit beside it.
    """

    module = "gates.js"
    sheets = ("widgets.css", "gates.css")

    inputs = List(INPUTS).tag(sync=True)
    level = Int(1, min=1, max=3).tag(sync=True)
    bit = Int(1).tag(sync=True)
    i = Unicode(OPEN).tag(sync=True)
    f = Unicode(SHUT).tag(sync=True)
    o = Unicode(OPEN).tag(sync=True)
    every = Int(11, min=5, max=11).tag(sync=True)
    add = Float(0.15, min=0.02, max=0.4).tag(sync=True)
    ob = Float(-2.0, min=-40, max=0).tag(sync=True)
    oh = Float(0.0, min=0, max=40).tag(sync=True)
    oc = Float(0.0, min=0, max=40).tag(sync=True)
    fh = Float(0.0, min=-30, max=0).tag(sync=True)
    plain = Float(1.0, min=-2, max=2).tag(sync=True)

    @validate("i", "f", "o")
    def _check_gate(self, proposal) -> str:
        if len(proposal.value) != len(INPUTS) or set(proposal.value) - set("01"):
            raise TraitError(f"A gate is a text of {len(INPUTS)} characters: 1 where it is open, 0 where it is shut.")
        return proposal.value

    @validate("bit")
    def _check_bit(self, proposal) -> int:
        if proposal.value not in (-1, 1):
            raise TraitError(f"The bit is 1 or -1, not {proposal.value}.")
        return proposal.value

    @validate("inputs")
    def _check_inputs(self, proposal) -> list:
        if len(proposal.value) != len(INPUTS):
            raise TraitError(f"The inputs are {len(INPUTS)} numbers, one a step.")
        return [float(x) for x in proposal.value]

    @validate("add", "ob", "oh", "oc", "fh", "plain")
    def _check_weight(self, proposal) -> float:
        if math.isnan(proposal.value):
            raise TraitError("A weight must be a number within its slider's range.")
        return proposal.value

    def still(self) -> str:
        """Return the input and the three rows of gates, all of them still to be set."""
        bars = "".join(f'<path d="M{t + 0.5} 2v{-1.6 * (1 if t == 1 else x):.2f}"/>' for t, x in enumerate(self.inputs))
        tiles = "".join(f'<rect x="{t + 0.08}" y="{y}" width="0.84" height="1.3"/>'
                        for y in (5.2, 6.8, 8.4) for t in range(len(self.inputs)))
        names = "".join(f'<text x="-1.3" y="{y}">{name}</text>'
                        for y, name in ((2.3, "x"), (6.2, "i"), (7.8, "f"), (9.4, "o")))
        words = ("A puzzle. An input x of 22 steps: the second brings a bit, all others noise. Under it three rows of "
                 "22 tiles, the input, forget and output gate. Which must be open, so that the bit is shown at the "
                 "last step alone?")
        return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1.6 -0.2 24 10.4" role="img" '
                f'aria-label="{words}"><g fill="none" stroke="currentColor" stroke-width="0.06">{tiles}'
                f'<g stroke-width="0.6">{bars}</g></g>'
                f'<g fill="currentColor" font-size="1.1" font-family="system-ui, sans-serif">{names}</g></svg>')
