"""The loop: what it minimises, that it goes on exactly where it was killed, and what it says of bad files."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file, save_file

from graves_nb import datasets
from graves_nb.checkpoints import WeightsError, load_weights, read_tensors, save_weights
from graves_nb.evaluation import nats, write_result
from graves_nb.mixture import mixture_loss
from graves_nb.models import HandwritingSynthesizer
from graves_nb.strokes import Normalisation
from graves_nb.training import Config, Trainer

torch.set_num_threads(1)
SMALL = dict(data="synthetic-small", hidden=16, batch=8, updates=12, warmup=2, validate_every=6, validation_lines=8)


@pytest.fixture
def trainer(tmp_path):
    return lambda name="run", **settings: Trainer(Config(**SMALL | settings), tmp_path / name)


def weights_of(run):
    return [w.detach().clone() for w in run.model.parameters()]


def test_training_lowers_the_loss(trainer):
    log = trainer(updates=40, lr=3e-3, validate_every=10, average=0.9).run()["log"]
    assert log[-1]["nats_per_line"] < log[0]["nats_per_line"] - 20


def test_both_optimisers_and_stretches_run(trainer):
    assert trainer("a", optimiser="rmsprop", updates=3).run()["update"] == 3
    assert trainer("b", truncate=50, updates=5).run()["update"] >= 5


def test_a_run_in_two_parts_equals_one_in_one(trainer):
    """Stopped after some batches, made anew from its folder: the same weights, to the last bit."""
    whole = trainer("whole")
    whole.run()
    first = trainer("parts")
    first.finished = lambda: first.progress["update"] >= 6
    first.run()
    second = trainer("parts")
    second.run()
    assert second.progress["update"] == whole.progress["update"]
    for a, b in zip(weights_of(whole) + whole.average, weights_of(second) + second.average):
        assert torch.equal(a, b)


def test_killed_in_the_middle_it_goes_on_to_the_same_weights(tmp_path):
    """SIGKILL, then the same command again: the weights of a run that nobody touched."""
    options = [f"--{k.replace('_', '-')}={v}" for k, v in (SMALL | dict(updates=40, validate_every=4)).items()]

    def start(name):
        command = [sys.executable, "-m", "graves_nb", "train", "synthesis", "--threads=1", "--device=cpu"]
        return subprocess.Popen(command + [f"--out={tmp_path / name}"] + options, stderr=subprocess.DEVNULL)

    run = start("killed")
    checkpoint = tmp_path / "killed" / "checkpoint.safetensors"
    while not checkpoint.is_file() and run.poll() is None:
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL, "it ended before it could be killed"
    assert read_tensors(checkpoint)[1]["progress"]["update"] < 40
    assert start("killed").wait() == 0 and start("whole").wait() == 0
    killed, whole = (load_file(tmp_path / name / "checkpoint.safetensors") for name in ("killed", "whole"))
    assert all(torch.equal(killed[k], whole[k]) for k in whole)


def test_another_setting_does_not_go_on_from_that_folder(trainer):
    trainer("run", updates=3).run()
    with pytest.raises(ValueError, match="other settings"):
        trainer("run", updates=3, lr=5e-3).run()


def test_a_gradient_that_is_not_finite_stops_the_run(trainer):
    run = trainer()
    run.model.output.weight.data[0, 0] = float("nan")
    with pytest.raises(FloatingPointError, match="lower rate"):
        run.run()


def test_gradient_is_the_mean_over_lines_of_summed_nats(trainer):
    """Not over time steps: the clips and the paper's D depend on it."""
    run = trainer()
    batch = run.task.collate(run.task.train[:4])
    model, seen = run.model, {}
    run.optimiser.step = lambda: seen.update(grad=model.output.bias.grad.clone())
    run.train_on(batch)
    got = seen["grad"]
    model.zero_grad()
    (mixture_loss(model(batch.x, batch.text)[0], batch.y) * batch.mask).sum().div(4).backward()
    torch.testing.assert_close(got, model.output.bias.grad)


