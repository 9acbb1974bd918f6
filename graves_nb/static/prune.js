// Pruning by the ratio of mean and width: a small network whose every weight has learnt how precisely it must be
// kept. The reader takes weights away and sees the loss, the sentences, and the length of the whole message.

import { goalLine } from "./goal.js";
import { loadNetwork } from "./loader.js";
import { NoisyWeights, bitsOfChoice, bitsOfWeights } from "./prune-weights.js";
import { Writing } from "./sampler.js";
import { costOf, labelsOf } from "./text-reading.js";
import { announcer, brush, el, radios, sharpCanvas, slider, toyRoot } from "./toolkit.js";

const SHARES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100]; // per cent: the slider's steps
const WAYS = [["ratio", "|μ| / σ"], ["size", "|μ|"], ["chance", "chance"]];
const STYLES = { ratio: ["--blue", []], size: ["--orange", [7, 4]], chance: ["--purple", [2, 4]] };
const FEW = 20, LITTLE = 0.5, MUCH = 1; // the goals: per cent, and bits a sentence
const DRAWN = 6, CUT_AT = 90, BUSY = 12; // sentences that are written, characters of one at most; milliseconds a frame
const COSTS = ["sentences", "the weights", "which are kept", "in all"], WIDE = 70000; // what is told; bits of the longest bar
const LEAST = 1e-3, MOST = 8, LOW = 0.02, HIGH = 1.2; // of |μ| and of σ, in the cloud of weights
const rounded = (bits) => Math.round(bits).toLocaleString("en-GB");

