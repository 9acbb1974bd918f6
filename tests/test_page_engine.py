"""The page's network against PyTorch: the same weights and the same draws give the same numbers."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch

from graves_nb import alphabet, checks, sampling
from graves_nb.bench_page import serve_files
from graves_nb.checkpoints import WeightsError, load_weights, read_tensors, save_weights, write_tensors
from graves_nb.lstm import PeepholeLSTMCell
from graves_nb.mixture import mixture_parameters, sample_mixture
from graves_nb.models import HandwritingSynthesizer
from graves_nb.quantise import dequantise, quantise
from graves_nb.sampling import Prime, Writer, draws, sample
from graves_nb.site import page_file

ROOT = Path(__file__).resolve().parents[1]
PENS = sorted((ROOT / "data" / "weights").glob("*.safetensors"))
UNITS = dict(mean=[8.16, 0.112], std=[40.61, 37.05], threshold=1000)
TEXT = "more of national temperament"
SEEDS = range(5)

FORCED = 1e-4  # of the raw outputs, with the inputs given
FREE = 1e-3  # of normalised offsets, over 300 steps of writing
KERNELS = 1e-3  # WebAssembly against plain JavaScript, the same

OPEN = """async (job) => {
  const { Network, readWeights } = await import("/engine.js");
  const { Sampler, Writing, draws, encode, liftOf, mixtureOf, softmax, textProblem } = await import("/sampler.js");
  const open = async (plain) =>
    new Network(readWeights(await (await fetch("/weights.safetensors")).arrayBuffer(), job.model), { plain });
  const finish = (work) => { for (;;) { const { done, value } = work.next(); if (done) return value; } };
  const offsets = (sampler, options) => {
    const writing = sampler.write(job.text, options), points = [];
    for (;;) {
      const { done, value } = writing.next();
      if (done) return { points, stopped: value };
      if (value) points.push(value);
      if (points.length === job.steps) return { points, stopped: "asked" };
    }
  };
  %s
}"""


@pytest.fixture(scope="module")
def random_pen(tmp_path_factory):
    """A small network with random weights, as a pen: the tests need no training."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("pen") / "random.safetensors"
    model = HandwritingSynthesizer(hidden=50, layers=3, M=6, K=4)
    save_weights(path, model, normalisation=UNITS, name="random", licence="none", data="synthetic")
    return path


def in_eight_bits(path, folder):
    """Write the file that a page gets of some weights."""
    out = folder / f"{path.stem}-8bit.safetensors"
    out.write_bytes(page_file(path))
    return out


@pytest.fixture(scope="module", params=["random", *[path.stem for path in PENS]])
def whole_weights(request, random_pen):
    """Each pen that ships, and the random one, in 16 bits."""
    return dict(random=random_pen, **{path.stem: path for path in PENS})[request.param]


