"""Write the repository and ref into every link and Colab cell of the book.

    python tools/stamp.py                   from graves_nb/site.toml, as after adding a notebook
    python tools/stamp.py OWNER/REPO [REF]  for this repository and branch or tag

The deploy workflow runs it, so a fork's links lead to the fork. Only the standard library is needed.
"""

import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = "graves_nb/site.toml"
LINKED = ("_config.yml", "README.md", "CITATION.cff", "CONTRIBUTING.md", SETTINGS)

BOOTSTRAP_ID = "bootstrap"
BOOTSTRAP = """\
# On Colab this fetches the book's package. Elsewhere it does nothing.
try:
    import graves_nb
except ModuleNotFoundError:
    %pip install -q git+https://github.com/{repository}@{ref}"""


def settings(root: Path) -> dict:
    """What the tree at `root` says of itself: `pen`, `repository`, `ref`."""
    return tomllib.loads((root / SETTINGS).read_text(encoding="utf-8"))


def bootstrap_cell(repository: str, ref: str) -> dict:
    """The notebook cell that fetches the package where it is missing; the built page hides it."""
    source = BOOTSTRAP.format(repository=repository, ref=ref)
    return {
        "cell_type": "code", "execution_count": None, "id": BOOTSTRAP_ID,
        "metadata": {"tags": ["remove-cell"]}, "outputs": [],
        "source": source.splitlines(keepends=True),
    }


def stamp_notebook(path: Path, repository: str, ref: str) -> None:
    """Put the bootstrap cell into a notebook, after its title unless it has one already."""
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    cells = notebook["cells"]
    at = next((i for i, cell in enumerate(cells) if cell.get("id") == BOOTSTRAP_ID), None)
    cells[slice(1, 1) if at is None else slice(at, at + 1)] = [bootstrap_cell(repository, ref)]
    write(path, text, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def restamp(text: str, old: dict, repository: str, ref: str) -> str:
    """`text` with the old repository, its pages and its ref replaced by the new ones."""
    text = text.replace(pages(old["repository"]), pages(repository))
    text = text.replace(old["repository"], repository)
    text = text.replace(f"{repository}/blob/{old['ref']}/", f"{repository}/blob/{ref}/")
    text = text.replace(f"{repository}@{old['ref']}", f"{repository}@{ref}")
    return re.sub(rf'^(\s*branch: |ref = "){re.escape(old["ref"])}\b', rf"\g<1>{ref}", text, flags=re.M)


def pages(repository: str) -> str:
    """Address where GitHub Pages serves the repository's site."""
    owner, name = repository.split("/")
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def write(path: Path, old: str, new: str) -> None:
    """Write a file that changes, and name it."""
    if new != old:
        path.write_text(new, encoding="utf-8")
        print("stamped", path)


def stamp(root: Path, repository: str | None = None, ref: str | None = None) -> None:
    """Stamp the tree at `root`; what is not given stays as site.toml has it."""
    old = settings(root)
    repository, ref = repository or old["repository"], ref or old["ref"]
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository) or not re.fullmatch(r"[\w./-]+", ref):
        raise SystemExit(f"not a repository and ref: {repository} {ref}. Give OWNER/REPO and a branch or tag.")
    for path in (root / name for name in LINKED):
        text = path.read_text(encoding="utf-8")
        write(path, text, restamp(text, old, repository, ref))
    for path in sorted((root / "book").glob("*.ipynb")):
        stamp_notebook(path, repository, ref)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        raise SystemExit(__doc__)
    stamp(ROOT, *sys.argv[1:])
