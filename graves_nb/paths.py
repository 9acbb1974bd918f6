"""Where shipped files lie, in a checkout and in an installed package alike."""

import tomllib
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def data_path(name: str = "") -> Path:
    """Path of a shipped file or folder, such as `data_path("weights/pen.safetensors")`.

    A wheel carries `data/` inside the package; a checkout has it beside the package.
    """
    installed, checkout = PACKAGE / "data", PACKAGE.parent / "data"
    path = (installed if installed.is_dir() else checkout) / name
    if not path.exists():
        raise FileNotFoundError(
            f"{name!r} is not among the shipped data ({path}). Take a full checkout of the "
            "repository, or reinstall the package from it."
        )
    return path


def site_pen() -> str:
    """Name of the pen that the site writes with: `pen` or `open-pen` (site.toml)."""
    return site_settings()["pen"]


def site_predictor() -> str:
    """Name of the predictor of the pen's kind: `predictor`, or `open-predictor` where that does not ship."""
    name = site_pen().removesuffix("pen") + "predictor"
    return name if (data_path("weights") / f"{name}.safetensors").is_file() else "open-predictor"


def site_settings() -> dict:
    """The settings in site.toml: `pen`, `repository`, `ref`."""
    return tomllib.loads((PACKAGE / "site.toml").read_text(encoding="utf-8"))
