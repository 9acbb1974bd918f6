"""Which commands make which figures: one list, for the README, chapter 11 and whoever has an evening and a GPU.

`python -m graves_nb reproduce` prints it as a shell script, with the minutes of each run whose figures ship.
"""

import json
from typing import NamedTuple

from .paths import data_path

INK = ("--data iam-ondb --optimiser rmsprop --average 0 --batch 32 --updates 0 --validate-every 0 "
       "--validation-lines 256 --patience 20 --operands bfloat16")
PEN = "synthesis --data iam-ondb --batch 8 --rare 0.02 --operands bfloat16"
CHAR = "text --data ptb-char --batch 16 --operands bfloat16"
WORD = "text --data ptb-word --operands bfloat16"
WIKIPEDIA = "text --layers 5 --hidden 700 --sequences streams --truncate 100 --reset 100 --operands bfloat16"
QUICK = " --lr 0.0003 --momentum 0.9"  # how characters are learnt while they are read
NOISE, ADAPTIVE = "--noise weight-noise", "--noise adaptive-weight-noise"


class Run(NamedTuple):
    """A network of the paper's tables: how it is trained, and the figures that it must be compared with.

    `paper` are the figures of its rows: of table 3 and 4 (nats, squared error); of table 1 (bits a
    character, perplexity, error in per cent), static and, with dynamic evaluation, in `dynamic`.
    Without any, its weights are there to start from.
    """

    name: str
    table: int
    task: str
    network: str
    regularisation: str
    train: str
    paper: tuple = ()
    dynamic: tuple = ()
    start: str = ""  # the run whose weights it starts from
    learning: str = ""  # how dynamic evaluation learns, if not as the paper

    def commands(self) -> list[str]:
        """Return what to run, in order."""
        weights, start = f"runs/{self.name}/weights.safetensors", f" --start-from runs/{self.start}/weights.safetensors"
        split = " --split test" if self.table == 1 else ""
        score = f"evaluate {weights}{split} --json data/results/{self.name}.json"
        lines = [f"train {self.train} --out runs/{self.name}{start if self.start else ''}"]
        lines += [score] if self.paper else []
        return lines + ([f"{score[:-5]}-dynamic.json --dynamic{self.learning}"] if self.dynamic else [])


