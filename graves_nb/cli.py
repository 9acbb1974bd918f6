"""The command line: train a pen, score it, write with it, ship it, pack the real data."""

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path


def main(argv=None) -> int:
    """Run one command; print a plain message and return 1 where the input cannot be used."""
    args = parser().parse_args(argv)
    if getattr(args, "threads", None):
        import torch

        torch.set_num_threads(args.threads)
    try:
        return args.run(args) or 0
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"graves_nb {args.command}: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    top = argparse.ArgumentParser(prog="graves_nb", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    add_train(commands)
    add_evaluate(commands)
    add_sample(commands)
    add_export(commands)
    add_pack(commands)
    add_bench(commands)
    return top


def add_train(commands) -> None:
    """Describe `train`: one option for each setting of a run."""
    from .training import Config

    p = commands.add_parser("train", help="train a network, or go on where a run stopped")
    p.add_argument("model", choices=["synthesis"])
    p.add_argument("--out", default="runs/synthesis", help="folder of the run (default: %(default)s)")
    p.add_argument("--device", default="auto", help="cpu, cuda, or auto (default)")
    p.add_argument("--threads", type=int, help="processor threads")
    for field in dataclasses.fields(Config):
        flag = "--" + field.name.replace("_", "-")
        p.add_argument(flag, type=type(field.default), default=field.default, help=f"(default: {field.default!r})")
    p.set_defaults(run=train)


def train(args) -> None:
    """Train to the end and say where the weights are."""
    from .training import Config, Trainer

    config = Config(**{f.name: getattr(args, f.name) for f in dataclasses.fields(Config)})
    progress = Trainer(config, args.out, find_device(args.device)).run()
    print(f"best {progress['best']:.1f} nats a line; weights in {Path(args.out) / 'weights.safetensors'}")


def find_device(name: str) -> str:
    """Return the device to use: a GPU where there is one."""
    import torch

    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def add_evaluate(commands) -> None:
    """Describe `evaluate`."""
    p = commands.add_parser("evaluate", help="score weights on a data set, by the canonical protocol")
    p.add_argument("weights")
    p.add_argument("--data", help="iam-ondb or synthetic (default: what the weights were trained on)")
    p.add_argument("--split", default="validation")
    p.add_argument("--device", default="auto")
    p.add_argument("--threads", type=int)
    p.add_argument("--json", help="write the result there, in the form of data/results/")
    p.set_defaults(run=evaluate)


def evaluate(args) -> None:
    """Score, print, and keep."""
    from .evaluation import evaluate_weights, write_result

    result = evaluate_weights(args.weights, args.data, args.split, find_device(args.device))
    print(json.dumps(result["metrics"], indent=2))
    if args.json:
        write_result(result, args.json)


def add_sample(commands) -> None:
    """Describe `sample`."""
    p = commands.add_parser("sample", help="write a line, or one line for each line of a file")
    p.add_argument("text", nargs="?")
    p.add_argument("--texts", help="a file of texts, one a line, instead of TEXT")
    p.add_argument("--bias", type=float, default=0.5)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--weights", help="default: the pen that ships with the book")
    p.add_argument("--prime", help="a JSON file as --json writes it: go on in the hand of that line")
    p.add_argument("--svg", help="write a picture there")
    p.add_argument("--json", help="write the pen's offsets there (JSON lines with --texts)")
    p.add_argument("--threads", type=int)
    p.set_defaults(run=write)


def write(args) -> int:
    """Write every text that can be written; report the others."""
    from .pen import Pen, texts_of

    pen = Pen.load(args.weights)
    prime = pen.read_prime(args.prime) if args.prime else None
    rows = pen.write_rows(texts_of(args), args.bias, args.seed, prime)
    for row in rows:
        if "error" in row and not args.texts:
            raise ValueError(row["error"])
    pen.save_rows(rows, args.json, args.svg, many=bool(args.texts))
    return int(any("error" in row for row in rows))


def add_export(commands) -> None:
    """Describe `export`."""
    p = commands.add_parser("export", help="turn a run's weights into a pen: float16, with its terms and gallery")
    p.add_argument("weights")
    p.add_argument("out", help="such as data/weights/open-pen.safetensors")
    p.add_argument("--name", required=True)
    p.add_argument("--licence", required=True, help="the line that stands under the pen")
    p.set_defaults(run=export)


def export(args) -> None:
    """Ship a pen: weights and gallery."""
    from .pen import export_pen

    export_pen(args.weights, args.out, name=args.name, licence=args.licence)


def add_pack(commands) -> None:
    """Describe `pack`."""
    p = commands.add_parser("pack", help="pack the official IAM-OnDB download into one file")
    p.add_argument("source", help="folder with lineStrokes-all.tar.gz, ascii-all.tar.gz and the split lists")
    p.add_argument("--out", default=None, help="default: iam_ondb_lines.npz in $GRAVES_NB_DATA")
    p.set_defaults(run=pack)


def pack(args) -> None:
    """Read the archives and write the packed file."""
    from .datasets import iam_ondb

    out = args.out or Path(os.environ.get("GRAVES_NB_DATA", ".")) / "iam_ondb_lines.npz"
    iam_ondb.pack(args.source, out)


def add_bench(commands) -> None:
    """Describe `bench`."""
    p = commands.add_parser("bench", help="measure speeds on this machine, or check its GPU")
    p.add_argument("--out", default="runs/bench", help="folder for the JSON files (default: %(default)s)")
    kinds = ["training", "sampling", "page"]
    p.add_argument("--only", nargs="+", choices=kinds, default=kinds, help="what to measure (default: all)")
    p.add_argument("--check", action="store_true", help="check the GPU's kernels instead; status 1 if one fails")
    p.add_argument("--tune", action="store_true", help="time each way to split the kernels' work instead")
    p.add_argument("--threads", type=int, help="processor threads")
    p.set_defaults(run=bench)


def bench(args) -> int:
    """Measure, or check."""
    if args.check or args.tune:
        import torch

        from . import bench_check

        if not torch.cuda.is_available():
            raise ValueError("There is no GPU here to check. Leave out --check and --tune.")
        return bench_check.run() if args.check else bench_check.tune()
    from .bench import run

    return run(args.out, args.only)
