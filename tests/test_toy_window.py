"""The toy of chapter 8: a window driven by hand, and the network's own window with a text that changes under it."""

import re

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from traitlets import TraitError

from conftest import ROOT
from graves_nb.bench_page import STATIC
from graves_nb.checkpoints import save_weights
from graves_nb.models import HandwritingSynthesizer
from graves_nb.toys import Window
from graves_nb.widgets import joined

UNITS = dict(mean=[8.16, 0.112], std=[40.61, 37.05], threshold=1000)
PICTURE = "() => [...document.querySelectorAll('.window canvas')].find((canvas) => canvas.clientWidth).toDataURL()"
SMALL = """() => [...document.querySelectorAll('.window :is(button, input[type=text], .toy-choice)')]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 40).map((e) => e.textContent)"""
HTML = """<!doctype html><html lang="en" data-theme="{theme}" style="color-scheme: {theme}"><meta charset="utf-8">
<title>toy</title><body style="background: {paper}"><main><h1>Toy</h1>
<script type="module" src="/graves-widget.js"></script>{toy}</main>"""


@pytest.fixture(scope="module")
def random_pen(tmp_path_factory):
    """A small network whose window moves as one does before training: slowly, and at last past the end."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("pen") / "random.safetensors"
    model = HandwritingSynthesizer(hidden=30, layers=2, M=4, K=2)
    model.window.linear.bias.data[2:4] = 2.0  # sharp: it looks at one letter at a time
    save_weights(path, model, normalisation=UNITS, name="random", licence="none", data="synthetic")
    return path


@pytest.fixture
def toy(browser, random_pen):
    """Open the toy on a page of its own: `toy(width=360, dark=True, weights=PATH, mode="watch", ...)`."""
    contexts = []

    def opened(width=1280, dark=False, weights=random_pen, touch=False, motion="reduce", clock=False, **traits):
        theme = "dark" if dark else "light"
        context = browser.new_context(viewport=dict(width=width, height=1000), has_touch=touch, reduced_motion=motion)
        contexts.append(context)
        page = context.new_page()
        page.outside, page.errors = [], []
        html = HTML.format(theme=theme, paper="#14181e" if dark else "#fff", toy=Window(**traits).to_html())

        def answer(route):
            name = route.request.url.removeprefix("http://page.test/").split("?")[0]
            if not route.request.url.startswith("http://page.test/"):
                page.outside.append(route.request.url)
                return route.abort()
            if not name:
                return route.fulfill(body=html, content_type="text/html")
            return route.fulfill(path=weights if name.endswith(".safetensors") else STATIC / name)

        page.route("**/*", answer)
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        if clock:  # time passes when the test says so
            page.clock.install(time=0)
        page.goto("http://page.test/")
        page.locator("graves-widget[live]").wait_for()
        if traits.get("mode") == "watch":
            page.locator(".window-loading").wait_for(state="detached")
        return page

    yield opened
    for context in contexts:
        context.close()


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def slide(page, kind, name, keys="ArrowRight", share=0.9):
    """Move a slider by a key or by the pointer."""
    slider = page.get_by_role("slider", name=name)
    if kind == "keyboard":
        slider.focus()
        for _ in range(3):
            page.keyboard.press(keys)
        return
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    at = box["x"] + share * box["width"], box["y"] + box["height"] / 2
    (page.touchscreen.tap if kind == "touch" else page.mouse.click)(*at)


def press(page, kind, control):
    """Press a control by key, mouse or finger."""
    if kind == "keyboard":
        control.focus()
        page.keyboard.press("Space" if control.get_attribute("type") == "radio" else "Enter")
    else:
        (control.tap if kind == "touch" else control.click)()


def changes(page, act):
    """Do something, and wait until the picture has changed."""
    before = page.evaluate(PICTURE)
    act()
    page.wait_for_function(f"before => ({PICTURE})() !== before", arg=before, timeout=10_000)


def settle(page):
    """Let the page draw what it has to draw."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def status(page):
    return page.locator(".window-status:visible").inner_text()


def goal(page):
    return page.locator(".toy-goal:visible")


def to_place(page, kappa):
    """Bring the window that the reader drives to a whole place, by keys."""
    slider = page.get_by_role("slider", name="Window")
    slider.focus()
    while float(slider.input_value()) < kappa:
        page.keyboard.press("ArrowRight")


# Driven by hand

KINDS = pytest.mark.parametrize("kind", ["pointer", "touch", "keyboard"])


