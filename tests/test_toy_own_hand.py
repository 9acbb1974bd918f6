"""Your own hand, in headless Chromium: each control, a line written by mouse, the score and the blind test."""

import json
import math
import re

import numpy as np
import pytest
from traitlets import TraitError
from writing_toys import pen_path, show  # noqa: F401

from graves_nb.bench_page import serve_files
from graves_nb.datasets import synthetic
from graves_nb.hand import apart, measure
from graves_nb.toys import OwnHand

SHEET, TRACE, STRIPS, DENSITY, HALVES = range(5)  # canvases, in their order
WRITTEN = "() => document.querySelector('.own-verdict')?.textContent.includes('in nearness')"


@pytest.fixture
def toy(show, pen_path):  # noqa: F811
    """Open the toy and wait until a line is written and judged."""

    def opened(wait=True, **options):
        traits = {name: options.pop(name) for name in list(options) if name in OwnHand.class_trait_names()}
        page = show(OwnHand(pen_path, **{"text": "on we go", **traits}), **options)
        if wait:
            written(page)
        return page

    return opened


def written(page):
    page.page.wait_for_function(WRITTEN, timeout=60_000)


def write_by_mouse(page, words=4):
    """Draw some loops on the sheet, as a hand would."""
    box = page.page.locator(".own-sheet canvas").bounding_box()
    mouse = page.page.mouse
    for word in range(words):
        x0, y0 = box["x"] + 30 + word * (box["width"] - 80) / words, box["y"] + box["height"] / 2
        mouse.move(x0, y0)
        mouse.down()
        for i in range(30):
            mouse.move(x0 + 2.5 * i, y0 + 18 * math.sin(i / 2))
        mouse.up()


def own_line(page, text="loops of my own"):
    page.press("write your own line", role="radio")
    page.page.locator(".own-sheet").wait_for()
    page.page.locator(".own-sheet").scroll_into_view_if_needed()
    write_by_mouse(page)
    page.page.get_by_label("It reads").fill(text)
    page.press("Go on in this hand")


@pytest.mark.parametrize("keyboard", [False, True], ids=["pointer", "keyboard"])
def test_each_control_moves_the_trace(toy, keyboard):
    page = toy()
    move = lambda name, share, *keys: page.slide(name, **(dict(keys=keys) if keyboard else dict(share=share)))

    def new_text():
        page.page.get_by_label("Go on with").fill("off you go")
        page.press(re.compile("^Write$"), keyboard)

    def choose():
        radio = page.page.get_by_role("radio").nth(3)
        radio.focus() if keyboard else radio.click()
        if keyboard:
            page.page.keyboard.press("Space")

    acts = dict(bias=lambda: move("Bias", 0.6, *["ArrowRight"] * 8), priming=lambda: move("Priming", 0.4, "ArrowLeft", "ArrowLeft"),
                line=choose, again=lambda: page.press("Write again", keyboard), text=new_text)
    for act in acts.values():
        page.changes(act, TRACE)
        page.page.wait_for_timeout(100)
        written(page)
    assert page.outside == [] and page.errors == []


@pytest.mark.parametrize("keyboard", [False, True], ids=["pointer", "keyboard"])
def test_the_views_move_together(toy, keyboard):
    """One step moves the trace, the strips and the density; each says in words where it is."""
    page = toy()
    before = [page.picture(n) for n in (TRACE, STRIPS, DENSITY)]
    if keyboard:
        page.slide("Step", keys=["Home"] + ["ArrowRight"] * 7)
    else:
        strips = page.page.locator(".own-views canvas").first
        strips.scroll_into_view_if_needed()
        box = strips.bounding_box()
        page.page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 60)
    page.page.wait_for_timeout(100)
    assert all(page.picture(n) != old for n, old in zip((TRACE, STRIPS, DENSITY), before))
    labels = [page.page.locator(".toy canvas").nth(n).get_attribute("aria-label") for n in (TRACE, STRIPS, DENSITY)]
    assert "as it was given" in labels[0] and "the window is on letter" in labels[1] and "lifts with chance" in labels[2]
    step = int(page.page.get_by_role("slider", name="Step").input_value())
    assert f"Step {step} of" in labels[1] and (step == 7 if keyboard else step > 20)


