"""The command line: train networks, score them, let them write, ship them, pack the real data."""

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
    add_compare(commands)
    add_merge(commands)
    add_ablate(commands)
    add_legibility(commands)
    add_style(commands)
    add_reproduce(commands)
    add_sample(commands)
    add_sheet(commands)
    add_babble(commands)
    add_export(commands)
    add_quantise(commands)
    add_pack(commands)
    add_bench(commands)
    return top


def add_train(commands) -> None:
    """Describe `train`: one option for each setting of a run, with the model's own defaults."""
    from .training import DEFAULTS, Config

    models = commands.add_parser("train", help="train a network, or go on where a run stopped").add_subparsers(
        dest="model", required=True, help="which network: of section 5, 4 or 3, beyond the paper, or a reader of ink")
    for model, defaults in DEFAULTS.items():
        p = models.add_parser(model)
        p.add_argument("--out", default=f"runs/{model}", help="folder of the run (default: %(default)s)")
        p.add_argument("--device", default="auto", help="cpu, cuda, or auto (default)")
        p.add_argument("--threads", type=int, help="processor threads")
        for field in dataclasses.fields(Config)[1:]:
            default, flag = defaults.get(field.name, field.default), "--" + field.name.replace("_", "-")
            p.add_argument(flag, type=type(field.default), default=default, help=f"(default: {default!r})")
    commands.choices["train"].set_defaults(run=train)


def train(args) -> None:
    """Train to the end and say where the weights are."""
    from . import parallel
    from .training import Config, Trainer

    config = Config(**{f.name: getattr(args, f.name) for f in dataclasses.fields(Config)})
    trainer = Trainer(config, args.out, find_device(args.device))
    best = trainer.run()["best"]
    if parallel.rank() == 0:
        print(f"best {best:.4g} {trainer.task.unit}; weights in {Path(args.out) / 'weights.safetensors'}")
    parallel.stop()


def find_device(name: str) -> str:
    """Return the device to use: a GPU where there is one. ValueError where the one that is named cannot be used."""
    import torch

    name = ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        why = str(error).splitlines()[0]
        raise ValueError(f"There is no device {name!r} here ({why}). Choose cpu or auto.") from error
    return name


def add_evaluate(commands) -> None:
    """Describe `evaluate`."""
    p = commands.add_parser("evaluate", help="score weights on a data set, by the canonical protocol")
    p.add_argument("weights")
    p.add_argument("--data", help="iam-ondb, synthetic, ptb-char, ... (default: what the weights were trained on)")
    p.add_argument("--split", default="validation")
    p.add_argument("--limit", type=int, default=0, help="score the first lines or sentences only")
    p.add_argument("--draws", type=int, default=0, help="score so many draws of noisy weights, not their means")
    p.add_argument("--dynamic", action="store_true", help="let a text network learn while it reads")
    p.add_argument("--lr", type=float, default=1e-4, help="of --dynamic (default: %(default)s)")
    p.add_argument("--momentum", type=float, default=0.99, help="of --dynamic (default: %(default)s)")
    p.add_argument("--device", default="auto")
    p.add_argument("--threads", type=int)
    p.add_argument("--json", help="write the result there, in the form of data/results/")
    p.set_defaults(run=evaluate)


def evaluate(args) -> None:
    """Score, print, and keep."""
    from .evaluation import evaluate_weights, write_result

    dynamic = dict(lr=args.lr, momentum=args.momentum) if args.dynamic else None
    result = evaluate_weights(args.weights, args.data, args.split, find_device(args.device), dynamic=dynamic,
                              draws=args.draws, limit=args.limit)
    print(json.dumps(result["metrics"], indent=2))
    if args.json:
        write_result(result | dict(name=Path(args.json).stem), args.json)


def add_compare(commands) -> None:
    """Describe `compare`."""
    p = commands.add_parser("compare", help="say how far two networks' losses are apart, with an interval")
    p.add_argument("first", help="weights; where the difference is below 0, these are the better ones")
    p.add_argument("second")
    p.add_argument("--data", help="iam-ondb, synthetic, ... (default: what the first weights were trained on)")
    p.add_argument("--split", default="validation")
    p.add_argument("--limit", type=int, default=0, help="score the first lines only")
    p.add_argument("--level", type=float, default=0.95, help="of the interval (default: %(default)s)")
    p.add_argument("--draws", type=int, default=10_000, help="of writers (default: %(default)s)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--device", default="auto")
    p.add_argument("--threads", type=int)
    p.add_argument("--json", help="write the result there, for data/results/")
    p.set_defaults(run=compare)


def compare(args) -> None:
    """Score both, print, and keep."""
    from .intervals import compare as compare_weights
    from .results import write_result

    result = compare_weights(args.first, args.second, args.data, args.split, find_device(args.device), limit=args.limit,
                             level=args.level, draws=args.draws, seed=args.seed)
    print(json.dumps(result["metrics"], indent=2))
    if args.json:
        write_result(result | dict(name=Path(args.json).stem), args.json)


