"""The toys: what a chapter opens with. Each is a `GravesWidget` with a front end in `static/`."""

from .fork import Fork
from .pen import Pen
from .window import Window

__all__ = ["Fork", "Pen", "Window"]
