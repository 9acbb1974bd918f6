"""Writing: draws, bias, primes, the stop rule, and what the command line says."""

import json
import math

import numpy as np
import pytest
import torch

from graves_nb.alphabet import ALPHABET
from graves_nb.cli import main
from graves_nb.mixture import mixture_parameters, sample_mixture
from graves_nb.models import HandwritingPredictor, HandwritingSynthesizer
from graves_nb.sampling import Prime, Writer, draws, mix, past_the_end, sample, sample_freely
from graves_nb.window import WindowShape

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    return HandwritingSynthesizer(hidden=24).eval().requires_grad_(False)


def test_mix_is_the_stated_hash():
    """One word by hand, in whole numbers of Python."""
    x = 0xDEADBEEF
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = ((x ^ (x >> shift)) * factor) % 2**32
    x ^= x >> 16
    assert int(mix(np.array([0xDEADBEEF]))[0]) == x


def test_draws_are_uniform_normal_independent_and_repeatable():
    chance = draws(7, 20_000).numpy()
    assert np.array_equal(chance[:50], draws(7, 50).numpy())
    assert not np.array_equal(chance[:50], draws(8, 50).numpy())
    for column, cdf in zip(chance.T, [lambda x: x] * 2 + [lambda x: 0.5 * (1 + torch.erf(torch.tensor(x) / 2**0.5).numpy())] * 2):
        ks = np.abs(np.sort(cdf(column)) - np.arange(len(column)) / len(column)).max()
        assert ks < 1.63 / math.sqrt(len(column))  # Kolmogorov-Smirnov, 1 %
    assert np.abs(np.corrcoef(chance.T) - np.eye(4)).max() < 0.03
    assert np.abs(np.corrcoef(chance[:-1, 2], chance[1:, 2])[0, 1]) < 0.03


def test_the_same_seed_writes_the_same_line_alone_or_in_company(model):
    alone = sample(model, ["hello"], seeds=[5])[0]
    company = sample(model, ["hello", "a longer text"], seeds=[5, 6])[0]
    torch.testing.assert_close(company.offsets[: len(alone.offsets)], alone.offsets, atol=1e-4, rtol=1e-4)
    assert not torch.equal(alone.offsets[:20], sample(model, ["hello"], seeds=[6])[0].offsets[:20])


def test_stop_rule_compares_logs_and_respects_each_length():
    kappa = torch.tensor([[2.0], [3.4], [3.6], [500.0]])
    shape = WindowShape(torch.ones(4, 1), torch.full((4, 1), 3.0), kappa)
    assert past_the_end(shape, torch.tensor([3, 3, 3, 3])).tolist() == [False, False, True, True]
    assert past_the_end(shape, torch.tensor([1, 4, 4, 499])).tolist() == [True, False, False, True]


def test_a_line_ends_where_the_rule_says(model):
    """The window is pushed on at a known pace: half a character a step."""
    fast = HandwritingSynthesizer(hidden=24).requires_grad_(False)
    fast.window.linear.weight.zero_()
    fast.window.linear.bias.copy_(torch.tensor([0.0] * 10 + [0.0] * 10 + [math.log(0.5)] * 10))
    line = sample(fast, ["abc"], keep_phi=True)[0]
    # kappa reaches 4.0 > 3.5 at the eighth step: seven points were drawn, the seventh ends the line
    assert line.stopped == "rule" and len(line.offsets) == 7 and line.offsets[-1, 2] == 1
    assert line.phi.shape == (8, 4) and line.phi[-1].argmax() == 3 and line.phi[-2].argmax() != 3
    # Points enough, and one too few, for a writer of either kind
    for points, stopped in [(7, "rule"), (6, "length")]:
        for keep_phi in (False, True):
            line = sample(fast, ["abc"], chance=draws(0, points)[None], keep_phi=keep_phi)[0]
            assert (len(line.offsets), line.stopped) == (points, stopped)


def test_a_line_that_never_ends_is_cut(model):
    still = HandwritingSynthesizer(hidden=24).requires_grad_(False)
    still.window.linear.weight.zero_()
    still.window.linear.bias[20:] = -20.0
    line = sample(still, ["ab"])[0]
    assert line.stopped == "length" and len(line.offsets) == 120


def test_a_given_chance_gives_a_line_step_by_step(model):
    chance = draws(1, 40).float()
    line = sample(model, ["abc"], bias=0.7, chance=chance[None])[0]
    writer, rows = Writer(model, ["abc"]), []
    for c in chance[: len(line.offsets)]:
        writer.read()
        writer.x = sample_mixture(mixture_parameters(writer.model.readout(writer.h), 0.7), c[None])
        rows.append(writer.x[0])
    torch.testing.assert_close(torch.stack(rows)[:, :2], line.offsets[:, :2])


def test_a_prime_is_read_and_the_text_joined(model):
    first = sample(model, ["one "], seeds=[1])[0]
    writer = Writer(model, ["two"], Prime("one ", first.offsets))
    x = torch.cat([torch.zeros(1, 3), first.offsets])[:, None]
    _, state = model(x[:-1], writer.code, path="plain")
    torch.testing.assert_close(writer.state, state, atol=1e-5, rtol=1e-5)
    assert writer.lengths.tolist() == [7]
    torch.testing.assert_close(writer.x[0], first.offsets[-1])


