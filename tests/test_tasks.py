"""The loop with each task, optimiser and kind of noise; and with several processes."""

import dataclasses
import json
import math
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from conftest import ROOT
from graves_nb import datasets
from graves_nb.checkpoints import load_weights, load_widths, read_tensors, write_tensors
from graves_nb.cli import main
from graves_nb.evaluation import evaluate_weights, text_metrics
from graves_nb.paths import data_path
from graves_nb.results import is_faithful, mean_and_sd
from graves_nb.training import DEFAULTS, Config, Trainer

torch.set_num_threads(1)
INK = dict(data="synthetic-small", hidden=12, batch=8, updates=6, warmup=2, validate_every=3, validation_lines=6)


@pytest.fixture(scope="module")
def own_text(tmp_path_factory):
    """A small text file: lines of a few words in no order."""
    path = tmp_path_factory.mktemp("text") / "mine.txt"
    words = "a pen that predicts the next point of a line".split()
    chance = torch.Generator().manual_seed(0)
    lines = [" ".join(words[i] for i in torch.randint(0, 10, (4,), generator=chance)) for _ in range(150)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture
def trainer(tmp_path, own_text):
    def make(model, name="run", **settings):
        texts = dict(data=own_text, hidden=12, batch=8, updates=6, epochs=0, validate_every=3)
        small = texts if model in ("text", "tied") else INK
        return Trainer(Config(**DEFAULTS[model] | small | dict(model=model) | settings), tmp_path / name)

    return make


def everything(run):
    """All that a run has learnt."""
    return [w.detach().clone() for w in [*run.model.parameters(), *run.noise.stds, *run.average]]


@pytest.mark.parametrize("model, settings", [
    ("prediction", dict(optimiser="rmsprop")), ("prediction", dict(truncate=40, average=0.0)),
    ("synthesis", dict(noise="weight-noise")), ("synthesis", dict(noise="adaptive-weight-noise", curvature="reparameterised")),
    ("text", {}), ("text", dict(noise="adaptive-weight-noise")), ("text", dict(optimiser="adam", gradient="mean", average=0.9)),
    ("text", dict(sequences="streams", truncate=20, reset=3, momentum=0.9)), ("tied", dict(truncate=20, embedding=0, weight_drop=0.5)),
])
def test_every_run_in_two_parts_equals_one_in_one(trainer, model, settings):
    whole = trainer(model, "whole", **settings)
    whole.run()
    first = trainer(model, "parts", **settings)
    first.finished = lambda: first.progress["update"] >= 3
    first.run()
    second = trainer(model, "parts", **settings)
    second.run()
    assert second.progress["update"] == whole.progress["update"]
    assert all(torch.equal(a, b) for a, b in zip(everything(whole), everything(second)))
    _, info = load_weights(whole.out / "weights.safetensors")
    assert info["training"]["noise"] == whole.config.noise and info["data"] == whole.config.data


@pytest.mark.parametrize("model, settings, metric", [
    ("prediction", dict(lr=3e-3, updates=30, validate_every=10, average=0.9), "nats_per_line"),
    ("text", dict(lr=1e-3, momentum=0.9, updates=80, validate_every=10), "bpc"),
    ("tied", dict(lr=1e-2, updates=80, validate_every=10, embedding=10, dropout=0.1), "bpc"),
])
def test_training_lowers_the_loss(trainer, model, settings, metric):
    log = trainer(model, **settings).run()["log"]
    assert log[-1][metric] < log[0][metric] - 0.3


def test_epochs_and_patience_end_a_run(trainer):
    run = trainer("text", epochs=2, updates=0, validate_every=0)
    assert run.run()["epoch"] == 2 and len(run.progress["log"]) == 2
    assert run.progress["update"] == 2 * run.updates_in_an_epoch()
    stale = trainer("text", "stale", lr=0.0, updates=0, validate_every=1, patience=2).run()
    assert stale["update"] == 3
    with pytest.raises(ValueError, match="never end"):
        Config(updates=0)


def test_streams_are_read_in_order_with_their_state(trainer):
    """The updates of one batch see the stretches of a span, and the state goes from one to the next."""
    run, seen = trainer("text", sequences="streams", truncate=20, reset=3, batch=2), []
    loss = run.task.loss
    run.task.loss = lambda net, batch, state: seen.append((batch.x[0].tolist(), state is None)) or loss(net, batch, state)
    labels, long = run.task.train.labels, len(run.task.train.labels) // 2
    for spans in run.task.epoch(run.order(0))[:2]:
        run.train_on(run.task.collate(spans))
    assert [fresh for _, fresh in seen] == [True, False, False] * 2
    expected = [[-1 if t % 60 == 0 else int(labels[i * long + t - 1]) for i in range(2)] for t in range(0, 120, 20)]
    assert [x for x, _ in seen] == expected


def test_the_sum_is_as_many_times_the_mean_as_there_are_sequences(trainer):
    moved = {}
    for kind in ("sum", "mean"):
        run = trainer("text", kind, gradient=kind, lr=1.0, momentum=0.0)
        before = everything(run)
        run.train_on(run.task.collate(run.task.epoch(run.order(0))[0]))
        moved[kind] = [b - a for a, b in zip(before, everything(run))]
    for a, b in zip(moved["sum"], moved["mean"]):
        torch.testing.assert_close(a, 8 * b, atol=1e-5, rtol=1e-3)


def test_the_prior_counts_once_an_epoch(trainer):
    """Summed over the training sequences, the prior's pull on the means is the gradient of KL once."""
    run = trainer("text", noise="adaptive-weight-noise")
    assert run.noise.S == run.task.sequences() == len(sum(run.task.epoch(run.order(0)), []))
    cut = trainer("text", "cut", truncate=7)
    assert cut.task.sequences() == sum(math.ceil((stop - start) / 7) for start, stop in cut.task.sentences())
    streams = trainer("text", "streams", sequences="streams", truncate=20, reset=3)
    assert streams.task.sequences() == math.ceil(len(streams.task.train.labels) / 20)
    ink = trainer("prediction", "ink", truncate=40)
    assert ink.task.sequences() == sum(math.ceil((len(line.offsets_raw) - 1) / 40) for line in ink.task.train)


def test_start_from_takes_the_means(trainer):
    first = trainer("text", "first", noise="adaptive-weight-noise")
    first.run()
    second = trainer("text", "second", start_from=str(first.out / "weights.safetensors"), noise="weight-noise")
    best = load_weights(first.out / "weights.safetensors")[0]
    assert all(torch.equal(a, b) for a, b in zip(second.model.parameters(), best.parameters()))
    second.run()
    before, read = second.before, [many for many, _ in second.curve()]
    assert before and second.curve()[: len(before)] == before == first.curve()[: len(before)]
    assert len(read) > len(before) and read == sorted(set(read))
    with pytest.raises(ValueError, match="do not fit"):
        trainer("text", "third", start_from=str(first.out / "weights.safetensors"), hidden=13)


def test_start_from_takes_the_widths_if_there_are_any(trainer):
    first = trainer("text", "first", noise="adaptive-weight-noise")
    first.run()
    assert any((s != first.config.noise_std).any() for s in first.noise.stds)
    second = trainer("text", "second", start_from=str(first.out / "weights.safetensors"), noise="adaptive-weight-noise")
    kept = load_widths(first.out / "weights.safetensors", first.model)
    assert kept and all(torch.equal(a, b) for a, b in zip(second.noise.stds, kept))
    plain = trainer("text", "plain")
    plain.run()
    third = trainer("text", "third", start_from=str(plain.out / "weights.safetensors"), noise="adaptive-weight-noise")
    assert all((s == third.config.noise_std).all() for s in third.noise.stds)


def test_a_checkpoint_of_an_older_version_goes_on(trainer):
    """One that knows fewer settings, where the new ones have their usual values."""
    run = trainer("synthesis", updates=3)
    run.run()
    tensors, info = read_tensors(run.out / "checkpoint.safetensors")
    for name in ("model", "noise", "gradient", "epochs"):
        del info["config"][name]
    write_tensors(run.out / "checkpoint.safetensors", tensors, info)
    again = trainer("synthesis", updates=3)
    again.resume()
    assert again.progress["update"] == 3


@pytest.mark.parametrize("wrong", [dict(optimiser="adamw"), dict(noise="some"), dict(model="word"), dict(sequences="lines")])
def test_a_setting_that_is_not_there_is_refused(wrong):
    with pytest.raises(ValueError, match="Choose"):
        Config(**wrong)


def test_command_trains_text_and_says_what_is_wrong(own_text, tmp_path, capsys):
    small = ["train", "text", "--data", own_text, "--hidden", "8", "--updates", "2", "--out", str(tmp_path / "run")]
    assert main(small) == 0 and "bits a character; weights in" in capsys.readouterr().out
    for wrong, says in ((["--data", "none"], "no text 'none'"), (["--noise", "some"], "Choose none or"), (["--hidden", "9"], "other settings")):
        assert main(small + wrong) == 1
        assert says in capsys.readouterr().err


# Evaluation


def test_evaluation_of_text_says_all_that_a_result_must(trainer, own_text, tmp_path):
    run = trainer("text", noise="adaptive-weight-noise", updates=8, lr=1e-3)
    run.run()
    weights, out = run.out / "weights.safetensors", tmp_path / "r.json"
    assert main(["evaluate", str(weights), "--split", "test", "--json", str(out)]) == 0
    result = json.loads(out.read_text())
    assert set(result) == {"name", "task", "network", "faithful", "regularisation", "dynamic", "evaluated_with", "parameters",
                           "config", "data", "normalisation", "metrics", "seeds", "device", "seconds", "commit"}
    m, curve = result["metrics"], result["config"]["curve"]
    assert curve[-1][0] == result["config"]["update"] * result["config"]["batch"] and curve[-1][1] == min(score for _, score in curve)
    assert result["regularisation"] == "adaptive-weight-noise" and result["data"]["split"] == "test"
    assert m["bpc"] == pytest.approx(m["total_bits"] / m["characters"]) and 0 < m["error"] <= 1
    assert m["perplexity_paper"] == pytest.approx(2 ** (5.6 * m["bpc"]))
    assert load_widths(weights, run.model) and not result["faithful"]
    sampled = evaluate_weights(weights, split="test", draws=3)
    assert sampled["evaluated_with"] == "sampled" and sampled["metrics"]["bpc_sd"] > 0
    assert sampled["metrics"]["bpc"] != m["bpc"]
    dynamic = evaluate_weights(weights, split="test", dynamic=dict(lr=3e-3, momentum=0.0))
    assert dynamic["dynamic"] and dynamic["metrics"]["bpc"] < m["bpc"] and len(dynamic["metrics"]["segments"]) == 50
    told = evaluate_weights(weights, split="train", draws=1)["metrics"]
    assert told["description_length"] == pytest.approx(told["total_bits"] * math.log(2) + told["kl"]) and m["kl"] == told["kl"] > 0
    few = evaluate_weights(weights, split="test", limit=3, dynamic=dict(lr=0.0, momentum=0.0))["metrics"]
    assert few["bpc"] == pytest.approx(evaluate_weights(weights, split="test", limit=3)["metrics"]["bpc"])
    assert few["symbols"] == few["characters"] < m["symbols"]


def test_words_are_scored_over_the_characters_of_the_text(real_data, monkeypatch, tmp_path):
    """An untrained network of all words: log2 of about 10,000 bits a word, over 442,423 characters."""
    from graves_nb.checkpoints import save_weights
    from graves_nb.datasets import load_text
    from graves_nb.models import TextPredictor

    monkeypatch.setenv("GRAVES_NB_DATA", str(real_data))
    model = TextPredictor(10_000, 2)
    torch.nn.init.zeros_(model.output.weight)
    save_weights(tmp_path / "w.safetensors", model, data="ptb-word", vocabulary=dataclasses.asdict(load_text("ptb-word", "test").vocabulary),
                 training=dict(sequences="sentences"))
    m = evaluate_weights(tmp_path / "w.safetensors", split="test")["metrics"]
    assert m["perplexity"] == pytest.approx(10_000, rel=1e-4) and m["bits_per_word"] == pytest.approx(math.log2(10_000), rel=1e-5)
    assert m["bpc"] == pytest.approx(82_430 * math.log2(10_000) / 442_423, rel=1e-5)


def test_a_vocabulary_of_another_text_is_refused(trainer, tmp_path, capsys):
    run = trainer("text", updates=1)
    run.run()
    weights = str(run.out / "weights.safetensors")
    assert main(["evaluate", weights, "--data", "plays"]) == 1 and "symbols of plays" in capsys.readouterr().err
    assert main(["evaluate", weights, "--draws", "2"]) == 1 and "without noise" in capsys.readouterr().err


def test_evaluation_of_prediction(trainer):
    run = trainer("prediction", noise="weight-noise")
    run.run()
    result = evaluate_weights(run.out / "weights.safetensors", limit=4)
    assert (result["task"], result["network"], result["data"]["lines"]) == ("handwriting-prediction", "1x12", 4)
    noisy = evaluate_weights(run.out / "weights.safetensors", limit=4, draws=2)
    assert noisy["metrics"]["nats_per_line_sd"] > 0 and noisy["metrics"]["steps"] == result["metrics"]["steps"]


def test_seeds_are_joined(trainer, tmp_path, capsys):
    files = []
    for seed in (1, 2, 3):
        run = trainer("text", f"s{seed}", seed=seed)
        run.run()
        files.append(str(tmp_path / f"{seed}.json"))
        assert main(["evaluate", str(run.out / "weights.safetensors"), "--json", files[-1]]) == 0
    assert main(["merge", *files, "--json", str(tmp_path / "all.json")]) == 0
    joined, single = (json.loads((tmp_path / name).read_text()) for name in ("all.json", "1.json"))
    assert joined["seeds"] == [1, 2, 3] and joined["metrics"]["bpc_sd"] > 0 and joined["name"] == "all"
    assert joined["metrics"]["characters"] == single["metrics"]["characters"]
    capsys.readouterr()
    for wrong, says in ((dict(data=single["data"] | dict(split="test")), "data"), (dict(seeds=[2]), "twice"),
                        (dict(config=single["config"] | dict(batch=9)), "config.batch")):
        (tmp_path / "1.json").write_text(json.dumps(single | wrong))
        assert main(["merge", *files, "--json", str(tmp_path / "none.json")]) == 1 and says in capsys.readouterr().err


def test_the_sd_is_over_seeds_where_each_has_one_over_draws():
    a, b = (mean_and_sd([dict(bpc=x), dict(bpc=x + 0.01)]) for x in (1.3, 1.4))
    assert mean_and_sd([a, b])["bpc_sd"] == pytest.approx(0.1 / 2**0.5)


def test_what_is_faithful():
    text = dataclasses.asdict(Config(**DEFAULTS["text"] | dict(model="text", data="ptb-char")))
    shape = dict(hidden=1000, layers=1)
    assert is_faithful("TextPredictor", shape, text)
    assert is_faithful("TextPredictor", shape, text | dict(noise="weight-noise", batch=64, seed=3))
    for other in (dict(optimiser="adam"), dict(noise="weight-noise", noise_std=0.1), dict(average=0.9), dict(gradient="mean"),
                  dict(clip_norm=1.0), dict(noise="adaptive-weight-noise", curvature="reparameterised"), dict(weight_drop=0.5)):
        assert not is_faithful("TextPredictor", shape, text | other)
    deep = dict(hidden=700, layers=5)  # of Wikipedia
    assert is_faithful("TextPredictor", deep, text | dict(momentum=0.9)) and not is_faithful("TextPredictor", deep, text)
    ink = dataclasses.asdict(Config(optimiser="rmsprop", average=0.0))
    assert is_faithful("HandwritingSynthesizer", dict(hidden=400, layers=3), ink)
    assert not is_faithful("HandwritingPredictor", dict(hidden=400, layers=1), ink)


def test_other_seeds_and_ranks_meet_other_chance(trainer):
    seen = []
    for seed in (1, 2):
        run = trainer("prediction", f"s{seed}", noise="weight-noise", seed=seed)
        run.train_on(run.task.collate(run.task.train[:2]))
        seen += [run.noise.eps[0]] + [torch.rand(3, generator=torch.Generator().manual_seed(run.chance(r))) for r in range(3)]
    assert not torch.equal(seen[0], seen[4])
    assert all(not torch.equal(a, b) for i, a in enumerate(seen[1:4]) for b in seen[5:] + seen[1 : i + 1])


@pytest.mark.parametrize("model, wrong", [("text", dict(dropout=0.5)), ("text", dict(held="skips")),
                                          ("prediction", dict(held="window-above")), ("recogniser", dict(weight_drop=0.5))])
def test_a_setting_that_a_network_does_not_know_is_refused(model, wrong):
    with pytest.raises(ValueError, match="Leave out"):
        Config(**DEFAULTS[model] | dict(model=model) | wrong)


def test_a_run_may_start_from_weights_of_8_bits(tmp_path):
    path = data_path("weights/text.safetensors")
    run = Trainer(Config(**DEFAULTS["text"] | dict(model="text", hidden=640, start_from=str(path))), tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(run.model.parameters(), load_weights(path)[0].parameters()))


def test_style_needs_writers(tmp_path, monkeypatch, capsys):
    lines = datasets.load("synthetic-small", "train")
    for line in lines:
        line.writer = -1
    monkeypatch.setattr(datasets, "load", lambda *_: lines)
    assert main(["train", "style", "--hidden", "4", "--updates", "2", "--out", str(tmp_path)]) == 1
    assert "Nobody knows" in capsys.readouterr().err


def test_an_epoch_of_nothing_is_refused(trainer):
    run = trainer("text", sequences="streams", truncate=20, batch=10_000)
    with pytest.raises(ValueError, match="nothing to train on"):
        run.run()


def test_a_share_without_lines_adds_nothing_to_style(trainer):
    run = trainer("style", train_split="train", validation_split="validation")
    loss, _ = run.task.loss(run.model, run.task.collate([(run.task.train[0], 0.5)]).share(1, 2), None)
    loss.backward()
    assert loss.item() == 0 and all(w.grad.isfinite().all() for w in run.model.parameters())


def test_a_text_network_that_diverges_has_a_score():
    text = datasets.load_text("grammar", "test")
    metrics = text_metrics(dict(nats=1000.0 * len(text.labels), wrong=1, symbols=len(text.labels), segments=[]), text)
    assert metrics["perplexity_paper"] == math.inf and metrics["bpc"] == pytest.approx(1000 / math.log(2))


def test_what_cannot_be_used_is_told_plainly(trainer, tmp_path, capsys):
    (tmp_path / "one.txt").write_text("no line's end " * 50)
    run = trainer("synthesis")
    run.run()
    for command, says in (
        (["sample", "a", "--weights", str(data_path("weights/text.safetensors"))], "no pen"),
        (["sample", "a", "--weights", str(data_path("weights/open-predictor.safetensors"))], "no pen"),
        (["evaluate", str(run.out / "checkpoint.safetensors")], "weights.safetensors beside it"),
        (["train", "text", "--data", str(tmp_path / "one.txt"), "--hidden", "4", "--out", str(tmp_path / "t")], "line's end"),
        (["train", "synthesis", "--data", "synthetic-small", "--device", "gpu", "--out", str(tmp_path / "g")], "no device"),
        (["sample", "a", "--texts", str(tmp_path / "one.txt")], "Say what to write"),
        (["sample", "--texts", str(tmp_path / "one.txt"), "--svg", str(tmp_path / "a.svg")], "--svg draws one line"),
    ):
        assert main(command) == 1 and says in capsys.readouterr().err, command


# Several processes

SHARE = """
import sys, torch
from graves_nb import parallel
from graves_nb.training import Config, Trainer
torch.set_num_threads(1)
run = Trainer(Config(model="synthesis", data="synthetic-small", hidden=12, clip_lstm=0.01, average=0.0), sys.argv[1])
seen = []
run.optimiser.step = lambda: seen.append([w.grad.clone() for w in run.model.parameters()])
nats = [run.train_on(run.task.collate(run.task.train[:n])) for n in (5, 1)]
if parallel.rank() == 0:
    torch.save((parallel.ranks(), nats, seen), sys.argv[2])
"""


def torchrun(*command, processes=2):
    """Run Python in several processes that know of one another."""
    done = subprocess.run([sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}", "--standalone", *command],
                          cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def test_unequal_shares_give_the_gradients_of_the_joined_batch(tmp_path):
    """Five lines on two processes, and one line, which leaves the second with none."""
    script = tmp_path / "share.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + SHARE)
    subprocess.run([sys.executable, script, tmp_path / "a", tmp_path / "one.pt"], cwd=ROOT, check=True)
    torchrun(str(script), str(tmp_path / "b"), str(tmp_path / "two.pt"))
    (n, nats, one), (m, same_nats, two) = (torch.load(tmp_path / f"{name}.pt") for name in ("one", "two"))
    assert (n, m) == (1, 2) and nats == pytest.approx(same_nats, rel=1e-5)
    for a, b in zip(sum(one, []), sum(two, [])):
        assert (a - b).norm() <= 1e-5 * a.norm() + 1e-9


def test_two_processes_go_on_exactly_and_write_one_log(tmp_path):
    def start(name, updates):
        options = [f"--{k.replace('_', '-')}={v}" for k, v in (INK | dict(updates=updates, batch=7, optimiser="rmsprop", noise="adaptive-weight-noise")).items()]
        return torchrun("-m", "graves_nb", "train", "prediction", "--threads=1", "--device=cpu", f"--out={tmp_path / name}", *options)

    whole = start("whole", 6)
    assert whole.stdout.count("update 6:") == 1 and whole.stdout.count("best") == 1
    start("parts", 3)
    tensors, info = read_tensors(tmp_path / "parts" / "checkpoint.safetensors")
    info["config"]["updates"] = 6
    write_tensors(tmp_path / "parts" / "checkpoint.safetensors", tensors, info)
    start("parts", 6)
    parts, whole = (load_file(tmp_path / name / "checkpoint.safetensors") for name in ("parts", "whole"))
    assert all(torch.equal(parts[k], whole[k]) for k in whole)
