"""A pen: weights that write, with their units, their gallery and their terms."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from .alphabet import one_hot
from .checkpoints import WIDTH, load_weights, read_tensors, write_tensors
from .paths import data_path, site_pen
from .quantise import quantise
from .sampling import Prime, Sample, sample
from .stops import judge
from .strokes import Normalisation
from .svg import to_svg


@dataclass
class Pen:
    """A trained network and the units of the ink that it learnt from."""

    model: torch.nn.Module
    normalisation: Normalisation
    name: str

    @classmethod
    def load(cls, path=None) -> "Pen":
        """Open a weights file; by default the pen that ships with the book."""
        path = Path(path or data_path(f"weights/{site_pen()}.safetensors"))
        model, info = load_weights(path)
        if info["model"] != "HandwritingSynthesizer":
            raise ValueError(f"{path} holds no pen but a {info['model']}. Choose weights of `train synthesis`.")
        return cls(model, Normalisation(**info["normalisation"]), path.name)

    def write(self, texts: list[str], bias=0.5, seeds=None, prime: Prime | None = None, keep_phi=False) -> list[Sample]:
        """Write lines of ink (normalised offsets)."""
        return sample(self.model, texts, bias=bias, seeds=seeds, prime=prime, keep_phi=keep_phi)

    @torch.no_grad()
    def read(self, text: str, points: Tensor) -> Tensor:
        """Return the raw outputs (T, 1 + 6M) after each of `points` (T, 3), normalised, in a line that reads `text`."""
        return self.model(points.unsqueeze(1), one_hot([text]))[0].squeeze(1)

    def write_rows(self, texts, bias, seed, prime=None) -> list[dict]:
        """Write each text as a row for JSON; a text that cannot be written gives its error."""
        rows = []
        for number, text in enumerate(texts):
            try:
                line = self.write([text], bias, [seed + number], prime)[0]
                rows.append(self.row(line, bias, seed + number))
            except ValueError as error:
                rows.append(dict(text=text, error=str(error)))
        return rows

    def row(self, line: Sample, bias: float, seed: int) -> dict:
        """Describe a line as `--json` writes it: offsets in tablet units, y down."""
        raw = self.normalisation.invert(line.offsets).double()
        offsets = [[round(dx, 2), round(dy, 2), int(end)] for dx, dy, end in raw.tolist()]
        return dict(text=line.text, offsets=offsets, stopped=line.stopped, bias=bias, seed=seed, weights=self.name)

    def read_prime(self, path) -> Prime:
        """Read a line that `--json` wrote, to go on in its hand."""
        try:
            row = json.loads(Path(path).read_text(encoding="utf-8"))
            raw = torch.tensor(row["offsets"], dtype=torch.float32)
            return Prime(row["text"], self.normalisation.apply(raw))
        except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a line that `sample --json` wrote: it needs text and offsets.") from error

    def save_rows(self, rows, json_path, svg_path) -> None:
        """Write the JSON and the picture (of one row) that were asked for; print the JSON where neither was."""
        text = "".join(json.dumps(row) + "\n" for row in rows)
        if json_path:
            write_text(json_path, text)
        if svg_path:
            write_text(svg_path, to_svg(rows[0]["offsets"], title=rows[0]["text"], alone=True))
        if not (json_path or svg_path):
            print(text, end="")


def write_text(path, text: str) -> None:
    """Write a file whole or not at all."""
    part = Path(str(path) + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def texts_of(args) -> list[str]:
    """Return the texts that the command line names."""
    if (args.text is None) == (args.texts is None):
        raise ValueError('Say what to write: sample "some text", or --texts FILE.')
    if args.texts and args.svg:
        raise ValueError("--svg draws one line: leave out --texts, or leave out --svg.")
    if args.texts is None:
        return [args.text]
    return Path(args.texts).read_text(encoding="utf-8").splitlines()


GALLERY = [
    "the pen goes on and on", "a quiet letter home", "rain over the hills", "she said yes at once",
    "far out on the water", "we ran down the lane", "an old book of maps", "time to put it away",
    "bread and salt and wine", "he took the long road",
]


def export(weights, out, *, name: str, licence: str, widths=False) -> None:
    """Turn a run's float32 weights into what ships, with its terms: a pen, or another network in 8 bits.

    `widths` keeps those that adaptive weight noise has learnt, and all in float16.
    """
    tensors, info = read_tensors(weights)
    tensors = {k: v for k, v in tensors.items() if widths or not k.startswith(WIDTH)}
    is_pen = info["model"] == "HandwritingSynthesizer"
    halves = {k: v.half() for k, v in tensors.items()}
    write_tensors(out, halves if is_pen or widths else quantise(tensors), info | dict(name=name, licence=licence))
    if is_pen:
        write_gallery(out)


def write_gallery(out) -> None:
    """Let a pen write the lines of its gallery: of some seeds the first line each that may serve as a prime."""
    pen, gallery = Pen.load(out), []
    for n, text in enumerate(tqdm(GALLERY, desc="gallery", unit="line")):
        seeds = range(100 * n, 100 * n + 8)
        lines = pen.write([text] * len(seeds), bias=0.7, seeds=list(seeds), keep_phi=True)
        seed, line = next(((seed, line) for seed, line in zip(seeds, lines) if may_prime(line)), (seeds[0], lines[0]))
        raw = pen.normalisation.invert(line.offsets).round().int().tolist()
        gallery.append(dict(text=text, offsets_raw=raw, seed=seed, bias=0.7))
    write_text(Path(out).with_suffix(".gallery.json"), json.dumps(gallery, separators=(",", ":")))


def may_prime(line: Sample) -> bool:
    """Say whether a line is whole, and can be cut after each word where the pen lifts."""
    stop = judge(line)
    place = line.phi[:, : len(line.text)].argmax(1)  # which character the window is at
    lifts = line.offsets[:, 2].cumsum(0)
    spaces = [u for u, character in enumerate(line.text) if character == " "]
    if stop.early or stop.never or not all((place > u).any() for u in spaces):
        return False
    cuts = [lifts[int((place > u).nonzero()[0]) - 1].item() for u in spaces]  # how many lifts before the next word
    return cuts == sorted(set(cuts)) and 0 < cuts[0] and cuts[-1] < lifts[-1].item()
