"""The repository itself: what a wheel carries, what may not be tracked, and files that must stay in step."""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
import zipfile

import numpy as np
import pytest
import yaml

from conftest import ROOT
from graves_nb import paths

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def tracked_files():
    """Files that are in the repository or would be with the next commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True,
    )
    if listed.returncode:
        pytest.skip("this copy is not a git checkout")
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in files if path.is_file()]


def test_tracked_files_stay_small():
    total = sum(path.stat().st_size for path in tracked_files())
    assert total < 36e6, f"tracked files take {total / 1e6:.1f} MB"


# Spelt so that this file does not contain what it looks for.
FORBIDDEN = {
    "a path of somebody's machine": r"(?<![\w.])/(?:root|home|Users|opt|work)/\w",
    "a package mirror": r"\bfile:/{3}\w|simple[/]index|--find[-]links|trusted[-]host|//[\w.-]*(?:nexus|artifactory)",
}


def texts():
    """Tracked text files as (path, text)."""
    for path in tracked_files():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_names(what):
    found = {
        str(path.relative_to(ROOT)): match[0]
        for path, text in texts() if (match := re.search(FORBIDDEN[what], text))
    }
    assert not found, f"{what}: {found}"


def test_only_ci_looks_beside_the_checkout():
    found = [path.relative_to(ROOT).as_posix() for path, text in texts() if re.search(r"\.\.(/|\W{1,4})shared\b", text)]
    assert found in ([], [".ci/run"])


# Data: what is shipped and how it is found


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel of this checkout, built with what is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_data_and_front_end(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, inside in [("data", "graves_nb/data"), ("graves_nb", "graves_nb")]:
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        missing = {f"{inside}/{path.relative_to(ROOT / folder).as_posix()}" for path in files} - names
        assert not missing, f"not in the wheel: {sorted(missing)}"


def test_the_package_finds_its_data_in_a_wheel(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = "from graves_nb.paths import data_path, site_pen; print(data_path('README.md'), site_pen())"
    out = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout
    assert out.split() == [str(tmp_path / "graves_nb" / "data" / "README.md"), paths.site_pen()]


def test_a_file_that_is_not_shipped_is_named():
    with pytest.raises(FileNotFoundError, match="no-such-pen.*reinstall"):
        paths.data_path("weights/no-such-pen.safetensors")


def test_the_site_uses_a_pen_that_ships():
    assert paths.site_pen() in ("pen", "open-pen")
    assert paths.data_path(f"weights/{paths.site_pen()}.safetensors").stat().st_size > 100_000


def test_checksums_are_those_of_the_shipped_files():
    data = ROOT / "data"
    listed = dict(reversed(line.split("  ", 1)) for line in (data / "SHA256SUMS").read_text().splitlines())
    files = [path for path in data.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    found = {path.relative_to(data).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert listed == found, "run `make sums`"


# Ink: no stroke of real handwriting is shipped

RUN = 16        # this many offsets in a row, all the same, are no accident
VARIED = 6      # a run must hold this many different rows: a straight line proves nothing


def windows(rows):
    """One 64-bit key for each run of RUN whole-number rows (N, 2), where the run is varied enough."""
    if len(rows) < RUN:
        return np.zeros(0, np.uint64)
    words = rows.astype(np.int64).astype(np.uint64)
    keys = mixed(words[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ words[:, 1])
    for shift in (1, 2, 4, 8):      # keys of 2, 4, 8 and at last 16 rows
        keys = mixed(keys[:-shift] * np.uint64(3) + keys[shift:])
    changes = np.r_[0, np.cumsum(np.any(rows[1:] != rows[:-1], axis=1))]
    return keys[changes[RUN - 1:] - changes[:len(keys)] >= VARIED]


def mixed(words):
    """Spread each 64-bit word over all its bits."""
    words = words * np.uint64(0xD6E8FEB86659FD93)
    return words ^ (words >> np.uint64(32))


@pytest.fixture(scope="session")
def real_windows(real_data):
    """Sorted keys of every run of RUN offsets in the real data."""
    return np.sort(windows(np.load(real_data / "iam_ondb_lines.npz")["dxy"]))


def matrices(value):
    """Every list of at least RUN rows of two or more numbers, anywhere in a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return
    rows = len(value) >= RUN and all(isinstance(row, list) and len(row) >= 2 for row in value)
    if rows and all(isinstance(x, (int, float)) for row in value for x in row[:2]):
        yield np.array([row[:2] for row in value], float)
    else:
        for item in value:
            yield from matrices(item)