def test_weights_survive_a_round_trip(tmp_path):
    model = HandwritingSynthesizer(hidden=8)
    save_weights(tmp_path / "w.safetensors", model, dtype=torch.float32, data="synthetic")
    again, info = load_weights(tmp_path / "w.safetensors")
    assert info["config"]["hidden"] == 8 and info["data"] == "synthetic"
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values()))


def test_bad_weights_are_told_apart(tmp_path):
    path = tmp_path / "w.safetensors"
    model = HandwritingSynthesizer(hidden=8)
    save_weights(path, model)
    whole = path.read_bytes()
    with pytest.raises(FileNotFoundError, match="no file"):
        load_weights(tmp_path / "none.safetensors")
    for damaged in (b"", whole[:50], whole[:-100], b"\0" * 64):
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match="damaged|again"):
            load_weights(path)
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match="not ours"):
        load_weights(path)
    model.config["hidden"] = 9
    save_weights(path, model)
    with pytest.raises(WeightsError, match="do not fit"):
        load_weights(path)
    model = HandwritingSynthesizer(hidden=8)
    model.output.bias.data[3] = float("inf")
    save_weights(path, model)
    with pytest.raises(WeightsError, match="not finite"):
        load_weights(path)


def test_nats_are_sums_over_the_points_that_count():
    """Padding adds nothing: lines together score as each alone, and steps are counted."""
    lines = datasets.load("synthetic-small", "validation")[:5]
    normalisation = Normalisation.fit(lines)
    model = HandwritingSynthesizer(hidden=8)
    together = nats(model, lines, normalisation)
    alone = [nats(model, [line], normalisation) for line in lines]
    assert together["steps"] == sum(a["steps"] for a in alone)
    assert together["nats_per_line"] == pytest.approx(sum(a["nats_per_line"] for a in alone) / 5, rel=1e-5)
    assert together["nats_per_step"] * together["steps"] == pytest.approx(5 * together["nats_per_line"])


def test_raw_nats_do_not_move_with_the_normalisation():
    """The same density in tablet units, told in two normalisations."""
    lines = datasets.load("synthetic-small", "validation")[:3]
    model = HandwritingSynthesizer(hidden=8, layers=1)
    one = Normalisation(mean=(0.0, 0.0), std=(40.0, 40.0), threshold=1000.0)
    two = Normalisation(mean=(0.0, 0.0), std=(20.0, 20.0), threshold=1000.0)
    before = nats(model, lines, one)
    with torch.no_grad():  # twice as large offsets: half as large input weights, means and spreads doubled
        model.layers[0].weight_x[:, :2] /= 2
        M = model.config["M"]
        model.output.weight[1 + M : 1 + 3 * M] *= 2
        model.output.bias[1 + M : 1 + 3 * M] *= 2
        model.output.bias[1 + 3 * M : 1 + 5 * M] += torch.log(torch.tensor(2.0))
    after = nats(model, lines, two)
    assert after["nats_per_line"] != pytest.approx(before["nats_per_line"], rel=1e-2)
    assert after["nats_per_line_raw"] == pytest.approx(before["nats_per_line_raw"], rel=1e-5)


def test_a_result_is_not_overwritten_by_a_smaller_one(tmp_path):
    path = tmp_path / "r.json"
    write_result(dict(name="a", metrics=dict(x=1, y=2)), path)
    with pytest.raises(ValueError, match="lacks"):
        write_result(dict(name="a", metrics=dict(x=1)), path)
    write_result(dict(name="a", metrics=dict(x=3, y=2, z=1)), path)
    assert json.loads(path.read_text())["metrics"]["x"] == 3


def test_nothing_half_written(tmp_path, monkeypatch):
    """A failure while writing leaves the old file."""
    path = tmp_path / "w.safetensors"
    save_weights(path, HandwritingSynthesizer(hidden=8))
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *a: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError):
        save_weights(path, HandwritingSynthesizer(hidden=9))
    assert path.read_bytes() == before
