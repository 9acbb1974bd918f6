"""What the tests of the toys of one line share: open a chapter at a toy, drag, compare pictures, look for what shuts people out."""

from axe_playwright_python.sync_playwright import Axe

from graves_nb.widgets import joined

CHAPTER = "/book/05_ink_as_data.html"
SMALL = """css => [...document.querySelectorAll(`${css} :is(button, select, .toy-choice, input[type=number])`)]
  .filter((element) => element.getBoundingClientRect().height < 40).map((element) => element.outerHTML)"""
IMPORT = """async text => {
  const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  return typeof (await import(address)).default.render;
}"""


class Toy:
    """One toy on the chapter's page."""

    def __init__(self, page, css):
        self.page, self.css = page, css
        page.goto(CHAPTER)
        self.root = page.locator(f".toy.{css}").first
        self.root.wait_for()
        self.goal = self.root.locator(".toy-goal")
        self.wait_for_paint()

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

    def is_said(self, text):
        self.root.locator("[aria-live=polite]", has_text=text).wait_for(state="attached", timeout=5000)

    def shuts_nobody_out(self):
        """axe-core is content in both themes and at both widths, nothing is cut off or too small to touch."""
        for width, colours in [(360, "dark"), (1280, "light"), (360, "light"), (1280, "dark")]:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.emulate_media(color_scheme=colours)
            results = Axe().run(self.page, context=f".toy.{self.css}", options={"resultTypes": ["violations"]})
            assert results.violations_count == 0, f"{width} px, {colours}:\n{results.generate_report()}"
            assert self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
            assert self.page.evaluate(SMALL, f".toy.{self.css}") == []

    def asks_nobody(self):
        assert self.page.outside_requests == [] and self.page.console_errors == []


def runs_in_a_kernel(page, module):
    """The joined text of a toy's modules is one that a kernel's front end can import."""
    page.goto(CHAPTER)
    assert page.evaluate(IMPORT, joined(module)) == "function"
