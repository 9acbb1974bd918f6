"""A rehearsal of Colab: an empty folder, a notebook and nothing else, and the package fetched by the first cell."""

import os
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from conftest import ROOT
from graves_nb.paths import site_settings

# One that needs nothing but code, and one that needs the weights; the first cell of all is the same.
NOTEBOOKS = [next((ROOT / "book").glob(f"{number}_*.ipynb")) for number in ("06", "10")]
RUN = "import nbformat, nbclient, sys; nbclient.NotebookClient(nbformat.read(sys.argv[1], 4), timeout=300).execute()"


def git(*arguments, **options):
    """Run git as somebody; its output."""
    somebody = ["-c", "user.name=reader", "-c", "user.email=reader@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *somebody, *arguments], check=True, capture_output=True, **options).stdout


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A repository with this tree as it is now, at the ref that the notebooks ask for."""
    if not (ROOT / ".git").exists():
        pytest.skip("this copy is not a git checkout")
    origin = tmp_path_factory.mktemp("origin")
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).decode()
    for name in filter(lambda name: name and (ROOT / name).is_file(), listed.split("\0")):
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, origin / name)
    git("init", "--quiet", cwd=origin)
    git("add", "--all", cwd=origin)
    git("commit", "--quiet", "-m", "The tree under test", cwd=origin)
    git("branch", "-M", site_settings()["ref"], cwd=origin)
    return origin


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """A Python that has every package of this one but ours, as Colab has torch and Jupyter."""
    room = tmp_path_factory.mktemp("colab")
    venv.create(room / "env", with_pip=False)
    lent = room / "lent"
    lent.mkdir()
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if "graves_nb" not in entry.name:
            (lent / entry.name).symlink_to(entry)
    site = next((room / "env").glob("lib/*/site-packages"))
    (site / "lent.pth").write_text(f"{lent}\n")
    return room / "env" / "bin" / "python"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_alone_in_a_folder_runs(path, origin, colab, tmp_path):
    shutil.copy(path, tmp_path)
    settings = site_settings()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GRAVES_NB"))},
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{origin.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"https://github.com/{settings['repository']}",
        "PIP_NO_BUILD_ISOLATION": "0",      # pip reads it as the value of build-isolation: the builder is at hand
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [colab, "-c", RUN, path.name], cwd=tmp_path, env=environment, capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    fetched = subprocess.run(
        [colab, "-c", "import graves_nb; print(graves_nb.__file__)"], cwd=tmp_path, env=environment,
        capture_output=True, text=True, check=True,
    ).stdout
    assert str(colab.parents[1]) in fetched, f"the notebook ran with the package at {fetched}"
