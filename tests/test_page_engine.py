"""The page's network against PyTorch: the same weights and the same draws give the same numbers."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch

from graves_nb import alphabet, checks, sampling
from graves_nb.bench_page import serve_files
from graves_nb.checkpoints import WeightsError, load_weights, save_weights, write_tensors
from graves_nb.lstm import PeepholeLSTMCell
from graves_nb.mixture import mixture_parameters, sample_mixture
from graves_nb.models import HandwritingSynthesizer
from graves_nb.quantise import dequantise, quantise
from graves_nb.sampling import Prime, Writer, draws, sample
from graves_nb.site import page_file

ROOT = Path(__file__).resolve().parents[1]
PENS = sorted((ROOT / "data" / "weights").glob("*pen.safetensors"))
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
    """Given the points of 5 lines, the raw outputs agree at each of 300 steps.

    The network wrote the points itself. Points that no hand would write can drive it to where float32 no
    longer settles its outputs: PyTorch itself is then further than FORCED from its own float64.
    """
    model, _ = load_weights(weights)
    text, chance = (TEXT + " ") * 3, torch.stack([draws(seed, 300) for seed in SEEDS])
    lines = sample(model, [text] * len(SEEDS), chance=chance)
    points = torch.stack([line.offsets for line in lines])  # (5, 300, 3)
    expected, _ = model(points.transpose(0, 1), alphabet.one_hot([text] * len(SEEDS)))
    body = """
      const network = await open(job.plain), codes = encode(job.text, network.about.alphabet);
      return job.lines.map((line) => {
        network.reset();
        return line.map((point) => Array.from(network.step(point, codes).subarray(0, 1 + 6 * network.M)));
      });"""
    found = in_page(body, weights, plain=plain, text=text, lines=points.tolist())
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


# ---- What a toy may look at while the network runs ----


def test_the_inside_can_be_seen(in_page, weights):
    """Gates, cells and outputs of each layer and the window's weights, after 40 given points, are Python's."""
    model, _ = load_weights(weights)
    x = sample(model, [TEXT], seeds=[1], chance=draws(1, 40)[None])[0].offsets
    writer = Writer(model, [TEXT], Prime("x", x[:-1]))
    before, shape = writer.state, writer.read()
    body = """
      const network = await open(false), text = "x" + job.text, codes = encode(text, network.about.alphabet);
      for (const point of [[0, 0, 0], ...job.points]) network.step(point, codes);
      const { layers, window } = network, numbers = (view) => Array.from(view);
      return { layers: layers.map(({ i, f, g, o, c, h }) => [i, f, g, o, c, h].map(numbers)), kappa: numbers(window.kappa),
        w: numbers(window.w), phi: Array.from({ length: text.length + 1 }, (_, u) => Math.exp(window.logPhi(u + 1))) };"""
    found = in_page(body, weights, text=TEXT, points=x[:-1].tolist())
    state, H = writer.state, model.config["hidden"]
    near(found["kappa"], state.window.kappa[0], FORCED)
    near(found["w"], state.window.w[0], FORCED)
    near(found["phi"], shape.phi(torch.arange(1, len(TEXT) + 3))[0], FORCED)
    cell, (i, f, g, o, *_) = model.layers[0], found["layers"][0]
    z = torch.cat([writer.x, before.window.w], -1) @ cell.weight_x.T + before.layers[0].h @ cell.weight_h.T + cell.bias
    for n, gate in enumerate([i, f]):
        near(gate, torch.sigmoid(z[0, n * H : (n + 1) * H] + cell.peephole[n] * before.layers[0].c[0]), FORCED)
    near(g, torch.tanh(z[0, 2 * H : 3 * H]), FORCED)
    near(o, torch.sigmoid(z[0, 3 * H :] + cell.peephole[2] * state.layers[0].c[0]), FORCED)
    for layer, expected in zip(found["layers"], state.layers):
        near(layer[4], expected.c[0], FORCED)
        near(layer[5], expected.h[0], FORCED)


def test_a_text_can_be_replaced_in_mid_word(in_page, weights):
    """From the step at which the text changes, the window reads the new one, and the stop rule counts it."""
    other = TEXT[:5] + "Z" + TEXT[6:] + " and"
    body = """
      const writing = new Writing(await open(false), { text: job.text, bias: 0.5, seed: 2, limit: 120 }), points = [];
      for (let t = 0; t < 120; t++) {
        if (t === 40) writing.replaceText(job.other);
        const point = writing.next();
        if (point) points.push(point);
      }
      return points;"""
    found = in_page(body, weights, text=TEXT, other=other)
    model, _ = load_weights(weights)
    first = sample(model, [TEXT], bias=0.5, chance=draws(2, 120)[None])[0].offsets
    writer, chance = Writer(model, [TEXT]), draws(2, 120).float()
    for t in range(len(found)):
        if t == 40:
            writer.code = alphabet.one_hot([other])
        writer.read()
        writer.x = sample_mixture(mixture_parameters(writer.model.readout(writer.h), 0.5), chance[None, t])
        near(found[t][:2], writer.x[0, :2], FREE)
    near([point[:2] for point in found[:40]], first[:40, :2], FREE)


def test_futures_grow_side_by_side(in_page, weights):
    """Twenty futures from one state, a step of each in turn, are the lines that each would be alone."""
    body = """
      const root = new Writing(await open(false), { text: job.text });
      for (const point of job.points) root.follow(point);
      const futures = Array.from({ length: 20 }, (_, seed) => root.branch({ seed, bias: 0.3 }));
      const together = futures.map(() => []);
      for (let t = 0; t < 15; t++) futures.forEach((future, n) => together[n].push(future.next()));
      const alone = [0, 19].map((seed) => {
        const future = root.branch({ seed, bias: 0.3 });
        return Array.from({ length: 15 }, () => future.next());
      });
      return { together, alone };"""
    model, _ = load_weights(weights)
    x = sample(model, [TEXT], chance=draws(5, 30)[None])[0].offsets
    found = in_page(body, weights, text=TEXT, points=x.tolist())
    assert found["alone"] == [found["together"][0], found["together"][19]]
    writer = Writer(model, [TEXT[1:]], Prime(TEXT[0], x))
    for chance, point in zip(draws(19, 15).float(), found["together"][19]):
        writer.read()
        writer.x = sample_mixture(mixture_parameters(writer.model.readout(writer.h), 0.3), chance[None])
        near(point[:2], writer.x[0, :2], FREE)


def heated(mixture, temperature):
    """Give a mixture a temperature: each factor of the density to the power of 1 / temperature."""
    root = temperature**0.5
    return mixture._replace(e=torch.sigmoid(torch.logit(mixture.e) / temperature), pi=(mixture.pi.log() / temperature).softmax(-1),
                            sigma1=root * mixture.sigma1, sigma2=root * mixture.sigma2)


@pytest.mark.parametrize("bias, temperature", [(0.0, 1.0), (2.0, 1.0), (0.0, 0.5), (0.7, 1.6)])
def test_mixtures_are_the_same(in_page, random_pen, bias, temperature):
    """The components that a toy draws are eqs 18 to 22, 61 and 62; a temperature is a power of each factor."""
    y = 2 * torch.randn(1 + 6 * 6, generator=torch.Generator().manual_seed(4))
    body = """
      const y = Float32Array.from(job.y), { bias, temperature } = job;
      return [liftOf(y, temperature), mixtureOf(y, 6, bias, temperature)];"""
    lift, parts = in_page(body, random_pen, y=y.tolist(), bias=bias, temperature=temperature)
    expected = heated(mixture_parameters(y, bias), temperature)
    near(lift, expected.e, 1e-6)
    near([part["pi"] for part in parts], expected.pi, 1e-6)
    near([part["mu"] for part in parts], torch.stack([expected.mu1, expected.mu2], -1), 1e-6)
    near([part["sigma"] for part in parts], torch.stack([expected.sigma1, expected.sigma2], -1), 1e-5)
    near([part["rho"] for part in parts], expected.rho, 1e-6)


# ---- The other networks of the book ----


class StandIn(torch.nn.Module):
    """Layers of peephole LSTM with skip connections (eqs 1 to 4), as small as a test wants them."""

    def __init__(self, inputs, outputs, hidden, layers):
        super().__init__()
        cells = [PeepholeLSTMCell(inputs + (hidden if n else 0), hidden) for n in range(layers)]
        self.layers, self.output = torch.nn.ModuleList(cells), torch.nn.Linear(layers * hidden, outputs)

    def initial_state(self):
        return [cell.initial_state(1) for cell in self.layers]

    def step(self, x, state):
        """Read `x` (1, inputs); return the raw outputs and the state after it."""
        after, below = [], x[:, :0]
        for cell, before in zip(self.layers, state):
            after.append(cell(torch.cat([x, below], -1), before))
            below = after[-1].h
        return self.output(torch.cat([layer.h for layer in after], -1)), after


SYMBOLS = " abcdefghijklmnopqrstuvwxyz\n"


def stand_in(kind, layers, folder, bits=16):
    """Make a network and its file; returns both."""
    torch.manual_seed(2)
    hidden, M, V = 40, 5, len(SYMBOLS)
    inputs, outputs = (3, 1 + 6 * M) if kind == "HandwritingPredictor" else (V, V)
    model = StandIn(inputs, outputs, hidden, layers).requires_grad_(False)
    config = dict(hidden=hidden, layers=layers, **(dict(M=M) if inputs == 3 else dict(V=V)))
    tensors = quantise(model.state_dict()) if bits == 8 else model.state_dict()
    path = folder / "network.safetensors"
    write_tensors(path, tensors, dict(model=kind, config=config, vocabulary=dict(kind="characters", symbols=list(SYMBOLS))))
    model.load_state_dict(dequantise(tensors))
    return model, path


FILES = pytest.mark.parametrize("layers, bits", [(1, 16), (3, 16), (2, 8)])


@FILES
def test_handwriting_prediction_forced_and_free(in_page, tmp_path, layers, bits):
    """The network of section 4: no text, no window, no end but the one that is asked for."""
    model, path = stand_in("HandwritingPredictor", layers, tmp_path, bits)
    points = torch.randn(300, 3, generator=torch.Generator().manual_seed(0))
    body = """
      const network = await open(job.plain);
      const forced = job.points.map((point) => Array.from(network.step(point)));
      const free = job.seeds.map((seed) => {
        const writing = new Writing(network, { seed, bias: 0.5, temperature: 0.8, limit: 300 }), line = [];
        for (let point = writing.next(); point; point = writing.next()) line.push(point);
        return [line, writing.stopped];
      });
      return { forced, free };"""
    for plain in (False, True):
        found = in_page(body, path, model="HandwritingPredictor", points=points.tolist(), seeds=list(SEEDS), plain=plain)
        state = model.initial_state()
        for x, y in zip(points, found["forced"]):
            expected, state = model.step(x[None], state)
            near(y, expected[0], FORCED)
        for seed, (line, stopped) in zip(SEEDS, found["free"]):
            assert stopped == "length"
            near(line, free_line(model, draws(seed, 300).float(), bias=0.5, temperature=0.8), FREE)


def free_line(model, chance, bias, temperature):
    """Let a stand-in write."""
    x, state, line = torch.zeros(1, 3), model.initial_state(), []
    for row in chance:
        y, state = model.step(x, state)
        x = sample_mixture(heated(mixture_parameters(y, bias), temperature), row[None])
        line.append(x[0])
    return torch.stack(line)


@FILES
def test_text_forced_and_free(in_page, tmp_path, layers, bits):
    """The network of section 3: given characters, the same chances of the next; given draws, the same text."""
    model, path = stand_in("TextPredictor", layers, tmp_path, bits)
    text, restart = "a text that was not written by the network\n" * 7, SYMBOLS.index("\n")
    body = """
      const network = await open(job.plain), { symbols } = network.about.vocabulary;
      const forced = [-1, ...encode(job.text, symbols)].map((code) => softmax(network.step(code), job.temperature));
      const free = job.seeds.map((seed) => {
        const writing = new Writing(network, { seed, temperature: job.temperature, restart: job.restart });
        for (const code of encode("begin", symbols)) writing.follow(code);
        return Array.from({ length: 300 }, () => symbols[writing.next()]).join("");
      });
      return { forced, free };"""
    for plain in (False, True):
        found = in_page(body, path, model="TextPredictor", text=text, seeds=list(SEEDS), plain=plain, temperature=0.7, restart=restart)
        state, x = model.initial_state(), torch.zeros(1, len(SYMBOLS))
        for character, shares in zip(text + " ", found["forced"]):
            y, state = model.step(x, state)
            near(shares, torch.softmax(y[0] / 0.7, -1), FORCED)
            x = symbol(character)
        for seed, written in zip(SEEDS, found["free"]):
            assert written == free_text(model, draws(seed, 300).float(), "begin", 0.7)


def symbol(character):
    """One-hot (1, V)."""
    return torch.nn.functional.one_hot(torch.tensor([SYMBOLS.index(character)]), len(SYMBOLS)).float()


def free_text(model, chance, prime, temperature):
    """Let a stand-in read `prime` and go on, with the first draw of each step; a new line begins anew."""
    x, state, text = torch.zeros(1, len(SYMBOLS)), model.initial_state(), ""
    for character in prime:
        _, state = model.step(x, state)
        x = symbol(character)
    for row in chance:
        y, state = model.step(x, state)
        text += SYMBOLS[int((torch.softmax(y[0] / temperature, -1).cumsum(-1) <= row[0]).sum())]
        x = symbol(text[-1])
        if text[-1] == "\n":
            x, state = torch.zeros_like(x), model.initial_state()
    assert "\n" in text
    return text


def test_a_file_of_another_network_is_refused(in_page, tmp_path):
    """A pen toy given a text network says so."""
    _, path = stand_in("TextPredictor", 1, tmp_path)
    message = in_page("return open(false).then(() => 'taken', (error) => error.message);", path)
    assert "of a TextPredictor, not of a HandwritingSynthesizer" in message


# ---- What can go wrong ----


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
    if kind == "no scale":
        header.pop("output.weight.scale")
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + size :]


@pytest.mark.parametrize("kind, words", [
    ("short", "cut short"), ("page", "no safetensors header"), ("not finite", "not finite"),
    ("foreign", "does not describe a pen"), ("shape", "has shape"), ("missing", "output.bias is missing"),
    ("no scale", "output.weight.scale is missing"),
])
def test_damaged_weights_are_refused(in_page, random_pen, tmp_path, kind, words):
    """A file that is not what it should be gives an error that names the fault and a way out."""
    path = tmp_path / "bad.safetensors"
    path.write_bytes(damaged(kind, page_file(random_pen) if kind == "no scale" else random_pen.read_bytes()))
    with pytest.raises(WeightsError):
        load_weights(path)
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
