"""Meet the NaN: a small recurrent network that learns in the page, or does not."""

import math

from traitlets import Enum, Float, Int, TraitError, validate

from ..widgets import GravesWidget

SPANS = [10, 20, 40, 80, 160, 320]


class Explode(GravesWidget):
    """A network that must carry a bit over `steps` steps, and the derivatives on their way back.

    `scale` stretches the recurrent weights (at 1 their variance is 1 / units), `layers` is the depth,
    `seed` chooses the weights. `clip` is "off", "norm" (the whole gradient is shrunk to the norm
    `limit`) or "step" (each derivative stays within `limit` at each step of the backward pass).
    """

    module = "explode.js"
    sheets = ("widgets.css", "explode.css")

    scale = Float(3.0, min=0.2, max=8).tag(sync=True)
    layers = Int(1, min=1, max=3).tag(sync=True)
    steps = Int(40).tag(sync=True)
    clip = Enum(("off", "norm", "step"), "off").tag(sync=True)
    limit = Float(1.0, min=0.01, max=100).tag(sync=True)
    seed = Int(1, min=0).tag(sync=True)

    @validate("steps")
    def _check_steps(self, proposal) -> int:
        if proposal.value not in SPANS:
            raise TraitError(f"The toy goes back {SPANS} steps, not {proposal.value}. Choose one of these.")
        return proposal.value

    @validate("scale", "limit")
    def _check_number(self, proposal) -> float:
        if math.isnan(proposal.value):
            raise TraitError("It must be a number: a scale from 0.2 to 8, a limit from 0.01 to 100.")
        return proposal.value

    def still(self) -> str:
        """Return the three ways that a derivative can go, as lines over time."""
        ways = ((0.5, "none", "recurrent weights too large"), (3, "0.3 0.15", "clipped at each step"),
                (5.5, "0.08 0.12", "too small"))
        lines = "".join(f'<path d="M1 {y}L9.6 3" stroke-dasharray="{dash}"/>' for y, dash, _ in ways)
        names = "".join(f'<text x="1.2" y="{y - 0.25 if y < 5 else 5.9}">{name}</text>' for y, _, name in ways)
        words = ("The size of a derivative, on a logarithmic scale, against time. From the last step back to the "
                 "first it explodes where the recurrent weights are too large, vanishes where they are too small, "
                 "and stays level where it is clipped at each step.")
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -0.3 10.6 7" role="img" aria-label="{words}">'
                f'<g fill="none" stroke="currentColor" stroke-width="0.06">{lines}'
                '<path d="M1 0v6h8.6" stroke-width="0.03"/></g>'
                f'<g fill="currentColor" font-size="0.28" font-family="system-ui, sans-serif">{names}'
                '<text x="1" y="6.45">first step</text><text x="8.4" y="6.45">last step</text></g></svg>')
