"""The built book in headless Chromium: nothing asked of other hosts, no error, readable by all, at any width."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe

from conftest import HTML, ROOT, turn

WIDTHS = (360, 480, 800, 1200, 1600)


def toc_entries(node):
    """Each `root` and `file` of the table of contents, in order."""
    if isinstance(node, list):
        return [name for item in node for name in toc_entries(item)]
    if isinstance(node, dict):
        own = [node[key] for key in ("root", "file") if key in node]
        return own + toc_entries([value for value in node.values() if isinstance(value, list)])
    return []


PAGES = toc_entries(yaml.safe_load((ROOT / "_toc.yml").read_text()))


def opened(page, name):
    """The page `name`, when it has arrived and its maths is set."""
    page.goto(f"/{name}.html", wait_until="load")
    page.evaluate("async () => { if (window.MathJax) await MathJax.startup.promise }")
    return page


# One rule is off by default in the axe that is installed; newer ones apply it.
AXE = {"resultTypes": ["violations"], "rules": {"label-content-name-mismatch": {"enabled": True}}}


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(new_page, name):
    page = opened(new_page(reduced_motion="reduce"), name)  # or colours are read while they change
    for width, colours in [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")]:
        page.set_viewport_size({"width": width, "height": 800})
        turn(page, colours)
        results = Axe().run(page, options=AXE)
        assert results.violations_count == 0, f"{width} px, {colours}:\n{results.generate_report()}"


def test_drawings_that_come_late_lose_their_titles_too(new_page):
    """The theme puts drawings in the places of its icons when it finds the time, and each has a title."""
    page = opened(new_page(), PAGES[0])
    page.evaluate("""() => {
        for (const icon of document.querySelectorAll(".theme-switch"))
            icon.outerHTML = '<svg class="theme-switch" aria-labelledby="late"><title id="late">Light</title></svg>';
    }""")
    page.wait_for_function("document.querySelectorAll('.theme-switch[aria-hidden=true]').length == 3")
    assert page.locator(".theme-switch title, .theme-switch[aria-labelledby]").count() == 0


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_no_other_host_and_logs_no_error(new_page, name):
    page = opened(new_page(), name)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")    # toys load as they come into view
    page.wait_for_load_state("networkidle")
    assert page.outside_requests == []
    assert page.console_errors == []


@pytest.mark.parametrize("name", PAGES)
def test_no_page_scrolls_sideways(new_page, name):
    page = opened(new_page(width=WIDTHS[0]), name)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, f"{name} is {over} px too wide at {width} px"


@pytest.mark.parametrize("name", PAGES)
def test_maths_is_set(new_page, name):
    page = opened(new_page(), name)
    formulas = page.locator(".math").count()
    assert page.locator(".math mjx-container").count() >= formulas >= (12 if name == "book/notation" else 0)
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0


def test_the_theme_switch_goes_by_keyboard(new_page):
    page = opened(new_page(), "book/intro")
    switch = page.locator("button.theme-switch-button:visible").first
    modes = set()
    for _ in range(3):
        switch.focus()
        page.keyboard.press("Enter")
        modes.add(page.evaluate("document.documentElement.dataset.theme"))
    assert modes == {"light", "dark"}


class Outline(HTMLParser):
    """What a page links to and shows: `links`, `ids`, `images` as (src, alt), `drawings` without a name."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.images, self.drawings = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.add(given.get("id"))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "img":
            self.images.append((given.get("src", ""), given.get("alt") or ""))
        named = given.get("aria-label") or given.get("aria-labelledby") or given.get("aria-hidden") == "true"
        if tag == "svg" and not named and given.get("role") == "img":
            self.drawings.append(self.getpos())


@pytest.mark.parametrize("name", PAGES)
def test_each_picture_says_what_it_shows(name):
    outline = Outline((HTML / f"{name}.html").read_text())
    for source, alt in outline.images:
        assert len(alt) >= 10 and not re.search(r"\.(png|svg|jpe?g)$", alt), f"{source} has alt text {alt!r}"
    assert outline.drawings == [], f"inline drawings without a name, at (line, column) {outline.drawings}"


@pytest.mark.parametrize("name", PAGES)
def test_each_link_within_the_book_leads_somewhere(name):
    page = HTML / f"{name}.html"
    for link in Outline(page.read_text()).links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        assert target.exists(), f"{name} links to {link}"
        if parts.fragment and target.suffix == ".html":
            assert unquote(parts.fragment) in Outline(target.read_text()).ids, f"{name} links to {link}"
