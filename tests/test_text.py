"""Symbols and labels, sampling, and what a network closes."""

import json

import pytest
import torch

from graves_nb.checkpoints import load_weights, save_weights
from graves_nb.cli import main
from graves_nb.datasets import load_text
from graves_nb.models import HandwritingPredictor, TextPredictor
from graves_nb.paths import data_path
from graves_nb.sampling import draws
from graves_nb.text import Vocabulary, choose, closed, closed_shares, load_text_network, sample_text

torch.set_num_threads(1)
LETTERS = Vocabulary("characters", tuple("\n abcdefgh"))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    return TextPredictor(len(LETTERS.symbols), 24).eval().requires_grad_(False)


@pytest.mark.parametrize("kind, symbols, text", [
    ("characters", "\n abc", "a cab\nbac\n"), ("words", ["\n", "<unk>", "on", "we", "go"], "on we go\ngo on\n"),
    ("bytes", [chr(b) for b in range(256)], "caf\u00e9 \u20ac"),
])
def test_labels_and_back(kind, symbols, text):
    vocabulary = Vocabulary(kind, tuple(symbols))
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_unknown_words_have_a_symbol_and_other_unknown_symbols_are_named():
    words = Vocabulary("words", ("\n", "<unk>", "on"))
    assert words.encode("on and on\n").tolist() == [2, 1, 2, 0]
    with pytest.raises(ValueError, match="'x', 'z'"):
        LETTERS.encode("a xz")
    with pytest.raises(ValueError, match="byte"):
        Vocabulary("bytes", tuple("abc")).encode("\u20ac")
    with pytest.raises(ValueError, match="word 'off'"):
        Vocabulary("words", ("on",)).encode("on off")


def test_choose_draws_by_probability_and_temperature():
    logits, u = torch.tensor([[0.0, 1.0, 2.0]]).expand(40_000, 3), torch.linspace(0, 1 - 1e-6, 40_000)
    for temperature in (0.5, 1.0, 3.0):
        shares = torch.bincount(choose(logits, temperature, u)) / 40_000
        torch.testing.assert_close(shares, torch.softmax(logits[0] / temperature, 0), atol=1e-3, rtol=0)
    assert (choose(logits, 1e-3, u) == 2).all()


def test_the_same_seed_writes_the_same_text_alone_or_in_company(model):
    alone = sample_text(model, LETTERS, 40, seeds=[5])
    company = sample_text(model, LETTERS, 40, seeds=[5, 6])
    assert company[0] == alone[0] and company[1] != company[0] and len(alone[0]) == 40


def test_a_sample_is_drawn_step_by_step_after_its_prime(model):
    """By whole passes over what there is so far, instead of a carried state."""
    prime, chance = "abc", draws(4, 12)[:, 0]
    labels = [-1, *LETTERS.encode(prime).tolist()]
    for t in range(12):
        logits = model(torch.tensor(labels)[:, None])[0][-1]
        labels.append(int(choose(logits, 0.7, chance[t : t + 1])))
    assert sample_text(model, LETTERS, 12, temperature=0.7, prime=prime, seeds=[4])[0] == LETTERS.decode(labels[4:])


def test_a_network_of_sentences_begins_each_anew(model):
    """After a line's end it is where it was at the very beginning: at temperature 0+, each line is the first."""
    model.output.bias[0] = 0.1
    written = sample_text(model, LETTERS, 60, temperature=1e-6, restart=0)[0]
    lines = written.split("\n")
    assert len(set(lines[:-1])) <= 1 and lines[0].startswith(lines[-1])


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf"), "1", None])
def test_bad_temperature(model, temperature):
    with pytest.raises(ValueError, match="above 0"):
        sample_text(model, LETTERS, 3, temperature=temperature)


def test_closed_counts_pairs():
    assert closed("(a) (b (c) d", r"\(", r"\)", within=8) == (1, 1)  # the others are too near the end
    text = "(a) (b (c) d" + 20 * "."
    assert closed(text, r"\(", r"\)", within=8) == (3, 2)
    assert closed('"a" and "b' + 20 * ".", '"', '"', within=8) == (2, 1)
    shares = closed_shares(["(", '<page>\n<text x="1">[[a]] {{b}</text>\n== c ==\n' + 1100 * "."])
    assert shares["tags"] == dict(opened=2, closed=0.5) and shares["links"] == dict(opened=1, closed=1.0)
    assert shares["templates"] == dict(opened=1, closed=0.0) and shares["headings"] == dict(opened=1, closed=1.0)
    assert shares["quotes"]["opened"] == 1 and shares["round brackets"] == dict(opened=0, closed=None)


def header(vocabulary=LETTERS, **more):
    return dict(vocabulary=dict(kind=vocabulary.kind, symbols=list(vocabulary.symbols)), data="plays", **more)


def test_command_goes_on_from_a_prime(model, tmp_path, capsys):
    path = tmp_path / "w.safetensors"
    save_weights(path, model, dtype=torch.float32, **header(training=dict(sequences="sentences")))
    assert load_text_network(path)[2] == 0
    assert main(["babble", str(path), "--prime", "abba ", "--length", "9", "--temperature", "0.8", "--seed", "2"]) == 0
    network, vocabulary, restart = load_text_network(path)
    expected = sample_text(network, vocabulary, 9, temperature=0.8, prime="abba ", seeds=[2], restart=restart)[0]
    assert capsys.readouterr().out == f"abba {expected}\n"
    out = tmp_path / "o.json"
    assert main(["babble", str(path), "--length", "5", "--count", "3", "--seed", "4", "--json", str(out), "--beside", "test"]) == 0
    row = json.loads(out.read_text())
    assert row["texts"] == sample_text(network, vocabulary, 5, seeds=[4, 5, 6], restart=restart) and "tags" in row["closed"]
    play = load_text("plays", "test")
    assert row["closed_beside"] == closed_shares([play.vocabulary.decode(play.labels)])
    for arguments, says in ([["--prime", "q"], "'q'"], [["--temperature", "0"], "above 0"]):
        assert main(["babble", str(path), *arguments]) == 1
        assert says in capsys.readouterr().err


def test_weights_and_vocabulary_must_fit(model, tmp_path, capsys):
    path = tmp_path / "w.safetensors"
    save_weights(path, model, **header(Vocabulary("characters", ("a", "b"))))
    with pytest.raises(ValueError, match="2 symbols for 10 outputs"):
        load_weights(path)
    save_weights(path, HandwritingPredictor(8))
    assert main(["babble", str(path)]) == 1 and "no text network" in capsys.readouterr().err


def test_a_prime_of_whole_sentences_leaves_the_network_as_a_new_one():
    model, vocabulary, restart = load_text_network(data_path("weights/grammar.safetensors"))
    fresh, primed = (sample_text(model, vocabulary, 40, seeds=[3, 4], prime=prime, restart=restart)
                     for prime in ("", "the pen holds the page.\n"))
    assert fresh == primed
