"""The toys: what a chapter opens with. Each is a `GravesWidget` with a front end in `static/`."""

from .converter import Converter
from .fork import Fork
from .offsets import InkLine
from .pen import Pen
from .window import Window

__all__ = ["Converter", "Fork", "InkLine", "Pen", "Window"]
