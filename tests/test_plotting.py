"""Figures take the page's colours, their formulas too."""

import re

from graves_nb.plotting import INK, VERMILLION, figure, show


def test_all_text_takes_the_colour_of_the_page():
    fig, ax = figure()
    ax.semilogy([1, 2], [1e-3, 1e3])  # its ticks are formulas: 10^3
    ax.text(1, 1, "$h_1^2$", color=INK)
    ax.text(1, 10, "$w$", color=VERMILLION)
    svg = show(fig, "A line that rises, a formula in ink and one in vermillion.").svg
    assert re.match(r'<svg [^>]*style="[^"]*fill:currentColor', svg)
    assert "#000" not in svg and "black" not in svg and "fill: var(--figure-vermillion" in svg
