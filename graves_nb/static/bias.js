// Bias beside temperature: one text and one seed, written twice at once, with what each does to the
// mixture at every step, and the stop rule.

import { BiasSheet, signedNumber } from "./bias_sheet.js";
import { loadPen } from "./pen-loader.js";
import { textProblem } from "./sampler.js";
import { announcer, colour, el, newId, reducedMotion, slider, toyRoot } from "./toolkit.js";

const PACE = 200; // points a second
const NEAR_ENOUGH = 0.05; // nats a point
const FIELDS = ["text", "seed", "bias", "temperature"];
const toTemperature = (step) => 10 ** (-step / 20); // 1 to 0.01 in 40 steps
class BiasToy {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "bias");
    Object.assign(this, { shown: 0, frame: 0, playing: false });
    this.build();
    this.say = announcer(this.root);
    this.changed = () => { this.showValues(); this.plan(); };
    for (const field of FIELDS) model.on(`change:${field}`, this.changed);
    this.stopLoading = loadPen(model, this.loading, ({ network }) => { this.network = network; this.showValues(); this.plan(); });
  }

  set(values, fast = false) {
    this.fast = fast;
    for (const [field, value] of Object.entries(values)) this.model.set(field, value);
    this.model.save_changes();
  }

  get paint() {
    const of = (name) => colour(this.root, `--${name}`);
    return { text: of("text"), edge: of("edge"), now: of("orange"), other: of("blue") };
  }

  build() {
    this.goal = el("p", { class: "toy-goal" });
    this.loading = el("div", { class: "toy-row", "aria-live": "off" });
    const bias = slider({
      label: "Bias b", min: 0, max: 60, value: 0, format: (step) => `${(step / 10).toFixed(1)}${step ? "" : ", as learnt"}`,
      oninput: (step) => this.set({ bias: step / 10 }, true),
    });
    const temperature = slider({
      label: "Temperature τ", min: 0, max: 40, value: 0, format: (step) => `${toTemperature(step).toFixed(2)}${step ? "" : ", as learnt"}`,
      oninput: (step) => this.set({ temperature: toTemperature(step) }, true),
    });
    this.sheets = [new BiasSheet(this, "bias", bias), new BiasSheet(this, "temperature", temperature)];
    this.play = el("button", { type: "button", class: "bias-play", textContent: "Play", onclick: () => this.toggle() });
    this.scrub = slider({
      label: "Step", min: 0, max: 1, value: 0, format: (n) => `${n} of ${this.scrub?.input.max ?? 0}`,
      oninput: (n) => { this.playing = false; this.shown = n; this.show(); },
    });
    this.root.append(this.goal, this.loading, ...this.sheets.map(({ element }) => element),
      el("div", { class: "bias-player" }, this.play, this.scrub.row), this.buildText(),
      el("p", { class: "toy-note", textContent: "Outlines are what the network learnt, filled shapes what the point is drawn from. Surprise is the mean "
        + "loss of the drawn points under the network as it learnt: the lower, the tidier. Your text never leaves this page." }));
  }

  buildText() {
    const id = newId();
    this.text = el("input", { type: "text", id, value: this.model.get("text"), autocomplete: "off", spellcheck: false });
    this.error = el("p", { class: "toy-error", role: "alert" });
    this.another = el("button", { type: "button", textContent: "Another seed", onclick: () => this.set({ seed: (this.model.get("seed") + 1) % 1_000_000 }) });
    const submit = (event) => { event.preventDefault(); this.readText(); };
    return el("div", {}, el("form", { class: "toy-row bias-text", onsubmit: submit }, el("label", { htmlFor: id, textContent: "Text" }),
      this.text, el("button", { class: "toy-main", textContent: "Write" }), this.another), this.error);
  }

  readText() {
    if (!this.network) return;
    this.error.textContent = textProblem(this.text.value, this.network.about.alphabet);
    this.text.setAttribute("aria-invalid", Boolean(this.error.textContent));
    if (this.error.textContent) return;
    if (this.text.value === this.model.get("text")) this.plan();
    else this.set({ text: this.text.value });
  }

  showValues() {
    const [bias, temperature] = this.sheets.map(({ control }) => control);
    bias.set(Math.round(10 * this.model.get("bias")));
    temperature.set(Math.round(-20 * Math.log10(this.model.get("temperature"))));
    if (document.activeElement !== this.text) this.text.value = this.model.get("text");
    this.another.textContent = `Another seed than ${this.model.get("seed")}`;
    this.show();
  }

  /** Write both lines anew, however many values change now. */
  plan() {
    if (!this.network) return;
    this.planned ??= requestAnimationFrame(() => {
      this.planned = undefined;
      for (const sheet of this.sheets) sheet.write();
      Object.assign(this, { shown: 0, playing: true, fast: this.fast || reducedMotion() });
      this.run();
    });
  }

  run() { this.frame ||= requestAnimationFrame((now) => this.tick(now)); }

  tick(now) {
    this.frame = 0;
    const past = Math.min(100, now - (this.clock ?? now)), done = this.sheets.map((sheet) => sheet.advance()).every(Boolean);
    const longest = Math.max(...this.sheets.map(({ length }) => length));
    this.clock = now;
    if (this.playing) this.shown = this.fast ? longest : Math.min(longest, this.shown + past / 1000 * PACE);
    if (done && this.shown >= longest) this.playing = this.fast = false;
    this.scrub.input.max = Math.max(1, longest);
    this.scrub.set(Math.floor(this.shown));
    this.show();
    if (done) this.judge();
    if (this.playing || !done) this.run();
    else this.clock = undefined;
  }

  /** Are both lines equally surprising to the network, at a bias of 1 or more? */
  judge() {
    const [bias, temperature] = this.sheets, apart = Math.abs(bias.loss - temperature.loss);
    this.reached ||= bias.value >= 1 && apart <= NEAR_ENOUGH && bias.whole && temperature.whole
      && `Goal reached: bias ${bias.value.toFixed(1)} and temperature ${temperature.value.toFixed(2)} are equally tidy. But one raised the weights `
        + `to the power ${bias.sharpening[0].toFixed(1)}, the other to the power ${temperature.sharpening[0].toFixed(1)}.`;
    this.say(`Surprise ${signedNumber(bias.loss, 2)} with the bias, ${signedNumber(temperature.loss, 2)} with the temperature, nats a point. ${this.reached || ""}`);
    this.show();
  }

  show() {
    this.goal.textContent = this.reached || "Goal: set the bias to 1 or more. Then find the temperature that makes the other sheet as tidy: "
      + `the same surprise, to ${NEAR_ENOUGH} nats a point, in a whole line.`;
    this.goal.classList.toggle("toy-reached", Boolean(this.reached));
    this.play.textContent = this.playing ? "Pause" : "Play";
    for (const sheet of this.sheets) sheet.show();
  }

  toggle() {
    if (!this.network) return;
    this.playing = !this.playing;
    if (this.playing && this.shown >= Number(this.scrub.input.max)) this.shown = 0;
    this.show();
    this.run();
  }

  stop() {
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.planned);
    this.stopLoading();
    for (const sheet of this.sheets) sheet.stop();
    for (const field of FIELDS) this.model.off(`change:${field}`, this.changed);
  }
}

function render({ model, el: host }) {
  const toy = new BiasToy(model, host);
  return () => toy.stop();
}

export default { render };
