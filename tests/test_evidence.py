"""Recogniser, legibility, style and ablations: what they say of ink whose answer is known."""

import dataclasses
import functools
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from graves_nb import ablations, datasets, legibility, reproduce, style
from graves_nb.alphabet import encode
from graves_nb.checkpoints import load_weights
from graves_nb.cli import main, parser
from graves_nb.embedding import equal_error_rate, pairs
from graves_nb.evaluation import evaluate_weights, regularisation
from graves_nb.hand import Hand
from graves_nb.recogniser import (
    BLANK,
    Recogniser,
    align,
    ctc_loss,
    decode,
    distance,
    errors,
    features,
    side_by_side,
    tidy,
    turned,
    varied,
    walk,
)
from graves_nb.results import is_faithful
from graves_nb.strokes import from_strokes, to_strokes
from graves_nb.training import DEFAULTS, Config, Trainer

torch.set_num_threads(1)
INK = dict(data="synthetic-small", train_split="train", validation_split="validation", hidden=12, layers=1, batch=8,
           updates=4, warmup=1, validate_every=2, validation_lines=6)


@pytest.fixture(scope="module")
def ink():
    """A few lines of synthetic ink."""
    return datasets.load("synthetic-small", "train")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A pen and two readers, hardly trained."""
    folder = tmp_path_factory.mktemp("evidence")
    for model in ("synthesis", "recogniser", "style"):
        lines = dict(validation_lines=0) if model == "style" else {}
        Trainer(Config(**DEFAULTS[model] | INK | lines | dict(model=model)), folder / model).run()
    return {model: folder / model / "weights.safetensors" for model in ("synthesis", "recogniser", "style")}


@functools.cache
def naive_distance(a, b):
    if not (a and b):
        return len(a) + len(b)
    return min(naive_distance(a[1:], b[1:]) + (a[0] != b[0]), naive_distance(a[1:], b) + 1, naive_distance(a, b[1:]) + 1)


@pytest.mark.parametrize("text, read", [("kitten", "sitting"), ("", "abc"), ("abc", ""), ("a pen", "open"), ("same", "same")])
def test_the_edit_distance_is_the_least_number_of_edits(text, read):
    pairs_ = align(text, read)
    assert distance(text, read) == naive_distance(text, read) == sum(a != b for a, b in pairs_)
    assert "".join(a for a, _ in pairs_) == text and "".join(b for _, b in pairs_) == read


def test_ctc_sums_over_all_ways_to_place_the_characters():
    torch.manual_seed(0)
    logits = torch.randn(4, 1, BLANK + 1)
    labels = [3, 3, 7]
    p = logits.softmax(-1)[:, 0]

    def says(path):
        return [c for c, _ in itertools.groupby(path) if c != BLANK]

    total = sum(math.prod(p[t, c].item() for t, c in enumerate(path))
                for path in itertools.product([3, 7, BLANK], repeat=4) if says(path) == labels)
    loss = ctc_loss(logits, torch.tensor([4]), torch.tensor([[*labels, -1]]))
    assert total > 0 and loss.item() == pytest.approx(-math.log(total), rel=1e-5)


def test_reading_takes_repeats_once_and_leaves_blanks_out():
    frames = torch.tensor([8, 8, BLANK, 8, BLANK, 9, 5])
    logits = torch.nn.functional.one_hot(frames, BLANK + 1).float().unsqueeze(1)
    assert decode(logits, torch.tensor([6])) == ["hhi"]


def test_features_know_neither_size_nor_pace_nor_place(ink):
    line = ink[3]
    rows = features(line.offsets_raw)
    torch.testing.assert_close(features(line.offsets_raw * [3.0, 3.0, 1.0]), rows, atol=1e-4, rtol=1e-4)
    dense = [walk(stroke, 2.0) for stroke in to_strokes(line.offsets_raw)]  # the same ink at an even, slower pace
    slow = features(from_strokes([stroke + 500.0 for stroke in dense]))
    assert len(slow) == pytest.approx(len(rows), rel=0.1)
    assert slow[:, 0].sum().item() == pytest.approx(rows[:, 0].sum().item(), rel=0.1)


def test_varied_lines_are_alike_but_not_the_same(ink):
    rows = features(ink[3].offsets_raw)
    one, same, other = (varied(rows, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other) and torch.equal(one[:, 3], rows[:, 3])
    assert np.corrcoef(one[:, 0], rows[:, 0])[0, 1] > 0.8


def test_lines_are_turned_within_their_lengths():
    x = torch.arange(5.0).view(5, 1, 1).repeat(1, 2, 1)
    assert turned(x, torch.tensor([3, 5]))[:, :, 0].T.tolist() == [[2, 1, 0, 3, 4], [4, 3, 2, 1, 0]]


def test_padding_does_not_change_what_is_read(runs):
    model, _ = load_weights(runs["recogniser"])
    rows = [features(line.offsets_raw) for line in datasets.load("synthetic-small", "validation")[:5]]
    together, lengths = model(torch.nn.utils.rnn.pad_sequence(rows), torch.tensor([len(row) for row in rows]))
    for i, row in enumerate(rows):
        alone, n = model(row.unsqueeze(1), torch.tensor([len(row)]))
        assert n == lengths[i]
        torch.testing.assert_close(together[:n, i], alone[:, 0], atol=1e-5, rtol=1e-4)


def test_errors_are_counted_by_kind():
    found = errors(["ab, 12.", "Mr"], ["ab 17.", "Mrs"])
    assert found["cer"] == pytest.approx(3 / 9) and found["lines"] == 2
    assert found["cer_letters"] == 0 and found["cer_digits"] == 0.5 and found["cer_punctuation"] == 0.5
    assert errors(["ab"], ["ab"])["cer_digits"] is None
    assert tidy("Mr . Hook , he") == "Mr. Hook, he"


@pytest.mark.parametrize("model", ["recogniser", "style"])
def test_a_reader_in_two_parts_equals_one_in_one(tmp_path, model):
    config = Config(**DEFAULTS[model] | INK | dict(model=model))
    whole, first, second = (Trainer(config, tmp_path / name) for name in ("whole", "parts", "parts"))
    whole.run()
    first.finished = lambda: first.progress["update"] >= 2
    first.run()
    second.run()
    assert second.progress["update"] == whole.progress["update"] == 4
    assert all(torch.equal(a, b) for a, b in zip(whole.model.parameters(), second.model.parameters()))


def test_a_recogniser_learns_to_read(ink):
    """A few words by heart, in a second."""
    torch.manual_seed(0)
    model, lines = Recogniser(hidden=16, layers=1, dropout=0.0), [line for line in ink if len(line.text) <= 12][:6]
    x, lengths = side_by_side([features(line.offsets_raw) for line in lines])
    labels = torch.nn.utils.rnn.pad_sequence([encode(line.text) for line in lines], batch_first=True, padding_value=-1)
    optimiser, losses = torch.optim.Adam(model.parameters(), 1e-2), []
    for _ in range(60):
        loss = ctc_loss(*model(x, lengths), labels)
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1] < losses[0] / 4


def test_evaluate_writes_what_programs_rely_on(runs):
    result = evaluate_weights(runs["recogniser"], limit=5)
    assert result["task"] == "recogniser" and not result["faithful"] and 0 < result["metrics"]["cer"]
    assert {"cer_letters", "cer_digits", "cer_punctuation"} <= set(result["metrics"])
    assert 0 <= evaluate_weights(runs["style"])["metrics"]["equal_error_rate"] <= 1


def test_legibility_compares_pairwise(runs, tmp_path):
    out = tmp_path / "legibility.json"
    assert main(["legibility", str(runs["synthesis"]), str(runs["recogniser"]), "--biases", "0", "2", "--data", "synthetic-small",
                 "--limit", "4", "--device", "cpu", "--json", str(out)]) == 0
    result = json.loads(out.read_text())
    real, free, biased = result["rows"]
    assert real["ink"] == "real" and real["spread"] == 1 and (free["bias"], biased["bias"]) == (0, 2)
    assert free["against_real"]["lines"] == free["lines"] == 4 and free["stops"]["strings"] == 4
    assert set(free["spreads"]) == set(Hand._fields)


def test_spread_is_that_of_written_hands_over_real_ones(ink):
    texts, lines = [line.text for line in ink], [line.offsets_raw for line in ink]
    real = legibility.hands(texts, lines)
    assert real.shape == (len(ink), 6) and legibility.spread(real, real)[0] == pytest.approx(1)
    assert legibility.spread(legibility.hands(texts, [lines[0]] * len(lines)), real)[1]["slant"] == pytest.approx(0)


def test_style_compares_primed_lines_with_primes(runs, tmp_path):
    out = tmp_path / "style.json"
    assert main(["style", str(runs["synthesis"]), str(runs["style"]), "--primes", "3", "--data", "synthetic-small",
                 "--splits", "train", "validation", "--device", "cpu", "--json", str(out)]) == 0
    result = json.loads(out.read_text())
    for split in ("train", "validation"):
        row = result["sets"][split]
        assert row["primes"] == row["primed"]["n"] == row["unprimed"]["n"] == 3 and row["two_writers"]["n"] > 3
        assert math.isfinite(row["primed_kept"]) and 0 <= row["equal_error_rate"] <= 1
    assert set(result["variance"]) == {"real", "0.0", "0.5", "1.0", "2.0"}


def test_pairs_and_their_error_rate():
    places = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    found = pairs(places, [1, 1, 2, 2], ["a", "a", "b", "c"])
    assert found["one_page"].tolist() == [1] and found["one_writer"].tolist() == [1] and found["two_writers"].tolist() == [0] * 4
    assert equal_error_rate(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 0
    assert equal_error_rate(np.array([0.9, 0.1]), np.array([0.0, 0.5])) == 0.5
    chance = np.random.default_rng(0).normal(size=(2, 500))
    assert equal_error_rate(*chance) == pytest.approx(0.5, abs=0.05)
    assert style.variance(np.eye(4)) == 0.75 and style.variance(np.ones((3, 1))) == 0


def test_writers_are_met_in_turn(ink):
    there_are = len({line.writer for line in ink})
    writers = [line.writer for line in style.chosen(ink, there_are, seed=0)]
    assert 1 < len(set(writers)) == there_are < len(ink)


@pytest.fixture
def variant(tmp_path):
    def make(name, **settings):
        small = INK | dict(layers=2, optimiser="rmsprop", average=0.0, validation_lines=4)
        return Trainer(Config(**small | ablations.ABLATIONS[name] | settings), tmp_path / name)

    return make


@pytest.mark.parametrize("name, part", [("no-peepholes", "peepholes"), ("no-skips", "skips"), ("window-to-first-layer", "window-above")])
@pytest.mark.parametrize("optimiser", ["rmsprop", "adam"])
def test_what_is_held_stays_at_zero_and_the_rest_learns(variant, name, part, optimiser):
    run = variant(name, optimiser=optimiser)
    before = [w.detach().clone() for w in run.model.parameters()]
    run.run()
    held = ablations.HELD[part](run.model)
    assert held and all((weight[where] == 0).all() for weight, where in held)
    zeros = sum(int((w == 0).sum()) for w in run.model.parameters())
    assert zeros == sum(weight[where].numel() for weight, where in held)
    peephole = "peephole" if part == "peepholes" else "none"
    for (key, w), old in zip(run.model.named_parameters(), before):
        assert peephole in key or not torch.equal(w, old), key


def test_without_skips_the_input_meets_the_first_layer_alone(variant):
    model = variant("no-skips").model
    x, text = torch.randn(3, 1, 3), torch.nn.functional.one_hot(torch.tensor([[1, 2]]), 76).float()
    model.layers[0].weight_x.data[:, :3] = 0
    torch.testing.assert_close(model(x, text)[0], model(torch.randn(3, 1, 3), text)[0])
    model.output.weight.data[:, -12:] = 0
    assert (model(x, text)[0] == model.output.bias).all()


def test_settings_reach_the_network(variant):
    assert variant("M=1").model.config["M"] == 1 and variant("M=1").model.output.out_features == 7
    assert variant("K=1").model.window.K == 1
    clips = variant("no-clip").model
    assert clips.layers[0].clip is None and clips.clip_output is None
    with pytest.raises(ValueError, match="meets no noise"):
        Config(held="skips", noise="weight-noise")
    with pytest.raises(ValueError, match="meets no noise"):
        Config(weight_drop=0.5, noise="weight-noise")
    with pytest.raises(ValueError, match="below 1"):
        Config(weight_drop=1.0)
    with pytest.raises(ValueError, match="held cannot be"):
        Config(held="nothing")


def test_the_norm_clip_bounds_the_whole_gradient(variant):
    run, seen = variant("norm-clip", clip_norm=0.5), []
    run.optimiser.step = lambda: seen.append(torch.stack([w.grad.norm() for w in run.model.parameters()]).norm().item())
    run.run()
    assert seen and max(seen) <= 0.5 * 1.001


def test_the_ledger_gathers_rows_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(ablations, "BASE", ablations.BASE | INK | dict(validation_lines=3))
    ledger = tmp_path / "ablations.json"
    command = ["ablate", "--data", "synthetic-small", "--updates", "2", "--hidden", "12", "--device", "cpu",
               "--out", str(tmp_path / "runs"), "--json", str(ledger)]
    assert main([*command, "K=1"]) == 0 and main([*command, "whole", "K=1"]) == 0
    result = json.loads(ledger.read_text())
    assert list(result["rows"]) == ["whole", "K=1"]
    whole, one = result["rows"].values()
    assert whole["parameters"] > one["parameters"] and whole["updates"] == [2, 2] and whole["data"]["lines"] == 3
    assert whole["seeds"] == [1, 2] and whole["metrics"]["nats_per_line_sd"] > 0 and whole["network"] == "1x12"
    assert result["base"]["hidden"] == 12 and result["base"]["updates"] == 2
    assert main([*command, "no-such-part"]) == 1 and "no-such-part" in capsys.readouterr().err
    assert main([*command, "--batch", "2", "K=1"]) == 1 and "other settings" in capsys.readouterr().err


def test_a_run_that_breaks_is_a_result_too(tmp_path, monkeypatch):
    monkeypatch.setattr(ablations, "BASE", ablations.BASE | INK | dict(validation_lines=3))

    def breaks(self):
        self.progress["update"] = 7
        raise FloatingPointError("not finite")

    monkeypatch.setattr(Trainer, "run", breaks)
    row = ablations.ablate("no-clip", tmp_path / "runs", "cpu", tmp_path / "ledger.json", seeds=1)
    assert row["diverged_at"] == [7] and "metrics" not in row


def test_every_command_of_the_list_can_be_given():
    """Each parses; each run that starts from another comes after it; and each network run counts as the paper's."""
    seen = []
    for run in reproduce.RUNS + reproduce.BEYOND:
        assert not run.start or run.start in seen
        seen.append(run.name)
        train, *scores = [parser().parse_args(command.split()) for command in run.commands()]
        assert all(Path(score.weights).parent == Path(train.out) == Path("runs") / run.name for score in scores)
        config = Config(**{f.name: getattr(train, f.name) for f in dataclasses.fields(Config)})
        network = {"text": "TextPredictor", "prediction": "HandwritingPredictor", "synthesis": "HandwritingSynthesizer",
                   "tied": "TiedTextPredictor"}
        assert is_faithful(network[config.model], vars(config), vars(config)) == (run in reproduce.RUNS), run.name
        assert regularisation(vars(config)) == run.regularisation
        assert f"{config.layers}x{config.hidden}" == run.network.split()[-1]
    for command in reproduce.TABLE_2 + reproduce.comparisons() + reproduce.MEASURES:
        parser().parse_args(command.split())
    assert all({first, second} <= set(seen) for _, first, second in reproduce.COMPARISONS.values())


def test_the_list_says_how_long_a_run_took(capsys):
    row = dict(name="prediction-1x900", task="handwriting-prediction", network="1x900", regularisation="none", dynamic=False,
               faithful=True, evaluated_with="mean", data=dict(name="iam-ondb", split="validation"), config=dict(seconds=600),
               device="a GPU")
    assert "none: 10 minutes on a GPU\n" in reproduce.script([row])
    run = next(run for run in reproduce.RUNS if run.name == row["name"])
    assert reproduce.ours(run, [row | dict(faithful=False, name="other"), row])["name"] == "prediction-1x900"
    assert reproduce.ours(run, [row | dict(dynamic=True)]) is None
    assert main(["reproduce"]) == 0 and "train synthesis" in capsys.readouterr().out