def test_writing_without_a_text_goes_on_from_ink():
    """Drawn by whole passes over what there is so far, instead of a carried state; and by seed, alone or in company."""
    torch.manual_seed(4)
    network = HandwritingPredictor(16, 2).eval().requires_grad_(False)
    ink, chance = torch.randn(5, 3), draws(9, 6).float()
    lines = sample_freely(network, 6, bias=0.4, seeds=[8, 9], ink=ink)
    points = [torch.zeros(3), *ink]
    for t in range(6):
        y_hat = network(torch.stack(points)[:, None])[0][-1, 0]
        points.append(sample_mixture(mixture_parameters(y_hat, 0.4), chance[t]))
    torch.testing.assert_close(lines[1], torch.stack(points[6:]), atol=1e-5, rtol=1e-4)
    assert lines.shape == (2, 6, 3) and sample_freely(network, 4).shape == (1, 4, 3)
    with pytest.raises(ValueError, match="from 0"):
        sample_freely(network, 4, bias=-1)


def test_high_bias_follows_the_likeliest_component(model):
    one, two = draws(1, 20).float(), draws(2, 20).float()
    two[:, 1] = one[:, 1]  # the bias leaves the pen's chance alone
    a, b = (sample(model, ["abc"], bias=1e4, chance=chance[None])[0].offsets for chance in (one, two))
    torch.testing.assert_close(a, b)
    assert not torch.allclose(a, sample(model, ["abc"], bias=0.0, chance=one[None])[0].offsets[: len(a)])


@pytest.mark.parametrize("bias", [-0.1, math.nan, math.inf, "1", None])
def test_bad_bias(model, bias):
    with pytest.raises(ValueError, match="from 0"):
        sample(model, ["a"], bias=bias)


@pytest.mark.parametrize("text, says", [("", "mpty|othing"), ("x" * 500, "characters"), ("caf\u00e9 \u201cso\u201d", "\u00e9"), ("50%", "%")])
def test_bad_text(model, text, says):
    with pytest.raises(ValueError, match=says):
        sample(model, [text])


def test_bad_prime(model):
    with pytest.raises(ValueError, match="transcript"):
        sample(model, ["a"], prime=Prime("", torch.zeros(3, 3)))
    with pytest.raises(ValueError, match="rows"):
        sample(model, ["a"], prime=Prime("x", torch.zeros(0, 3)))


@pytest.fixture
def weights(model, tmp_path):
    from graves_nb.checkpoints import save_weights

    path = tmp_path / "w.safetensors"
    save_weights(path, model, normalisation=dict(mean=[8.0, 0.0], std=[40.0, 37.0], threshold=1000.0), data="synthetic")
    return str(path)


def test_command_writes_the_stated_row(weights, tmp_path):
    out, svg = tmp_path / "o.json", tmp_path / "o.svg"
    assert main(["sample", "Hi there.", "--weights", weights, "--bias", "1", "--seed", "4", "--json", str(out), "--svg", str(svg)]) == 0
    row = json.loads(out.read_text())
    assert set(row) == {"text", "offsets", "stopped", "bias", "seed", "weights"}
    assert (row["text"], row["bias"], row["seed"], row["weights"]) == ("Hi there.", 1.0, 4, "w.safetensors")
    assert row["stopped"] in ("rule", "length") and all(len(p) == 3 and p[2] in (0, 1) for p in row["offsets"])
    assert svg.read_text().startswith("<svg") and "Hi there." in svg.read_text()
    assert main(["sample", "again", "--weights", weights, "--prime", str(out), "--json", str(tmp_path / "p.json")]) == 0


def test_command_writes_what_it_can_and_reports_the_rest(weights, tmp_path):
    texts, out = tmp_path / "t.txt", tmp_path / "o.jsonl"
    texts.write_text("good\n\u20ac5\n\nfine\n", encoding="utf-8")
    assert main(["sample", "--texts", str(texts), "--weights", weights, "--json", str(out)]) == 1
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert ["error" in row for row in rows] == [False, True, True, False]
    assert set(rows[1]) == {"text", "error"} and "\u20ac" in rows[1]["error"]


@pytest.mark.parametrize("arguments", [["sample", ""], ["sample", "\u20ac"], ["sample", "a", "--bias=-1"], ["sample", "a", "--bias=nan"],
                                       ["sample", "a", "--weights", "none.safetensors"], ["sample", "a", "--prime", "none.json"], ["sample"]])
def test_command_fails_in_plain_words(weights, arguments, tmp_path, capsys):
    out = tmp_path / "o.json"
    if "--weights" not in arguments:
        arguments = arguments + ["--weights", weights]
    assert main(arguments + ["--json", str(out)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("graves_nb sample: ") and "Traceback" not in said
    assert not list(tmp_path.glob("o.json*"))


def test_every_character_of_the_alphabet_can_be_asked_for(model):
    assert sample(model, [ALPHABET.strip()])[0].text == ALPHABET.strip()