@KINDS
def test_each_control_of_the_hand_moves_the_picture(toy, kind):
    page = toy(width=360 if kind == "touch" else 1280, touch=kind == "touch")
    changes(page, lambda: slide(page, kind, "Window", share=0.28))
    changes(page, lambda: press(page, kind, button(page, "Write one letter")))
    changes(page, lambda: slide(page, kind, "Height", share=0.8))
    changes(page, lambda: slide(page, kind, "Sharpness", keys="ArrowLeft", share=0.2))
    changes(page, lambda: press(page, kind, button(page, "Start again")))
    changes(page, lambda: slide(page, kind, "Window", share=0.28))
    changes(page, lambda: press(page, kind, button(page, "Run the pen")))
    press(page, kind, button(page, "Pause the pen"))

    def new_word():
        page.get_by_label("Another word").fill("hall")
        page.keyboard.press("Enter")

    changes(page, new_word)
    changes(page, lambda: press(page, kind, page.get_by_role("radio", name="The network")))
    assert page.outside == [] and page.errors == []


def test_the_window_can_be_dragged_forwards_and_never_back(toy):
    page = toy()
    slider, box = page.get_by_role("slider", name="Window"), page.locator("canvas:visible").bounding_box()
    at = lambda u: (box["x"] + 18 + u * (box["width"] - 36) / 7, box["y"] + 60)
    page.mouse.move(*at(0))
    page.mouse.down()
    changes(page, lambda: page.mouse.move(*at(3.1), steps=4))
    assert float(slider.input_value()) == 3
    page.mouse.move(*at(1), steps=4)
    page.mouse.up()
    slider.press("ArrowLeft")
    assert float(slider.input_value()) == 3
    page.locator("[aria-live=polite]", has_text="never goes back").wait_for(state="attached")


def write(page, places):
    """Write a letter at each of these places, and move past the end."""
    for place in places:
        to_place(page, place)
        button(page, "Write one letter").click()
    to_place(page, len(page.get_by_label("Another word").input_value()) + 1)
    button(page, "Write one letter").click()


def test_the_goal_of_the_hand_is_reached_letter_by_letter(toy):
    page = toy(word="hall")
    write(page, [1, 2, 3, 4])
    assert "Goal reached" in goal(page).inner_text()
    assert "wrote “hall”: each letter once" in status(page)


@pytest.mark.parametrize("places, words", [
    ([1, 3, 4], "“hll”: missing: a"), ([1, 2, 2, 3, 4], "“haall”: more than once: a"), ([1, 2.5, 3, 4], "“h?ll”"),
])
def test_what_goes_wrong_is_named(toy, places, words):
    """A jump leaves a letter out, lingering repeats it, and between two letters nothing is clear."""
    page = toy(word="hall")
    write(page, places)
    assert words in status(page) and "Goal:" in goal(page).inner_text()


def paced(toy):
    """A toy whose pen runs, and whose time stands still but for `page.clock.run_for`."""
    page = toy(word="it", motion="no-preference", clock=True)
    page.clock.pause_at(10_000)
    return page


def test_at_the_pens_own_pace_the_goal_can_be_reached(toy):
    """The pen runs; whoever moves on when it has looked up writes the word, and whoever lingers writes a letter twice."""
    page = paced(toy)
    for place, written in [(1, "i"), (2, "it")]:
        to_place(page, place)
        page.clock.run_for(1300)
        assert f"Written: {written}." in status(page)
    to_place(page, 3)
    page.clock.run_for(1300)
    assert "Goal reached" in goal(page).inner_text()
    button(page, "Start again").click()
    to_place(page, 1)
    page.clock.run_for(2800)
    assert "Written: ii." in status(page)


def test_a_pen_that_had_to_wait_did_not_write_at_an_even_pace(toy):
    page = paced(toy)
    height = page.get_by_role("slider", name="Height")
    to_place(page, 1)
    page.clock.run_for(1000)
    height.fill("0")
    page.clock.run_for(3000)
    height.fill("20")
    to_place(page, 2)
    page.clock.run_for(1300)
    to_place(page, 3)
    page.clock.run_for(1300)
    assert "“it”" in status(page) and "the pen waited" in status(page) and "Goal:" in goal(page).inner_text()


def test_weights_need_not_sum_to_one(toy):
    """A low window makes small letters and at last none: the pen waits."""
    page = toy(word="hall", alpha=2.0, beta=0.5)
    to_place(page, 2)
    assert float(re.search(r"sum to (\d+\.\d+)", status(page))[1]) > 3
    page.get_by_role("slider", name="Height").fill("0")
    assert "waits" in status(page)
    button(page, "Write one letter").click()
    assert "Written" not in status(page)


