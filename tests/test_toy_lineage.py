"""The lineage that opens chapter 13: threads drawn by pointer, touch and keyboard, misses, the goal, and what is said."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from traitlets import TraitError

from graves_nb.toys import Lineage
from graves_nb.toys.lineage import KEYS, THREADS
from graves_nb.widgets import joined

CHAPTER = "/book/13_what_came_after.html"
SMALL = """() => [...document.querySelectorAll('.lineage button')]
  .filter((element) => element.getBoundingClientRect().height < 40).map((element) => element.textContent)"""
BY_KEY = {thread["key"]: thread for thread in THREADS}


@pytest.fixture
def toy(new_page):
    """Open the chapter and wait for the toy: `toy(width=..., ...)` gives the page."""

    def opened(**options):
        page = new_page(**options)
        page.goto(CHAPTER)
        page.locator(".lineage-card").first.wait_for()
        return page

    return opened


def card(page, name):
    shown = page.locator("span:not(.toy-hidden)", has_text=re.compile(rf"^(\d+ )?{re.escape(name)}$"))
    return page.locator(".lineage-card").filter(has=shown)


def web(page):
    """The threads on the page: how many, and what they are said to be."""
    return page.locator(".lineage-web .lineage-thread").count(), page.locator(".lineage-web").get_attribute("aria-label")


def goal(page):
    return page.locator(".lineage .toy-goal").inner_text()


def press(page, kind, control):
    """Click, tap, or focus and press Enter."""
    if kind == "keyboard":
        control.focus()
        page.keyboard.press("Enter")
    else:
        (control.tap if kind == "touch" else control.click)()


@pytest.mark.parametrize("kind", ["pointer", "touch", "keyboard"])
def test_all_threads_can_be_drawn_and_the_goal_is_recognised(toy, kind):
    """From either side; the picture grows with each thread, and a story tells of it."""
    page = toy(touch=kind == "touch", width=360 if kind == "touch" else 1280, reduced_motion="reduce")
    assert "0 so far" in goal(page) and web(page)[0] == 0
    for number, thread in enumerate(THREADS, 1):
        sides = [thread["idea"], thread["work"]]
        for name in sides if number % 2 else reversed(sides):
            press(page, kind, card(page, name))
        assert web(page)[0] == number and f"{thread['idea']} to {thread['work']}" in web(page)[1]
        assert thread["stayed"] in page.locator(".lineage-story").inner_text()
    assert goal(page).startswith("Goal reached") and "without a miss" in goal(page)
    assert page.locator(".lineage .toy-reached").count() == 1
    press(page, kind, page.get_by_role("button", name="Start again"))
    assert "0 so far" in goal(page) and web(page) == (0, "No thread is drawn yet")
    assert page.outside_requests == [] and page.console_errors == []


def test_a_miss_is_counted_and_explained(toy):
    """A wrong pair leaves the first card chosen, so that the next try is one click away."""
    page = toy()
    card(page, "Soft window").click()
    assert card(page, "Soft window").get_attribute("aria-pressed") == "true"
    card(page, "Adam").click()
    story = page.locator(".lineage-story").inner_text()
    assert "not these two" in story and BY_KEY["window"]["does"] in story and BY_KEY["rmsprop"]["did"] in story
    assert "1 miss" in goal(page) and web(page)[0] == 0
    card(page, "Attention").click()
    assert web(page)[0] == 1 and card(page, "Soft window").get_attribute("aria-pressed") == "false"


def test_a_card_can_be_put_back_and_read_again(toy):
    page = toy()
    card(page, "Priming").click()
    assert BY_KEY["priming"]["does"] in page.locator(".lineage-story").inner_text()
    card(page, "Priming").click()
    assert card(page, "Priming").get_attribute("aria-pressed") == "false"
    for name in ("Priming", "In-context learning", "Bias", "Priming"):
        card(page, name).click()
    assert BY_KEY["priming"]["changed"] in page.locator(".lineage-story").inner_text()
    assert page.locator(".lineage-web .lineage-shown").count() == 1


def test_arrow_keys_walk_the_cards_and_show_where_a_thread_would_go(toy):
    page = toy()
    focused = lambda: page.evaluate("document.activeElement.textContent")
    card(page, "Soft window").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    assert "Mixture density" in focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert "Skip connections" in focused()
    page.keyboard.press("ArrowRight")
    assert "Mamba" in focused() and page.locator(".lineage-aim").count() == 1
    page.keyboard.press("ArrowLeft")
    assert "Skip connections" in focused() and page.locator(".lineage-aim").count() == 0


@pytest.mark.parametrize("kind", ["pointer", "keyboard"])
def test_help_draws_one_thread_and_counts_it(toy, kind):
    page = toy()
    button = page.get_by_role("button", name="Show me one")
    for number in range(1, len(THREADS) + 1):
        press(page, kind, button)
        assert web(page)[0] == number
    assert button.is_disabled() and f"{len(THREADS)} misses" in goal(page)
    assert page.evaluate("document.activeElement.className").startswith("lineage-card")


def test_what_changes_is_said_and_what_is_found_has_a_name(toy):
    page = toy()
    for name in ("Mixture density", "sketch-rnn"):
        card(page, name).click()
    page.locator(".lineage [aria-live=polite]", has_text="What stayed.").wait_for(state="attached")
    assert page.get_by_role("button", name=re.compile("Mixture density.*thread 1, to sketch-rnn")).count() == 1
    assert page.get_by_role("button", name=re.compile("sketch-rnn.*thread 1, to Mixture density")).count() == 1


COUNT_MOVES = """() => { window.moves = 0; const { animate } = Element.prototype;
  Element.prototype.animate = function (...how) { window.moves++; return animate.apply(this, how); }; }"""


@pytest.mark.parametrize("motion, moves", [("no-preference", 1), ("reduce", 0)])
def test_a_miss_moves_only_where_motion_is_welcome(toy, motion, moves):
    page = toy(reduced_motion=motion)
    page.evaluate(COUNT_MOVES)
    for name in ("Bias", "Adam"):
        card(page, name).click()
    assert "1 miss" in goal(page) and page.evaluate("window.moves") == moves


def test_axe_finds_nothing_and_nothing_is_cut(toy):
    page = toy(reduced_motion="reduce")
    for name in ("Memory cell", "Mamba", "Bias"):
        card(page, name).click()
    for width, colours in [(360, "dark"), (1280, "light")]:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=colours)
        page.locator(f"html[data-theme={colours}]").wait_for()
        results = Axe().run(page, context=".lineage", options={"resultTypes": ["violations"]})
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        assert page.evaluate(SMALL) == []


def test_print_and_no_script_have_a_still_picture(new_page, toy):
    still = new_page(java_script_enabled=False)
    still.goto(CHAPTER)
    drawing = still.locator("graves-widget .still svg").first
    assert drawing.is_visible() and "Two lists" in drawing.get_attribute("aria-label")
    page = toy()
    page.emulate_media(media="print")
    assert page.locator("graves-widget .still svg").first.is_visible() and not page.locator(".lineage").is_visible()


def test_the_joined_module_parses(browser):
    """A kernel's front end gets all modules as one text."""
    page = browser.new_page()
    page.set_content("<p>empty</p>")
    kind = page.evaluate("""async (text) => {
      const address = URL.createObjectURL(new Blob([text], {type: "text/javascript"}));
      return typeof (await import(address)).default.render;
    }""", joined("lineage.js"))
    page.close()
    assert kind == "function"


def test_threads_are_whole_and_unknown_ones_are_refused():
    assert len(KEYS) == len(set(KEYS)) == 10
    assert all(set(thread) == set(THREADS[0]) and all(thread[k] for k in thread if k != "named") for thread in THREADS)
    for names in (["window", "nobody"], ["window", "window"]):
        with pytest.raises(TraitError, match="different names out of window"):
            Lineage(found=names)
    assert Lineage(found=["window", "skip"]).still().count("<path") == 2
