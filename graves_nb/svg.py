"""Ink as a drawing: one smooth path a stroke."""

from html import escape

import numpy as np

from .strokes import to_strokes

INK = "<style>svg{color:#1d2b53}@media(prefers-color-scheme:dark){svg{color:#dfe6f5}}</style>"


def to_svg(offsets_raw, title: str = "handwriting", width: float = 9.0, margin: float = 40.0, alone=False) -> str:
    """Draw a line as SVG: one smooth path a stroke, in the colour of the text around it.

    A drawing that stands `alone` in a file has no text around it: it brings ink for light and dark.
    """
    strokes = to_strokes(offsets_raw)
    places = np.concatenate(strokes) if strokes else np.zeros((1, 2))
    x, y = places.min(0) - margin
    w, h = places.max(0) + margin - (x, y)
    paths = "".join(f'<path d="{svg_path(stroke)}"/>' for stroke in strokes)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x:.0f} {y:.0f} {w:.0f} {h:.0f}" role="img" '
            f'aria-label="{escape(title)}"><title>{escape(title)}</title>{INK if alone else ""}'
            f'<g fill="none" stroke="currentColor" stroke-width="{width:g}" stroke-linecap="round" '
            f'stroke-linejoin="round">{paths}</g></svg>\n')


def svg_path(stroke: np.ndarray) -> str:
    """Return one stroke as a path: curves through the midpoints, so that no corner shows."""
    if len(stroke) == 1:
        return f"M{stroke[0, 0]:.1f} {stroke[0, 1]:.1f}h0"
    middle = (stroke[:-1] + stroke[1:]) / 2
    curves = "".join(f"Q{a:.1f} {b:.1f} {c:.1f} {d:.1f}" for (a, b), (c, d) in zip(stroke[1:-1], middle[1:]))
    (x0, y0), (x1, y1), (xn, yn) = stroke[0], middle[0], stroke[-1]
    return f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}{curves}L{xn:.1f} {yn:.1f}"