def test_a_line_of_ones_own_is_taken_and_gone_on_from(toy, pen_path):  # noqa: F811
    """Written by mouse: it becomes the prime, at the tablet's pace and scale, and stays in the page."""
    page = toy()
    page.changes(lambda: own_line(page), TRACE)
    written(page)
    fact = page.page.locator(".own-sheet .toy-note").first.inner_text()
    assert re.search(r"Your \d+ points in 4 strokes became (\d+) at the tablet's pace", fact)
    became = int(re.search(r"became (\d+)", fact)[1])
    page.page.locator(".own-player + .toy-note", has_text=f"{became} points given").wait_for(timeout=30_000)
    assert "Of 11 lines" in page.page.locator(".own-verdict").first.inner_text()
    assert 200 < became < 500  # 15 characters of about 22 points
    state = page.page.evaluate("() => document.querySelector('graves-widget').getAttribute('state')")
    assert "loops" not in state and page.outside == [] and page.errors == []


def test_what_is_missing_for_a_line_is_said(toy):
    page = toy()
    page.press("write your own line", role="radio")
    page.page.locator(".own-verdict").first.wait_for(state="hidden")  # of the line before
    alert = page.page.locator(".own-sheet [role=alert]")
    page.press("Go on in this hand")
    assert "no ink yet" in alert.inner_text()
    page.page.locator(".own-sheet").scroll_into_view_if_needed()
    write_by_mouse(page, 2)
    page.press("Go on in this hand")
    assert "Say what your line reads" in alert.inner_text()
    page.page.get_by_label("It reads").fill("\u65e5")
    page.press("Go on in this hand")
    assert "leave it out" in alert.inner_text()
    page.changes(lambda: page.press("Undo"), SHEET)
    page.changes(lambda: page.press("Clear"), SHEET)
    page.page.get_by_label("It reads").fill("hi")
    page.press("Go on in this hand")
    assert "no ink yet" in alert.inner_text()


@pytest.mark.parametrize("own", [False, True], ids=["gallery", "own"])
def test_the_goal_is_reached_by_finishing_the_blind_test(toy, own):
    """Six rounds by mouse or keys; the score is counted as it should be, beside what guessing gives."""
    page = toy()
    if own:
        own_line(page)
        page.page.wait_for_timeout(100)
        written(page)
    page.press("Begin the test", keyboard=own)
    verdict = page.page.locator(".own-blind .own-verdict")
    for n in range(6):
        verdict.filter(has_text=f"Round {n + 1} of 6").wait_for(timeout=30_000)
        page.press("The left half is mine" if n % 2 else "The right half is mine", keyboard=own)
    right = int(re.search(r"right in (\d) of 6 rounds", verdict.inner_text())[1])
    chance = round(100 * sum(math.comb(6, k) for k in range(right, 7)) / 64)
    assert f"in {right} or more in {chance} % of tests" in verdict.inner_text()
    assert f"right in {right} of 6 rounds" in page.page.locator(".toy-goal.toy-reached").inner_text()


def test_a_reader_who_sees_the_difference_is_believed(toy):
    """Answers that are always right: 6 of 6, which guessing gives once in 64 tests."""
    page = toy()
    page.press("Begin the test")
    verdict = page.page.locator(".own-blind .own-verdict")
    body = "async ([seed, n]) => { const { draws } = await import('/sampler.js'); return draws(seed + 1000 * n + 100_003, 0)[1] < 0.5; }"
    for n in range(6):
        verdict.filter(has_text=f"Round {n + 1} of 6").wait_for(timeout=30_000)
        page.press(f"The {'right' if page.page.evaluate(body, [1, n + 1]) else 'left'} half is mine")
    assert "right in 6 of 6" in verdict.inner_text() and "in 2 % of tests. You can tell" in verdict.inner_text()