def add_merge(commands) -> None:
    """Describe `merge`."""
    p = commands.add_parser("merge", help="join results that differ in their seeds alone")
    p.add_argument("results", nargs="+", help="JSON files that `evaluate` wrote")
    p.add_argument("--json", required=True, help="write mean and standard deviation there")
    p.set_defaults(run=merge)


def merge(args) -> None:
    """Read, join, and keep."""
    from .results import merge_seeds, write_result

    rows = [json.loads(Path(path).read_text(encoding="utf-8")) for path in args.results]
    write_result(merge_seeds(rows) | dict(name=Path(args.json).stem), args.json)


def add_ablate(commands) -> None:
    """Describe `ablate`."""
    from .ablations import ABLATIONS, BASE

    p = commands.add_parser("ablate", help="train the pen with one part changed, or several such runs in turn")
    p.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ABLATIONS)} (default: all)")
    p.add_argument("--out", default="runs/ablations", help="folder of the runs (default: %(default)s)")
    p.add_argument("--json", default="data/results/ablations.json", help="the ledger (default: %(default)s)")
    p.add_argument("--data", default=BASE["data"])
    p.add_argument("--hidden", type=int, default=400, help="cells of a layer (default: %(default)s, the paper's)")
    for name in ("batch", "updates", "validate_every", "validation_lines"):
        p.add_argument(f"--{name.replace('_', '-')}", type=int, default=BASE[name], help="(default: %(default)s)")
    p.add_argument("--seeds", type=int, default=2, help="runs of each (default: %(default)s)")
    p.add_argument("--operands", default="auto", help="float32, bfloat16, or auto (default)")
    p.add_argument("--device", default="auto")
    p.add_argument("--threads", type=int)
    p.set_defaults(run=ablate)


def ablate(args) -> None:
    """Train one after the other; a run that was finished before is only scored."""
    from . import ablations

    if unknown := set(args.names) - set(ablations.ABLATIONS):
        raise ValueError(f"There is no ablation {', '.join(sorted(unknown))}. Choose {', '.join(ablations.ABLATIONS)}.")
    chosen = ("data", "hidden", "batch", "updates", "validate_every", "validation_lines", "operands")
    settings = {k: getattr(args, k) for k in chosen}
    for name in args.names or ablations.ABLATIONS:
        row = ablations.ablate(name, args.out, find_device(args.device), args.json, args.seeds, **settings)
        print(name, json.dumps({k: row.get(k) for k in ("updates", "minutes", "diverged_at", "metrics")}))


def add_legibility(commands) -> None:
    """Describe `legibility`."""
    p = commands.add_parser("legibility", help="let a recogniser read what a pen writes, beside real lines")
    p.add_argument("pen")
    p.add_argument("recogniser")
    p.add_argument("--biases", type=float, nargs="+", default=[0, 0.5, 1, 2, 5], help="(default: 0 0.5 1 2 5)")
    p.add_argument("--data", default="iam-ondb", help="(default: %(default)s)")
    p.add_argument("--split", default="validation")
    p.add_argument("--limit", type=int, default=0, help="the first lines only")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--device", default="auto", help="of the recogniser")
    p.add_argument("--threads", type=int)
    p.add_argument("--json", help="write the result there")
    p.set_defaults(run=legibility)


def legibility(args) -> None:
    """Write, read, compare."""
    from .legibility import measure
    from .results import write_result

    result = measure(args.pen, args.recogniser, args.biases, args.data, args.split, find_device(args.device),
                     limit=args.limit, seed=args.seed)
    print(json.dumps(result, indent=2))
    if args.json:
        write_result(result | dict(name=Path(args.json).stem), args.json)


def add_style(commands) -> None:
    """Describe `style`."""
    p = commands.add_parser("style", help="measure whether a primed pen keeps to the hand of its prime")
    p.add_argument("pen")
    p.add_argument("reader", help="weights of `train style`")
    p.add_argument("--bias", type=float, default=0.0, help="of the primed lines (default: %(default)s)")
    p.add_argument("--primes", type=int, default=60, help="lines to go on from, of each set (default: %(default)s)")
    p.add_argument("--data", default="iam-ondb", help="(default: %(default)s)")
    p.add_argument("--splits", nargs="+", default=["validation2", "validation"],
                   help="one whose writers the pen has met, one of new ones (default: %(default)s)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--device", default="auto", help="of the reader")
    p.add_argument("--threads", type=int)
    p.add_argument("--json", help="write the result there")
    p.set_defaults(run=style)


def style(args) -> None:
    """Write, embed, compare."""
    from .results import write_result
    from .style import measure

    result = measure(args.pen, args.reader, args.data, args.splits, args.bias, find_device(args.device),
                     primes=args.primes, seed=args.seed)
    print(json.dumps(result, indent=2))
    if args.json:
        write_result(result | dict(name=Path(args.json).stem), args.json)


