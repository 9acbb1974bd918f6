"""What pages owe their readers: dots, ids of their own, fingers, whole files, cells that go, screens and their readers."""

import base64

import ink_toys
import pytest
import writing_toys
from writing_toys import pen_path  # noqa: F401

from graves_nb.site import page_file
from graves_nb.toys import Converter, Explode, Fork, Guess, Offsets, OwnHand, OwnLine, Pen, Reading, Threshold
from graves_nb.widgets import joined

# A toy as a kernel's front end mounts it: its module from a Blob of its own, its files by messages.
MOUNT = """async ([text, state, files, leave]) => {
  const { default: toy } = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  const heard = new Map(), values = { ...state }, of = (event) => heard.get(event) ?? [];
  const bytes = (name) => new DataView(Uint8Array.from(atob(files[name]), (c) => c.charCodeAt(0)).buffer);
  const model = {
    get: (name) => values[name], save_changes() {},
    set(name, value) { values[name] = value; of(`change:${name}`).forEach((f) => f()); },
    on(event, f) { heard.set(event, [...of(event), f]); },
    off(event, f) { heard.set(event, of(event).filter((g) => g !== f)); },
    send({ asset }) { setTimeout(() => of("msg:custom").forEach((f) => f({ asset }, [bytes(asset)])), 400); },
  };
  const el = document.body.appendChild(document.createElement("div")), stop = toy.render({ model, el });
  if (!leave) return;
  await new Promise((done) => setTimeout(done, 200));
  stop();
  el.remove();
  let frames = 0;
  const request = requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (f) => { frames++; return request(f); };
  await new Promise((done) => setTimeout(done, 1500));
  return [frames, [...heard.values()].flat().length];
}"""
INKED = """async () => {
  const { drawInk } = await import("/ink.js"), { drawPlaces } = await import("/traces.js");
  const count = (draw) => {
    const context = Object.assign(document.createElement("canvas"), { width: 60, height: 60 }).getContext("2d");
    draw(context);
    return context.getImageData(0, 0, 60, 60).data.filter((value, i) => i % 4 === 3 && value).length;
  };
  const same = (value) => value;
  return [count((c) => drawInk(c, { strokes: [{ first: 0, xs: [30], ys: [30] }], scale: 0.15 }, Infinity, "#000")),
    count((c) => drawPlaces(c, [[30, 30]], [[0, 0, 1]], { px: same, py: same }, "#000", 3))];
}"""
COUNT = """(canvas, [x, y]) => canvas.getContext("2d").getImageData(x - 6, y - 6, 12, 12).data
  .filter((value, i) => i % 4 === 3 && value).length"""


@pytest.fixture
def opened(browser):
    """Open a toy in a page of its own: `opened(Offsets(), width=360)`."""
    pages = []

    def make(toy, kind=ink_toys.ToyPage, **options):
        pages.append(kind(browser, toy, **options))
        return pages[-1]

    yield make
    for page in pages:
        page.page.context.close()


@pytest.fixture
def mount(browser):
    page = browser.new_page()

    def make(toy, leave=False):
        files = {name: base64.b64encode(page_file(path)).decode() for name, path in toy.assets().items()}
        return page.evaluate(MOUNT, [joined(toy.module), toy.state(), files, leave])

    make.page = page
    yield make
    page.close()


def test_a_dot_is_drawn(opened):
    """A stroke of one point, of the network or of the reader, leaves ink."""
    toy = opened(OwnLine())
    assert all(count > 4 for count in toy.page.evaluate(INKED))
    canvas = toy.root.locator("canvas").first
    canvas.click(position={"x": 300, "y": 90})  # a stroke, so that the invitation goes
    canvas.click(position={"x": 100, "y": 90})
    toy.wait_for_paint()
    assert canvas.evaluate(COUNT, [99, 89]) > 4


def test_toys_of_one_notebook_keep_apart(mount):
    """In JupyterLab each toy has its own copy of the modules, and all stand in one document."""
    for toy in (Fork(components=1), Fork(components=2), Converter()):
        mount(toy)
    ids = mount.page.evaluate("() => [...document.querySelectorAll('[id]')].map(({ id }) => id)")
    assert len(ids) == len(set(ids))
    chosen = mount.page.evaluate("() => [...document.querySelectorAll('.fork')].map((toy) => toy.querySelector(':checked')?.value)")
    assert chosen == ["1", "2"]
    assert mount.page.evaluate("() => [...document.querySelectorAll('input[type=range]')].every(({ labels }) => labels.length === 1)")


