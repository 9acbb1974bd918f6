"""Weights in 8 bits: how they are rounded, what they cost, and that Python reads what the page runs."""

import json

import pytest
import torch
from safetensors.torch import load

from conftest import ROOT
from graves_nb import datasets
from graves_nb.checkpoints import load_weights, load_widths, save_weights
from graves_nb.cli import main
from graves_nb.evaluation import nats
from graves_nb.models import HandwritingSynthesizer, TextPredictor
from graves_nb.pen import export
from graves_nb.quantise import dequantise, quantise
from graves_nb.site import page_file
from graves_nb.strokes import Normalisation

UNITS = dict(mean=[8.16, 0.112], std=[40.61, 37.05], threshold=1000)
LARGEST = 4_000_000  # bytes of a network in a page
COST = 0.005  # of the log-loss, at most
PENS = sorted((ROOT / "data" / "weights").glob("*pen.safetensors"))


@pytest.fixture
def small(tmp_path):
    """A small network with random weights, in a file."""
    torch.manual_seed(5)
    path = tmp_path / "small.safetensors"
    save_weights(path, HandwritingSynthesizer(hidden=24, M=4, K=3), normalisation=UNITS, data="synthetic-small")
    return path


def test_each_weight_moves_by_half_a_step_at_most():
    """The step of a row is 1/127 of its largest weight; rows of zeros, peepholes and biases are kept."""
    weight = torch.randn(6, 40) * torch.logspace(-3, 2, 6)[:, None]
    weight[3] = 0
    state = {"layers.0.weight_h": weight, "layers.0.peephole": torch.randn(3, 10), "output.bias": torch.randn(6)}
    tensors, again = quantise(state), dequantise(quantise(state))
    assert {name: str(tensor.dtype) for name, tensor in tensors.items()} == {
        "layers.0.weight_h": "torch.int8", "layers.0.weight_h.scale": "torch.float32",
        "layers.0.peephole": "torch.float16", "output.bias": "torch.float16"}
    step = weight.abs().amax(1, keepdim=True) / 127
    assert ((again["layers.0.weight_h"] - weight).abs() <= 0.5001 * step).all()
    assert list(again) == list(state) and again["layers.0.weight_h"][3].eq(0).all()
    torch.testing.assert_close(again["layers.0.peephole"], state["layers.0.peephole"].half().float())


def test_what_is_in_8_bits_stays_as_it_is():
    """Rounded twice, weights are as rounded once."""
    once = dequantise(quantise({"weight": torch.randn(50, 50)}))
    torch.testing.assert_close(dequantise(quantise(once))["weight"], once["weight"], rtol=1e-6, atol=0)


def test_the_synthesis_network_is_small_enough_for_a_page(tmp_path):
    """Three layers of 400: 3.7 million weights."""
    path = tmp_path / "pen.safetensors"
    save_weights(path, HandwritingSynthesizer(), normalisation=UNITS)
    content = page_file(path)
    assert sum(tensor.numel() for name, tensor in load(content).items() if not name.endswith(".scale")) > 3.7e6
    assert len(content) <= LARGEST


def test_python_runs_what_the_page_runs(small, tmp_path, capsys):
    """`quantise` writes the page's file; it loads, is evaluated and writes like any other."""
    out, result = tmp_path / "small-8bit.safetensors", tmp_path / "result.json"
    assert main(["quantise", str(small), str(out)]) == 0
    assert out.read_bytes() == page_file(small) == page_file(out)
    model, info = load_weights(out)
    for name, weight in dequantise(load(page_file(small))).items():
        assert torch.equal(model.state_dict()[name], weight)
    assert info == load_weights(small)[1]
    assert main(["evaluate", str(out), "--json", str(result)]) == 0
    assert json.loads(result.read_text())["metrics"]["steps"] > 400
    assert main(["sample", "abc", "--weights", str(out)]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["weights"] == out.name


def cost(path, lines, tmp_path):
    """How much of a pen's log-loss 8 bits cost, as a share."""
    out = tmp_path / "8bit.safetensors"
    out.write_bytes(page_file(path))
    losses = []
    for file in (path, out):
        model, info = load_weights(file)
        losses.append(nats(model, lines, Normalisation(**info["normalisation"]))["nats_per_line"])
    return (losses[1] - losses[0]) / abs(losses[0])


@pytest.mark.parametrize("path", PENS, ids=lambda path: path.stem)
def test_8_bits_cost_little_on_synthetic_ink(path, tmp_path):
    assert cost(path, datasets.load("synthetic", "validation")[:40], tmp_path) <= COST


@pytest.mark.parametrize("path", PENS, ids=lambda path: path.stem)
def test_8_bits_cost_little_on_real_ink(path, tmp_path, real_data):
    assert cost(path, datasets.load("iam-ondb", "validation")[:40], tmp_path) <= COST


@pytest.mark.parametrize("widths", [False, True])
def test_what_ships_may_keep_its_widths(tmp_path, widths):
    """With widths a network stays in float16, for a page too; without, it ships in 8 bits."""
    model, raw, out = TextPredictor(V=5, hidden=6), tmp_path / "raw.safetensors", tmp_path / "out.safetensors"
    stds = [torch.rand_like(w) for w in model.parameters()]
    save_weights(raw, model, dtype=torch.float32, stds=stds, data="mine", vocabulary=dict(kind="characters", symbols="abcde"))
    export(raw, out, name="mine", licence="none", widths=widths)
    assert page_file(out) == out.read_bytes()
    assert load(page_file(raw))["layers.0.weight_h"].dtype == torch.int8  # a run's own file does not ship
    again, info = load_weights(out)
    kept = load_widths(out, again)
    assert len(kept) == (len(stds) if widths else 0) and (info["name"], info["licence"]) == ("mine", "none")
    assert all(torch.equal(a, b.half().float()) for a, b in zip(kept, stds))
    matrices = [tensor.dtype for name, tensor in load(out.read_bytes()).items() if name == "layers.0.weight_h"]
    assert matrices == [torch.float16 if widths else torch.int8]


def test_a_page_gets_a_file_as_it_is_now(tmp_path):
    path = tmp_path / "gallery.json"
    for content in ("one", "another"):
        path.write_text(content)
        assert page_file(path) == content.encode()