def add_reproduce(commands) -> None:
    """Describe `reproduce`."""
    p = commands.add_parser("reproduce", help="print the commands that make the tables, in order")
    p.set_defaults(run=reproduce)


def reproduce(args) -> None:
    """Print them."""
    from .reproduce import results, script

    print(script(results()), end="")


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

    texts, pen = texts_of(args), Pen.load(args.weights)
    prime = pen.read_prime(args.prime) if args.prime else None
    rows = pen.write_rows(texts, args.bias, args.seed, prime)
    for row in rows:
        if "error" in row and not args.texts:
            raise ValueError(row["error"])
    pen.save_rows(rows, args.json, args.svg)
    return int(any("error" in row for row in rows))


def add_sheet(commands) -> None:
    """Describe `sheet`."""
    p = commands.add_parser("sheet", help="write the lines of a file on one sheet, and report where they stop")
    p.add_argument("texts", nargs="?", help="a file of texts, one a line (default: the forty sentences that ship)")
    p.add_argument("--bias", type=float, default=1.0)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--weights", help="default: the pen that ships with the book")
    p.add_argument("--svg", help="draw the sheet there")
    p.add_argument("--json", help="write the report there")
    p.add_argument("--threads", type=int)
    p.set_defaults(run=sheet)


def sheet(args) -> None:
    """Write, count the failures, draw."""
    from . import stops
    from .paths import data_path
    from .pen import Pen, write_text
    from .results import commit, device_name, write_result

    texts = Path(args.texts or data_path("text/forty.txt")).read_text(encoding="utf-8").splitlines()
    result, rows = stops.run(Pen.load(args.weights), texts, args.bias, args.seed, device_name("cpu"), commit())
    print(json.dumps(result, indent=2))
    if args.svg:
        write_text(args.svg, stops.sheet(rows))
    if args.json:
        write_result(result, args.json)


def add_babble(commands) -> None:
    """Describe `babble`."""
    p = commands.add_parser("babble", help="let a text network write")
    p.add_argument("weights")
    p.add_argument("--length", type=int, default=500, help="symbols (default: %(default)s)")
    p.add_argument("--temperature", type=float, default=1.0, help="below 1: safer; above: wilder")
    p.add_argument("--prime", default="", help="go on from this text")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--count", type=int, default=1, help="texts, of this seed and the next ones")
    p.add_argument("--json", help="write the texts there, and how many of the brackets and tags they open are closed")
    p.add_argument("--beside", help="with --json: count the same of this split of what the network learnt from")
    p.set_defaults(run=babble)


def babble(args) -> None:
    """Print prime and continuation, or keep them with what they close."""
    from . import datasets
    from .checkpoints import read_tensors
    from .results import write_result
    from .text import closed_shares, load_text_network, sample_text

    model, vocabulary, restart = load_text_network(args.weights)
    seeds = list(range(args.seed, args.seed + args.count))
    texts = sample_text(model, vocabulary, args.length, temperature=args.temperature, prime=args.prime, seeds=seeds,
                        restart=restart)
    if not args.json:
        gap = " " * (vocabulary.kind == "words" and args.prime[-1:].strip() != "")
        return print("\n\n".join(args.prime + gap + text for text in texts))
    row = dict(prime=args.prime, temperature=args.temperature, seeds=seeds, weights=Path(args.weights).name)
    row |= dict(texts=texts, closed=closed_shares(texts))
    if args.beside:
        real = datasets.load_text(read_tensors(args.weights)[1]["data"], args.beside)
        row |= dict(beside=args.beside, closed_beside=closed_shares([real.vocabulary.decode(real.labels)]))
    write_result(row, args.json)


def add_export(commands) -> None:
    """Describe `export`."""
    p = commands.add_parser("export", help="turn a run's weights into what ships: a pen in float16 with its gallery, "
                                          "another network in 8 bits")
    p.add_argument("weights")
    p.add_argument("out", help="such as data/weights/open-pen.safetensors")
    p.add_argument("--name", required=True)
    p.add_argument("--licence", required=True, help="the line that stands under the pen")
    p.add_argument("--widths", action="store_true", help="keep the widths that adaptive weight noise has learnt")
    p.set_defaults(run=export)


def export(args) -> None:
    """Ship a network."""
    from .pen import export as export_network

    export_network(args.weights, args.out, name=args.name, licence=args.licence, widths=args.widths)


def add_quantise(commands) -> None:
    """Describe `quantise`."""
    p = commands.add_parser("quantise", help="write weights in 8 bits, as the page gets them")
    p.add_argument("weights")
    p.add_argument("out", help="such as runs/pen-8bit.safetensors; `evaluate` and `sample` take it too")
    p.set_defaults(run=to_eight_bits)


def to_eight_bits(args) -> None:
    """Write the file that a page would load."""
    from .site import page_file

    Path(args.out).write_bytes(page_file(Path(args.weights)))


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