def test_blank_space_stays_blank(opened):
    """Pasted text is full of spaces that do not break; INSTEAD names them in words, for somebody who types."""
    read = opened(Offsets()).page.evaluate("""async (symbols) => (await import("/text-reading.js"))
      .labelsOf("one\\ttwo\\u00a0three\\u202ffour & five", symbols).text""", " &abcdefghijklmnopqrstuvwxyz")
    assert read == "one two three four & five"


def test_a_blind_test_begun_again_forgets_the_first(opened, pen_path):  # noqa: F811
    page = opened(OwnHand(pen_path, style=1), kind=writing_toys.ToyPage).page
    begin = page.get_by_role("button", name="Begin the test")
    begin.wait_for()
    page.evaluate("""() => {
      const words = document.querySelector(".own-blind .own-verdict");
      window.heard = [];
      new MutationObserver(() => heard.push(words.textContent)).observe(words, { childList: true });
      const now = performance.now.bind(performance);
      let slow = 2;
      performance.now = () => (slow-- > 0 ? Infinity : now()); // two frames without work
      const button = [...document.querySelectorAll(".own-blind button")][0];
      button.click();
      button.click();
    }""")
    page.wait_for_timeout(3000)
    assert len([words for words in page.evaluate("heard") if words.startswith("Round 1")]) == 1


PHONE = dict(width=360, has_touch=True, is_mobile=True)


