"""What the tests of the toys of chapter 5 share: one toy in a page of its own, drags, keys, and who is shut out."""

from axe_playwright_python.sync_playwright import Axe

from graves_nb.bench_page import STATIC
from graves_nb.widgets import joined

HOST = "http://page.test"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>toy</title><meta name="viewport" content="width=device-width">
<body style="margin: 12px"><main><h1>A toy</h1><script type="module" src="/graves-widget.js"></script>%s</main>"""
SMALL = """() => [...document.querySelectorAll(".toy :is(button, select, .toy-choice, input[type=number])")]
  .filter((element) => element.getBoundingClientRect().height < 40).map((element) => element.outerHTML)"""
IMPORT = """async text => {
  const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  return typeof (await import(address)).default.render;
}"""


class ToyPage:
    """A toy in a page of its own; what leaves the page and what goes wrong is noted."""

    def __init__(self, browser, toy, width=1000, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **{"reduced_motion": "reduce", **options})
        self.page, self.outside, self.errors, self.html = context.new_page(), [], [], PAGE % toy.to_html()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.route("**/*", self.answer)
        self.page.goto(f"{HOST}/")
        self.root = self.page.locator(".toy")
        self.root.wait_for()
        self.goal = self.root.locator(".toy-goal")
        self.wait_for_paint()

    def answer(self, route):
        """Serve the page and static/; refuse and note all else."""
        name = route.request.url.removeprefix(f"{HOST}/")
        if not name:
            return route.fulfill(body=self.html, content_type="text/html")
        if (STATIC / name).is_file():
            return route.fulfill(path=STATIC / name)
        if name != "favicon.ico":
            self.outside.append(name)
        return route.fulfill(status=204)

    def wait_for_paint(self):
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))")

    def pictures(self):
        """Every canvas of the toy, as one text."""
        self.wait_for_paint()
        return self.root.evaluate("toy => [...toy.querySelectorAll('canvas')].map((c) => c.toDataURL()).join()")

    def changes(self, act):
        """Do something, and say whether a picture of the toy changed."""
        before = self.pictures()
        act()
        return self.pictures() != before

    def slider(self, name):
        return self.root.get_by_role("slider", name=name, exact=True)

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def point(self, canvas, x, y):
        """A place on a canvas, given in shares of it, in CSS pixels of the window."""
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def drag(self, canvas, *places):
        """Press at the first place of a canvas (shares of it), move through the others, let go."""
        for n, place in enumerate(places):
            self.page.mouse.move(*self.point(canvas, *place), steps=1 if n == 0 else 4)
            if n == 0:
                self.page.mouse.down()
        self.page.mouse.up()

    def slide(self, name, share):
        """Click a slider at a share of its way."""
        slider = self.slider(name)
        self.page.mouse.click(*self.point(slider, share, 0.5))

    def press(self, element, *keys):
        element.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def is_reached(self):
        return "toy-reached" in self.goal.get_attribute("class")

    def stays(self, act):
        """Do something, and say whether the first canvas stays where it is on the page."""
        place = lambda: self.root.locator("canvas").first.evaluate("canvas => canvas.offsetTop")
        before = place()
        act()
        return place() == before

    def is_said(self, text):
        self.root.locator("[aria-live=polite]", has_text=text).wait_for(state="attached", timeout=5000)

    def shuts_nobody_out(self):
        """axe-core is content in both themes and at both widths; nothing is cut off or too small to touch."""
        for width, colours in [(360, "dark"), (1280, "light"), (360, "light"), (1280, "dark")]:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.emulate_media(color_scheme=colours)
            results = Axe().run(self.page, context=".toy", options={"resultTypes": ["violations"]})
            assert results.violations_count == 0, f"{width} px, {colours}:\n{results.generate_report()}"
            assert self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
            assert self.page.evaluate(SMALL) == []

    def runs_in_a_kernel(self, module):
        """The joined text of its modules is one that a kernel's front end can import."""
        assert self.page.evaluate(IMPORT, joined(module)) == "function"

    def asks_nobody(self):
        """Nothing outside the page was asked for, and nothing went wrong."""
        assert self.outside == [] and self.errors == []

    def close(self):
        self.page.context.close()