RUNS = [
    Run("ptb-char", 1, "ptb-char", "1x1000", "none", CHAR, (1.32, 167, 28.5), (1.29, 148, 28.0), learning=QUICK),
    Run("ptb-char-noise", 1, "ptb-char", "1x1000", "weight-noise", f"{CHAR} {NOISE}", (1.27, 140, 27.4),
        (1.24, 124, 26.9), start="ptb-char", learning=QUICK),
    Run("ptb-char-adaptive", 1, "ptb-char", "1x1000", "adaptive-weight-noise", f"{CHAR} {ADAPTIVE}",
        (1.26, 133, 27.4), (1.24, 122, 26.9), start="ptb-char-noise", learning=QUICK),
    Run("ptb-word", 1, "ptb-word", "1x1000", "none", f"{WORD} --batch 32",
        (1.27, 138, 77.8), (1.25, 126, 76.9)),
    Run("ptb-word-noise", 1, "ptb-word", "1x1000", "weight-noise", f"{WORD} --batch 64 {NOISE}",
        (1.25, 126, 76.9), (1.23, 117, 76.2), start="ptb-word"),
    # Larger batches at the end: the paper's rule keeps its rate, so only they make the steps less random
    Run("prediction-1x900-first", 3, "handwriting-prediction", "1x900", "none", f"prediction {INK} --epochs 10"),
    Run("prediction-1x900", 3, "handwriting-prediction", "1x900", "none", f"prediction {INK} --batch 128 --epochs 3",
        (-1025.7, 0.40), start="prediction-1x900-first"),
    Run("prediction-3x400-first", 3, "handwriting-prediction", "3x400", "none",
        f"prediction --hidden 400 --layers 3 {INK} --batch 8 --epochs 7"),
    Run("prediction-3x400", 3, "handwriting-prediction", "3x400", "none",
        f"prediction --hidden 400 --layers 3 {INK} --batch 64 --epochs 1", (-1041.0, 0.41),
        start="prediction-3x400-first"),
    Run("prediction-3x400-adaptive-first", 3, "handwriting-prediction", "3x400", "adaptive-weight-noise",
        f"prediction --hidden 400 --layers 3 {INK} {ADAPTIVE} --batch 8 --epochs 2", start="prediction-3x400"),
    Run("prediction-3x400-adaptive", 3, "handwriting-prediction", "3x400", "adaptive-weight-noise",
        f"prediction --hidden 400 --layers 3 {INK} {ADAPTIVE} --batch 64 --epochs 1", (-1057.7, 0.41),
        start="prediction-3x400-adaptive-first"),
    Run("synthesis-3x400-first", 4, "handwriting-synthesis", "3x400", "none", f"synthesis {INK} --epochs 12"),
    Run("synthesis-3x400-second", 4, "handwriting-synthesis", "3x400", "none",
        f"synthesis {INK} --batch 8 --epochs 3", start="synthesis-3x400-first"),
    Run("synthesis-3x400", 4, "handwriting-synthesis", "3x400", "none", f"synthesis {INK} --batch 64 --epochs 2",
        (-1096.9, 0.23), start="synthesis-3x400-second"),
    Run("synthesis-3x400-adaptive-first", 4, "handwriting-synthesis", "3x400", "adaptive-weight-noise",
        f"synthesis {INK} {ADAPTIVE} --batch 8 --epochs 3", start="synthesis-3x400"),
    Run("synthesis-3x400-adaptive", 4, "handwriting-synthesis", "3x400", "adaptive-weight-noise",
        f"synthesis {INK} {ADAPTIVE} --batch 64 --epochs 1", (-1128.2, 0.23), start="synthesis-3x400-adaptive-first"),
]

BEYOND = [  # not the paper's networks, and no larger than those they are compared with
    # Stopped in its ninth epoch: its best weights were those after the sixth
    Run("ptb-word-tied-first", 1, "ptb-word", "tied 1x650", "dropout", "tied --operands bfloat16"),
    Run("ptb-word-tied", 1, "ptb-word", "tied 1x650", "dropout",
        "tied --operands bfloat16 --dropout 0.5 --weight-drop 0.5 --lr 0.001 --epochs 7", (1.25, 126, 76.9),
        (1.23, 117, 76.2), start="ptb-word-tied-first", learning=" --lr 0.003 --momentum 0"),
    # The pen is the last. The cosine of the first and of the last was set for more updates (9,000 and 6,500), and
    # shortened on the way; the second was stopped at update 5,819
    Run("synthesis-new", 4, "handwriting-synthesis", "3x400", "none",
        "synthesis --data iam-ondb --batch 32 --rare 0.02 --operands bfloat16 --lr 0.0015 --warmup 300 --updates 5400",
        (-1096.9, 0.23)),
    Run("synthesis-adam", 4, "handwriting-synthesis", "3x400", "none",
        f"{PEN} --updates 7000 --validate-every 1000", (-1096.9, 0.23), start="synthesis-3x400-adaptive"),
    Run("synthesis", 4, "handwriting-synthesis", "3x400", "adaptive-weight-noise",
        f"{PEN} {ADAPTIVE} --updates 5000 --validate-every 500", (-1128.2, 0.23), start="synthesis-3x400-adaptive"),
]

# And the recipe on the first four million bytes, which may not be set beside it: few bytes, a larger momentum
TABLE_2 = [
    f"train {WIKIPEDIA} --data enwik8 --momentum 0.9 --batch 64 --epochs 4 --out runs/enwik8",
    f"train {WIKIPEDIA} --data enwik8-prefix --batch 16 --epochs 1 --out runs/enwik8-prefix",
    *(f"evaluate runs/{name}/weights.safetensors --json data/results/{name}{kind}"
      for name in ("enwik8", "enwik8-prefix") for kind in (
          ".json", "-dynamic.json --dynamic --momentum 0.9", "-train.json --split train --limit 16")),
    "babble runs/enwik8-prefix/weights.safetensors --length 10000 --count 10 --beside validation "
    "--json data/results/enwik8-prefix-writes.json",
]