def sequences(path):
    """The sequences of points that a shipped file may hold."""
    if path.suffix == ".npz":
        arrays = np.load(path, allow_pickle=False)
        for name in arrays.files:
            if arrays[name].ndim == 2 and arrays[name].shape[1] >= 2 and arrays[name].dtype.kind in "iuf":
                yield arrays[name][:, :2].astype(float)
    elif path.suffix in (".json", ".ipynb"):
        yield from matrices(json.loads(path.read_text(encoding="utf-8")))
    elif path.suffix == ".jsonl":
        yield from matrices([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])
    elif path.suffix == ".svg":
        pairs = re.findall(r"(-?[\d.]+(?:e-?\d+)?)[ ,](-?[\d.]+(?:e-?\d+)?)", path.read_text(encoding="utf-8"))
        yield np.array(pairs, float).reshape(-1, 2)


def guises(points):
    """A sequence as the offsets it may be: raw, normalised, or positions on the page."""
    mean, std = np.array([8.160, 0.112]), np.array([40.610, 37.052])
    return [np.rint(rows) for rows in (points, points * std + mean, np.diff(points, axis=0))]


def real_ink_in(path, real_windows):
    """How many runs of real ink a file holds."""
    keys = [windows(rows) for points in sequences(path) for rows in guises(points)]
    keys = np.concatenate(keys) if keys else np.zeros(0, np.uint64)
    nearest = np.searchsorted(real_windows, keys).clip(max=len(real_windows) - 1)
    return int((real_windows[nearest] == keys).sum())


def test_no_real_ink_is_shipped(real_windows):
    found = {path.name: count for path in tracked_files() if (count := real_ink_in(path, real_windows))}
    assert not found, f"runs of real handwriting: {found}"


@pytest.mark.parametrize("guise", ["raw", "normalised", "positions"])
def test_real_ink_would_be_found(real_data, real_windows, tmp_path, guise):
    ink = np.load(real_data / "iam_ondb_lines.npz")["dxy"][1000:1060].astype(float)
    if guise == "normalised":
        ink = (ink - [8.160, 0.112]) / [40.610, 37.052]
    if guise == "positions":
        ink = np.cumsum(ink, axis=0)
    (tmp_path / "ink.json").write_text(json.dumps({"prime": {"offsets": ink.round(4).tolist()}}))
    assert real_ink_in(tmp_path / "ink.json", real_windows) > 20


# Settings in step


def requirement(text):
    """A requirement as (name, bounds), without spaces and comments."""
    name = re.match(r"[\w-]+", text)[0]
    return name.lower(), frozenset(filter(None, text[len(name):].replace(" ", "").split(",")))


def test_environment_yml_has_the_bounds_of_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    by_pip = next(item["pip"] for item in environment if isinstance(item, dict))
    listed = [item for item in environment if isinstance(item, str)] + by_pip
    conda = {"pytorch": "torch"}
    found = {conda.get(name, name): bounds for name, bounds in map(requirement, filter(lambda t: t[0] != "-", listed))}
    project = PROJECT["project"]
    wanted = dict(map(requirement, sum(project["optional-dependencies"].values(), project["dependencies"])))
    wanted["python"] = frozenset([project["requires-python"]])
    assert {name: bounds for name, bounds in found.items() if name != "pip"} == wanted


BLOCKER = """
import sys

class OnlyTheseFour:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"{{name}} is not on the training machine", name=name)

sys.meta_path.insert(0, OnlyTheseFour())
"""


# What draws or shows; all else must be importable where a network is trained.
SHOWING = {"widgets", "toys", "plotting"}
ON_GPU = {"cuda_kernels"}  # imported at the first launch; Triton comes with PyTorch's builds for CUDA


@pytest.fixture(scope="module")
def blocker():
    """Python text that refuses every package but the four that training needs."""
    needed = PROJECT["project"]["dependencies"] + sum(PROJECT["project"]["optional-dependencies"].values(), [])
    modules = {requirement(text)[0].replace("-", "_") for text in needed} - {"torch", "numpy", "safetensors", "tqdm"}
    return BLOCKER.format(blocked=modules | {"HersheyFonts", "IPython", "yaml", "traitlets", "pooch", "scipy"})


def python(code):
    """Run Python text in the top folder; the finished process."""
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


ASK_FOR_HELP = """
from graves_nb.cli import main
for command in ["train", "evaluate", "sample", "bench"]:
    try:
        main([command, "--help"])
    except SystemExit as stop:
        assert not stop.code, command
"""


def test_commands_start_with_four_packages_only(blocker):
    done = python(blocker + ASK_FOR_HELP)
    assert done.returncode == 0, done.stderr
    assert done.stdout.lower().count("usage") == 4


def test_modules_import_with_four_packages_only(blocker):
    files = sorted((ROOT / "graves_nb").rglob("*.py"))
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]
    wanted = [name for name in names if not (SHOWING | ON_GPU) & set(name.split(".")) and not name.endswith("__main__")]
    done = python(blocker + f"import importlib\nfor name in {wanted!r}: importlib.import_module(name)")
    assert done.returncode == 0, done.stderr


def test_the_blocker_blocks(blocker):
    done = python(blocker + "import matplotlib")
    assert done.returncode != 0 and "not on the training machine" in done.stderr


def test_the_code_is_in_style():
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
