"""Long steps: what a threshold drops, and what that does to a loss."""

from traitlets import Float

from ..svg import to_svg
from .offsets import InkLine


class Threshold(InkLine):
    """A line of ink whose steps longer than `threshold` tablet units are dropped; 400 drops nothing."""

    module = "threshold.js"

    threshold = Float(400.0, min=40, max=400).tag(sync=True)

    def still(self) -> str:
        """Return the whole line."""
        words = f"A line of synthetic ink, “{self.text}”. A threshold would drop its longest steps."
        return to_svg(self.offsets, title=words)
