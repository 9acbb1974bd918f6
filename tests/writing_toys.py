"""What the tests of the writing toys share: a small random pen, and a page that shows one toy."""

import json

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from hands import PAINTED

from graves_nb.bench_page import STATIC
from graves_nb.checkpoints import save_weights
from graves_nb.models import HandwritingSynthesizer
from graves_nb.pen import GALLERY, export

UNITS = dict(mean=[8.16, 0.112], std=[40.61, 37.05], threshold=1000)
HOST = "http://page.test"


def random_pen(folder):
    """A pen that needs no training. Its hand is a scrawl, but its window moves on, so that lines end."""
    torch.manual_seed(1)
    model = HandwritingSynthesizer(hidden=40, layers=2, M=8, K=4)
    model.output.weight.data *= 0.5
    model.output.bias.data[0] = 2.0  # the pen lifts at one point in eight
    model.output.bias.data[1 + 3 * 8 : 1 + 5 * 8] = -1.5  # small steps
    raw, out = folder / "raw.safetensors", folder / "random.safetensors"
    save_weights(raw, model, dtype=torch.float32, normalisation=UNITS, data="synthetic")
    export(raw, out, name="random", licence="none")
    assert len(json.loads(out.with_suffix(".gallery.json").read_text())) == len(GALLERY)
    return out


class ToyPage:
    """One toy in a page of its own; what leaves the page and what goes wrong is noted."""

    def __init__(self, browser, toy, width=1000, dark=False, reduced=True, **more):
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if reduced else "no-preference", **more)
        self.page = self.context.new_page()
        self.outside, self.errors, self.toy, self.dark = [], [], toy, dark
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.route("**/*", self.answer)
        self.page.goto(f"{HOST}/")
        self.page.locator("graves-widget[live]").wait_for(state="attached")

    def answer(self, route):
        address = route.request.url
        if not address.startswith(f"{HOST}/"):
            self.outside.append(address)
            return route.abort()
        name = address.removeprefix(f"{HOST}/").split("?")[0]
        if not name:
            return route.fulfill(body=self.html(), content_type="text/html")
        files = {key.split("?")[0]: path for key, path in self.toy.assets().items()}
        path = files.get(name, STATIC / name)
        return route.fulfill(path=path) if path.exists() else route.fulfill(status=404)

    def html(self):
        theme = "dark" if self.dark else "light"
        return (f'<!doctype html><html lang="en" data-theme="{theme}" style="color-scheme:{theme}"><title>toy</title>'
                f'<script type="module" src="/graves-widget.js"></script><main>{self.toy.to_html()}</main>')

    def picture(self, nth=0):
        """What the nth canvas shows, once what is due has been painted."""
        self.page.evaluate(PAINTED)
        return self.page.evaluate("n => document.querySelectorAll('.toy canvas')[n].toDataURL()", nth)

    def changes(self, act, nth=0):
        """Do something and wait until the nth canvas shows something else."""
        before = self.picture(nth)
        act()
        self.page.wait_for_function("([n, before]) => document.querySelectorAll('.toy canvas')[n].toDataURL() !== before",
                                    arg=[nth, before], timeout=20_000)

    def slide(self, name, keys=None, share=None):
        """Move a slider with keys, or with the pointer to a share of its way."""
        slider = self.page.get_by_role("slider", name=name, exact=True)
        slider.scroll_into_view_if_needed()
        if share is None:
            slider.focus()
            for key in keys:
                self.page.keyboard.press(key)
        else:
            box = slider.bounding_box()
            self.page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)

    def press(self, name, keyboard=False, role="button"):
        """Click a button, or press it with a key."""
        button = self.page.get_by_role(role, name=name)
        button.focus() if keyboard else button.click()
        if keyboard:
            self.page.keyboard.press("Space" if role == "radio" else "Enter")

    def check_manners(self):
        """Nothing asked of others, no error, accessible, large enough to touch, no wider than the page."""
        assert self.outside == [] and self.errors == []
        results = Axe().run(self.page, context=".toy", options={"resultTypes": ["violations"]})
        assert results.violations_count == 0, results.generate_report()
        small = self.page.evaluate("""() => [...document.querySelectorAll('.toy :is(button, a, select, .toy-choice, input[type=text], summary)')]
            .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 40).map((e) => e.textContent)""")
        assert small == []
        assert self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.fixture(scope="module")
def pen_path(tmp_path_factory):
    return random_pen(tmp_path_factory.mktemp("pen"))


@pytest.fixture
def show(browser):
    """Open a toy: `show(toy, width=..., dark=...)`."""
    pages = []

    def opened(toy, **options):
        pages.append(ToyPage(browser, toy, **options))
        return pages[-1]

    yield opened
    for page in pages:
        page.context.close()
