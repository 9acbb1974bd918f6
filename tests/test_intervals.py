"""Paired intervals: against every draw there is, one draw at a time, and worlds in which the truth is known."""

import itertools
import json
import math

import numpy as np
import pytest
import torch

from graves_nb import datasets
from graves_nb.checkpoints import save_weights
from graves_nb.cli import main
from graves_nb.evaluation import nats
from graves_nb.intervals import bootstrap_means, clusters, compare, paired_interval
from graves_nb.models import HandwritingPredictor, HandwritingSynthesizer
from graves_nb.strokes import Normalisation

WRITERS = [7, 7, 7, 3, -1, 3, -1, 7]
DIFFERENCES = [1.0, 2.0, 6.0, -4.0, 10.0, 0.5, -3.0, 1.0]


def by_hand(values, writers):
    """The lines of each writer, and each unknown line by itself."""
    known = {w: [v for v, each in zip(values, writers) if each == w] for w in writers if w >= 0}
    return [*known.values(), *([v] for v, w in zip(values, writers) if w < 0)]


def every_mean(values, writers):
    """Brute force: the mean of every draw of writers that there is, with all their lines."""
    groups = by_hand(values, writers)
    return np.array([np.mean(sum(draw, [])) for draw in itertools.product(groups, repeat=len(groups))])


def test_a_line_of_an_unknown_writer_is_a_cluster():
    groups = clusters(WRITERS)
    assert groups.max() + 1 == 4 and groups.min() == 0
    assert len({groups[0], groups[1], groups[2], groups[7]}) == 1 and groups[3] == groups[5] != groups[0]
    assert len({groups[4], groups[6], groups[0], groups[3]}) == 4
    assert clusters([-1, -1]).tolist() == [0, 1]


def test_means_are_those_of_lines_put_together():
    """One draw at a time, with lists: the same writers, the same mean."""
    groups = clusters(WRITERS)
    fast = bootstrap_means(DIFFERENCES, groups, 700, seed=5)
    rng = np.random.default_rng(5)
    slow = []
    for times in (row for n in (500, 200) for row in rng.multinomial(4, [0.25] * 4, n)):
        lines = [v for g in range(4) for v in [d for d, each in zip(DIFFERENCES, groups) if each == g] * times[g]]
        slow.append(sum(lines) / len(lines))
    np.testing.assert_allclose(fast, slow, rtol=1e-12)


def test_the_interval_is_that_of_every_possible_draw():
    """4 clusters can be drawn in 256 ways, all equally likely: the exact quantiles, and the exact deviation."""
    exact = np.sort(every_mean(DIFFERENCES, WRITERS))
    found = paired_interval(DIFFERENCES, np.zeros(8), WRITERS, level=0.8, draws=100_000)
    assert found["difference"] == pytest.approx(np.mean(DIFFERENCES))
    assert found["se"] == pytest.approx(exact.std(), rel=0.01)
    share = lambda x: ((exact < x - 1e-9).mean(), (exact < x + 1e-9).mean())
    for limit, wanted in (("low", 0.1), ("high", 0.9)):
        below, upto = share(found[limit])
        assert below - 0.005 <= wanted <= upto + 0.005
    assert (found["lines"], found["clusters"], found["lines_lower"]) == (8, 4, 2)


def test_only_the_difference_counts_and_turns_with_its_order():
    hard = np.array([100.0, -900.0, 40.0, 3.0, 7.0, 60.0, 0.0, 5.0])
    a, b = hard + DIFFERENCES, hard
    one, other = paired_interval(a, b, WRITERS), paired_interval(b, a, WRITERS)
    plain = paired_interval(DIFFERENCES, np.zeros(8), WRITERS)
    assert one["low"] == pytest.approx(plain["low"]) and one["high"] == pytest.approx(plain["high"])
    assert other["low"] == pytest.approx(-one["high"]) and other["difference"] == pytest.approx(-one["difference"])
    assert one["lines_lower"] + other["lines_lower"] == 8