def test_what_is_left_of_the_prime_is_not_shown(toy):
    """The half of the network begins after the last lift before the window leaves the prime; without one, at once."""
    body = """async (lifts) => {
      const { beginsAt } = await import("/blind_test.js");
      const points = lifts.map((end) => [1, 0, end]), steps = [1, 2, 3, 3, 3, 3, 4, 5].map((at) => ({ at }));
      return beginsAt({ prime: { text: "ab ", offsets: points.slice(0, 2) }, points, steps });
    }"""
    found = [toy().page.evaluate(body, lifts) for lifts in ([1, 1, 1, 0, 1, 0, 0], [1, 1, 0, 0, 0, 0, 1])]
    assert found == [5, 2]


def test_a_gallery_that_does_not_come_can_be_fetched_again(show, pen_path):  # noqa: F811
    """The weights come and the gallery does not: the toy says so, and tries again at a press."""
    toy = OwnHand(pen_path, text="on we go")
    path = toy._paths.pop(toy.gallery)
    page = show(toy)
    page.page.locator(".toy [role=alert]", has_text="did not come").wait_for(timeout=30_000)
    toy._paths[toy.gallery] = path
    page.press("Try again")
    written(page)


def test_a_new_hand_ends_the_test(toy):
    page = toy()
    page.press("Begin the test")
    page.page.locator(".own-blind .own-verdict", has_text="Round 1 of 6").wait_for(timeout=30_000)
    page.page.get_by_role("radio").nth(2).click()
    assert page.page.get_by_role("button", name="The left half").is_disabled()


def test_the_measures_are_those_of_python(browser):
    """Six numbers of each line, and the distance of two: the same on both sides."""
    lines = synthetic.lines(6, 5)
    rows = [dict(text=line.text, offsets=line.offsets_raw[1:].tolist()) for line in lines]
    rows[0]["offsets"] = [[dx + 0.3, dy - 0.7, end] for dx, dy, end in rows[0]["offsets"]]
    page = browser.new_page()
    serve_files(page, {})
    body = """async (lines) => { const { measureHand, spreadOf, handsApart } = await import('/hand.js');
        const hands = lines.map(({ offsets, text }) => measureHand(offsets, text)), spread = spreadOf(hands);
        return [hands, spread, handsApart(hands[0], hands[1], spread)]; }"""
    hands, spread, distance = page.evaluate(body, rows)
    page.close()
    expected = np.array([measure(row["offsets"], row["text"]) for row in rows])
    np.testing.assert_allclose(hands, expected, atol=1e-6)
    np.testing.assert_allclose(spread, expected.std(0), atol=1e-6)
    assert distance == pytest.approx(apart(*(measure(row["offsets"], row["text"]) for row in rows[:2]), expected.std(0)))


@pytest.mark.parametrize("width, dark", [(360, True), (1280, False)])
def test_manners(toy, width, dark):
    page = toy(width=width, dark=dark)
    page.press("Begin the test")
    page.page.locator(".own-blind .own-verdict", has_text="Round 1 of 6").wait_for(timeout=30_000)
    page.check_manners()
    page.press("write your own line", role="radio")
    page.page.locator(".own-sheet").wait_for()
    page.check_manners()


def test_what_happens_is_said(toy):
    page = toy()
    page.page.locator(".toy [aria-live=polite]", has_text=re.compile("(Written|Cut): on we go. Of 10 lines")).wait_for(state="attached")


def test_it_also_runs_as_one_module_of_a_kernel(toy):
    page = toy()
    kind = page.page.evaluate("async (text) => typeof (await import(URL.createObjectURL(new Blob([text], {type: 'text/javascript'})))).default.render", OwnHand._esm)
    assert kind == "function"


def test_values_are_checked_and_ink_is_no_trait(pen_path):  # noqa: F811
    with pytest.raises(TraitError, match="no line 99"):
        OwnHand(pen_path, style=99)
    names = set(json.loads(json.dumps(OwnHand(pen_path).state())))
    assert names == {"text", "seed", "bias", "style", "priming", "spread", "weights", "gallery", "megabytes"}
