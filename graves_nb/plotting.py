"""Figures that look at home in the book: drawn once, as SVG in the colours of the page, light or dark."""

import io
import re
from html import escape

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure

from .mixture import Mixture
from .strokes import to_strokes

# Okabe-Ito. The page may have its own shade of each: see `Drawing`.
BLUE, ORANGE, GREEN, VERMILLION, PURPLE = LINES = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7")
INK, QUIET = "#000000", "#767676"
NAMES = dict(zip(LINES, ("blue", "orange", "green", "vermillion", "purple"))) | {QUIET: "quiet"}

matplotlib.rcParams.update({
    "svg.fonttype": "none", "font.size": 10, "axes.titlesize": 10, "axes.spines.top": False, "axes.spines.right": False,
    "axes.prop_cycle": matplotlib.cycler(color=LINES), "lines.linewidth": 2, "legend.frameon": False,
})


class Drawing:
    """A figure as an inline SVG: it takes the page's text colour, and says in words what it shows."""

    def __init__(self, fig: Figure, alt: str):
        out = io.StringIO()
        with matplotlib.rc_context({"svg.hashsalt": alt}):  # the same file each time; no two figures share names
            fig.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        self.alt = alt
        self.svg = self.at_home(out.getvalue())

    def at_home(self, svg: str) -> str:
        """Replace colours by the page's own, and the fixed size by the room there is."""
        svg = re.sub(r"\s*<(metadata|style)\b.*?</\1>", "", svg[svg.index("<svg") :], flags=re.S)
        svg = re.sub(r'<g id="[^"]*"', "<g", svg).replace("DejaVu Sans", "system-ui")
        width = re.search(r'width="([\d.]+)pt"', svg)[1]
        style = f"width:{width}pt;fill:currentColor;stroke-linejoin:round"
        head = f'<svg role="img" aria-label="{escape(self.alt)}" style="{style}"'
        svg = re.sub(r' (?:height|width)="[\d.]+pt"', "", svg, count=2).replace("<svg", head, 1)
        for colour, name in NAMES.items():
            svg = svg.replace(colour, f"var(--figure-{name},{colour})")
        return re.sub(r"#000000\b", "currentColor", svg)

    def _repr_html_(self) -> str:
        return f'<div class="figure">{self.svg}</div>'


def figure(columns: int = 1, rows: int = 1, width: float = 7.2, height: float = 2.8, **options) -> tuple:
    """Return a figure and its axes: one, or an array of them."""
    fig = Figure(figsize=(width, height), layout="constrained")
    return fig, fig.subplots(rows, columns, **options)


def show(fig: Figure, alt: str) -> Drawing:
    """Finish a figure. `alt` says what it shows, for those who do not see it."""
    return Drawing(fig, alt)


def plot_ink(ax, offsets, **style) -> None:
    """Draw a line of offsets (T, 3), y down as on the tablet."""
    for stroke in to_strokes(offsets):
        ax.plot(*stroke.T, **{"color": INK, "linewidth": 1.4, "solid_capstyle": "round"} | style)
    plain(ax)


def plain(ax) -> None:
    """Make axes a sheet of paper: no frame, one scale, y down."""
    ax.set_aspect("equal")
    ax.axis("off")
    if not ax.yaxis_inverted():
        ax.invert_yaxis()


def plot_components(ax, mixture: Mixture, radii=(1, 2), colours=LINES) -> None:
    """Draw each component as ellipses at `radii` standard deviations, broader the larger its weight."""
    angle = torch.linspace(0, 2 * np.pi, 80)
    for j, (pi, mu1, mu2, s1, s2, rho) in enumerate(zip(*mixture[1:])):
        for r in radii if pi > 0.01 else ():
            n1, n2 = r * torch.cos(angle), r * torch.sin(angle)
            x, y = mu1 + s1 * n1, mu2 + s2 * (rho * n1 + torch.sqrt(1 - rho**2) * n2)
            ax.plot(x, y, color=colours[j % len(colours)], linewidth=0.6 + 2.4 * float(pi))


def plot_density(ax, log_density, extent, steps: int = 120, **style) -> None:
    """Map a density over `extent` = (left, right, top, bottom); `log_density` takes places (..., 2)."""
    left, right, top, bottom = extent
    x, y = torch.meshgrid(torch.linspace(left, right, steps), torch.linspace(top, bottom, steps), indexing="xy")
    density = log_density(torch.stack([x, y], -1)).exp().numpy()
    ax.imshow(density, extent=(left, right, bottom, top), cmap="cividis", aspect="auto", **style)