@pytest.fixture(scope="module", params=[16, 8], ids=["16bit", "8bit"])
def weights(request, whole_weights, tmp_path_factory):
    """Each pen in 16 bits, as it ships, and in 8, as a page gets it: Python reads both."""
    return whole_weights if request.param == 16 else in_eight_bits(whole_weights, tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def in_page(browser):
    """Run a piece of JavaScript on a job, in a page that has the engine and some weights."""
    page = browser.new_page()

    def run(body, weights, **job):
        page.unroute_all()
        serve_files(page, {"weights.safetensors": weights})
        return page.evaluate(OPEN % body, job)

    yield run
    page.close()


def near(found, expected, tolerance):
    """Assert that two arrays have one shape and differ by `tolerance` at most."""
    found, expected = (torch.as_tensor(x, dtype=torch.float64) for x in (found, expected))
    assert found.shape == expected.shape
    assert (found - expected).abs().max().item() <= tolerance


def normalised(points, weights):
    """Turn the page's [dx, dy, end, place] into normalised offsets."""
    units = load_weights(weights)[1]["normalisation"]
    raw = torch.tensor(points, dtype=torch.float64)[:, :3]
    return (raw - torch.tensor([*units["mean"], 0])) / torch.tensor([*units["std"], 1])


def test_embedded_webassembly_is_the_wat():
    """The base64 in engine.js is matvec.wat, compiled."""
    pytest.importorskip("wasmtime")
    spec = importlib.util.spec_from_file_location("matvec", ROOT / "tools" / "matvec.py")
    matvec = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(matvec)
    assert matvec.embedded() == matvec.compiled()


def test_draws_are_the_same(in_page, random_pen):
    """Whole-number arithmetic: both sides draw the same numbers, whatever the seed."""
    seeds = [0, 1, 17, 123456789, 2**32 - 1]
    body = "return job.seeds.map((seed) => Array.from({ length: 50 }, (_, t) => draws(seed, t)));"
    found = in_page(body, random_pen, seeds=seeds)
    near(found, torch.stack([draws(seed, 50) for seed in seeds]), 1e-12)


@pytest.mark.parametrize("plain", [False, True], ids=["wasm", "plain"])
def test_teacher_forced(in_page, weights, plain):
    """Given the points, the raw outputs agree at each of 300 steps, for 5 lines of points."""
    model, _ = load_weights(weights)
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(300, len(SEEDS), 3, generator=generator)
    points[..., 2] = (points[..., 2] > 1.7).float()
    text = alphabet.one_hot([TEXT] * len(SEEDS))
    expected, _ = model(points, text)
    body = """
      const network = await open(job.plain), codes = encode(job.text, network.about.alphabet);
      return job.lines.map((line) => {
        network.reset();
        return line.map((point) => Array.from(network.step(point, codes).subarray(0, 1 + 6 * network.M)));
      });"""
    found = in_page(body, weights, plain=plain, text=TEXT, lines=points.transpose(0, 1).tolist())
    near(found, expected.transpose(0, 1), FORCED)


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_running_free(in_page, weights, bias):
    """Given the draws alone, 300 steps of writing agree, and so does what ended the line."""
    text = (TEXT + " ") * 3
    body = """
      const sampler = new Sampler(await open(false));
      return job.seeds.map((seed) => offsets(sampler, { bias: job.bias, seed }));"""
    found = in_page(body, weights, text=text, bias=bias, seeds=list(SEEDS), steps=300)
    chance = torch.stack([draws(seed, 300) for seed in SEEDS])
    model, _ = load_weights(weights)
    for mine, line in zip(found, sample(model, [text] * len(SEEDS), bias=bias, chance=chance)):
        assert len(mine["points"]) == len(line.offsets)
        near(normalised(mine["points"], weights)[:-1], line.offsets[:-1], FREE)


def test_both_kernels_write_the_same_line(in_page, weights):
    """WebAssembly and plain JavaScript add in another order: the strokes agree within KERNELS."""
    body = """
      const lines = [];
      for (const plain of [false, true]) lines.push(offsets(new Sampler(await open(plain)), { bias: 0.5, seed: 3 }));
      return lines;"""
    wasm, plain = in_page(body, weights, text=TEXT, steps=300)
    assert wasm["stopped"] == plain["stopped"]
    near(normalised(wasm["points"], weights), normalised(plain["points"], weights), KERNELS)


def test_no_webassembly_is_no_hindrance(in_page, random_pen):
    """Without WebAssembly the network runs on plain JavaScript by itself."""
    body = "const it = WebAssembly; delete globalThis.WebAssembly; const network = await open(false); globalThis.WebAssembly = it; return network.kernel;"
    assert in_page(body, random_pen) == "JavaScript"
    assert in_page("return (await open(false)).kernel;", random_pen) == "WebAssembly"


def test_primed(in_page, weights):
    """After the same prime, both go on alike; the second time the page takes the kept states."""
    model, about = load_weights(weights)
    units = about["normalisation"]
    first = sample(model, ["a few words "], bias=0.5, seeds=[7])[0].offsets[:200]
    raw = first * torch.tensor([*units["std"], 1]) + torch.tensor([*units["mean"], 0])
    body = """
      const sampler = new Sampler(await open(false)), prime = { text: "a few words ", offsets: job.prime };
      return [1, 2].map(() => offsets(sampler, { bias: 0.5, seed: 3, prime }));"""
    found, again = in_page(body, weights, text=TEXT, prime=raw.tolist(), steps=200)
    line = sample(model, [TEXT], bias=0.5, chance=draws(3, 200)[None], prime=Prime("a few words ", first))[0]
    near(normalised(found["points"], weights)[:-1], line.offsets[:-1], FREE)
    assert found == again


def test_writing_ends_by_the_rule_as_in_python(in_page, weights):
    """Whole lines, to their end: as long, and ended by the same thing, as in Python."""
    body = "const sampler = new Sampler(await open(false)); return job.seeds.map((seed) => offsets(sampler, { bias: 1, seed }));"
    found = in_page(body, weights, text="the end", steps=0, seeds=list(SEEDS))
    lines = sample(load_weights(weights)[0], ["the end"] * len(SEEDS), bias=1.0, seeds=list(SEEDS))
    assert [(len(mine["points"]), mine["stopped"]) for mine in found] == [
        (len(line.offsets), line.stopped) for line in lines]


@pytest.mark.parametrize("path", [p for p in PENS if p.with_suffix(".gallery.json").exists()], ids=lambda p: p.stem)
def test_primes_are_cut_between_words(in_page, path):
    """Each number of words takes more of the line's ink, ends at a lift of the pen, and keeps its transcript."""
    gallery = json.loads(path.with_suffix(".gallery.json").read_text())
    body = """
      const sampler = new Sampler(await open(false));
      return job.gallery.map((line) => line.text.split(" ").map((_, n) => {
        const { text, offsets } = finish(sampler.cut(line, n + 1));
        return { text, length: offsets.length, end: offsets.at(-1)[2] };
      }));"""
    for line, cuts in zip(gallery, in_page(body, path, gallery=gallery)):
        words = line["text"].split(" ")
        assert [cut["text"] for cut in cuts] == [" ".join(words[: n + 1]) + " " for n in range(len(words))]
        lengths = [cut["length"] for cut in cuts]
        assert lengths == sorted(set(lengths)) and lengths[-1] == len(line["offsets_raw"])
        assert all(cut["end"] for cut in cuts)


def damaged(kind: str, content: bytes) -> bytes:
    """Spoil a weights file in one way."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    if kind == "short":
        return content[:-1000]
    if kind == "page":
        return b"<!doctype html><title>404</title>"
    if kind == "not finite":
        return content[:-4] + b"\x00\x7c\x00\x7c"
    if kind == "foreign":
        header.pop("__metadata__")
    if kind == "shape":
        header["layers.1.weight_h"]["shape"].reverse()
    if kind == "missing":
        header.pop("output.bias")
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


@pytest.mark.parametrize("kind, words", [
    ("short", "cut short"), ("page", "no safetensors header"), ("not finite", "not finite"),
    ("foreign", "does not describe a pen"), ("shape", "has shape"), ("missing", "output.bias is missing"),
])
def test_damaged_weights_are_refused(in_page, random_pen, tmp_path, kind, words):
    """A file that is not what it should be gives an error that names the fault and a way out."""
    path = tmp_path / "bad.safetensors"
    path.write_bytes(damaged(kind, random_pen.read_bytes()))
    message = in_page("return open(false).then(() => 'taken', (error) => error.message);", path)
    assert words in message and "take the file anew" in message


@pytest.mark.parametrize("text, words", [
    ("", "nothing to write"), ("   ", "nothing to write"), ("x" * 500, "500 characters"),
    ("caf\u00e9", "“\u00e9” (use e)"), ("50 %", "“%” (use per cent)"), ("“so”", 'use "'), ("\u65e5", "leave it out"),
])
def test_bad_texts_are_explained(in_page, random_pen, text, words):
    """What cannot be written is named, with what to use instead."""
    body = "return textProblem(job.text, (await open(false)).about.alphabet);"
    assert words in in_page(body, random_pen, text=text)


def test_the_page_and_python_know_the_same_text(in_page, random_pen):
    """One table of what to write instead, one limit, on both sides."""
    body = "const { INSTEAD, LONGEST, STEPS_PER_CHARACTER } = await import('/sampler.js'); return [INSTEAD, LONGEST, STEPS_PER_CHARACTER];"
    assert in_page(body, random_pen) == [checks.INSTEAD, checks.MAX_CHARACTERS, sampling.STEPS_PER_CHARACTER]


def test_every_known_character_may_be_written(in_page, random_pen):
    """The whole alphabet passes."""
    assert in_page("return textProblem(job.text, job.text);", random_pen, text=alphabet.ALPHABET) == ""
