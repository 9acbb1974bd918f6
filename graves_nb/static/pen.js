// The pen: type a sentence, choose bias and style, and watch the network write it.

import { Network, readWeights } from "./engine.js";
import { drawInk, layout, miniature, strokesOf, toSvg } from "./ink.js";
import { Sampler, textProblem } from "./sampler.js";
import {
  announcer, asset, colour, download, el, newId, radios, reducedMotion, sharpCanvas, slider, toyRoot, whenVisible,
} from "./toolkit.js";

const PACE = 130; // points a second at speed 1, about that of a hand
const BUDGET = 10; // milliseconds of network in each frame
const LINK = "#pen:";
const FIELDS = ["text", "bias", "style", "priming", "seed"];
const MOST_BIAS = 5, MOST_SEED = 999999;
const PEN_INK = "#1d2b53"; // of a drawing that is saved without paper: it will lie on white

// The bias slider: steps of 0.05 up to 2, where the eye sees them, and of 0.1 from there to 5.
const toBias = (step) => (step <= 40 ? step / 20 : 2 + (step - 40) / 10);
const toStep = (bias) => Math.round(bias <= 2 ? bias * 20 : 40 + (bias - 2) * 10);
const inWords = (bias) => [[0, "unbiased"], [0.5, "lively"], [1.2, "tidy"], [2.5, "very tidy"], [MOST_BIAS, "always alike"]]
  .find(([most]) => bias <= most)[1];

const whole = (text, most) => (/^\d+$/.test(text) && Number(text) <= most ? Number(text) : undefined);

/** Read a link's fragment; returns the five values, or undefined where it is mangled. */
function readLink(hash, alphabet, styles) {
  const fields = new URLSearchParams(hash.slice(LINK.length));
  const bias = Number(fields.get("bias") || NaN);
  const values = {
    text: textProblem(fields.get("text") ?? "", alphabet) ? undefined : fields.get("text"),
    bias: bias >= 0 && bias <= MOST_BIAS ? bias : undefined,
    style: whole(fields.get("style"), styles),
    priming: whole(fields.get("priming"), 99),
    seed: whole(fields.get("seed"), MOST_SEED),
  };
  return Object.values(values).includes(undefined) ? undefined : values;
}

