// A reader that learns: the text network reads a text that changes its topic, once as it is and once with an
// output layer that learns from every character after it was predicted. The reader sets the learning rate.

import { goalLine } from "./goal.js";
import { loadNetwork } from "./loader.js";
import { LearningOutput, costOf, labelsOf } from "./text-reading.js";
import { announcer, brush, el, reducedMotion, sharpCanvas, slider, toyRoot } from "./toolkit.js";

const RATES = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]; // steps of the slider
const WINDOW = 150, FIRST = 20; // characters that a place of a curve is the mean of; where the curve begins
const MOST = 6, MOST_READ = 6000, LEAST_READ = 200; // bits that are shown; characters of a text of one's own
const BUSY = 12; // milliseconds of work a frame
const SAVING = 0.3; // of the bits: the first goal
const FIELDS = ["parts", "rate", "look"];
const CURVES = { frozen: ["--quiet", [6, 4], "frozen"], whole: ["--green", [2, 3], "all learn"], learning: ["--blue", [], "output learns"] };
const sumOver = (numbers) => numbers.reduce((total, number) => total + number, 0);
const meanOver = (bits, { start, end }) => sumOver(bits.slice(start, end)) / (end - start);
const rateName = (step) => (step ? String(RATES[step]) : "0, frozen");

