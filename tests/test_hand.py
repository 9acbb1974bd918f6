"""Six numbers of a hand: what they must do when ink is moved, scaled, leant or resampled, and whether they tell hands apart."""

import json
import math

import numpy as np
import pytest

from conftest import ROOT
from graves_nb.datasets import synthetic
from graves_nb.hand import Hand, apart, measure
from graves_nb.hand_check import check, nearer_share
from graves_nb.strokes import from_strokes


@pytest.fixture(scope="module")
def line():
    return synthetic.lines(1, 3)[0]


def test_larger_ink_is_larger_and_nothing_else(line):
    rows = line.offsets_raw[1:].astype(float)
    one, two = measure(rows, line.text), measure(2 * rows * [1, 1, 0.5], line.text)
    for name in ("size", "width", "pace"):
        assert getattr(two, name) == pytest.approx(2 * getattr(one, name))
    for name in ("slant", "turning", "strokes"):
        assert getattr(two, name) == pytest.approx(getattr(one, name))


@pytest.mark.parametrize("degrees", [-20, 12])
def test_slant_is_that_of_a_leaning_stem(degrees):
    """Ten straight stems, each leaning by the same angle; the way back up is in the air."""
    top = 1000 * math.tan(math.radians(degrees))
    stems = [np.linspace((x + top, 0), (x, 1000), 11) for x in range(0, 5000, 500)]
    hand = measure(from_strokes(stems), "l" * 10)
    assert hand.slant == pytest.approx(degrees, abs=0.1) and hand.size == 1000
    assert hand.turning < 1 and hand.strokes == 1  # whole units make small turns


def test_turning_of_a_circle():
    """A circle of 36 points turns by 10 degrees a point."""
    angle = np.arange(0, 20 * np.pi, np.radians(10))
    circle = 10_000 * np.stack([np.cos(angle), np.sin(angle)], 1)
    assert measure(from_strokes([circle]), "o").turning == pytest.approx(10, abs=0.1)


def test_the_jumps_of_the_pen_do_not_count():
    """Moving strokes apart changes the width alone."""
    stroke = np.linspace((0, 0), (30, 90), 10)
    near = measure(from_strokes([stroke, stroke + [50, 0]]), "ll")
    far = measure(from_strokes([stroke, stroke + [500, -300]]), "ll")
    assert near._replace(width=0) == far._replace(width=0) and far.width > near.width


def test_apart_counts_in_spreads():
    one, spread = Hand(*range(6)), np.full(6, 2.0)
    assert apart(one, one, spread) == 0
    assert apart(one, Hand(*(value + 4 for value in one)), spread) == pytest.approx(2)


def test_numbers_that_say_nothing_are_right_half_of_the_time():
    rng = np.random.default_rng(0)
    noise, writers = rng.normal(size=(200, 6)), rng.integers(0, 10, 200)
    assert nearer_share(noise, writers, noise.std(0)) == pytest.approx(0.5, abs=0.02)
    assert nearer_share(noise + 10 * writers[:, None], writers, noise.std(0)) > 0.95


def shipped(name):
    return json.loads((ROOT / "data/results/hand.json").read_text())[name]


def test_the_shipped_numbers_of_synthetic_ink_are_measured_anew():
    assert check("synthetic") == shipped("synthetic")


def test_the_shipped_numbers_of_real_ink_are_measured_anew(real_data):
    assert check("iam-ondb") == shipped("iam-ondb")