def test_a_bad_word_is_explained(toy):
    page = toy()
    field = page.get_by_label("Another word")
    field.fill("no way!")
    field.press("Enter")
    assert "small letters" in page.locator("[role=alert]:visible").inner_text()
    assert field.get_attribute("aria-invalid") == "true"
    assert "over the word “window”" in page.locator("canvas:visible").get_attribute("aria-label")


# The network's own

FIELD = "Text"


def field(page):
    return page.get_by_role("textbox", name=FIELD, exact=True)


def passed(page):
    return re.search("passed “(.*?)”", status(page))[1]


def letters(page, n):
    """Let the network's window come to n further letters."""
    for _ in range(n):
        button(page, "Next letter").click()


def to_the_end(page):
    button(page, "Go on").click()
    page.locator(".window-status:visible", has_text="past the end").wait_for(timeout=30_000)


@KINDS
def test_each_control_of_the_network_moves_the_picture(toy, kind):
    page = toy(width=360 if kind == "touch" else 1280, touch=kind == "touch", mode="watch", text="we go")
    changes(page, lambda: press(page, kind, button(page, "Next letter")))
    changes(page, lambda: press(page, kind, button(page, "Go on")))
    page.locator(".window-status:visible", has_text="past the end").wait_for(timeout=30_000)
    changes(page, lambda: press(page, kind, button(page, "Another seed")))
    press(page, kind, button(page, "Next letter"))
    changes(page, lambda: press(page, kind, button(page, "Next letter")))
    first = page.evaluate(PICTURE)
    slide(page, kind, "Bias")
    press(page, kind, button(page, "Start again"))
    press(page, kind, button(page, "Next letter"))
    changes(page, lambda: press(page, kind, button(page, "Next letter")))
    assert page.evaluate(PICTURE) != first
    changes(page, lambda: field(page).fill("we gone"))
    slide(page, kind, "Pace")
    assert page.outside == [] and page.errors == []


def test_the_text_can_be_changed_ahead_of_the_window_and_not_behind_it(toy):
    """The goal: a line that never stood in the field. Ahead counts, behind does not, and the ink shows it."""
    page = toy(mode="watch", text="a hill")
    letters(page, 3)
    assert passed(page) == "a h"
    field(page).fill("a hall")
    letters(page, 1)
    assert passed(page) == "a ha"
    field(page).fill("o ball")
    to_the_end(page)
    assert passed(page) == "a hall" and "Goal:" in goal(page).inner_text()  # that had stood in the field

    button(page, "Start again").click()
    field(page).fill("a hill")
    letters(page, 3)
    field(page).fill("o ball")
    to_the_end(page)
    assert passed(page) == "a hall" and "Goal reached" in goal(page).inner_text()


def test_a_change_far_behind_the_window_leaves_every_point_where_it_was(toy):
    page = toy(mode="watch", text="a long way off", seed=3)
    letters(page, 9)
    field(page).fill("u long way off")
    letters(page, 2)
    assert "all where they would have been" in status(page)
    field(page).fill("u long way up!")
    to_the_end(page)
    assert "moves the ink from point" in status(page)


def test_typing_pauses_the_pen_and_enter_lets_it_go_on(toy):
    page = toy(mode="watch", text="over the hill", motion="no-preference")
    page.get_by_role("slider", name="Pace").fill("10")
    changes(page, lambda: button(page, "Write").click())
    page.locator(".window-status:visible", has_text="is on letter").wait_for()
    field(page).click()
    assert button(page, "Go on").is_visible()
    page.wait_for_timeout(50)
    held = page.evaluate(PICTURE)
    page.wait_for_timeout(300)
    assert page.evaluate(PICTURE) == held
    changes(page, lambda: page.keyboard.press("Enter"))
    assert button(page, "Pause").is_visible()


def test_a_bad_text_is_explained_and_holds_the_pen(toy):
    page = toy(mode="watch", text="we go")
    field(page).fill("caf\u00e9")
    assert "use e" in page.locator("[role=alert]:visible").inner_text()
    before = page.evaluate(PICTURE)
    button(page, "Next letter").click()
    page.wait_for_timeout(100)
    assert page.evaluate(PICTURE) == before
    field(page).fill("cafe")
    changes(page, lambda: button(page, "Next letter").click())
    assert passed(page) == "c"