COMPARISONS = {  # a result, what it compares, and two runs: below 0 the first is the better one
    "layers": ("prediction: three layers against one", "prediction-3x400", "prediction-1x900"),
    "prediction-noise": ("prediction: adaptive noise against none", "prediction-3x400-adaptive", "prediction-3x400"),
    "synthesis-noise": ("synthesis: adaptive noise against none", "synthesis-3x400-adaptive", "synthesis-3x400"),
}

MEASURES = [  # beyond the paper: can it be read, whose hand is it, what is each part worth
    "train recogniser --out runs/recogniser",
    "evaluate runs/recogniser/weights.safetensors --json data/results/recogniser.json",
    *(f"legibility runs/synthesis{kind}/weights.safetensors runs/recogniser/weights.safetensors "
      f"--json data/results/legibility{kind}.json" for kind in ("", "-adam")),
    "train style --out runs/style",
    "evaluate runs/style/weights.safetensors --json data/results/style-reader.json",
    "style runs/synthesis/weights.safetensors runs/style/weights.safetensors --json data/results/style.json",
    # Of a small network that reads less than half of the lines: 39 runs
    "ablate --seeds 3 --hidden 128 --batch 4 --updates 1200 --validate-every 1200 --validation-lines 256 "
    "--operands bfloat16 --json data/results/ablations.json",
]


def comparisons() -> list[str]:
    """Return the commands that compare rows of the tables, line by line."""
    weights = "runs/{}/weights.safetensors"
    return [f"compare {weights.format(first)} {weights.format(second)} --json data/results/{name}.json"
            for name, (_, first, second) in COMPARISONS.items()]


def results() -> list[dict]:
    """Return all results that ship."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(data_path("results").glob("*.json"))]


def ours(run: Run, found: list[dict], dynamic: bool = False) -> dict | None:
    """Return the result of a run, or another that fills its row of the table; None if there is none yet.

    The run's own goes first, then one that is faithful to the paper, and mean weights before draws.
    """
    split = "test" if run.table == 1 else "validation"
    data = run.task if run.table == 1 else "iam-ondb"
    rows = [row for row in found if row.get("task") == run.task and row.get("network") == run.network
            and row["regularisation"] == run.regularisation and row["dynamic"] == dynamic
            and row["data"]["split"] == split and data.startswith(row["data"]["name"])]
    rows.sort(key=lambda row: (row["name"] != run.name, not row["faithful"], row["evaluated_with"] != "mean"))
    return rows[0] if rows else None


def script(found: list[dict]) -> str:
    """Return the list as a shell script; every command may be stopped, and goes on when it is given again."""
    lines = ["export GRAVES_NB_DATA=...  # the folder with iam_ondb_lines.npz and ptb.zip"]
    for run in RUNS + BEYOND:
        row = ours(run, found)
        seconds = row["config"].get("seconds") if row and row["name"] == run.name else None
        took = f": {seconds / 60:.0f} minutes on {row['device']}" if seconds else ""
        place = f"Table {run.table}" if run in RUNS else "Beyond the paper"
        lines += ["", f"# {place}, {run.task} {run.network}, {run.regularisation}{took}"]
        lines += [f"python -m graves_nb {command}" for command in run.commands()]
    for title, commands in (("Table 2, and the first four million bytes: not to be compared", TABLE_2),
                            ("Differences between rows, with intervals", comparisons()),
                            ("Legibility, style, and what each part is worth", MEASURES)):
        lines += ["", f"# {title}", *(f"python -m graves_nb {command}" for command in commands)]
    return "\n".join(lines) + "\n"
