"""What every test of a toy needs: hands of three kinds, and a look at it as all readers may meet it."""

from axe_playwright_python.sync_playwright import Axe

from conftest import turn

KINDS = ("pointer", "touch", "keyboard")
PAINTED = "async () => { for (let n = 0; n < 2; n++) await new Promise(requestAnimationFrame); }"  # what is due, is

SMALL = """toy => [...document.querySelectorAll(`${toy} :is(button, a, select, summary, .toy-choice, input[type=text])`)]
  .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 40)
  .map((element) => element.textContent)"""


class Hand:
    """The same acts by mouse, by touch or by keyboard."""

    def __init__(self, page, kind):
        self.page, self.kind = page, kind

    def slide(self, name, share):
        """Move a slider to a share of its way (with keys: a few steps towards it)."""
        slider = self.page.get_by_role("slider", name=name)
        slider.scroll_into_view_if_needed()
        if self.kind == "keyboard":
            slider.focus()
            for _ in range(3):
                self.page.keyboard.press("ArrowRight" if share > 0.3 else "ArrowLeft")
            return
        box = slider.bounding_box()
        self.at(box["x"] + share * box["width"], box["y"] + box["height"] / 2)

    def press(self, control):
        """Click, tap or press a control."""
        control.scroll_into_view_if_needed()
        if self.kind == "keyboard":
            control.focus()
            self.page.keyboard.press("Space" if control.get_attribute("type") == "radio" else "Enter")
            return
        box = control.bounding_box()
        self.at(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def at(self, x, y):
        (self.page.touchscreen.tap if self.kind == "touch" else self.page.mouse.click)(x, y)


def picture(page, toy):
    """The toy's first canvas as text: two pictures are alike if their texts are."""
    page.evaluate(PAINTED)
    return page.evaluate("toy => document.querySelector(`${toy} canvas`).toDataURL()", toy)


def check_access(page, toy, sizes=((360, "dark"), (800, "light"), (1600, "dark"))):
    """Assert that axe finds nothing, nothing is cut, and what is touched is large enough, at each size."""
    for width, colours in sizes:
        page.set_viewport_size({"width": width, "height": 900})
        turn(page, colours)
        results = Axe().run(page, context=toy, options={"resultTypes": ["violations"]})
        assert results.violations_count == 0, f"{width} px, {colours}:\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        assert page.evaluate(SMALL, toy) == []
