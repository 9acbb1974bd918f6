"""The judge: the page spoils lines as the package does, and the reader finds what the loss does not see."""

import re

import numpy as np
import pytest
from ink_toys import ToyPage
from traitlets import TraitError

from graves_nb.pen import Pen
from graves_nb.strokes import to_page
from graves_nb.toys import Judge
from graves_nb.toys.judge import PULLS, SHAKES, losses, pulled, shaken


@pytest.fixture(scope="module")
def judge():
    return Judge()


@pytest.fixture
def toy(browser, judge):
    page = ToyPage(browser, judge)
    yield page
    page.close()


def says(toy, line, words):
    return toy.root.locator(".judge-line").nth(line).get_by_label(words)


def test_the_losses_are_those_of_the_pen(judge):
    """One point after the other, not all states at once."""
    pen, ink = Pen.load(), np.array(judge.ink)
    assert len(judge.shake_nats) == len(SHAKES) and len(judge.pull_nats) == len(PULLS)
    assert judge.shake_nats[0] == judge.pull_nats[0] == pytest.approx(losses(pen, judge.text, [ink])[0], abs=0.2)
    places = pulled(to_page(ink), ink[:, 2], PULLS[5])
    line = np.column_stack([np.diff(places, axis=0, prepend=0), ink[:, 2]])
    assert judge.pull_nats[5] == pytest.approx(losses(pen, judge.text, [line])[0], abs=0.2)


def test_what_nobody_sees_costs_more_than_what_nobody_can_read(judge):
    assert min(judge.shake_nats) == judge.shake_nats[0] and judge.shake_nats[-1] > judge.shake_nats[1]
    assert judge.shake_nats[4] > judge.pull_nats[8]  # four units of a line that is some hundred high


def test_pulling_moves_strokes_as_they_are():
    places, pen = np.array([[0.0, 0], [1, 1], [10, 5], [12, 7]]), np.array([0, 1, 0, 1])
    assert pulled(places, pen, 0.0).tolist() == places.tolist()
    assert pulled(places, pen, 1.0).tolist() == [[0, 0], [1, 1], [0, 5], [2, 7]]


def test_the_goal_by_pointer(toy):
    """An untouched line cannot be called unreadable; one that is pulled together can."""
    assert toy.changes(lambda: toy.slide("Shake each point", 0.6))
    assert toy.stays(lambda: says(toy, 1, "I cannot").check())
    assert not toy.is_reached()
    assert toy.changes(lambda: toy.slide("Pull strokes together", 0.5))
    assert toy.is_reached() and "nobody can read" in toy.goal.inner_text()
    toy.is_said("You can read the first line only")
    toy.asks_nobody()


def test_the_goal_by_keyboard(toy, judge):
    assert toy.changes(lambda: toy.press(toy.slider("Shake each point"), *["ArrowRight"] * 5))
    assert toy.changes(lambda: toy.press(toy.slider("Pull strokes together"), *["ArrowRight"] * 6))
    assert not toy.is_reached()
    toy.press(says(toy, 1, "I can read it"), "ArrowRight")
    assert toy.is_reached()
    toy.press(says(toy, 0, "I can read it"), "ArrowRight")
    verdict = toy.root.locator(".judge-verdict").inner_text()
    said = re.search(r"First (-?\d+) nats", verdict.replace("−", "-"))[1]
    assert "You can read neither" in verdict and abs(int(said) - judge.shake_nats[5]) <= 0.5


def test_the_page_spoils_as_the_package_does_and_shuts_nobody_out(toy, judge):
    ink, jitter = np.array(judge.ink), np.array(judge.jitter)
    found = toy.page.evaluate("""async ([ink, jitter]) => {
      const { pulledPlaces, shakenPlaces } = await import("/judge.js"), { placesOf } = await import("/rows.js");
      return [shakenPlaces(placesOf(ink), jitter, 2), pulledPlaces(placesOf(ink), ink, 0.7)];
    }""", [judge.ink, judge.jitter])
    places = to_page(ink)
    np.testing.assert_allclose(found[0], shaken(places, jitter, 2))
    np.testing.assert_allclose(found[1], pulled(places, ink[:, 2], 0.7), atol=1e-9)
    toy.shuts_nobody_out()
    toy.runs_in_a_kernel("judge.js")


def test_a_state_without_a_loss_is_refused(judge):
    with pytest.raises(TraitError, match="must be one of"):
        Judge(shake=2.5)
    assert "<svg" in judge.still() and judge.text in judge.still()
    assert f"{judge.pull_nats[8]:.0f}.".replace("-", "−") in judge.still()
