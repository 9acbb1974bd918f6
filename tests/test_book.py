"""Book and package in step: marked cells stand in the package, and each public name in one chapter."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import stamp  # noqa: E402

NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
EACH_NOTEBOOK = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

# The modules that the chapters teach.
TEACHING = {"lstm", "mixture", "window", "models", "optim", "noise", "sampling", "dynamic", "strokes", "hand"}


def cells(path, kind=None):
    """The cells of a notebook as (type, source, metadata)."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    found = [(cell["cell_type"], "".join(cell["source"]), cell["metadata"]) for cell in notebook["cells"]]
    return [cell for cell in found if kind in (None, cell[0])]


def marked(path):
    """The (module file, code) of each cell whose first line names a file of the package."""
    for _, source, _ in cells(path, "code"):
        match = re.match(r"# (graves_nb/[\w/]+\.py)\n", source)
        if match:
            yield match[1], source[match.end():].strip("\n")


def definitions(code):
    """Names that a piece of Python defines at its top level, private ones aside."""
    return {
        node.name for node in ast.parse(code).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    }


def chapters_that_show(module):
    """For each public name of a module, the chapters whose marked cells define it."""
    file = f"graves_nb/{module}.py"
    shown = {name: [] for name in definitions((ROOT / file).read_text(encoding="utf-8"))}
    for path in NOTEBOOKS:
        for source_file, code in marked(path):
            for name in definitions(code) & set(shown) if source_file == file else ():
                shown[name].append(path.stem)
    return shown


@EACH_NOTEBOOK
def test_marked_cells_stand_verbatim_in_the_package(path):
    for file, code in marked(path):
        source = (ROOT / file).read_text(encoding="utf-8")
        assert f"\n{code}\n" in f"\n{source}\n", f"{path.name}: this cell differs from {file}:\n{code[:300]}"


@pytest.mark.parametrize("module", sorted(TEACHING))
def test_each_public_name_is_shown_in_exactly_one_chapter(module):
    wrong = {name: where for name, where in chapters_that_show(module).items() if len(where) != 1}
    assert not wrong, f"graves_nb/{module}.py: shown in no chapter or in several: {wrong}"


@EACH_NOTEBOOK
def test_no_outputs_are_stored(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None, f"clear the outputs of {path.name}"


@EACH_NOTEBOOK
def test_prose_stands_between_code_cells(path):
    kinds = "".join("c" if kind == "code" else "." for kind, source, _ in cells(path))
    assert "ccc" not in kinds, f"{path.name} has three code cells in a row"


@EACH_NOTEBOOK
def test_the_bootstrap_cell_is_the_same_everywhere(path):
    settings = stamp.settings(ROOT)
    wanted = stamp.bootstrap_cell(settings["repository"], settings["ref"])
    found = [cell for cell in json.loads(path.read_text())["cells"] if cell.get("id") == stamp.BOOTSTRAP_ID]
    assert found == [wanted], f"run `make stamp` to write the Colab cell of {path.name}"


@EACH_NOTEBOOK
def test_each_figure_has_alt_text(path):
    for _, source, _ in cells(path, "code"):
        if re.search(r"\b(figure\(|plt\.)", source):
            alt = re.search(r'show\(\w+, f?"(.{20,})', source)
            assert alt, f"{path.name}: end the cell with show(fig, \"what the figure shows\"):\n{source[:200]}"


@EACH_NOTEBOOK
def test_markdown_pictures_have_alt_text(path):
    for _, source, _ in cells(path, "markdown"):
        for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", source):
            assert len(alt) > 20, f"{path.name}: say in words what {target} shows"


def test_every_notebook_is_in_the_table_of_contents():
    toc = (ROOT / "_toc.yml").read_text()
    missing = [path.stem for path in NOTEBOOKS if f"book/{path.stem}" not in toc]
    assert not missing, f"add to _toc.yml: {missing}"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "data/README.md"])
def test_local_links_and_pictures_exist(name):
    page = ROOT / name
    for _, target in re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        assert re.match(r"https?:|#", target) or (page.parent / target).exists(), f"{name} points at {target}"


def test_the_book_is_built_without_real_data():
    plan = subprocess.run(["make", "-n", "-B", "book"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    build = next(line for line in plan.splitlines() if "jupyter-book build" in line)
    assert "env -u GRAVES_NB_DATA" in build and " -W " in build


def test_stamping_is_complete_and_can_be_undone(tmp_path):
    """A fork's stamp reaches every link, and stamping back gives the same bytes."""
    before = copy_of_what_is_stamped(tmp_path)
    old = stamp.settings(tmp_path)
    stamp.stamp(tmp_path, "somebody/their-fork", "v2")
    for name in before:
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert old["repository"] not in text and stamp.pages(old["repository"]) not in text, name
        assert not re.search(r"their-fork(@|/blob/)(?!v2)", text), name
    assert "branch: v2\n" in (tmp_path / "_config.yml").read_text()
    stamp.stamp(tmp_path, old["repository"], old["ref"])
    assert before == {name: (tmp_path / name).read_bytes() for name in before}


def copy_of_what_is_stamped(target: Path):
    """Copy the stamped files below `target`; their bytes by name."""
    names = [*stamp.LINKED, *(f"book/{path.name}" for path in NOTEBOOKS)]
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes((ROOT / name).read_bytes())
    return {name: (target / name).read_bytes() for name in names}


def test_a_mangled_repository_is_refused(tmp_path):
    before = copy_of_what_is_stamped(tmp_path)
    with pytest.raises(SystemExit, match="OWNER/REPO"):
        stamp.stamp(tmp_path, "no-owner")
    assert before == {name: (tmp_path / name).read_bytes() for name in before}