class Reading {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "reading");
    this.start = Object.fromEntries(["parts", "whole", "rate", "look"].map((field) => [field, model.get(field)]));
    Object.assign(this, { met: {}, frame: 0, drawn: 0, frozen: [], learning: [], states: [], labels: [], text: "" });
    this.build();
    this.say = announcer(this.root);
    this.changed = { parts: () => this.open(), rate: () => this.relearn(), look: () => this.report() };
    for (const field of FIELDS) model.on(`change:${field}`, this.changed[field]);
    const ready = (network) => { this.network = network; this.output = new LearningOutput(network); this.open(); };
    this.stopLoading = loadNetwork(model, this.place, { kind: "TextPredictor", name: "the text network" }, ready);
    this.report();
  }

  set(values) {
    for (const [field, value] of Object.entries(values)) this.model.set(field, value);
    this.model.save_changes();
  }

  build() {
    this.goals = { saved: goalLine(), forgot: goalLine() };
    this.place = el("div", { class: "toy-row" });
    const picture = (label, height, draw) => sharpCanvas({ label, height: () => height, draw });
    this.curve = picture("Bits a character", 250, (context, width, height) => this.drawCurve(context, width, height));
    this.lens = picture("Characters", 110, (context, width, height) => this.drawLens(context, width, height));
    this.curve.canvas.addEventListener("pointerdown", ({ offsetX, target }) => this.set({ look: this.at(offsetX, target.clientWidth) }));
    this.status = el("p", { class: "reading-status" });
    this.rate = slider({
      label: "Learning rate", min: 0, max: RATES.length - 1, value: 0, format: rateName, oninput: (step) => this.set({ rate: RATES[step] }),
    });
    this.look = slider({ label: "Look at", min: 1, max: 1, value: 1, format: (n) => `character ${n}`, oninput: (n) => this.set({ look: n - 1 }) });
    this.own = el("textarea", { rows: 5, maxLength: MOST_READ, "aria-label": "A text of your own" });
    this.error = el("p", { class: "toy-error", role: "alert" });
    const button = (textContent, onclick) => el("button", { type: "button", textContent, onclick });
    this.root.append(...Object.values(this.goals).map(({ line }) => line), this.place, this.rate.row, this.curve.canvas, this.status,
      this.look.row, this.lens.canvas, el("div", { class: "toy-row" }, button("Start again", () => this.set(this.start))),
      el("details", {}, el("summary", { textContent: "Let it read a text of your own" }), this.own, this.error,
        el("div", { class: "toy-row" }, button("Read it", () => this.readOwn())),
        el("p", { class: "toy-note", textContent: "Best in English, with a change of topic or style in it. Your text stays in this page." })));
  }

  readOwn() {
    const { text } = labelsOf(this.own.value, this.model.get("symbols"));
    const short = text.length < LEAST_READ;
    this.error.textContent = short ? `That is ${text.length} characters. Give it ${LEAST_READ} or more, or there is nothing to learn.` : "";
    if (!short) this.set({ whole: [], parts: [["your text", this.own.value]], look: 0 });
  }

  // ---- Reading and learning ----

  /** Begin a text: the network reads it once; the output layer may then learn along it as often as we like. */
  open() {
    if (!this.network) return;
    const read = this.model.get("parts").map(([name, text]) => ({ name, ...labelsOf(text, this.model.get("symbols")) }));
    this.text = read.map(({ text }) => text).join("");
    this.labels = read.flatMap(({ labels }) => labels);
    this.strange = [...new Set(read.flatMap(({ strange }) => strange))];
    let end = 0;
    this.marks = read.map(({ name, labels }) => ({ name, start: end, end: end += labels.length }));
    Object.assign(this, { states: [], frozen: [] });
    this.network.reset();
    this.look.input.max = this.labels.length;
    this.relearn();
  }

  relearn() {
    this.learning = [];
    this.output?.forget();
    this.rate.set(Math.max(0, RATES.findLastIndex((rate) => rate <= this.model.get("rate"))));
    this.run();
  }

  get done() { return this.learning.length === this.labels.length; }

  run() { if (this.output) this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.tick(); }); }

  tick() {
    const until = performance.now() + BUSY;
    while (!this.done && performance.now() < until) this.step();
    const calm = reducedMotion() ? 1000 : 0, now = performance.now(); // with less motion the picture changes once a second
    if (this.done || now - this.drawn >= calm) { this.drawn = now; this.report(); }
    if (!this.done) this.run();
  }

  /** One character: the network reads it, or, once all is read, the output layer predicts it, counts its bits, and
   *  only then learns from it. */
  step() {
    const { network, output, labels, states } = this, rate = this.model.get("rate"), read = states.length, t = this.learning.length;
    if (read < labels.length) {
      this.frozen.push(costOf(network.step(read ? labels[read - 1] : -1), labels[read]));
      states.push(network.output.x.slice(1, 1 + network.N * network.H));
    } else if (rate) {
      this.learning.push(costOf(output.predict(states[t]), labels[t]));
      output.learn(labels[t], rate);
    } else this.learning = [...this.frozen];
  }

  // ---- What is said ----

  report() {
    const [frozen, learning] = [sumOver(this.frozen), sumOver(this.learning)], saved = 1 - learning / frozen, rate = this.model.get("rate");
    if (this.done && rate && frozen) { this.met.saved ||= saved >= SAVING; this.met.forgot ||= saved > 0 && this.forgot(); }
    this.goals.saved.set(Boolean(this.met.saved), `Goal: find a rate that saves ${100 * SAVING} % of all bits.`, `Goal reached: it saves ${100 * SAVING} % of all bits.`);
    this.goals.forgot.set(Boolean(this.met.forgot), "Goal: let the log become cheap, and the play after it dearer than frozen.",
      "Goal reached: what it learnt of the log drove out some of what it knew of plays.");
    this.look.set(this.model.get("look") + 1);
    this.status.textContent = this.story(frozen, learning, saved, rate);
    this.curve.canvas.setAttribute("aria-label", `Bits a character along the text, as means of ${WINDOW} characters. ${this.byPart()}`);
    this.lens.canvas.setAttribute("aria-label", this.lensWords());
    for (const sheet of [this.curve, this.lens]) sheet.redraw();
    if (this.done && this.network) this.say(this.status.textContent);
  }

  story(frozen, learning, saved, rate) {
    if (!this.network) return "The network comes when you scroll here.";
    const left = this.strange.length ? ` Left out, for the network has no symbol for them: ${this.strange.join(" ")}` : "";
    if (!this.done) return `Reading: ${this.learning.length || this.frozen.length} of ${this.labels.length} characters.${left}`;
    const total = `Frozen, all the text costs ${frozen.toFixed(0)} bits.`;
    if (!rate) return `${total} ${this.byPart()}${left}`;
    return `${total} Learning, ${learning.toFixed(0)}: ${Math.abs(100 * saved).toFixed(1)} % ${saved < 0 ? "more" : "less"}. ${this.byPart()}${left}`;
  }

  /** Whether the last part, of several, costs more than it would have frozen. */
  forgot() {
    const mark = this.marks.at(-1);
    return this.marks.length > 1 && meanOver(this.learning, mark) > meanOver(this.frozen, mark);
  }

  byPart() {
    if (!this.done || !this.marks) return "";
    const bits = (name, mark) => meanOver(this[name], mark).toFixed(2);
    const words = this.marks.map((mark) => `${mark.name} ${bits("frozen", mark)}${this.model.get("rate") ? ` → ${bits("learning", mark)}` : ""}`);
    return `Bits a character: ${words.join(", ")}.`;
  }

  lensWords() {
    const t = this.model.get("look");
    if (t >= this.learning.length) return "Nothing is read here yet.";
    return `At character ${t + 1} of “${this.text.slice(t, t + 20)}”: ${this.frozen[t].toFixed(1)} bits frozen, ${this.learning[t].toFixed(1)} bits learning.`;
  }

  // ---- The pictures ----

  at(x, width) { return Math.round(Math.max(0, Math.min(1, (x - 30) / (width - 40))) * Math.max(0, this.labels.length - 1)); }

  drawCurve(context, width, height) {
    const { shade, words, line } = brush(this.root, context), count = Math.max(1, this.labels.length - 1), top = 46, bottom = height - 24;
    const x = (t) => 30 + (width - 40) * t / count, y = (bits) => bottom - (bottom - top) * Math.min(MOST, bits) / MOST;
    (this.marks ?? []).forEach(({ name, start, end }, n) => {
      if (n % 2) { context.fillStyle = shade("--panel"); context.fillRect(x(start), 0, x(end) - x(start), bottom); }
      words(name, (x(start) + x(end)) / 2, 14, "--text", "center");
    });
    for (let bits = 0; bits <= MOST; bits += 2) { line([[30, y(bits)], [width - 10, y(bits)]], "--line", [], 1); words(String(bits), 22, y(bits), "--quiet", "right"); }
    words(`bits a character, over ${WINDOW} characters`, 30, height - 10);
    let key = 30;
    for (const [name, [tint, dash, label]] of Object.entries(CURVES)) {
      const bits = name === "whole" ? this.model.get("whole").slice(0, this.frozen.length) : this[name];
      if (!bits.length || (name === "learning" && !this.model.get("rate"))) continue;
      line(smooth(bits).map((height, t) => [x(t), y(height)]).slice(FIRST), tint, dash, 2.2);
      line([[key, 34], [key + 22, 34]], tint, dash, 2.2);
      words(label, key + 27, 35, tint);
      key += context.measureText(label).width + 38;
    }
    const here = x(this.model.get("look"));
    line([[here, top - 4], [here, bottom]], "--accent", [], 1.5);
  }

  drawLens(context, width, height) {
    const { shade, line } = brush(this.root, context), size = 15, first = this.model.get("look"), base = height - 26, most = 12;
    const tall = (bits) => (base - 6) * Math.min(most, bits) / most;
    for (let n = 0; n < Math.floor((width - 16) / size) && first + n < this.learning.length; n++) {
      const t = first + n, x = 8 + n * size, [frozen, learning] = [tall(this.frozen[t]), tall(this.learning[t])];
      context.fillStyle = shade("--blue");
      context.fillRect(x + 3, base - learning, size - 6, learning);
      line([[x + 1, base], [x + 1, base - frozen], [x + size - 2, base - frozen], [x + size - 2, base]], "--quiet", [], 1.4);
      Object.assign(context, { fillStyle: shade("--text"), font: "15px ui-monospace, monospace", textAlign: "center" });
      context.fillText({ "\n": "↵", " ": "·" }[this.text[t]] ?? this.text[t], x + size / 2, height - 11);
    }
    line([[4, base], [width - 4, base]], "--line", [], 1);
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.stopLoading();
    for (const sheet of [this.curve, this.lens]) sheet.stop();
    for (const field of FIELDS) this.model.off(`change:${field}`, this.changed[field]);
  }
}

/** Means over the last WINDOW numbers, or as many as there are. */
function smooth(numbers) {
  let total = 0;
  return numbers.map((number, t) => {
    total += number - (t >= WINDOW ? numbers[t - WINDOW] : 0);
    return total / Math.min(t + 1, WINDOW);
  });
}

function render({ model, el: host }) {
  const reading = new Reading(model, host);
  return () => reading.stop();
}

export default { render };
