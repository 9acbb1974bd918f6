"""The page for teachers says of the chapters what they are today."""

import json
import re

import pytest

from conftest import HTML, ROOT

CHAPTERS = sorted((ROOT / "book").glob("[0-9]*.ipynb"))
EACH_CHAPTER = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def markdown(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


@EACH_CHAPTER
def test_the_page_lists_the_chapter(path):
    page, text = (HTML / "book" / "for_teachers.html").read_text(encoding="utf-8"), markdown(path)
    title = re.search(r"^# (.+)", text, re.M)[1]
    assert f"<strong>{title}</strong>" in page
    for misconception in re.findall(r":::\{admonition\} (You might.+)", text):
        assert misconception in page
    assert "Predict first" not in text or len(re.findall("Predict first: ", page)) >= 1


@EACH_CHAPTER
def test_open_exercises_have_a_checker_that_the_page_can_grade(path):
    """Below the empty function, two blank lines on, stands the checker; it says what it waits for."""
    wanted = len(re.findall(r"^\*\*\d+\.\*\* \*Open", markdown(path), re.M))
    cells = ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    checkers = [cell for cell in cells if "is waiting for your code" in cell and "# your code here\n\n\n" in cell]
    assert len(checkers) == wanted
