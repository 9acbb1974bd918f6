"""The cells of chapter 4: the page finds the cells that Python finds, each control works, and the goal can be reached."""

import re

import pytest
import torch
from hands import KINDS, Hand, check_access, picture
from traitlets import TraitError

from conftest import ROOT
from graves_nb.text import load_text_network
from graves_nb.toys import Cells
from graves_nb.toys.cells import PROPERTIES, passages

PAGE, TOY = "/book/04_text.html", ".toy.cells"
STATUS = f"{TOY} .cells-status"


@pytest.fixture
def cells(new_page):
    """Open the chapter and wait until the network has read the passage."""

    def opened(**options):
        page = new_page(**{"reduced_motion": "reduce", **options})
        page.goto(PAGE)
        page.locator(TOY).scroll_into_view_if_needed()
        page.locator(STATUS, has_text="Correlation").wait_for()
        return page

    return opened


def chosen(page):
    return int(re.search(r"Cell (\d+)", page.locator(STATUS).inner_text())[1])


def correlation(page):
    return float(re.search(r"([+−][\d.]+\d)\D*$", page.locator(STATUS).inner_text())[1].replace("−", "-"))


def since(text, begins):
    """Count from 0 at each place where something begins."""
    counts, n = [], 0
    for i in range(len(text)):
        n = 0 if begins(i) else n + 1
        counts.append(n)
    return counts


def properties(text):
    """What cells-find.js calls the properties, by other means."""
    brackets = [text[:i].count("[") > text[:i].count("]") or c == "[" for i, c in enumerate(text)]
    return dict(
        name=[bool(re.fullmatch(r"[A-Z][A-Z' ]*\.\n", line)) for line in text.splitlines(keepends=True) for _ in line],
        word=since(text, lambda i: not (text[i].isalpha() or text[i] == "'")),
        line=since(text, lambda i: text[i] == "\n"), stage=brackets,
        speech=since(text, lambda i: text[max(0, i - 1) : i + 1] == "\n\n"))


@pytest.fixture(scope="module")
def python_cells():
    """For each property, the correlations of all cells on the first passage, (H,)."""
    model, vocabulary, _ = load_text_network(ROOT / "data" / "weights" / "text.safetensors")
    state, held = model.initial_state(1), []
    for label in [-1, *vocabulary.encode(passages()[0]).tolist()]:
        _, state = model.step(torch.tensor([label]), state)
        held.append(state[-1].c[0].tanh())
    held = torch.stack(held[1:])
    rows = {key: torch.tensor(numbers).float() for key, numbers in properties(passages()[0]).items()}
    return {key: torch.corrcoef(torch.cat([row[None], held.T]))[0, 1:] for key, row in rows.items()}


def test_the_page_finds_the_cells_that_python_finds(cells, python_cells):
    """For each property: the best of all cells, and its correlation. Four of them reach the goal."""
    page = cells()
    hand = Hand(page, "pointer")
    hand.press(page.locator(f"{TOY} .toy-choice", has_text="how well it follows"))
    for n, key in enumerate(PROPERTIES):
        before = page.locator(STATUS).inner_text()
        hand.press(page.locator(f"{TOY} .toy-choice").nth(n))
        hand.press(page.locator(f"{TOY} button", has_text="Brightest cell"))
        page.wait_for_function("([s, before]) => document.querySelector(s).innerText !== before", arg=[STATUS, before])
        r = python_cells[key]
        assert abs(r[chosen(page)]) >= r.abs().max() - 1e-3, key
        assert correlation(page) == pytest.approx(r[chosen(page)].item(), abs=0.006), key
        follows = sum(python_cells[k].abs().max() >= 0.6 for k in PROPERTIES[: n + 1])
        assert page.locator(f"{TOY} .toy-reached").count() == (follows >= 4)
    assert follows >= 4
    page.locator(f"{TOY} .toy-reached", has_text="Nobody asked").wait_for()
    assert page.outside_requests == [] and page.console_errors == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_control_moves_the_picture(cells, kind):
    page = cells(width=360 if kind == "touch" else 1280, touch=kind == "touch")
    hand, toy = Hand(page, kind), page.locator(TOY)

    def press_map():
        canvas = toy.locator(".cells-map")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        hand.at(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.6)

    acts = [
        lambda: hand.slide("Cell", 0.4), lambda: hand.slide("Place", 0.5),
        lambda: hand.press(toy.get_by_role("radio", name="place in the word")),
        lambda: hand.press(toy.get_by_role("button", name="Brightest cell")),
        lambda: hand.press(toy.get_by_role("button", name="Another passage")),
    ]
    if kind != "keyboard":  # with keys, the sliders do the same
        acts += [press_map, lambda: hand.press(toy.locator(".cells-sheet span").nth(9))]
    for act in acts:
        before = picture(page, TOY)
        act()
        page.wait_for_function("([toy, before]) => document.querySelector(`${toy} canvas`).toDataURL() !== before",
                               arg=[TOY, before])
        page.locator(STATUS, has_text="Correlation").wait_for()
    assert page.outside_requests == [] and page.console_errors == []


def test_the_text_is_read_on_in_words_too_and_by_all(cells):
    page = cells(reduced_motion="no-preference")
    toy = page.locator(TOY)
    place = toy.get_by_role("slider", name="Place")
    label, before = toy.locator(".cells-map").get_attribute("aria-label"), place.input_value()
    toy.get_by_role("button", name="Read on").click()
    page.wait_for_function("before => +document.querySelectorAll('.toy.cells input[type=range]')[1].value > +before + 3", arg=before)
    toy.get_by_role("button", name="Stop").click()
    assert toy.locator(".cells-map").get_attribute("aria-label") != label
    page.locator(f"{TOY} [aria-live=polite]", has_text="the cell holds").wait_for(state="attached")
    page.evaluate("[...document.querySelectorAll('.cells-sheet span')].slice(200).forEach((letter) => letter.remove())")
    check_access(page, TOY, sizes=((360, "dark"), (1280, "light")))  # 200 letters stand for the others


@pytest.mark.parametrize("trait, says", [(dict(passage=9), "passages 0 to"), (dict(property="rhyme"), "Choose name, word")])
def test_bad_traits_are_refused(trait, says):
    with pytest.raises(TraitError, match=says):
        Cells(**trait)


def test_the_still_picture_marks_names_and_directions():
    still = Cells().still()
    assert "<mark>CLOWN.</mark>" in still and "<mark>[Enter SEBASTIAN and CLOWN.]</mark>" in still
