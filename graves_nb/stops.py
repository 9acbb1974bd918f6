"""Where lines stop: too early, never, or past the last character as they should; and a sheet to look at."""

from dataclasses import dataclass
from html import escape

import numpy as np
from tqdm import tqdm

from .sampling import STEPS_PER_CHARACTER, Sample
from .strokes import to_page, to_strokes
from .svg import INK, svg_path


@dataclass
class Stop:
    """How one line ended. `unread` lists the characters that were never the window's largest."""

    text: str
    points: int
    unread: str
    never: bool

    @property
    def early(self) -> bool:
        """Say whether the line stopped with something unread."""
        return bool(self.unread) and not self.never


def judge(sample: Sample) -> Stop:
    """Look at the window's weights phi (T, U + 1) of a written line."""
    U = len(sample.text)
    largest = set(sample.phi[:, :U].argmax(1).tolist())
    unread = "".join(c for u, c in enumerate(sample.text) if u not in largest)
    never = sample.stopped != "rule" or len(sample.offsets) >= STEPS_PER_CHARACTER * U
    return Stop(sample.text, len(sample.offsets), unread, never)


def write_all(pen, texts: list[str], bias: float, seed: int = 0, batch: int = 20) -> list[Sample]:
    """Write many lines, some at a time; line n has the seed `seed` + n."""
    lines = []
    for i in tqdm(range(0, len(texts), batch), desc="writing", unit="batch"):
        part = texts[i : i + batch]
        lines += pen.write(part, bias, list(range(seed + i, seed + i + len(part))), keep_phi=True)
    return lines


def report(stops: list[Stop], bias: float, seed: int) -> dict:
    """Count the failures and name them, ready for JSON."""
    failed = [dict(text=s.text, points=s.points, unread=s.unread, never=s.never) for s in stops if s.early or s.never]
    return dict(lines=len(stops), bias=bias, seed=seed, early=sum(s.early for s in stops),
                never=sum(s.never for s in stops), failures=failed)


def sheet(lines: list[dict], width: float = 3400, row: float = 560) -> str:
    """Draw lines of offsets in tablet units as one SVG, each with its text below it, in two columns."""
    parts = []
    for n, line in enumerate(lines):
        page = to_page(line["offsets"])
        low, high = page.min(0), page.max(0)
        scale = min(1.0, *((width - 200, 0.8 * row) / np.maximum(high - low, 1)))
        x, y = (n % 2) * width + 60, n // 2 * row
        shift = (x - scale * low[0], y + 0.42 * row - scale * (low[1] + high[1]) / 2)
        strokes = "".join(f'<path d="{svg_path(stroke)}"/>' for stroke in to_strokes(line["offsets"]))
        parts.append(f'<g transform="translate({shift[0]:.0f} {shift[1]:.0f}) scale({scale:.3f})">{strokes}</g>'
                     f'<text x="{x:.0f}" y="{y + 0.95 * row:.0f}">{escape(line["text"])}</text>')
    height = (len(lines) + 1) // 2 * row
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * width:.0f} {height:.0f}">{INK}'
            '<style>path{fill:none;stroke:currentColor;stroke-width:9;stroke-linecap:round;stroke-linejoin:round}'
            f'text{{font:56px system-ui,sans-serif;fill:#7a7f87}}</style>{"".join(parts)}</svg>\n')


def run(pen, texts: list[str], bias: float, seed: int, device_name: str, commit: str) -> tuple[dict, list[dict]]:
    """Write, judge, and return the report and the rows to draw."""
    lines = write_all(pen, texts, bias, seed)
    result = report([judge(line) for line in lines], bias, seed)
    return (dict(name="stops", weights=pen.name, device=device_name, commit=commit) | result,
            [pen.row(line, bias, seed + n) for n, line in enumerate(lines)])
