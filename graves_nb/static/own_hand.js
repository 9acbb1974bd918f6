// Your own hand: the network reads a line, the reader's own or one of the gallery, and goes on in its
// hand. What it sees and believes moves along; then it is judged, by six numbers and by a blind test.

import { BlindTest, runThrough } from "./blind_test.js";
import { handsApart, measureHand, MEASURES } from "./hand.js";
import { HandChooser } from "./hand_chooser.js";
import { LinkedViews } from "./linked_views.js";
import { loadPen } from "./pen-loader.js";
import { Sampler, textProblem } from "./sampler.js";
import { announcer, asset, el, newId, reducedMotion, slider, toyRoot } from "./toolkit.js";
import { WatchedLine } from "./watched.js";

const SPEED = 130, WORK = 10; // points a second; milliseconds of network in each frame
const VALUES = ["text", "seed", "bias", "style", "priming"];
const GOAL = "Goal: let the network go on in a hand, your own if you like. Then finish the blind test of six rounds.";

class OwnHand {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "pen own");
    Object.assign(this, { shown: 0, frame: 0, playing: false });
    this.goal = el("p", { class: "toy-goal", textContent: GOAL });
    this.loading = el("div", { class: "toy-row" });
    this.root.append(this.goal, this.loading);
    this.say = announcer(this.root);
    this.changed = () => { this.showValues(); this.plan(); };
    this.stops = [loadPen(model, this.loading, ({ network }) => this.fetchGallery(network))];
  }

  get(field) { return this.model.get(field); }

  set(values, fast = false) {
    this.fast = fast;
    for (const [field, value] of Object.entries(values)) this.model.set(field, value);
    this.model.save_changes();
  }

  /** The line that is the hand now: of the gallery, or the reader's own, which never leaves this object. */
  get line() { return this.get("style") ? this.gallery[this.get("style") - 1] : this.chooser.line; }
  get count() { return this.line ? this.line.text.split(" ").length : 0; }
  get priming() { return Math.min(this.get("priming"), this.count); }

  /** The weights are here; the gallery is small and comes after them. */
  async fetchGallery(network, anew = false) {
    const bytes = await asset(this.model, this.get("gallery"), undefined, anew).catch((error) => {
      const again = el("button", { type: "button", textContent: "Try again", onclick: () => this.fetchGallery(network, true) });
      this.goal.after(this.loading);
      this.loading.replaceChildren(el("p", { class: "toy-error", role: "alert", textContent: error.message }), again);
    });
    if (bytes && !this.stopped) this.arrive(network, JSON.parse(new TextDecoder().decode(bytes)));
  }

  arrive(network, gallery) {
    Object.assign(this, { network, gallery });
    this.loading.remove();
    this.build();
    for (const field of VALUES) {
      this.model.on(`change:${field}`, this.changed);
      this.stops.push(() => this.model.off(`change:${field}`, this.changed));
    }
    this.changed();
  }

  build() {
    const forget = () => { this.cutter = undefined; this.blind.reset(); };
    this.chooser = new HandChooser(this.root, this.gallery, this.network.about.alphabet, {
      style: this.get("style"), choose: (style) => { forget(); this.set({ style }); }, wrote: () => { forget(); this.showValues(); this.plan(); },
    });
    this.views = new LinkedViews(this);
    this.blind = new BlindTest(this.root, { ask: () => this.ask(), finished: (...score) => this.finished(...score) });
    this.table = el("table", { class: "own-table" });
    this.verdict = el("p", { class: "own-verdict" });
    const head = (textContent) => el("p", { class: "own-head", textContent });
    this.stage = el("div", {}, this.views.trace.canvas, this.buildPlayer(), this.status = el("p", { class: "toy-note" }),
      el("div", { class: "own-views" }, this.views.strips.canvas, this.views.density.canvas));
    this.waiting = el("p", { class: "toy-note", textContent: "Write a line above, say what it reads, and press “Go on in this hand”." });
    this.judging = el("div", {}, head("Is it the same hand?"), this.table, this.verdict, head("Which half is yours?"), this.blind.element);
    this.root.append(this.chooser.element, this.buildSettings(), this.waiting, this.stage, this.judging,
      el("p", { class: "toy-note", textContent: "Your ink and your text never leave this page: the network runs in it." }));
    this.stops.push(...[this.chooser, this.views, this.blind].map((part) => () => part.stop()));
  }

  buildSettings() {
    const id = newId();
    this.text = el("input", { type: "text", id, autocomplete: "off", spellcheck: false });
    this.error = el("p", { class: "toy-error", role: "alert" });
    this.bias = slider({ label: "Bias", min: 0, max: 50, value: 0, format: (n) => (n / 10).toFixed(1), oninput: (n) => this.set({ bias: n / 10 }, true) });
    this.prime = slider({
      label: "Priming", min: 0, max: 1, value: 0, format: (n) => (this.line ? `${n} of ${this.count} words` : "write a line first"),
      oninput: (n) => this.set({ priming: n }, true),
    });
    const submit = (event) => { event.preventDefault(); this.readText(); };
    const again = el("button", { type: "button", textContent: "Write again", onclick: () => this.set({ seed: (this.get("seed") + 1) % 1_000_000 }) });
    return el("div", {}, el("form", { class: "pen-text", onsubmit: submit }, el("label", { htmlFor: id, textContent: "Go on with" }), this.text,
      el("span", { class: "toy-row" }, el("button", { class: "toy-main", textContent: "Write" }), again)), this.error, this.bias.row, this.prime.row);
  }

  buildPlayer() {
    this.play = el("button", { type: "button", class: "pen-play", textContent: "Play", onclick: () => this.toggle() });
    this.scrub = slider({ label: "Step", min: 0, max: 1, value: 0, format: (n) => `${n} of ${this.last}`, oninput: (n) => this.seek(n) });
    return el("div", { class: "pen-player own-player" }, this.play, this.scrub.row);
  }

  get last() { return this.writing?.points.length ?? 0; }

  seek(step) {
    Object.assign(this, { playing: false, shown: Math.max(0, Math.min(this.last, step)) });
    this.show();
  }

  toggle() {
    this.playing = !this.playing;
    if (this.playing && this.shown >= this.last) this.shown = 0;
    this.run();
  }

  readText() {
    this.error.textContent = textProblem(this.text.value, this.network.about.alphabet);
    this.text.setAttribute("aria-invalid", Boolean(this.error.textContent));
    if (this.error.textContent) return;
    if (this.text.value === this.get("text")) this.plan();
    else this.set({ text: this.text.value });
  }

  showValues() {
    this.chooser.show(this.get("style"));
    if (document.activeElement !== this.text) this.text.value = this.get("text");
    this.bias.set(Math.round(10 * this.get("bias")));
    this.prime.input.disabled = !this.line;
    this.prime.input.max = Math.max(1, this.count);
    this.prime.set(this.priming);
  }

  // ---- Writing ----

  /** Write once, however many values change now; without a line of one's own there is nothing to go on from. */
  plan() {
    this.planned ??= requestAnimationFrame(() => {
      this.planned = undefined;
      this.writing = undefined;
      if (this.line) this.write();
      this.waiting.hidden = Boolean(this.writing);
      this.stage.hidden = this.judging.hidden = !this.writing;
      this.show();
    });
  }

  write() {
    this.cutter ??= new Sampler(this.network);
    const prime = runThrough(this.cutter.cut(this.line, this.priming));
    this.writing = new WatchedLine(this.network, this.get("text"), { prime, bias: this.get("bias"), seed: this.get("seed") });
    Object.assign(this, { shown: 0, playing: true, fast: this.fast || reducedMotion(), judged: false });
    this.table.replaceChildren();
    this.verdict.textContent = "";
    this.run();
  }

  run() { this.frame ||= requestAnimationFrame((now) => this.tick(now)); }

  tick(now) {
    this.frame = 0;
    if (!this.writing) return;
    const done = this.writing.advance(performance.now() + WORK), past = Math.min(100, now - (this.clock ?? now));
    this.clock = now;
    if (this.playing) this.shown = this.fast ? this.last : Math.min(this.last, this.shown + past / 1000 * SPEED);
    if (done && this.shown >= this.last) this.playing = this.fast = false;
    this.show();
    if (done && !this.judged) this.judge();
    if (this.playing || !done) this.run();
    else this.clock = undefined;
  }

  show() {
    this.play.textContent = this.playing ? "Pause" : "Play";
    this.scrub.input.max = Math.max(1, this.last);
    this.scrub.set(Math.floor(this.shown));
    this.views.redraw();
    if (!this.writing) return;
    const given = this.writing.prime.offsets.length, free = this.last - given;
    this.status.textContent = this.shown < given ? `The network reads the line: step ${Math.floor(this.shown)} of ${given}.`
      : `${given} points given (blue), ${free} written. ${{ rule: "Stopped by the rule.", length: "It never met the stop rule and was cut." }[this.writing.stopped] ?? ""}`;
  }

  // ---- Judging ----

  /** Six numbers of the line and of what the network wrote, and which known line is nearest to that. */
  judge() {
    this.judged = true;
    const { prime: { offsets }, points, text, stopped } = this.writing, own = !this.get("style");
    const known = [...this.gallery, ...(own ? [this.line] : [])].map((line) => measureHand(line.offsets_raw, line.text));
    const given = own ? known.at(-1) : known[this.get("style") - 1], its = measureHand(points.slice(offsets.length), text);
    const spread = this.get("spread"), distances = known.map((hand) => handsApart(hand, its, spread)), distance = handsApart(given, its, spread);
    const cell = (tag, textContent, scope) => el(tag, scope ? { textContent, scope } : { textContent });
    this.table.replaceChildren(el("tr", {}, cell("td", ""), cell("th", "your line", "col"), cell("th", "the network's", "col"), cell("th", "apart", "col")),
      ...MEASURES.map(([, name, unit], i) => el("tr", {}, cell("th", name, "row"), ...[given[i], its[i]].map((value) => cell("td", value.toFixed(1).replace("-", "−") + unit)),
        cell("td", (Math.abs(given[i] - its[i]) / spread[i]).toFixed(1)))));
    const rank = 1 + distances.filter((each) => each < distance).length, { length } = known;
    this.verdict.textContent = `Of ${length} lines, yours is number ${rank} in nearness to what the network wrote, ${distance.toFixed(1)} apart. `
      + `By chance it would be number ${(length + 1) / 2} on average. “Apart” counts in standard deviations over many hands.`;
    this.say(`${stopped === "rule" ? "Written" : "Cut"}: ${text}. ${this.verdict.textContent}`);
  }

  ask() {
    if (!this.line) return undefined;
    return { line: this.line, cutter: this.cutter ??= new Sampler(this.network), network: this.network, bias: this.get("bias"), seed: this.get("seed") };
  }

  finished(right, rounds) {
    this.goal.textContent = `Goal reached: you finished the blind test, right in ${right} of ${rounds} rounds, where guessing gives ${rounds / 2}.`;
    this.goal.classList.add("toy-reached");
    this.say(this.goal.textContent);
  }

  stop() {
    this.stopped = true;
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.planned);
    for (const stop of this.stops) stop();
  }
}

function render({ model, el: host }) {
  const toy = new OwnHand(model, host);
  return () => toy.stop();
}

export default { render };
