"""Shannon's game of chapter 1: guesses are worth what Shannon says, the networks' bits are Python's, the goal is won."""

import math

import numpy as np
import pytest
import torch
from hands import KINDS, Hand, check_access, picture
from traitlets import TraitError

from conftest import ROOT
from graves_nb.text import load_text_network
from graves_nb.toys import Guess
from graves_nb.toys.guess import RATES, Twin, choices, expected_rates, folded_pairs, pairs, passages

PAGE, TOY = "/book/01_predict_sample_feed_back.html", ".toy.guess"
MEANS = "() => [...document.querySelectorAll('.guess-number')].map((element) => parseFloat(element.textContent))"


@pytest.fixture
def guess(new_page):
    """Open the chapter; the network may still be loading."""

    def opened(loaded=True, **options):
        page = new_page(**{"reduced_motion": "reduce", **options})
        page.goto(PAGE)
        page.locator(f"{TOY} .guess-key").first.wait_for()
        page.locator(TOY).scroll_into_view_if_needed()
        if loaded:
            page.locator(f"{TOY} .guess-loading").wait_for(state="detached")
        return page

    return opened


def told(page, word):
    page.locator(f"{TOY} .guess-status", has_text=word).wait_for()


def type_text(page, text):
    """Guess each character right at once, by typing."""
    page.locator(f"{TOY} .guess-type input").focus()
    for letter in text:
        page.keyboard.press("Enter" if letter == "\n" else letter.lower())


# What guesses are worth


def test_the_twin_pays_for_each_answer():
    """Two guesses, the second right: -log2 (1 - r1) - log2 r2; the rates move towards what happened."""
    twin = Twin([0.5] * RATES)
    assert twin.cost(1) == pytest.approx(-math.log2(0.5 * 0.5))
    assert twin.rate(0) == pytest.approx(1 / 3) and twin.rate(1) == pytest.approx(2 / 3)
    assert twin.cost(0) == pytest.approx(-math.log2(1 / 3))
    assert twin.cost(2, hit=False) == pytest.approx(-math.log2((1 - 2 / 4) * (1 - 2 / 3)))


def test_the_twin_cannot_beat_the_rates_that_it_meets():
    """A guesser who is right at first with chance 1/4, else at the second: the entropy of that, about 0.81 bits."""
    torch.manual_seed(1)
    twin, hits = Twin(expected_rates()), torch.rand(4000) < 0.25
    mean = sum(twin.cost(0 if hit else 1) for hit in hits.tolist()) / len(hits)
    assert mean == pytest.approx(0.811, abs=0.05) and mean > 0.75


def test_pairs_are_counted_and_capitals_folded():
    symbols = load_text_network(ROOT / "data" / "weights" / "text.safetensors")[1].symbols
    text = (ROOT / "data" / "text" / "plays.train.txt").read_text("ascii")
    q, u, t, h = (symbols.index(letter) for letter in "quth")
    assert pairs()[q, u] == text.count("qu") + 1 and pairs()[t, h] == text.count("th") + 1
    assert folded_pairs()[t, choices().index("h")] == text.count("th") + text.count("tH") + 2
    assert (folded_pairs().sum(1) == pairs().sum(1)).all()
    assert all(0 < rate < 1 for rate in expected_rates()) and expected_rates()[0] > 0.2


def test_each_passage_can_be_typed():
    keys = set("qwertyuiopasdfghjkl'zxcvbnm-,.;:!?[] \n")
    for passage in passages():
        assert set(passage["text"].lower()) <= keys and len(passage["text"]) > 100 and len(passage["before"]) > 150


@pytest.mark.parametrize("number", [-1, 99])
def test_there_is_no_such_passage(number):
    with pytest.raises(TraitError):
        Guess(passage=number)


# In the page


def python_bits(text):
    """What the first passage's characters cost the bigram and the network, capitals folded: bits (2, N)."""
    model, vocabulary, _ = load_text_network(ROOT / "data" / "weights" / "text.safetensors")
    before = passages()[0]["before"]
    labels = torch.tensor([-1, *vocabulary.encode(before + text).tolist()])
    logits, _ = model(labels[:-1, None])
    places = [choices().index(letter.lower()) for letter in text]
    fold = torch.tensor([choices().index(symbol.lower()) for symbol in vocabulary.symbols])
    shares = torch.zeros(len(labels) - 1, len(choices())).index_add_(1, fold, logits[:, 0].softmax(-1))
    rows = folded_pairs()[labels[len(before) : -1].numpy()]
    table = torch.tensor(rows / rows.sum(1, keepdims=True))
    n = torch.arange(len(text))
    return [-torch.log2(p[n, places]).double() for p in (table, shares[len(before) :])]


def test_who_knows_the_play_beats_the_bigram(guess):
    """Twenty first guesses that are right: the goal is reached, and all three scores are what Python says."""
    page, text = guess(), passages()[0]["text"][:20]
    type_text(page, text[:19])
    told(page, "Right")
    assert page.locator(f"{TOY} .toy-reached").count() == 0
    type_text(page, text[19])
    page.locator(f"{TOY} .toy-reached", has_text="bits a character over 20").wait_for()
    twin = Twin(expected_rates())
    you = np.mean([twin.cost(0) for _ in text])
    page.wait_for_function(f"() => ({MEANS})().every(Number.isFinite)")
    bigram, network = (bits.mean().item() for bits in python_bits(text))
    assert page.evaluate(MEANS) == pytest.approx([you, bigram, network], abs=0.006)
    assert "20 of your first guesses" in page.locator(f"{TOY} canvas").get_attribute("aria-label")
    assert page.outside_requests == [] and page.console_errors == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_control_changes_something(guess, kind):
    page = guess(width=360 if kind == "touch" else 1280, touch=kind == "touch", loaded=False)
    hand, toy = Hand(page, kind), page.locator(TOY)
    key = lambda letter: toy.locator(".guess-key", has_text=letter).first
    hand.press(key("z"))
    told(page, "Not “z”")
    hand.press(key("z"))
    told(page, "tried “z” already")
    before = picture(page, TOY)
    hand.press(key("space"))
    told(page, "Right, at guess 2")
    page.wait_for_function("([toy, before]) => document.querySelector(`${toy} canvas`).toDataURL() !== before", arg=[TOY, before])
    hand.press(toy.get_by_role("button", name="Tell me"))
    told(page, "It was: “i”")
    page.locator(f"{TOY} [aria-live=polite]", has_text="It was").wait_for(state="attached")
    hand.press(toy.locator("summary"))
    toy.locator(".letters-came", has_text="✓").first.wait_for()
    sheet = toy.locator(".guess-sheet").inner_text()
    hand.press(toy.get_by_role("button", name="Another passage"))
    told(page, "Which character comes next")
    assert toy.locator(".guess-sheet").inner_text() != sheet
    hand.press(toy.get_by_role("button", name="Start again"))
    assert page.outside_requests == [] and page.console_errors == []


def test_giving_up_costs_what_the_bigram_pays(guess):
    page = guess()
    page.locator(f"{TOY} button", has_text="Tell me").click()
    page.wait_for_function(f"() => ({MEANS})().every(Number.isFinite)")
    you, bigram, _ = page.evaluate(MEANS)
    assert you == bigram == pytest.approx(python_bits(passages()[0]["text"][:1])[0].item(), abs=0.006)
    page.locator(f"{TOY} summary").click()
    check_access(page, TOY, sizes=((360, "dark"), (1280, "light")))