def test_the_same_seed_writes_the_same_line_and_the_window_matches_python(toy, random_pen):
    """The letters that the page says the window has passed come at the same steps as in PyTorch."""
    from graves_nb.pen import Pen
    from graves_nb.sampling import sample

    pen = Pen.load(random_pen)
    line = sample(pen.model, ["we go"], bias=1.0, seeds=[5], keep_phi=True)[0]
    page = toy(mode="watch", text="we go", seed=5)
    button(page, "Write").click()
    page.locator(".window-status:visible", has_text="past the end").wait_for(timeout=30_000)
    assert line.stopped == "rule" and passed(page) == "we go"
    settle(page)
    first = page.evaluate(PICTURE)
    button(page, "Start again").click()
    button(page, "Write").click()
    page.locator(".window-status:visible", has_text="past the end").wait_for(timeout=30_000)
    settle(page)
    assert page.evaluate(PICTURE) == first


def test_under_save_data_the_reader_is_asked_first(browser, toy):
    """Weights come at a tap, and what is wrong with them is said."""
    page = toy()
    page.evaluate("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })")
    page.get_by_role("radio", name="The network").check()
    load = page.get_by_role("button", name=re.compile(r"Load the pen \([\d.]+ MB\)"))
    load.click()
    page.locator(".window-loading").wait_for(state="detached")
    changes(page, lambda: button(page, "Next letter").click())


def test_wrong_weights_are_refused_and_can_be_fetched_again(toy, tmp_path, random_pen):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"<html>not found</html>")
    page = toy(weights=broken)
    page.get_by_role("radio", name="The network").check()
    page.locator(".window-loading [role=alert]", has_text="take the file anew").wait_for()
    broken.write_bytes(random_pen.read_bytes())
    button(page, "Try again").click()
    page.locator(".window-loading").wait_for(state="detached")


def test_the_shipped_pen_writes_and_its_window_is_seen(toy):
    """Once with the weights of the book: it writes to the end, and a change ahead changes the ink."""
    page = toy(mode="watch", weights=Window()._path, text="on we go")
    changes(page, lambda: letters(page, 3))
    field(page).fill("on me go")
    button(page, "Go on").click()
    page.locator(".window-status:visible", has_text="stopped").wait_for(timeout=30_000)
    assert page.errors == [] and page.outside == []


# Both


@pytest.mark.parametrize("width, dark", [(360, True), (1280, False)])
@pytest.mark.parametrize("mode", ["drive", "watch"])
def test_axe_finds_nothing_and_all_can_be_touched(toy, mode, width, dark):
    page = toy(width=width, dark=dark, mode=mode)
    if mode == "watch":
        letters(page, 2)
        field(page).fill("\u65e5")
    else:
        write(page, [1, 3])
    page.wait_for_timeout(200)
    results = Axe().run(page, context=".window", options={"resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate(SMALL) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize("mode, words", [("drive", "Written: w"), ("watch", "is on letter 1")])
def test_what_changes_is_said(toy, mode, words):
    page = toy(mode=mode)
    if mode == "drive":
        to_place(page, 1)
    button(page, "Write one letter" if mode == "drive" else "Next letter").click()
    page.locator("[aria-live=polite]", has_text=words).wait_for(state="attached")
    assert words in page.locator("canvas:visible").get_attribute("aria-label")


def test_the_toy_also_runs_as_one_joined_module(browser):
    """What a kernel's front end gets: one text without relative imports, which parses and offers `render`."""
    text = joined("window.js")
    assert "from \"./" not in text
    page = browser.new_page()
    source = "data:text/javascript;charset=utf-8," + text.replace("%", "%25").replace("#", "%23")
    assert page.evaluate("(source) => import(source).then((module) => typeof module.default.render)", source) == "function"
    page.close()


def test_bad_values_are_refused_with_advice():
    for values, words in [
        (dict(mode="fly"), "drive or watch"), (dict(word="Not this"), "2 to 10 letters"), (dict(text=" "), "nothing to write"),
        (dict(text="x" * 30), "at most 24"), (dict(beta=0.0), "beta"), (dict(alpha=float("nan")), "alpha"),
    ]:
        with pytest.raises((TraitError, ValueError), match=words):
            Window(**values)


def test_the_still_picture_is_the_word_with_its_window():
    still = Window(word="hall").still()
    assert "<svg" in still and "“hall”" in still and still.count("<path") >= 5


def test_the_toys_files_are_short():
    """A toy that grows past this wants to be two."""
    assert all(len(path.read_text().splitlines()) <= 250 for path in (ROOT / "graves_nb" / "static").glob("window*.js"))
