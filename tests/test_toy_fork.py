"""The fork of chapter 6: dragged, slid and typed, it fits, and knows when the goal is reached."""

import pytest
from hands import KINDS, Hand, check_access, picture

PAGE = "/book/06_mixture_densities.html"
TOY = ".toy.fork"
LOSSES = "() => [...document.querySelectorAll('.fork-number')].map((element) => parseFloat(element.textContent))"


@pytest.fixture
def fork(new_page):
    """Open the chapter and wait for its toy."""

    def opened(**options):
        page = new_page(**{"reduced_motion": "reduce", **options})
        page.goto(PAGE)
        page.locator(f"{TOY} .fork-number").first.wait_for()
        return page

    return opened


def changed(page, before):
    page.wait_for_function("([toy, before]) => document.querySelector(`${toy} canvas`).toDataURL() !== before",
                           arg=[TOY, before])


@pytest.mark.parametrize("kind", KINDS)
def test_each_control_moves_the_picture(fork, kind):
    page = fork(width=360 if kind == "touch" else 1280, touch=kind == "touch")
    hand = Hand(page, kind)
    hand.press(page.locator(f"{TOY} summary"))
    toy = page.locator(TOY)
    acts = [
        lambda: hand.press(toy.get_by_role("radio").nth(1)), lambda: hand.slide("Bias", 0.7),
        lambda: hand.slide("Point", 0.8), lambda: hand.slide("Across", 0.9), lambda: hand.slide("Down", 0.9),
        lambda: hand.press(toy.get_by_role("button", name="Start again")),
    ]
    for act in acts:
        before = picture(page, TOY)
        act()
        changed(page, before)
    assert page.outside_requests == [] and page.console_errors == []


def drag(page, start, end):
    """Drag from one place of the canvas to another, both as shares of its width and height."""
    box = page.locator(f"{TOY} canvas").bounding_box()
    place = lambda share: (box["x"] + share[0] * box["width"], box["y"] + share[1] * box["height"])
    page.mouse.move(*place(start))
    page.mouse.down()
    page.mouse.move(*place(end), steps=4)
    page.mouse.up()


def test_dragging_points_together_reaches_the_goal(fork):
    """Each point is drawn to the middle of its way: the loss of two falls below 0, and the toy says so."""
    page = fork()
    page.locator(f"{TOY} canvas").scroll_into_view_if_needed()
    share = lambda x, y: ((x + 0.6) / 3.8, (y + 1.7) / 3.4)
    points = page.evaluate("JSON.parse(document.querySelector('graves-widget[src=\"fork.js\"]').getAttribute('state')).points")
    assert page.evaluate(LOSSES)[1] > 0 and page.locator(f"{TOY} .toy-reached").count() == 0
    for n, (x, y) in enumerate(points):
        drag(page, share(x, y), share(1.8 + 0.05 * (n % 3), (0.9 if y > 0 else -0.8) + 0.05 * (n % 2)))
    page.locator(f"{TOY} .toy-reached", has_text="below 0").wait_for()
    losses = page.evaluate(LOSSES)
    assert losses[0] > losses[1] and losses[1] < 0


def test_the_losses_are_those_of_the_same_points_in_python(fork):
    """One component: the maximum-likelihood Gaussian has a closed form."""
    import numpy as np

    from graves_nb.toys import Fork

    points = np.array(Fork().points)
    covariance = np.cov(points.T, bias=True)
    expected = 0.5 * np.log(np.linalg.det(2 * np.pi * np.e * covariance))
    assert fork().evaluate(LOSSES)[0] == pytest.approx(expected, abs=0.01)


def test_it_is_open_to_all(fork):
    page = fork()
    page.locator(f"{TOY} summary").click()
    check_access(page, TOY)


def test_changes_are_said(fork):
    page = fork()
    page.get_by_role("radio", name="two components").check()
    page.locator(f"{TOY} [aria-live=polite]", has_text="two components").wait_for(state="attached")
    assert "two components fitted" in page.locator(f"{TOY} canvas").get_attribute("aria-label")
