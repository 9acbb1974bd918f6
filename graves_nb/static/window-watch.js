// The soft window of the trained network, watched while it writes. The text may be changed at any moment.

import { drawInk, strokesOf } from "./ink.js";
import { loadPen } from "./pen-loader.js";
import { STEPS_PER_CHARACTER, drawPoint, draws, encode, textProblem } from "./sampler.js";
import { cividis, colour, el, newId, reducedMotion, sharpCanvas, slider } from "./toolkit.js";

const WATCH = {
  longest: 24, // characters: the line stands in one row above its map
  row: 17, ink: 130, gutter: 34, rim: 12, // CSS pixels: a row of the map, the ink, the letters beside the map, the edge
  broad: 200, largest: 0.25, // tablet units that a character takes, about, and CSS pixels a unit at most
  budget: 10, // milliseconds of network in each frame
  atOnce: 1e5, // points a second where the reader wants no motion
  ghost: 400, // points that the line goes on for without your change
};
const shownAs = (letter) => (letter === " " ? "␣" : letter);

/** The network that writes a text, which may change under its window. */
export class WindowWatcher {
  constructor(model, say) {
    Object.assign(this, { model, say, reached: false, frame: 0 });
    this.panel = el("div", {});
    this.build();
    this.again();
    this.stopLoading = loadPen(model, this.loading, (sampler) => {
      Object.assign(this, { sampler, network: sampler.network });
      const { name, licence } = this.network.about;
      this.terms.textContent = `Your text never leaves this page. Weights “${name}”: ${licence}`;
      this.edit();
    });
  }

  get text() { return this.model.get("text"); }
  set(field, value) { this.model.set(field, value); this.model.save_changes(); }

  build() {
    this.goal = el("p", { class: "toy-goal" });
    this.sheet = sharpCanvas({
      label: "Ink, and below it a map of the window", height: () => WATCH.ink + WATCH.row * (this.text.length + 1) + WATCH.rim,
      draw: (context, width) => this.draw(context, width),
    });
    this.loading = el("div", { class: "window-loading" });
    this.status = el("p", { class: "toy-note window-status" });
    this.bias = slider({
      label: "Bias", min: 0, max: 50, value: 10 * this.model.get("bias"), format: (n) => (n / 10).toFixed(1),
      oninput: (n) => this.set("bias", n / 10),
    });
    this.pace = slider({ label: "Pace", min: 10, max: 200, step: 10, value: 60, format: (n) => `${n} points a second` });
    const button = (textContent, onclick) => el("button", { type: "button", textContent, onclick });
    this.panel.append(this.goal, el("div", { class: "window-sheet" }, this.sheet.canvas, this.loading), this.status, this.buildText(),
      el("div", { class: "toy-row" }, button("Next letter", () => this.nextLetter()), button("Start again", () => this.again()),
        button("Another seed", () => this.set("seed", (this.model.get("seed") + 1) % 1e6))),
      this.pace.row, this.bias.row, this.terms = el("p", { class: "toy-note" }));
  }

  buildText() {
    const id = newId();
    this.error = el("p", { class: "toy-error", role: "alert", id: newId() });
    this.field = el("input", {
      type: "text", id, value: this.text, maxLength: WATCH.longest, autocomplete: "off", autocapitalize: "none", spellcheck: false,
      "aria-describedby": this.error.id, onfocus: () => this.toggle(false), oninput: () => this.edit(),
    });
    this.go = el("button", { class: "toy-main" });
    const submit = (event) => { event.preventDefault(); this.toggle(!this.playing); };
    return el("form", { class: "window-text", onsubmit: submit },
      el("label", { htmlFor: id, textContent: "Text" }), this.field, this.go, this.error);
  }

  // ---- The text ----

  /** The field changed. A good text is what the network sees from its next step on. */
  edit() {
    const problem = this.sampler ? textProblem(this.field.value, this.sampler.alphabet) : "";
    this.error.textContent = problem;
    this.field.setAttribute("aria-invalid", Boolean(problem));
    if (!problem) this.set("text", this.field.value);
  }

  /** A value came from a control or from Python. */
  changed(field) {
    if (this.field.value !== this.text) this.field.value = this.text;
    this.bias.set(10 * this.model.get("bias"));
    if (field === "bias") this.ghost = []; // it was written with the old one
    if (field === "seed" || this.stopped) this.again();
    this.show();
  }