def fingers(page):
    """Touch a page with several fingers: `touch("touchMove", (x, y), ...)`."""
    screen = page.context.new_cdp_session(page)
    return lambda kind, *points: screen.send(
        "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [dict(x=x, y=y, id=n) for n, (x, y) in enumerate(points)]})


def test_the_page_scrolls_over_a_chart_of_rows(opened):
    """Only what goes across is a drag there."""
    toy = opened(Offsets(), **PHONE)
    touch = fingers(toy.page)
    toy.page.evaluate("document.body.style.paddingBottom = '2000px'")
    x, y = toy.point(toy.root.locator("canvas").nth(1), 0.5, 0.8)
    touch("touchStart", (x, y))
    for step in range(1, 16):
        touch("touchMove", (x, y - 10 * step))
    touch("touchEnd")
    toy.page.wait_for_timeout(300)
    assert toy.page.evaluate("scrollY") > 80


def test_a_second_finger_does_not_end_a_drag(opened):
    toy = opened(Fork(), **PHONE)
    touch, canvas = fingers(toy.page), toy.root.locator("canvas")
    at = lambda u, v: toy.point(canvas, (u + 0.6) / 3.8, (v + 1.7) / 3.4)
    touch("touchStart", at(1.2, -0.1))
    touch("touchMove", at(1.0, -0.3))
    touch("touchStart", at(1.0, -0.3), at(-0.3, 1.4))
    touch("touchMove", at(0.6, -0.3), at(-0.3, 1.4))
    touch("touchEnd")
    across = toy.root.locator("details input").nth(1).get_attribute("aria-valuetext")
    assert abs(float(across) - 0.6) < 0.1


def test_the_right_button_drags_nothing(opened):
    toy = opened(Threshold())
    toy.root.locator("canvas").nth(1).click(button="right", position={"x": 300, "y": 100})
    assert toy.slider("Threshold").get_attribute("aria-valuetext") == "none"


def test_only_a_whole_line_is_saved(opened, pen_path):  # noqa: F811
    """Before there is one, the buttons say so; the drawing can be seen on white, in dark mode too."""
    toy = opened(Pen(pen_path), kind=writing_toys.ToyPage, dark=True)
    page, status = toy.page, toy.page.locator(".pen-status")
    page.wait_for_function("document.querySelector('.pen-status').textContent.includes('points')")
    page.get_by_label("Text").fill("another line for the pen to write")
    files = []
    page.on("download", lambda file: files.append(file))
    page.evaluate("""() => {
      const buttons = [...document.querySelectorAll(".toy button")], press = (name) => buttons.find((b) => b.textContent === name).click();
      press("Write");
      requestAnimationFrame(() => press("SVG"));
    }""")
    page.wait_for_timeout(100)
    assert files == []
    page.wait_for_function("document.querySelector('.pen-status').textContent.includes('points')")
    with page.expect_download() as download:
        page.get_by_role("button", name="SVG").click()
    assert 'stroke="#1d2b53"' in download.value.path().read_text() and "points" in status.inner_text()


def test_a_pen_that_has_not_come_saves_nothing(browser, pen_path):  # noqa: F811
    class Slow(writing_toys.ToyPage):
        def answer(self, route):
            return None if "safetensors" in route.request.url else super().answer(route)

    toy = Slow(browser, Pen(pen_path))
    for name in ("SVG", "PNG", "Copy link"):
        toy.page.get_by_text(name, exact=True).click()
    toy.page.wait_for_timeout(100)
    assert toy.errors == [] and "copied" not in toy.page.locator(".pen-status").inner_text()
    toy.context.close()


@pytest.mark.parametrize("name", ["Reading", "OwnHand", "Pen"])
def test_a_toy_that_is_gone_does_not_start(mount, pen_path, name):  # noqa: F811
    """A cell is run again while its weights are on their way."""
    toy = Reading() if name == "Reading" else {"OwnHand": OwnHand, "Pen": Pen}[name](pen_path)
    frames, listeners = mount(toy, leave=True)
    assert frames == 0 and listeners == 0


def test_start_again_starts_again(opened):
    toy = opened(Explode(scale=1.0, steps=10))
    status = toy.root.locator(".explode-status")
    first = status.inner_text()
    toy.button("Train").click()
    toy.page.wait_for_timeout(300)
    toy.button("Start again").click()
    assert status.inner_text() == first and toy.button("Train").is_visible()


def test_flat_units_are_not_told_as_large_derivatives(opened):
    toy = opened(Explode(scale=8.0, steps=40, clip="off"))
    toy.button("Train").click()
    toy.page.wait_for_timeout(500)
    assert "largest" not in toy.root.locator("canvas").first.get_attribute("aria-label").split("first. ")[1]


def test_the_field_that_is_wrong_is_marked(opened, pen_path):  # noqa: F811
    page = opened(Pen(pen_path), kind=writing_toys.ToyPage).page
    page.wait_for_function("document.querySelector('.pen-status').textContent.includes('points')")
    page.get_by_label("Seed").fill("-3")
    page.get_by_label("Seed").blur()
    assert [page.get_by_label(name).get_attribute("aria-invalid") for name in ("Seed", "Text")] == ["true", "false"]
    toy = opened(Converter())
    points = toy.root.get_by_label("Points a line")
    points.fill("")
    toy.root.get_by_label("The report says").fill("-900")
    assert float(points.input_value()) > 0 and points.get_attribute("aria-invalid") == "false"


def test_a_guess_may_be_any_symbol(opened):
    toy = opened(Guess())
    toy.root.get_by_label("Your guess").fill("\N{GRINNING FACE}")
    assert "\N{GRINNING FACE}" in toy.root.locator(".guess-status").inner_text()


def test_the_sheet_for_ones_own_hand_tells_its_keys_and_its_ink(opened, pen_path):  # noqa: F811
    page = opened(OwnHand(pen_path, style=0), kind=writing_toys.ToyPage).page
    sheet = page.get_by_role("application")
    sheet.focus()
    for key in ("Space", "ArrowRight", "ArrowDown", "Space"):
        page.keyboard.press(key)
    assert "1 stroke" in sheet.get_attribute("aria-label") and "Arrows" in sheet.get_attribute("aria-label")
    page.locator("[aria-live=polite]", has_text="1 stroke").wait_for(state="attached", timeout=4000)


def test_a_canvas_is_sharp_at_every_zoom(opened):
    """Where the column of text keeps its width in CSS pixels, too."""
    toy = opened(Offsets())
    toy.page.add_style_tag(content="main { width: 600px }")
    screen, canvas = toy.page.context.new_cdp_session(toy.page), toy.root.locator("canvas").first
    for zoom in (1, 2):
        screen.send("Emulation.setDeviceMetricsOverride",
                    dict(width=2000 // zoom, height=1800 // zoom, deviceScaleFactor=zoom, mobile=False))
        toy.page.wait_for_timeout(300)
        toy.wait_for_paint()
        assert canvas.evaluate("c => [c.width / c.clientWidth, c.height / c.clientHeight]") == [zoom, zoom]
