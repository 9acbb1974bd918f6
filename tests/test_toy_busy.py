"""The toy of appendix A: every control by pointer and by keyboard, its goal, and its figures against Python's."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from traitlets import TraitError

from graves_nb.toys import Busy
from graves_nb.toys.busy import total_time

PAGE = "/book/A_training_at_full_speed.html"
PICTURE = "() => document.querySelector('.busy canvas').toDataURL()"
SMALL = """() => [...document.querySelectorAll('.busy :is(button, .toy-choice)')]
  .filter((element) => element.getBoundingClientRect().height < 40).map((element) => element.textContent)"""


@pytest.fixture
def toy(new_page):
    """Open the appendix: `toy(width=..., dark=...)` gives the page."""

    def opened(**options):
        page = new_page(**{"reduced_motion": "reduce", **options})
        page.goto(PAGE)
        page.locator(".busy canvas").scroll_into_view_if_needed()
        page.wait_for_function("() => document.querySelector('.busy canvas').width > 300 || true")
        return page

    return opened


def act(page, do):
    """Do something and see the picture change."""
    before = page.evaluate(PICTURE)
    do()
    page.wait_for_function(f"before => ({PICTURE})() !== before", arg=before, timeout=10_000)


def microseconds(page):
    found = re.match(r"([\d.]+) µs", page.locator(".busy .toy-note").inner_text())
    return float(found[1]) if found else float("inf")


@pytest.mark.parametrize("keyboard", [False, True])
def test_each_control_moves_the_picture(toy, keyboard):
    page = toy()
    slider = page.get_by_role("slider", name="Programs")

    def choose(name):
        option = page.get_by_role("radio", name=name)
        if keyboard:
            option.focus()
            page.keyboard.press("Space")
        else:
            page.locator(".busy .toy-choice", has_text=name).click()

    def slide(steps):
        if keyboard:
            slider.focus()
            [page.keyboard.press("ArrowRight") for _ in range(steps)]
        else:
            box = slider.bounding_box()
            page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)

    act(page, lambda: choose("a replayed recording"))
    act(page, lambda: choose("a barrier: the programs stay"))
    act(page, lambda: slide(5))
    act(page, lambda: choose("step by step, as a wave"))
    act(page, lambda: page.get_by_role("button", name="Start again").press("Enter"))
    assert page.outside_requests == [] and page.console_errors == []


def test_the_goal_is_reached_and_too_many_programs_are_stuck(toy):
    """By keys alone. The words change with the picture, and are announced."""
    page = toy()
    goal, slider = page.locator(".busy .toy-goal"), page.get_by_role("slider", name="Programs")
    for name in ("a barrier: the programs stay", "step by step, as a wave"):
        page.get_by_role("radio", name=name).focus()
        page.keyboard.press("Space")
    assert "Goal:" in goal.inner_text()
    slider.focus()
    page.keyboard.press("End")
    assert "Stuck" in page.locator(".busy .toy-note").inner_text() and "Goal:" in goal.inner_text()
    page.keyboard.press("Home")
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    assert slider.input_value() == "13" and "Goal reached" in goal.inner_text()
    page.locator(".busy [aria-live]", has_text="127").wait_for(timeout=5_000)


def test_the_page_and_python_agree(toy):
    page = toy()
    ways = dict(launches="a launch", graph="a replayed recording", resident="a barrier: the programs stay")
    orders = dict(layers="layer by layer", wave="step by step, as a wave")
    slider = page.get_by_role("slider", name="Programs")
    for way, name in ways.items():
        page.get_by_role("radio", name=name, exact=True).check()
        for order, words in orders.items():
            page.get_by_role("radio", name=words).check()
            for programs in ("3", "20"):
                slider.fill(programs)
                assert microseconds(page) == pytest.approx(total_time(way, order, int(programs)), abs=0.6)


@pytest.mark.parametrize("width, dark", [(360, True), (1280, False)])
def test_it_is_accessible_and_fits(toy, width, dark):
    page = toy(width=width, dark=dark)
    assert page.evaluate(SMALL) == []
    found = Axe().run(page, context=".busy")
    assert found.violations_count == 0, found.generate_report()
    box = page.locator(".busy").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width


def test_wrong_settings_are_refused():
    for wrong in (dict(way="hope"), dict(order="none"), dict(programs=0), dict(programs=41)):
        with pytest.raises(TraitError):
            Busy(**wrong)


def test_the_still_picture_has_words():
    assert 'role="img"' in Busy().still() and "Two time lines" in Busy().still()