  // ---- Writing ----

  again() {
    this.network?.reset();
    Object.assign(this, {
      point: [0, 0, 0], points: [], columns: [], ghost: [], forked: 0, stopped: "", playing: false, owed: 0, clock: undefined,
      texts: new Set(), seen: undefined, // all texts that the network saw, and the one at its last step
      passed: "", // for each place that the window has come to, the letter that stood there when it came
    });
    this.show();
  }

  /** Draw the point after `points` from raw outputs; the chance of a place in the line is fixed by the seed. */
  drawn(y, points) {
    const point = drawPoint(y, this.network.M, this.model.get("bias"), draws(this.model.get("seed"), points.length));
    points.push(this.sampler.toRaw(point));
    return point;
  }

  /** One point: the network reads the text as it is now. Says what ended the line, if anything. */
  step() {
    const { network, text } = this;
    if (this.texts.size && this.seen !== text) this.fork();
    this.texts.add(this.seen = text);
    const y = network.step(this.point, encode(text, this.sampler.alphabet));
    this.passed += text.slice(this.passed.length, network.past ? undefined : network.at);
    if (network.past) return this.finish("rule");
    if (this.points.length >= STEPS_PER_CHARACTER * text.length) return this.finish("length");
    this.columns.push(Array.from({ length: text.length + 1 }, (_, i) => Math.exp(network.window.logPhi(i + 1))));
    this.point = this.drawn(y, this.points);
    return "";
  }

  /** The text changed. For comparison, let the network go on without the change, and bring it back. */
  fork() {
    const { network } = this, state = network.save(), codes = encode(this.seen, this.sampler.alphabet);
    this.forked = this.points.length;
    this.ghost = [...this.points];
    for (let { point } = this; this.ghost.length < this.forked + WATCH.ghost;) {
      const y = network.step(point, codes);
      if (network.past) break;
      point = this.drawn(y, this.ghost);
    }
    network.restore(state);
  }

  finish(stopped) {
    Object.assign(this, { stopped, playing: false });
    this.reached ||= stopped === "rule" && !this.texts.has(this.passed);
    return stopped;
  }

  /** Get ready to write, at the start of a line or in the middle of one. Says whether that can be. */
  ready() {
    if (this.stopped) this.again();
    return Boolean(this.network && !this.error.textContent);
  }

  toggle(playing) {
    Object.assign(this, { playing: playing && this.ready(), clock: undefined, owed: 0 });
    this.show();
  }

  nextLetter() {
    const go = this.ready(), { length } = this.passed;
    while (go && !this.step() && this.passed.length <= length);
    this.toggle(false);
  }

  tick(now) {
    this.frame = 0;
    const end = performance.now() + WATCH.budget, pace = reducedMotion() ? WATCH.atOnce : this.pace.value;
    this.owed = Math.min(pace, this.owed + pace * Math.max(0, now - (this.clock ?? now)) / 1000);
    this.clock = now;
    for (; this.playing && this.owed >= 1 && performance.now() < end; this.owed--) this.step();
    this.show();
  }

  // ---- What is seen ----

  /** What the last change did to the ink, in words. */
  get effect() {
    const compared = Math.min(this.points.length, this.ghost.length);
    if (compared <= this.forked) return "";
    const apart = this.points.findIndex(([x, y], i) => i < compared && Math.hypot(x - this.ghost[i][0], y - this.ghost[i][1]) > 1);
    return apart < 0 ? ` Since your last change ${compared - this.forked} points: all where they would have been without it.`
      : ` Your last change moves the ink from point ${apart + 1} on; the pale line goes on without it.`;
  }

  get words() {
    if (this.stopped === "rule") return `The window is past the end, so the pen stopped. It has passed “${this.passed}”.${this.effect}`;
    if (this.stopped) return `The pen lost its way and was stopped. Take another seed.${this.effect}`;
    if (!this.points.length) return "Press Write. Pause in mid-word, change a letter ahead of the window or behind it, and go on.";
    return `The window is on letter ${this.passed.length}, “${shownAs(this.passed.at(-1))}”. It has passed “${this.passed}”.${this.effect}`;
  }

