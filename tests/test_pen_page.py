"""The live pen on the cover of the built book: every control, every kind of hand, and what can go wrong."""

import re
from urllib.parse import urlencode

import pytest
from hands import PAINTED, Hand, check_access

COVER = "/book/intro.html"
SHORT = dict(text="on we go", bias="1", style="0", priming="99", seed="3")
SAME = 0.2  # CSS pixels between the strokes of WebAssembly and of plain JavaScript
PICTURE = "() => document.querySelector('.pen canvas').toDataURL()"


def link(**values):
    """The cover with a pen's values in its fragment."""
    return f"{COVER}#pen:{urlencode({**SHORT, **values})}"


@pytest.fixture
def pen(new_page):
    """Open the cover and wait until the pen has written: `pen(address, width=..., ...)` gives the page."""

    def opened(address=None, **options):
        page = new_page(**{"reduced_motion": "reduce", **options})
        page.goto(address or link())
        written(page)
        return page

    return opened


def written(page):
    """Wait for the end of a line."""
    page.locator(".pen-status", has_text=re.compile("stopped")).wait_for(timeout=30_000)


def picture(page):
    page.evaluate(PAINTED)
    return page.evaluate(PICTURE)


def changed(page, before, what):
    """Wait until the picture differs from `before`, and the line is written."""
    page.wait_for_function(f"before => ({PICTURE})() !== before", arg=before, timeout=20_000), what
    written(page)


def strokes(page):
    """Every number of the SVG that the page offers."""
    with page.expect_download() as download:
        page.get_by_role("button", name="SVG").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert text.startswith("<svg") and f"<title>{page.get_by_label('Text').input_value()}</title>" in text
    return [float(number) for path in re.findall(r' d="([^"]+)"', text) for number in re.findall(r"-?[\d.]+", path)]


@pytest.mark.parametrize("kind", ["pointer", "touch", "keyboard"])
def test_each_control_moves_the_picture(pen, kind):
    """Bias, style, priming, seed, text and position: each changes what is seen."""
    page = pen(width=360 if kind == "touch" else 1280, touch=kind == "touch")
    hand = Hand(page, kind)
    button = lambda name: page.get_by_role("button", name=name, exact=True)

    def new_text():
        page.get_by_label("Text").fill("off you go")
        hand.press(button("Write"))

    acts = dict(
        bias=lambda: hand.slide("Bias", 0.8),
        style=lambda: hand.press(page.get_by_role("radio").nth(2)),
        priming=lambda: hand.slide("Priming", 0.05),
        again=lambda: hand.press(button("Write again")),
        text=new_text,
        position=lambda: hand.slide("Position", 0.2),
    )
    for what, act in acts.items():
        before = picture(page)
        act()
        changed(page, before, what)
    before = picture(page)
    page.get_by_label("Seed").fill("77")
    page.keyboard.press("Enter")
    changed(page, before, "seed")
    assert page.outside_requests == [] and page.console_errors == []


def test_the_pen_can_be_stopped_and_run(pen):
    """Without reduced motion the ink comes bit by bit; pause holds it, speed and play go on."""
    page = pen(link(text="a longer line of words"), reduced_motion="no-preference")
    position, play = page.get_by_role("slider", name="Position"), page.locator(".pen-play")
    at = lambda: int(position.input_value())
    if at() == int(position.get_attribute("max")):
        play.click()
    play.click()
    assert play.inner_text() == "Play"
    held, before = at(), picture(page)
    page.wait_for_timeout(150)
    assert at() == held and picture(page) == before
    page.get_by_label("Speed").select_option("at once")
    play.click()
    page.wait_for_function("() => document.querySelector('.pen-play').textContent === 'Play'")
    assert at() == int(position.get_attribute("max")) > held


def test_a_link_gives_the_same_strokes_again_and_in_plain_javascript(pen):
    """What "Copy link" puts into the address bar restores all five values, and every stroke."""
    values = dict(text="same again", bias="0.5", style="1", priming="2", seed="42")
    page = pen(link(**values))
    page.get_by_role("link", name="Copy link").click()
    address = page.url
    assert address.endswith(urlencode(values))
    first, again = strokes(page), strokes(pen(address))
    assert first == again and len(first) > 50
    plain = pen(address.replace(COVER, COVER + "?plainjs"))
    other = strokes(plain)
    assert len(other) == len(first)
    assert max(abs(a - b) for a, b in zip(first, other)) <= SAME


MANGLED = [
    "%%%", "text=hi", "text=hi&bias=NaN&style=0&priming=0&seed=1", "text=hi&bias=-1&style=0&priming=0&seed=1",
    "text=hi&bias=1&style=99&priming=0&seed=1", "text=%E6%97%A5&bias=1&style=0&priming=0&seed=1",
]


