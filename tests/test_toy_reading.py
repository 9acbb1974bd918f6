"""The reader that learns: its rule against `dynamic.read`, no peeking, its goals by real acts, texts of one's own."""

import math
import re

import pytest
import torch
from traitlets import TraitError
from writing_toys import show  # noqa: F401

from graves_nb.bench_page import serve_files
from graves_nb.checkpoints import load_weights, save_weights
from graves_nb.datasets import load_text
from graves_nb.dynamic import read
from graves_nb.models import TextPredictor
from graves_nb.paths import data_path
from graves_nb.toys import Reading
from graves_nb.toys.reading import parts

ALL = """async ({ symbols, text, rate, plain }) => {
  const { Network, readWeights } = await import("/engine.js");
  const { LearningOutput, costOf, labelsOf } = await import("/text-reading.js");
  const file = await (await fetch("/weights.safetensors")).arrayBuffer();
  const network = new Network(readWeights(file, "TextPredictor"), { plain }), output = new LearningOutput(network);
  const { labels, strange } = labelsOf(text, symbols), frozen = [], states = [];
  for (let t = 0; t < labels.length; t++) {
    frozen.push(costOf(network.step(t ? labels[t - 1] : -1), labels[t]));
    states.push(network.output.x.slice(1, 1 + network.N * network.H));
  }
  const run = () => labels.map((label, t) => {
    const bits = costOf(output.predict(states[t]), label);
    output.learn(label, rate);
    return bits;
  });
  const first = run();
  output.forget();
  return { frozen, first, again: run(), strange };
}"""
PLAY, OTHER = "Speak, sir. What is your will?\nI come from the king.\n", "Rain. Rain. Rain all day; rain, and rain again.\n"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A random text network with two layers and the symbols of the plays."""
    torch.manual_seed(3)
    vocabulary = load_text("plays", "test").vocabulary
    path = tmp_path_factory.mktemp("text") / "small.safetensors"
    save_weights(path, TextPredictor(len(vocabulary.symbols), hidden=20, layers=2), dtype=torch.float32, data="plays",
                 vocabulary=dict(kind="characters", symbols=vocabulary.symbols))
    return path


@pytest.fixture
def reading(show, small):  # noqa: F811
    """Open the toy with the small network: `reading(width=360, rate=0.1)`."""

    def opened(width=1000, dark=False, **traits):
        toy = Reading(**dict(parts=[["one", 4 * PLAY], ["two", 6 * OTHER], ["three", 4 * PLAY]], look=5) | traits)
        toy._path, toy.weights = small, small.name
        page = show(toy, width=width, dark=dark)
        finish(page)
        return page

    return opened


def finish(page, timeout=30_000):
    page.page.locator(".reading-status", has_text="costs").wait_for(timeout=timeout)


def status(page):
    finish(page)
    return page.page.locator(".reading-status").text_content()


def by_part(page, name):
    """Bits a character of a part, frozen and learning."""
    return re.search(rf"{name} (\d+\.\d+)(?: → (\d+\.\d+))?", status(page)).groups()


@pytest.mark.parametrize("plain", [False, True])
def test_the_page_learns_as_read_does(browser, small, plain):
    """Frozen and learning, the bits are those of `dynamic.read` that moves the output layer alone; forgetting is whole."""
    model, _ = load_weights(small)
    text, vocabulary = 3 * PLAY, load_text("plays", "test").vocabulary
    y = vocabulary.encode(text)
    x = torch.cat([torch.tensor([-1]), y[:-1]])
    bits = lambda optimiser: torch.cat([n for n, _ in read(model, [(x, y)], optimiser, stretch=1)]) / math.log(2)
    frozen = bits(None)
    model.output.requires_grad_(True)
    learning = bits(torch.optim.SGD(model.output.parameters(), lr=0.1))
    page = browser.new_page()
    serve_files(page, {"weights.safetensors": small})
    found = page.evaluate(ALL, dict(symbols="".join(vocabulary.symbols), text=text, rate=0.1, plain=plain))
    page.close()
    torch.testing.assert_close(torch.tensor(found["frozen"]), frozen, rtol=0, atol=2e-3)
    torch.testing.assert_close(torch.tensor(found["first"]), learning, rtol=0, atol=2e-3)
    assert found["again"] == found["first"] and found["strange"] == []
    assert learning.sum() < 0.95 * frozen.sum()


def test_no_peeking(reading):
    """With another second half, what the first half costs is the same, and the second half is not."""
    texts = [3 * PLAY, 3 * OTHER]
    pages = [reading(parts=[["one", 3 * PLAY], ["two", text]], rate=0.1) for text in texts]
    assert by_part(pages[0], "one") == by_part(pages[1], "one") and by_part(pages[0], "two") != by_part(pages[1], "two")


@pytest.mark.parametrize("way", ["keys", "pointer"])
def test_each_control_moves_the_picture(reading, way):
    page = reading()
    moved = (lambda name, share: page.slide(name, share=share)) if way == "pointer" else (
        lambda name, share: page.slide(name, keys=["ArrowRight"] * 6))
    page.changes(lambda: moved("Learning rate", 0.7))
    finish(page)
    page.changes(lambda: moved("Look at", 0.5))
    page.changes(lambda: page.press("Start again", keyboard=way == "keys"))
    assert "Learning," not in status(page)
    if way == "pointer":
        canvas = page.page.locator(".toy canvas").first
        page.changes(lambda: canvas.click(position=dict(x=500, y=100)), nth=1)
    assert page.outside == [] and page.errors == []


def test_the_goals_are_reached_with_the_shipped_network(show):  # noqa: F811
    """Seven steps of the slider, to a rate of 0.1: a third of the bits is saved, and the play is forgotten a little."""
    page = show(Reading())
    finish(page, timeout=120_000)
    assert page.page.locator(".toy-reached").count() == 0
    page.slide("Learning rate", keys=["ArrowRight"] * 7)
    page.page.locator(".reading-status", has_text="Learning,").wait_for(timeout=60_000)
    assert page.page.locator(".toy-reached").count() == 2, status(page)
    (frozen, learning), (before, after) = (map(float, by_part(page, name)) for name in ("a log", "the play"))
    assert learning < frozen and after > before
    page.page.locator("[aria-live=polite]", has_text="% less").wait_for(state="attached")


def test_a_text_of_ones_own(reading):
    """It is read without what the network has no symbol for, and that is said; one that is too short is refused."""
    page = reading(rate=0.1)
    page.page.locator("summary").click()
    box = page.page.get_by_role("textbox")
    box.fill("Too short.")
    page.press("Read it")
    assert "Give it 200 or more" in page.page.locator(".toy-error").text_content()
    box.fill(5 * "Caf\u00e9 \u201cat 7\u201d \u2014 is it open? Yes: come in, sit down.\n")
    page.press("Read it")
    page.page.locator(".reading-status", has_text="your text").wait_for()
    assert "no symbol for them: 7" in status(page) and page.page.locator(".toy-error").text_content() == ""
    page.press("Start again")
    page.page.locator(".reading-status", has_text="three").wait_for()
    assert page.outside == [] and page.errors == []


def test_the_whole_rule_is_drawn_where_it_is_known(reading):
    n = len(8 * PLAY + 6 * OTHER)
    assert reading(whole=[3.0] * n).picture() != reading().picture()


@pytest.mark.parametrize("width, dark", [(360, True), (1280, False)])
def test_manners(reading, width, dark):
    page = reading(width=width, dark=dark, rate=0.1)
    page.page.locator("summary").click()
    page.check_manners()
    assert "bits frozen" in page.page.locator(".toy canvas").nth(1).get_attribute("aria-label")


def test_traits_are_checked():
    for traits, advice in ((dict(rate=float("nan")), "from 0 to 0.5"), (dict(parts=[["a", ""]]), "no text may be empty"),
                           (dict(whole=[1.0, 2.0]), "one for each character")):
        with pytest.raises(TraitError, match=advice):
            Reading(**traits)
    assert all(text in "".join(t for _, t in parts()) for text in ("Lamp lit", "VIOLA.")) and "a log" in Reading().still()
    assert set(Reading().assets().values()) == {data_path("weights/text.safetensors")}