def test_without_writers_it_is_the_textbook_interval():
    """Independent lines: the mean plus or minus 1.96 standard errors."""
    values = np.random.default_rng(1).normal(-3, 10, 400)
    found = paired_interval(values, np.zeros(400), [-1] * 400)
    error = values.std() / math.sqrt(400)
    assert found["se"] == pytest.approx(error, rel=0.03)
    assert found["low"] == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert found["high"] == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_it_holds_the_truth_as_often_as_it_says():
    """Writers differ more than their lines: clusters find the true mean 0, lines alone are far too sure."""
    rng, held, too_sure = np.random.default_rng(2), 0, 0
    writers = np.repeat(np.arange(30), 20)
    for world in range(100):
        values = rng.normal(0, 5, 30)[writers] + rng.normal(0, 5, 600)
        found = paired_interval(values, np.zeros(600), writers, draws=400, seed=world)
        alone = paired_interval(values, np.zeros(600), [-1] * 600, draws=400, seed=world)
        held += found["low"] <= 0 <= found["high"]
        too_sure += not alone["low"] <= 0 <= alone["high"]
    assert 88 <= held <= 99 and too_sure > 30


# Of weights


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two small predictors of synthetic ink, the second in other units."""
    folder, units = tmp_path_factory.mktemp("weights"), Normalisation.fit(datasets.load("synthetic-small", "train"))
    found = []
    for seed, stretch in ((1, 1.0), (2, 2.0)):
        torch.manual_seed(seed)
        model, path = HandwritingPredictor(hidden=12, M=4), folder / f"{seed}.safetensors"
        std = [stretch * s for s in units.std]
        save_weights(path, model, normalisation=dict(mean=units.mean, std=std, threshold=1000), data="synthetic-small")
        found.append((path, model, Normalisation(units.mean, tuple(std))))
    return found


def test_weights_are_compared_in_tablet_units(files, tmp_path):
    """The difference is that of two evaluations, whatever units each network thinks in."""
    (first, model, unit), (second, other, unit2) = files
    out = tmp_path / "comparison.json"
    assert main(["compare", str(first), str(second), "--limit", "6", "--draws", "200", "--json", str(out)]) == 0
    result, lines = json.loads(out.read_text()), datasets.load("synthetic-small", "validation")[:6]
    raw = [nats(m.half().float(), lines, u)["nats_per_line_raw"] for m, u in ((model, unit), (other, unit2))]
    found = result["metrics"]["nats"]
    assert [found["first_raw"], found["second_raw"]] == pytest.approx(raw, rel=1e-6)
    assert found["difference"] == pytest.approx(raw[0] - raw[1], rel=1e-4)
    assert found["low"] <= found["difference"] <= found["high"] and found["lines"] == 6
    assert result["name"] == "comparison" and result["data"]["lines"] == 6
    assert result["first"]["parameters"] == sum(w.numel() for w in model.parameters())


def test_what_cannot_be_compared_is_refused(files, tmp_path, capsys):
    path, model, unit = files[0]
    shorter, text = tmp_path / "shorter.safetensors", tmp_path / "text.safetensors"
    save_weights(shorter, model, normalisation=dict(mean=unit.mean, std=unit.std, threshold=200), data="synthetic-small")
    save_weights(text, model, data="plays")
    for other, words in ((shorter, "other long steps"), (text, "networks of ink")):
        assert main(["compare", str(path), str(other)]) == 1 and words in capsys.readouterr().err


def test_a_predictor_and_a_synthesizer_can_be_compared(files, tmp_path):
    """One reads the text, the other does not; the lines are the same."""
    path, _, unit = files[0]
    torch.manual_seed(3)
    save_weights(tmp_path / "pen.safetensors", HandwritingSynthesizer(hidden=8, layers=1, M=2, K=1),
                 normalisation=dict(mean=unit.mean, std=unit.std, threshold=1000), data="synthetic-small")
    result = compare(path, tmp_path / "pen.safetensors", limit=3, draws=50)
    assert result["second"]["model"] == "HandwritingSynthesizer" and result["metrics"]["dequantised"]["lines"] == 3