class Pen {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "pen");
    Object.assign(this, { gallery: [], points: [], shown: 0, speed: 1, frame: 0, stops: [] });
    this.build();
    this.say = announcer(this.root);
    for (const field of FIELDS) this.listen(model, `change:${field}`, () => this.changed());
    this.stops.push(whenVisible(this.root, () => this.arrive()));
  }

  listen(model, event, listener) {
    model.on(event, listener);
    this.stops.push(() => model.off(event, listener));
  }

  get(field) { return this.model.get(field); }

  set(values, fast = false) {
    this.fast = fast;
    for (const [field, value] of Object.entries(values)) this.model.set(field, value);
    this.model.save_changes();
  }

  /** The line of the gallery that is the style now, if there is one. */
  get line() { return this.gallery[this.get("style") - 1]; }
  get words() { return this.line ? this.line.text.split(" ").length : 0; }

  // ---- What stands on the page ----

  build() {
    this.sheet = sharpCanvas({
      label: "Handwriting", height: (width) => this.arrange(width).height, draw: (context, width) => this.draw(context, width),
    });
    this.stops.push(this.sheet.stop);
    this.status = el("p", { class: "toy-note pen-status" });
    this.error = el("p", { class: "toy-error", role: "alert", id: newId() });
    this.loading = el("div", { class: "pen-loading" });
    this.terms = el("p", { class: "toy-note" });
    this.root.append(
      el("div", { class: "pen-sheet" }, this.sheet.canvas, this.loading), this.buildPlayer(), this.status,
      this.buildText(), this.error, this.buildSliders(), this.styles = el("div"), this.buildActions(),
      el("p", { class: "toy-note", textContent: "Your text never leaves this page: the network runs in it." }), this.terms,
    );
  }

  buildPlayer() {
    this.play = el("button", { type: "button", class: "pen-play", textContent: "Play", onclick: () => this.toggle() });
    this.scrub = slider({
      label: "Position", min: 0, max: 1, value: 0, format: (n) => `${n} of ${this.points.length} points`,
      oninput: (n) => { this.pause(); this.shown = n; this.sheet.redraw(); },
    });
    const speeds = [[0.5, "half speed"], [1, "speed 1"], [2, "speed 2"], [5, "speed 5"], [Infinity, "at once"]];
    const speed = el("select", { "aria-label": "Speed", onchange: () => { this.speed = Number(speed.value); } },
      ...speeds.map(([value, textContent]) => el("option", { value, textContent })));
    if (reducedMotion()) this.speed = Infinity;
    speed.value = String(this.speed);
    return el("div", { class: "pen-player" }, this.play, this.scrub.row, speed);
  }

  buildText() {
    const id = newId();
    this.text = el("input", {
      type: "text", id, value: this.get("text"), autocomplete: "off", spellcheck: false, "aria-describedby": this.error.id,
      oninput: () => { clearTimeout(this.typing); this.typing = setTimeout(() => this.readText(), 700); },
    });
    const submit = (event) => { event.preventDefault(); clearTimeout(this.typing); this.readText(true); };
    return el("form", { class: "pen-text", onsubmit: submit }, el("label", { htmlFor: id, textContent: "Text" }), this.text,
      el("button", { class: "toy-main", textContent: "Write" }));
  }

  buildSliders() {
    this.bias = slider({
      label: "Bias", min: 0, max: toStep(MOST_BIAS), value: toStep(this.get("bias")),
      format: (step) => `${toBias(step).toFixed(2)}, ${inWords(toBias(step))}`,
      oninput: (step) => this.set({ bias: toBias(step) }, true),
    });
    this.priming = slider({
      label: "Priming", min: 0, max: 1, value: 0,
      format: (n) => (!this.line ? "choose a style first" : n === 0 ? "none" : `${n} of ${this.words} words`),
      oninput: (n) => this.set({ priming: n }, true),
    });
    return el("div", {}, this.bias.row, this.priming.row);
  }

  buildStyles() {
    const choices = [[0, el("span", { class: "pen-none", textContent: "its own" }), "its own hand, no style"],
      ...this.gallery.map(({ text, offsets_raw }, n) => [n + 1, miniature(offsets_raw), `Style ${n + 1}: ${text}`])];
    this.styleRadios = radios({
      legend: "Style: a line that the network wrote before, for it to go on from", choices,
      value: this.get("style"), onchange: (style) => this.set({ style }),
    });
    this.styles.replaceChildren(this.styleRadios.fieldset);
  }

  buildActions() {
    const id = newId();
    this.seed = el("input", { type: "number", id, min: 0, max: MOST_SEED, step: 1, value: this.get("seed"), "aria-describedby": this.error.id, onchange: () => this.readSeed() });
    const button = (textContent, onclick) => el("button", { type: "button", textContent, onclick });
    const row = el("div", { class: "toy-row" }, el("label", { htmlFor: id, textContent: "Seed" }), this.seed,
      button("Write again", () => this.set({ seed: (this.get("seed") + 1) % MOST_SEED })), el("span", { class: "pen-space" }),
      button("SVG", () => this.saveSvg()), button("PNG", () => this.savePng()));
    this.link = el("a", { class: "toy-button", textContent: "Copy link", onclick: (event) => this.copyLink(event) });
    if (this.model.base) row.append(this.link);
    return row;
  }

  // ---- Weights ----

  /** The pen is in sight: fetch the weights, or ask first where the reader saves data. */
  arrive() {
    if (!navigator.connection?.saveData) return this.load();
    const button = el("button", { class: "toy-main", textContent: `Load the pen (${this.get("megabytes")} MB)`, onclick: () => this.load() });
    this.loading.replaceChildren(button);
    return undefined;
  }

  async load(anew = false) {
    const bar = el("progress", { "aria-label": "Loading the pen", max: 1, value: 0 });
    this.loading.replaceChildren(el("span", { textContent: "Loading the pen ..." }), bar);
    try {
      const [weights, gallery] = await Promise.all([
        asset(this.model, this.get("weights"), (share) => { bar.value = share; }, anew),
        asset(this.model, this.get("gallery"), undefined, anew),
      ]);
      if (this.stopped) return; // the cell was run again in the meantime
      const plain = new URLSearchParams(location.search).has("plainjs");
      this.sampler = new Sampler(new Network(readWeights(weights), { plain }));
      this.gallery = JSON.parse(new TextDecoder().decode(gallery));
    } catch (error) {
      const again = el("button", { textContent: "Try again", onclick: () => this.load(true) });
      this.loading.replaceChildren(el("p", { class: "toy-error", role: "alert", textContent: error.message }), again);
      return;
    }
    this.loading.remove();
    const { name, licence } = this.sampler.network.about;
    this.terms.textContent = `Weights “${name}”: ${licence}`;
    this.start();
  }

  start() {
    this.buildStyles();
    this.usual = Object.fromEntries(FIELDS.map((field) => [field, this.get(field)]));
    if (this.model.base && document.querySelector(".toy.pen") === this.root) {
      const follow = () => location.hash.startsWith(LINK) && this.follow();
      addEventListener("hashchange", follow);
      this.stops.push(() => removeEventListener("hashchange", follow));
      follow();
    }
    this.showValues();
    this.plan();
  }

  // ---- Values: from the controls, from a link, from Python ----

  changed() {
    if (!this.sampler) return;
    this.showValues();
    this.plan();
  }

  get primingWords() { return Math.min(this.get("priming"), this.words); }

  showValues() {
    if (document.activeElement !== this.text) this.text.value = this.get("text");
    this.seed.value = this.get("seed");
    this.bias.set(toStep(this.get("bias")));
    this.styleRadios.set(this.get("style"));
    this.priming.input.disabled = !this.line;
    this.priming.input.max = Math.max(1, this.words);
    this.priming.set(this.primingWords);
    this.link.href = LINK + new URLSearchParams(FIELDS.map((field) => [field, this.get(field)]));
  }

  readText(again = false) {
    if (!this.sampler) return;
    const text = this.text.value;
    if (this.complain(textProblem(text, this.sampler.alphabet))) return;
    if (text !== this.get("text")) this.set({ text });
    else if (again) this.write();
  }

  readSeed() {
    const seed = whole(this.seed.value, MOST_SEED);
    const problem = seed === undefined ? `The seed must be a whole number from 0 to ${MOST_SEED}.` : "";
    if (!this.complain(problem, this.seed)) this.set({ seed });
  }

  follow() {
    const values = readLink(location.hash, this.sampler.alphabet, this.gallery.length);
    this.set(values ?? this.usual);
    this.complain(values ? "" : "This link is damaged, so the pen starts from its usual values. Ask for the link again.");
  }

  /** Show what is wrong with a field, if anything is; returns whether something is. */
  complain(problem, field = this.text) {
    this.error.textContent = problem;
    for (const each of [this.text, this.seed]) each.setAttribute("aria-invalid", each === field && Boolean(problem));
    return Boolean(problem);
  }

  // ---- Writing ----

  /** Write once, however many values change now. */
  plan() {
    this.planned ??= requestAnimationFrame(() => { this.planned = undefined; this.write(); });
  }

  *work() {
    const prime = this.line ? yield* this.sampler.cut(this.line, this.primingWords) : undefined;
    return yield* this.sampler.write(this.get("text"), { bias: this.get("bias"), seed: this.get("seed"), prime });
  }

  write() {
    const problem = textProblem(this.get("text"), this.sampler.alphabet);
    if (problem) return this.complain(problem);
    Object.assign(this, { writing: this.work(), points: [], shown: 0, playing: true, written: this.get("text") });
    this.status.textContent = "Writing ...";
    return this.run();
  }

  run() {
    if (this.frame) return;
    this.clock = performance.now();
    this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  tick(now) {
    this.frame = 0;
    if (this.writing) this.generate();
    const step = Math.max(0, Math.min(100, now - this.clock)) / 1000 * PACE * this.speed;
    if (this.playing) this.shown = Math.min(this.points.length, this.fast ? Infinity : this.shown + (step || 0));
    if (this.playing && !this.writing && this.shown >= this.points.length) this.playing = this.fast = false;
    this.play.textContent = this.playing ? "Pause" : "Play";
    this.scrub.input.max = Math.max(1, this.points.length);
    this.scrub.set(Math.floor(this.shown));
    this.sheet.redraw();
    if (this.playing || this.writing) this.run();
  }

  /** Let the network write for as long as a frame allows. */
  generate() {
    const end = performance.now() + BUDGET;
    while (performance.now() < end) {
      const { done, value } = this.writing.next();
      if (done) return this.finish(value);
      if (value) this.points.push(value);
    }
    return undefined;
  }

  finish(stopped) {
    const advice = this.get("bias") >= 2 ? "Write a longer text, or lower the bias." : "Write again, or raise the bias.";
    this.writing = undefined;
    if (this.points.length) this.points.at(-1)[2] = 1;
    this.status.textContent = stopped === "rule"
      ? `${this.points.length} points. The pen stopped by itself, past the last character.`
      : `The pen lost its way and was stopped after ${this.points.length} points. ${advice}`;
    this.sheet.canvas.setAttribute("aria-label", `Handwriting: ${this.written}`);
    this.say(`Written: ${this.written}`);
  }

  toggle() {
    if (this.playing) return this.pause();
    this.playing = this.points.length > 0;
    if (this.shown >= this.points.length) this.shown = 0;
    return this.run();
  }

  pause() {
    this.playing = this.fast = false;
    this.play.textContent = "Play";
  }

  // ---- The picture ----

  arrange(width) {
    const key = `${width} ${this.points.length} ${Boolean(this.writing)} ${this.written}`;
    if (this.arranged?.key !== key) {
      const text = this.written ?? this.get("text");
      this.arranged = { key, ...layout(strokesOf(this.points, text), text, width, !this.writing) };
    }
    return this.arranged;
  }

  draw(context, width) {
    const pen = drawInk(context, this.arrange(width), Math.floor(this.shown), colour(this.root, "--ink"));
    if (!pen || !this.playing || this.fast) return;
    context.strokeStyle = colour(this.root, "--accent");
    context.lineWidth = 3;
    context.beginPath();
    context.moveTo(pen.x + 2, pen.y - 3);
    context.lineTo(pen.x + 15, pen.y - 24);
    context.stroke();
  }

  get fileName() { return this.written.replace(/[^a-z0-9]+/gi, "-").slice(0, 40) || "pen"; }

  /** Whether a whole line is there to be saved; says so where it is not. */
  get isWritten() {
    const is = this.points.length > 0 && !this.writing;
    if (!is) this.tell("There is no whole line yet. Save it when it is written.");
    return is;
  }

  tell(words) { this.status.textContent = words; this.say(words); }

  saveSvg() {
    if (!this.isWritten) return;
    const width = this.sheet.canvas.clientWidth;
    const svg = toSvg(this.arrange(width), width, this.written, PEN_INK);
    download(`${this.fileName}.svg`, new Blob([svg], { type: "image/svg+xml" }));
  }

  savePng() {
    if (!this.isWritten) return;
    const width = this.sheet.canvas.clientWidth, ink = this.arrange(width), sharp = 3;
    const canvas = el("canvas", { width: sharp * width, height: sharp * ink.height });
    const context = canvas.getContext("2d");
    context.scale(sharp, sharp);
    context.fillStyle = colour(this.root, "--paper");
    context.fillRect(0, 0, width, ink.height);
    drawInk(context, ink, Infinity, colour(this.root, "--ink"));
    canvas.toBlob((blob) => download(`${this.fileName}.png`, blob));
  }

  /** Put the link into the address bar, and on the clipboard where that is allowed. */
  copyLink(event) {
    event.preventDefault();
    if (!this.sampler) return this.tell("The pen has not come yet, so there is nothing to link to.");
    history.replaceState(null, "", this.link.href);
    const copied = navigator.clipboard?.writeText(location.href) ?? Promise.reject();
    return copied.then(() => this.tell("Link copied."), () => this.tell("The link stands in the address bar: copy it from there."));
  }

  stop() {
    this.stopped = true;
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.planned);
    clearTimeout(this.typing);
    this.writing = undefined;
    for (const stop of this.stops) stop();
  }
}

function render({ model, el: host }) {
  const pen = new Pen(model, host);
  return () => pen.stop();
}

export default { render };