class Prune {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "prune");
    this.start = { keep: model.get("keep"), by: model.get("by") };
    Object.assign(this, { met: {}, seen: { ratio: {}, size: {}, chance: {} }, frame: 0, lines: [] });
    this.build();
    this.say = announcer(this.root);
    this.changed = () => this.prune();
    for (const field of ["keep", "by"]) model.on(`change:${field}`, this.changed);
    const ready = (network, weights) => this.open(weights);
    this.stopLoading = loadNetwork(model, this.place, { kind: "TextPredictor", name: "the small network" }, ready);
    this.report();
  }

  get by() { return this.model.get("by"); }
  get keep() { return this.model.get("keep"); }
  get loss() { return this.seen[this.by][this.keep]; }

  set(values) {
    for (const [field, value] of Object.entries(values)) this.model.set(field, value);
    this.model.save_changes();
  }

  build() {
    this.goals = { few: goalLine(), better: goalLine() };
    this.place = el("div", { class: "toy-row" });
    const picture = (label, height, draw) => sharpCanvas({ label, height: () => height, draw });
    this.cloud = picture("Weights", 230, (context, width, height) => this.drawCloud(context, width, height));
    this.curve = picture("Loss", 215, (context, width, height) => this.drawCurve(context, width, height));
    this.share = slider({
      label: "Keep", min: 0, max: SHARES.length - 1, value: 0, format: (step) => `${SHARES[step]} % of the weights`,
      oninput: (step) => this.set({ keep: SHARES[step] }),
    });
    this.way = radios({ legend: "Keep the largest by", choices: WAYS, value: this.by, onchange: (by) => this.set({ by }) });
    this.status = el("p", { class: "prune-status" });
    this.written = el("ul", { class: "prune-written" });
    this.costs = el("div", { class: "prune-costs" });
    this.root.append(...Object.values(this.goals).map(({ line }) => line), this.place, this.share.row, this.way.fieldset, this.status, this.written,
      this.cloud.canvas, this.curve.canvas, el("p", { textContent: "The whole message, in bits:" }), this.costs,
      el("div", { class: "toy-row" }, el("button", { type: "button", textContent: "Start again", onclick: () => this.again() })));
  }

  again() {
    this.seen = { ratio: {}, size: {}, chance: {} };
    this.set(this.start);
    this.prune();
  }

  open(weights) {
    this.symbols = weights.about.vocabulary.symbols;
    this.labels = labelsOf(this.model.get("sentences"), this.symbols).labels;
    this.end = this.symbols.indexOf("\n");
    const [nouns, verbs] = ["nouns", "verbs"].map((words) => this.model.get(words).join("|"));
    this.grammar = new RegExp(`^the (?:${nouns})(s?)(?: that the (?:${nouns})(s?) (?:${verbs})(s?))? (?:${verbs})(s?) the (?:${nouns})s?\\.$`);
    this.weights = new NoisyWeights(weights);
    const whole = this.measure(this.weights.network(this.weights.ranks.ratio));
    do this.full = whole.next().value; while (typeof this.full !== "number");
    this.prune();
  }

  // ---- What is left of the network ----

  prune() {
    if (!this.weights) return;
    this.places = this.weights.ranks[this.by].slice(0, Math.round(this.weights.count * this.keep / 100));
    const network = this.weights.network(this.places);
    this.lines = this.write(network);
    this.measuring = this.measure(network);
    this.report();
    this.run();
  }

  /** Let a network read the sentences, each from an empty state: returns bits a sentence. Yields after each. */
  *measure(network) {
    let bits = 0, count = 0, last = -1;
    for (const label of this.labels) {
      if (last < 0) network.reset();
      bits += costOf(network.step(last), label);
      last = label === this.end ? -1 : label;
      if (last < 0) { count++; yield; }
    }
    return bits / count;
  }

  run() { this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.tick(); }); }

  tick() {
    for (const until = performance.now() + BUSY; performance.now() < until;) {
      const { done, value } = this.measuring.next();
      if (!done) continue;
      this.seen[this.by][this.keep] = value;
      return this.report();
    }
    return this.run();
  }

  write(network) {
    return Array.from({ length: DRAWN }, (_, seed) => {
      network.reset();
      const writing = new Writing(network, { seed, restart: this.end, limit: CUT_AT }), found = [];
      for (let label = writing.next(); label !== undefined && label !== this.end; label = writing.next()) found.push(this.symbols[label]);
      return found.join("");
    });
  }

  /** Noun and verb agree: one of the two has the s. */
  isRight(sentence) {
    const [, first, second, inner, outer] = sentence.match(this.grammar) ?? [];
    return first !== undefined && first !== outer && (second === undefined || second !== inner);
  }

  // ---- What is said ----

  report() {
    const more = (by, share) => (this.seen[by][share] ?? NaN) - this.full, { few, better } = this.goals;
    this.met.few ||= WAYS.some(([by]) => SHARES.some((share) => share <= FEW && more(by, share) <= LITTLE));
    this.met.better ||= SHARES.some((share) => more("ratio", share) <= LITTLE && more("size", share) > MUCH);
    few.set(Boolean(this.met.few), `Goal: keep ${FEW} % or fewer, and lose at most ${LITTLE} bits a sentence.`, "Goal reached: most weights were never needed.");
    better.set(Boolean(this.met.better), `Goal: find a share where |μ| / σ loses at most ${LITTLE} bits, and |μ| alone more than ${MUCH}.`,
      "Goal reached: what counts is a weight's size against its width, not its size.");
    this.share.set(Math.max(0, SHARES.findLastIndex((share) => share <= this.keep)));
    this.way.set(this.by);
    this.status.textContent = this.story();
    const right = this.lines.map((line) => this.isRight(line));
    this.written.replaceChildren(...this.lines.map((line, n) => el("li", {}, el("span", { "aria-hidden": "true", textContent: right[n] ? "✓" : "✗" }),
      el("span", { class: "toy-hidden", textContent: right[n] ? "right: " : "wrong: " }), ` ${line}`)));
    this.costs.replaceChildren(...(this.loss === undefined ? [] : this.bars()));
    this.cloud.canvas.setAttribute("aria-label", `Each weight is a dot: its size |μ| to the right, its width σ upwards. ${this.status.textContent}`);
    this.curve.canvas.setAttribute("aria-label", `Bits a sentence against the share of weights that is kept. ${this.visited()}`);
    for (const sheet of [this.cloud, this.curve]) sheet.redraw();
    if (this.loss !== undefined) this.say(this.status.textContent);
  }

  story() {
    if (!this.weights) return "The network comes when you scroll here.";
    const kept = `${rounded(this.places.length)} of ${rounded(this.weights.count)} weights are kept`;
    if (this.loss === undefined) return `${kept}. Reading ...`;
    const right = this.lines.filter((line) => this.isRight(line)).length, more = this.loss - this.full;
    return `${kept}. A sentence costs ${this.loss.toFixed(2)} bits, ${Math.abs(more).toFixed(2)} ${more < 0 ? "fewer" : "more"} than with all. Of ${DRAWN} sentences that it writes, ${right} are right.`;
  }

  visited() {
    return WAYS.filter(([by]) => Object.keys(this.seen[by]).length)
      .map(([by, name]) => `By ${name}: ${Object.entries(this.seen[by]).map(([share, loss]) => `${share} %, ${loss.toFixed(2)}`).join("; ")}.`).join(" ");
  }

  bars() {
    const { mu, s, count } = this.weights, sentences = this.model.get("learnt") * this.loss;
    const parts = [sentences, bitsOfWeights(mu, s, this.places), bitsOfChoice(count, this.places.length)];
    return [...parts, parts[0] + parts[1] + parts[2]].map((bits, n) => {
      const bar = el("span", { class: "prune-bar", "aria-hidden": "true" });
      bar.style.setProperty("--length", `${100 * Math.min(1, bits / WIDE)}%`);
      return el("div", { class: n === 3 ? "prune-cost prune-total" : "prune-cost" }, el("span", { textContent: n ? COSTS[n] : `${rounded(this.model.get("learnt"))} ${COSTS[0]}` }), bar,
        el("span", { class: "prune-number", textContent: rounded(bits) }));
    });
  }

  // ---- The pictures ----

  /** Every weight as a dot, larger if it is kept, on logarithmic axes. */
  drawCloud(context, width, height) {
    const { shade, words, line } = brush(this.root, context), left = 44, right = width - 10, top = 10, bottom = height - 26;
    const share = (value, low, high) => Math.log(Math.max(low, Math.min(high, value)) / low) / Math.log(high / low);
    const x = (mu) => left + (right - left) * share(mu, LEAST, MOST), y = (s) => bottom - (bottom - top) * share(s, LOW, HIGH);
    for (const mu of [LEAST, 0.01, 0.1, 1]) { line([[x(mu), top], [x(mu), bottom]], "--line", [], 1); words(String(mu), x(mu), height - 14, "--quiet", "center"); }
    for (const s of [0.1, 1]) { line([[left, y(s)], [right, y(s)]], "--line", [], 1); words(String(s), left - 6, y(s), "--quiet", "right"); }
    [["|μ|", right, height - 14, "--text", "right"], ["σ", 8, y(0.3), "--text"]].forEach((label) => words(...label));
    if (!this.weights) return;
    const { mu, s } = this.weights, kept = new Uint8Array(mu.length);
    for (const i of this.places) kept[i] = 1;
    for (const [is, tint, size] of [[0, "--edge", 1.4], [1, "--blue", 2.6]]) {
      context.fillStyle = shade(tint);
      for (let i = 0; i < mu.length; i++) if (kept[i] === is) context.fillRect(x(Math.abs(mu[i])) - size / 2, y(s[i]) - size / 2, size, size);
    }
    const least = Math.max(this.weights.values[this.by][this.places.at(-1)], LEAST);
    if (this.by === "ratio") line([Math.max(LOW, LEAST / least), Math.min(HIGH, MOST / least)].map((s) => [x(s * least), y(s)]), "--vermillion", [6, 4]);
    if (this.by === "size") line([[x(least), top], [x(least), bottom]], "--vermillion", [6, 4]);
  }

  drawCurve(context, width, height) {
    const { words, line, shade } = brush(this.root, context), left = 44, right = width - 14, top = 46, bottom = height - 26;
    const x = (share) => left + (right - left) * Math.log(share) / Math.log(100);
    const y = (bits) => bottom - (bottom - top) * Math.log(Math.min(200, bits) / 12) / Math.log(200 / 12);
    for (const share of width < 500 ? [1, 5, 20, 100] : [1, 2, 5, 10, 20, 50, 100]) words(`${share} %`, share < 100 ? x(share) : right + 12, height - 12, "--quiet", share < 100 ? "center" : "right");
    for (const bits of [20, 50, 100, 200]) { line([[left, y(bits)], [right, y(bits)]], "--line", [], 1); words(String(bits), left - 6, y(bits), "--quiet", "right"); }
    const floor = this.model.get("least");
    line([[left, y(floor)], [right, y(floor)]], "--edge", [3, 3], 1.5);
    words("who knows the grammar", left + 4, y(floor) - 10);
    words("bits a sentence", 8, 14);
    WAYS.forEach(([by, name], n) => {
      const [tint, dash] = STYLES[by], points = SHARES.filter((share) => share in this.seen[by]).map((share) => [x(share), y(this.seen[by][share])]);
      line(points, tint, dash);
      context.fillStyle = shade(tint);
      points.forEach(([px, py]) => context.fillRect(px - 3.5, py - 3.5, 7, 7));
      line([[left + 80 * n, 32], [left + 22 + 80 * n, 32]], tint, dash);
      words(name, left + 27 + 80 * n, 33, tint);
    });
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.stopLoading();
    for (const sheet of [this.cloud, this.curve]) sheet.stop();
    for (const field of ["keep", "by"]) this.model.off(`change:${field}`, this.changed);
  }
}

function render({ model, el: host }) {
  const prune = new Prune(model, host);
  return () => prune.stop();
}

export default { render };
