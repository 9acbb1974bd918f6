"""The toys: what a chapter opens with. Each is a `GravesWidget` with a front end in `static/`."""

from .busy import Busy
from .fork import Fork
from .pen import Pen

__all__ = ["Busy", "Fork", "Pen"]