def test_a_mangled_link_says_so_and_starts_as_usual(pen):
    """Nothing is guessed from half a link, at the start or when the address changes."""
    page = pen(f"{COVER}#pen:{MANGLED[0]}")
    usual = page.get_by_label("Text").input_value()
    for fragment in MANGLED:
        page.evaluate("hash => { location.hash = hash; }", link().split("#")[1])
        page.wait_for_function("() => document.querySelector('.pen-text input').value === 'on we go'")
        assert page.locator(".pen [role=alert]").inner_text() == ""
        page.evaluate("hash => { location.hash = hash; }", f"pen:{fragment}")
        page.locator(".pen [role=alert]", has_text="link is damaged").wait_for()
        assert page.get_by_label("Text").input_value() == usual
    assert page.console_errors == []


def test_bad_texts_are_explained_and_leave_the_picture(pen):
    """Empty, too long, unknown characters, and a bad seed: words, not a broken line."""
    page = pen()
    before, field, alert = picture(page), page.get_by_label("Text"), page.locator(".pen [role=alert]")
    for text, words in [("", "nothing to write"), ("x" * 500, "500 characters"), ("caf\u00e9 & co", "use e"), ("\u65e5", "leave it out")]:
        field.fill(text)
        page.keyboard.press("Enter")
        assert words in alert.inner_text() and field.get_attribute("aria-invalid") == "true"
    assert picture(page) == before
    field.fill("well then")
    page.keyboard.press("Enter")
    changed(page, before, "a good text")
    assert alert.inner_text() == ""
    page.get_by_label("Seed").fill("-5")
    page.keyboard.press("Enter")
    assert "whole number" in alert.inner_text()


def test_wrong_weights_are_refused_and_can_be_fetched_again(new_page):
    """A damaged file and a missing one give an error that says what to do; then the pen writes."""
    page = new_page(reduced_motion="reduce")
    page.route("**/*.safetensors*", lambda route: route.fulfill(body="<html>not found</html>"))
    page.goto(link())
    alert = page.locator(".pen-loading [role=alert]")
    alert.filter(has_text="take the file anew").wait_for()
    page.unroute("**/*.safetensors*")
    page.get_by_role("button", name="Try again").click()
    written(page)


def test_weights_come_when_the_pen_comes_into_view(new_page):
    """Far below the fold nothing is fetched; scrolled to, it is."""
    page = new_page(reduced_motion="reduce")  # of the usual height: Chromium paints a very low window once a second
    page.add_init_script("addEventListener('DOMContentLoaded', () => { document.body.style.paddingTop = '3000px'; })")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(link())
    page.locator("graves-widget[live]").wait_for(state="attached")
    assert not any("safetensors" in url for url in asked)
    page.locator(".pen canvas").scroll_into_view_if_needed()
    written(page)
    assert any("safetensors" in url for url in asked)


def test_under_save_data_the_reader_is_asked_first(new_page):
    """A phone that saves data loads the weights at a tap."""
    page = new_page(width=360, touch=True, reduced_motion="reduce")
    page.add_init_script("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })")
    page.goto(link())
    load = page.get_by_role("button", name=re.compile(r"Load the pen \([\d.]+ MB\)"))
    load.wait_for()
    load.tap()
    written(page)


def test_the_picture_can_be_saved(pen):
    """PNG comes as a picture of the line, larger than the screen's."""
    page = pen()
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    assert download.value.suggested_filename == "on-we-go.png"
    content = download.value.path().read_bytes()
    assert content.startswith(b"\x89PNG") and int.from_bytes(content[16:20], "big") > 1000


def test_without_script_and_in_print_there_is_a_still_picture(new_page, pen):
    """The still is a named picture; print shows it in place of the toy."""
    still = new_page(java_script_enabled=False)
    still.goto(COVER)
    drawing = still.locator("graves-widget .still svg").first
    assert drawing.is_visible() and "Handwriting" in drawing.get_attribute("aria-label")
    page = pen()
    assert not page.locator("graves-widget .still").first.is_visible()
    page.emulate_media(media="print")
    assert page.locator("graves-widget .still svg").first.is_visible()
    assert not page.locator(".pen").first.is_visible()


def test_axe_finds_nothing_and_nothing_is_cut(pen):
    """With a style chosen and an error shown: accessible, large enough to touch, no wider than the page."""
    page = pen(link(style="2", priming="1"))
    page.get_by_label("Text").fill("")
    page.keyboard.press("Enter")
    check_access(page, ".pen")


def test_light_and_dark_follow_the_theme(pen):
    """The ink is redrawn when the reader turns the page dark."""
    page = pen()
    before = picture(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    changed(page, before, "theme")


def test_what_changes_is_said(pen):
    """A screen reader hears what was written."""
    page = pen()
    page.locator(".pen [aria-live=polite]", has_text="Written: on we go").wait_for(state="attached")
    assert page.locator(".pen canvas").get_attribute("aria-label") == "Handwriting: on we go"
