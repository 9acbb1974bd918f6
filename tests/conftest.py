"""What every test may ask for: real data, a browser, the built site, a page that is watched.

`GRAVES_NB_STRICT=1` turns a missing Chromium or missing real data from a reported skip into a failure.
"""

import os
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]
# The theme declares this constant twice on every page; nothing of ours depends on it.
KNOWN_CONSOLE_ERRORS = ("THEBE_JS_URL",)


def missing(what):
    """Fail where nothing may be missing (GRAVES_NB_STRICT=1), otherwise skip and say so."""
    strict = os.environ.get("GRAVES_NB_STRICT") == "1"
    (pytest.fail if strict else pytest.skip)(what)


@pytest.fixture(scope="session")
def real_data():
    """The folder of real data that GRAVES_NB_DATA names."""
    named = os.environ.get("GRAVES_NB_DATA")
    if not named or not Path(named).is_dir():
        missing("no real data: set GRAVES_NB_DATA to the folder that holds iam_ondb_lines.npz")
    return Path(named)


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium: the one in CHROMIUM, or the first found on the path."""
    found = filter(None, map(shutil.which, CHROMIUM_NAMES))
    program = os.environ.get("CHROMIUM") or next(found, None)
    if program is None:
        missing("no Chromium: install it (apt install chromium) or set CHROMIUM to its path")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def float64():
    """Reproducible numbers of double precision, for a test."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and keeps the test log clean."""

    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def site():
    """Address of the built book on a free local port, without the final slash."""
    if not (HTML / "index.html").exists():
        pytest.fail("the book is not built: run `make book` first")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=HTML))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def watch(page, site):
    """Refuse and record what leaves `site`; record console errors but the known ones."""
    page.outside_requests, page.console_errors = [], []
    here = urlsplit(site).netloc

    def gate(route):
        if urlsplit(route.request.url).netloc == here:
            return route.continue_()
        page.outside_requests.append(route.request.url)
        route.abort()

    def note(text):
        if not any(known in text for known in KNOWN_CONSOLE_ERRORS):
            page.console_errors.append(text)

    def heard(message):
        if message.type == "error":
            note(f"{message.text} ({message.location['url']})")

    page.route("**/*", gate)
    page.on("console", heard)
    page.on("pageerror", lambda error: note(str(error)))


def turn(page, colours):
    """Turn a page light or dark."""
    page.emulate_media(color_scheme=colours)
    page.locator(f"html[data-theme={colours}]").wait_for(state="attached")


@pytest.fixture
def new_page(browser, site):
    """Factory of watched pages: `new_page(width=360, dark=True, touch=True).goto("/book/intro.html")`.

    Each page has `outside_requests` and `console_errors`, lists that should stay empty.
    More keywords go to playwright's `new_context` (`reduced_motion="reduce"`, ...).
    """
    contexts = []

    def make(width=1280, height=900, dark=False, touch=False, **more):
        context = browser.new_context(
            base_url=site, viewport={"width": width, "height": height}, has_touch=touch,
            color_scheme="dark" if dark else "light", **more,
        )
        contexts.append(context)
        page = context.new_page()
        watch(page, site)
        return page

    yield make
    for context in contexts:
        context.close()
