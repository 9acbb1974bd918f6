"""Losses told in other conventions: the arithmetic, the known cases, and what thresholds do to real ink."""

import json
import math

import numpy as np
import pytest
import torch

from graves_nb.datasets import load, synthetic
from graves_nb.datasets.statistics import THRESHOLDS, describe, hand, threshold_table
from graves_nb.mixture import mixture_loss
from graves_nb.paths import data_path
from graves_nb.strokes import Line, Normalisation, targets
from graves_nb.units import RAW, VRNN, Convention, convert_loss

T = 615.03  # validation steps a line
WHOLE = Convention((41.95, 37.12))  # Graves' lines, no step dropped
REAL = json.loads(data_path("results/iam_ondb_ink.json").read_text())


def test_one_std_for_both_is_worth_430_nats_a_line():
    """The released code of VRNN: 0.700 nats a step for nothing, so its 1358 and 1384 are not better than -1041."""
    one = VRNN._replace(likelihood=False)
    assert convert_loss(0, WHOLE, one, T) == pytest.approx(-430.6, abs=0.1)
    assert convert_loss(0, WHOLE, one._replace(per_step=True), T) == pytest.approx(-0.700, abs=5e-4)
    assert convert_loss(1358, VRNN, WHOLE, T) == pytest.approx(-927, abs=0.5)
    assert convert_loss(1384, VRNN, WHOLE, T) == pytest.approx(-953, abs=0.5)


@pytest.mark.parametrize("threshold, nats", [(1000, 25), (500, 185), (200, 768)])
def test_a_threshold_moves_the_loss_of_an_unchanged_model(threshold, nats):
    """By its units alone, over the steps of the whole line; the file of results counts those that stay."""
    rows = {row["threshold"]: row for row in REAL["thresholds"]}
    before, after = (Convention(tuple(rows[key]["std"])) for key in (None, threshold))
    assert convert_loss(0, before, after, rows[None]["steps"]) == pytest.approx(nats, abs=1.5)
    assert convert_loss(0, before, after, rows[threshold]["steps"]) == pytest.approx(rows[threshold]["nats_per_line"])


def test_there_and_back_is_where_we_were():
    book = Convention((40.61, 37.05))
    others = [RAW, VRNN, book._replace(per_step=True), book._replace(bits=True), book._replace(per_step=True, bits=True, likelihood=True)]
    for other in others:
        assert convert_loss(convert_loss(-1041.0, book, other, T), other, book, T) == pytest.approx(-1041.0)


def test_bits_and_steps():
    book = Convention((40.61, 37.05))
    assert convert_loss(-T, book, book._replace(per_step=True), T) == pytest.approx(-1)
    assert convert_loss(-T, book, book._replace(per_step=True, bits=True), T) == pytest.approx(-1 / math.log(2))
    assert convert_loss(-T, book, book._replace(likelihood=True), T) == T


def test_it_is_what_a_change_of_units_does_to_a_mixture():
    """The same mixture in two units: the loss moves by what `convert_loss` says."""
    torch.manual_seed(0)
    y_hat, x = torch.randn(50, 13, dtype=torch.float64), torch.randn(50, 3, dtype=torch.float64).round()
    x[:, 2] = x[:, 2].clamp(0, 1)
    s1, s2 = 40.61, 37.05
    wide, raw = y_hat.clone(), x.clone()
    raw[:, :2] *= torch.tensor([s1, s2])
    for block, s in ((3, s1), (5, s2)):
        wide[:, block : block + 2] *= s  # the centres
        wide[:, block + 4 : block + 6] += math.log(s)  # sigma hats
    norm, other = (mixture_loss(*pair).sum().item() for pair in ((y_hat, x), (wide, raw)))
    assert convert_loss(norm, Convention((s1, s2)), RAW, 50) == pytest.approx(other)


# Ink in numbers


def test_description_of_a_line_made_by_hand():
    rows = np.array([[0, 0, 0], [3, 4, 0], [0, 5, 1], [2000, 0, 0], [0, 0, 1]])
    found = describe([Line("ab", rows, writer=7)])
    assert (found["lines"], found["writers"], found["points"], found["targets"]) == (1, 1, 5, 3)
    assert found["points_per_character"] == 2.5 and found["stroke_ends"] == 0.4
    assert found["zero"] == [2 / 3, 1 / 3] and found["zero_both"] == 1 / 3
    assert hand([Line("ab", rows)])["step"] == pytest.approx(10 / 3) and found["character_width"] == 2003 / 2


def test_thresholds_count_what_they_drop():
    lines = synthetic.lines(20, seed=1)
    table = threshold_table(lines, lines[:5], (100, 300, None))
    rows = np.concatenate([targets(line.offsets_raw, math.inf) for line in lines])
    lengths = np.hypot(rows[:, 0], rows[:, 1])
    assert [row["dropped"] for row in table] == [(lengths > 100).sum(), (lengths > 300).sum(), 0]
    assert table[0]["nats_per_line"] > table[1]["nats_per_line"] > 0 == table[2]["nats_per_line"]
    assert table[1]["std"] == Normalisation.fit(lines, 300).std


def test_the_results_are_those_of_the_data(real_data):
    """A few of the figures, measured anew; all of them take one command."""
    found = describe(load("iam-ondb", "validation"))
    assert set(found) == set(REAL["validation"])
    for key, value in found.items():
        assert REAL["validation"][key] == pytest.approx(list(value) if isinstance(value, tuple) else value, rel=1e-6), key
    assert found["targets"] == 884_417 and REAL["train"]["targets"] == 6_585_328
    assert [row["threshold"] for row in REAL["thresholds"]] == list(THRESHOLDS)