  show() {
    this.go.textContent = this.playing ? "Pause" : this.points.length && !this.stopped ? "Go on" : "Write";
    this.goal.textContent = this.reached ? "Goal reached: the pen wrote what at no moment stood in the text."
      : "Goal: change the text while the pen writes, so that it writes a line that it was never shown as a whole.";
    this.goal.classList.toggle("toy-reached", this.reached);
    const { words } = this, told = `${this.passed.length} ${this.stopped} ${this.playing} ${this.text}`;
    if (this.status.textContent !== words) this.status.textContent = words;
    if (this.points.length && this.told !== told) {
      this.told = told;
      this.sheet.canvas.setAttribute("aria-label", `Ink, and below it a map of the window, a row for each letter. ${words}`);
      this.say(words);
    }
    this.sheet.redraw();
    if (this.playing) this.frame ||= requestAnimationFrame((now) => this.tick(now));
  }

  draw(context, width) {
    const [strokes, ghost] = [strokesOf(this.points), strokesOf(this.ghost)], all = [...strokes, ...ghost, { xs: [0], ys: [0] }];
    const edge = (most, axis) => most(...all.map((stroke) => most(...stroke[axis])));
    const [left, right, top, bottom] = ["xs", "ys"].flatMap((axis) => [edge(Math.min, axis), edge(Math.max, axis)]);
    const wide = Math.max(1, right - left, this.stopped ? 0 : WATCH.broad * this.text.length);
    const scale = Math.min(WATCH.largest, (width - WATCH.gutter - WATCH.rim) / wide, (WATCH.ink - 20) / Math.max(1, bottom - top));
    const px = (x) => WATCH.gutter + (x - left) * scale, py = (y) => WATCH.ink / 2 + (y - (top + bottom) / 2) * scale;
    const fit = ({ first, xs, ys }) => ({ first, xs: xs.map(px), ys: ys.map(py) });
    const ink = colour(this.panel, "--ink"), fitted = strokes.map(fit);
    context.globalAlpha = 0.35;
    drawInk(context, { strokes: ghost.map(fit), scale }, Infinity, ink);
    context.globalAlpha = 1;
    this.drawMap(context, fitted.flatMap(({ xs }) => xs));
    this.drawLetters(context);
    const pen = drawInk(context, { strokes: fitted, scale }, this.points.length, ink);
    context.fillStyle = colour(this.panel, "--accent");
    if (pen && !this.stopped) context.fillRect(pen.x - 3, pen.y - 3, 6, 6);
  }

  /** The window under the ink that it led to: a column reaches as far as the pen went to the right. */
  drawMap(context, xs) {
    const height = WATCH.row * (this.text.length + 1);
    let reach = WATCH.gutter;
    this.columns.forEach((column, t) => {
      const next = Math.max(reach, xs[t]);
      context.fillStyle = cividis(0);
      context.fillRect(reach, WATCH.ink, next - reach + 0.5, height);
      column.slice(0, this.text.length + 1).forEach((phi, i) => {
        if (phi < 0.02 || next === reach) return;
        context.fillStyle = cividis(phi);
        context.fillRect(reach, WATCH.ink + i * WATCH.row, next - reach + 0.5, WATCH.row);
      });
      reach = next;
    });
  }

  /** A letter a row: as it stands now, and in brackets what the window met there, where it was another. */
  drawLetters(context) {
    const [plain, quiet, accent, warn] = ["text", "quiet", "accent", "warn"].map((name) => colour(this.panel, `--${name}`));
    context.textAlign = "center";
    [...this.text, "end"].forEach((letter, i) => {
      const met = this.passed[i], last = i === this.text.length, here = i + 1 === this.passed.length && !this.stopped;
      const differs = !last && met !== undefined && met !== letter;
      context.font = `${here ? 700 : 400} ${last ? 11 : 14}px system-ui, sans-serif`;
      context.fillStyle = here ? accent : differs ? warn : last ? quiet : plain;
      context.fillText(differs ? `${shownAs(letter)} (${shownAs(met)})` : shownAs(letter), WATCH.gutter / 2, WATCH.ink + i * WATCH.row + 13);
    });
  }

  stop() { cancelAnimationFrame(this.frame); this.stopLoading(); this.sheet.stop(); }
}
