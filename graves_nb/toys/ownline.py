"""A line of the reader's own."""

from ..svg import to_svg
from .offsets import InkLine


class OwnLine(InkLine):
    """A sheet to write on. The line is seen as offsets, and compared with `offsets`; it never leaves the page."""

    module = "ownline.js"

    def still(self) -> str:
        """Return the synthetic line to compare with."""
        words = f"A line of synthetic ink, “{self.text}”. On a page with scripts you can write your own beside it."
        return to_svg(self.offsets, title=words)
