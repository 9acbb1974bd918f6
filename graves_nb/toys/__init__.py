"""The toys: what a chapter opens with. Each is a `GravesWidget` with a front end in `static/`."""

from .fork import Fork
from .lineage import Lineage
from .pen import Pen

__all__ = ["Fork", "Lineage", "Pen"]
