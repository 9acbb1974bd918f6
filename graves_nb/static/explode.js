// Meet the NaN: a small recurrent network learns in the page to carry a bit through time. The reader
// stretches its recurrent weights and the time, and sees what becomes of the derivatives on their way back.

import { LINES, backprop, descend, newBatch, newNet } from "./backprop.js";
import { goalLine } from "./goal.js";
import { announcer, brush, el, radios, reducedMotion, sharpCanvas, slider, toyRoot } from "./toolkit.js";

const SPANS = [10, 20, 40, 80, 160, 320]; // steps of a line
const MOST_UPDATES = 400, COIN = Math.log(2), LOW = 0.1, LONG = 40, STRETCHED = 3;
const FLOOR = -12, CEILING = 42, BIGGEST = 38.53; // powers of ten: the picture's range, the largest 32-bit float
const CLIPS = [["off", "off"], ["norm", "the norm"], ["step", "each step"]];
const KNOBS = ["scale", "layers", "steps", "clip", "limit", "seed"];
const GOALS = {
  nan: "Meet the NaN: train until the loss is not a number.",
  learnt: `Carry the bit over ${LONG} steps or more: a loss below ${LOW}.`,
  tamed: `The same with a clip, and recurrent weights of ${STRETCHED} or more.`,
};
const ENDS = {
  off: "A derivative passed 3.4e38, the largest 32-bit float, and became infinite. Infinite times zero is not a number, and one "
    + "update brought it to every weight.",
  norm: "The clip came too late. It waits for the sum of all steps, and that sum is infinite: the limit over infinity is 0, and 0 "
    + "times infinity is not a number.",
};
const STYLES = [["--blue", []], ["--orange", [8, 4]], ["--green", [2, 4]]]; // of the layers' lines

class Explode {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "explode");
    this.start = Object.fromEntries(KNOBS.map((knob) => [knob, model.get(knob)]));
    Object.assign(this, { met: {}, frame: 0, drawn: 0 });
    this.build();
    this.say = announcer(this.root);
    this.changed = () => this.renew();
    for (const knob of KNOBS) model.on(`change:${knob}`, this.changed);
    this.renew();
  }

  get(knob) { return this.model.get(knob); }

  set(values) {
    for (const [knob, value] of Object.entries(values)) this.model.set(knob, value);
    this.model.save_changes();
  }

  build() {
    this.goals = Object.fromEntries(Object.keys(GOALS).map((name) => [name, goalLine()]));
    this.back = sharpCanvas({ label: "Derivatives", height: () => 270, draw: (context, width, height) => this.drawBack(context, width, height) });
    this.curve = sharpCanvas({ label: "Loss", height: () => 130, draw: (context, width, height) => this.drawCurve(context, width, height) });
    this.status = el("p", { class: "explode-status" });
    const knob = (name, label, min, max, step, format, to = (v) => v) =>
      slider({ label, min, max, step, value: min, format, oninput: (v) => this.set({ [name]: to(v) }) });
    this.sliders = {
      scale: knob("scale", "Recurrent weights", 0.2, 8, 0.1, (v) => `× ${v.toFixed(1)}`),
      layers: knob("layers", "Layers", 1, 3, 1, String),
      steps: knob("steps", "Steps back", 0, SPANS.length - 1, 1, (v) => String(SPANS[v]), (v) => SPANS[v]),
      limit: knob("limit", "Clip at", -4, 4, 1, (v) => `± ${Number((10 ** (v / 2)).toPrecision(2))}`, (v) => 10 ** (v / 2)),
    };
    this.clips = radios({ legend: "Clip", choices: CLIPS, value: "off", onchange: (clip) => this.set({ clip }) });
    this.play = el("button", { type: "button", class: "toy-main", onclick: () => this.toggle() });
    const button = (textContent, onclick) => el("button", { type: "button", textContent, onclick });
    const { scale, layers, steps, limit } = this.sliders;
    this.root.append(...Object.values(this.goals).map(({ line }) => line), this.back.canvas, this.curve.canvas, this.status, el("div", { class: "toy-row" },
      this.play, button("Other weights", () => this.set({ seed: this.get("seed") + 1 })), button("Start again", () => this.again())),
      scale.row, layers.row, steps.row, this.clips.fieldset, limit.row);
  }

  /** As at first, also where no knob was turned. */
  again() {
    this.running = false;
    this.set(this.start);
    this.renew();
  }

  /** A knob was turned: begin with a new network, and look at its derivatives before any training. */
  renew() {
    this.net = newNet({ layers: this.get("layers"), scale: this.get("scale"), seed: this.get("seed") });
    Object.assign(this, { losses: [], ended: false });
    this.look();
    const { scale, layers, steps, limit } = this.sliders;
    scale.set(this.get("scale"));
    layers.set(this.get("layers"));
    steps.set(SPANS.indexOf(this.get("steps")));
    limit.set(Math.round(2 * Math.log10(this.get("limit"))));
    limit.input.disabled = this.get("clip") === "off";
    this.clips.set(this.get("clip"));
    this.report();
  }

  look() {
    const limit = this.get("clip") === "step" ? this.get("limit") : Infinity;
    this.seen = backprop(this.net, newBatch(this.get("steps"), this.losses.length), limit);
  }

  /** One update, and a look at what came of it. */
  train() {
    this.losses.push(this.seen.loss);
    descend(this.net, this.seen.grads, this.get("clip") === "norm" ? this.get("limit") : Infinity);
    this.look();
    const recent = this.losses.slice(-20), mean = recent.reduce((a, b) => a + b) / recent.length;
    const learnt = recent.length === 20 && mean < LOW, lost = !Number.isFinite(this.seen.loss), long = this.get("steps") >= LONG;
    this.met.nan ||= lost;
    this.met.learnt ||= learnt && long;
    this.met.tamed ||= learnt && long && this.get("clip") !== "off" && this.get("scale") >= STRETCHED;
    this.ended = lost ? "nan" : learnt ? "learnt" : this.losses.length >= MOST_UPDATES ? "tired" : false;
  }

  toggle() {
    if (this.running) this.running = false;
    else {
      if (this.ended) this.renew();
      this.running = true;
      this.run();
    }
    this.report();
  }

  run() { this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.tick(); }); }

  tick() {
    if (!this.running) return;
    const until = performance.now() + 12;
    for (let n = 0; n < 3 && !this.ended && performance.now() < until; n++) this.train();
    if (this.ended) this.running = false;
    else this.run();
    const now = performance.now(), calm = reducedMotion() ? 500 : 0; // with less motion the picture changes twice a second
    if (this.ended || now - this.drawn >= calm) { this.drawn = now; this.report(); }
  }

  // ---- What is said ----

  report() {
    for (const [name, goal] of Object.entries(this.goals)) {
      goal.set(Boolean(this.met[name]), `Goal: ${GOALS[name]}`, `Goal reached: ${GOALS[name]}`);
    }
    this.play.textContent = this.running ? "Pause" : this.ended || !this.losses.length ? "Train" : "Go on";
    this.status.textContent = this.story();
    this.back.canvas.setAttribute("aria-label", `The largest derivative at each step of time, from the last step back to the first. ${this.growth()}`);
    this.curve.canvas.setAttribute("aria-label", `The loss of ${this.losses.length} updates so far. ${this.status.textContent}`);
    this.say(this.status.textContent);
    for (const sheet of [this.back, this.curve]) sheet.redraw();
  }

  story() {
    const updates = this.losses.length, loss = (this.losses.at(-1) ?? this.seen.loss).toFixed(2), clip = this.get("clip");
    if (this.ended === "nan") return `NaN after ${updates} update${updates > 1 ? "s" : ""}. ${ENDS[clip]}`;
    if (this.ended === "learnt") return `Learnt in ${updates} updates over ${this.get("steps")} steps.${clip === "step"
      ? " No derivative could leave the limits on its way, so none could drown the others." : ""}`;
    if (this.ended) return `After ${updates} updates the loss is ${loss}, and a coin's is ${COIN.toFixed(2)}. Not learnt. Turn a knob and train again.`;
    return updates ? `Update ${updates}: loss ${loss}.` : this.growth();
  }

  /** How the derivative of the first layer changed from the end of the line to its beginning. */
  growth() {
    const path = this.seen.largest[0], factor = (path[0] / path.at(-1)) ** (1 / (path.length - 1));
    if (!path[0] && !path.at(-1)) return "All derivatives are 0: the units are as far out as tanh goes, where it is flat.";
    if (!Number.isFinite(factor)) return "On the way back, the derivatives pass the largest 32-bit float.";
    if (!path[0]) return "On the way back, the derivatives shrink below the smallest 32-bit float: the bit is out of sight.";
    return `On the way back, each step multiplies the derivative by ${factor.toFixed(2)}: from ${path.at(-1).toExponential(0)} to ${path[0].toExponential(0)}.`;
  }

  // ---- The pictures ----

  drawBack(context, width, height) {
    const { shade, line, words: text } = brush(this.root, context, 12), steps = this.get("steps"), left = 46, right = width - 10, bottom = height - 24;
    const px = (t) => left + (right - left) * t / (steps - 1);
    const py = (value) => {
      const power = value > 0 ? Math.log10(value) : value === 0 ? FLOOR : CEILING; // NaN too
      return 6 + (bottom - 6) * (CEILING - Math.max(FLOOR, Math.min(CEILING, power))) / (CEILING - FLOOR);
    };
    context.fillStyle = shade("--line");
    context.fillRect(left, 6, right - left, py(10 ** BIGGEST) - 6);
    text("no float is this large", (left + right) / 2, (6 + py(10 ** BIGGEST)) / 2 + 1, "--text", "center");
    for (const power of [-10, 0, 10, 20, 30]) {
      line([[left, py(10 ** power)], [right, py(10 ** power)]], "--line", [], 1);
      text(power ? `1e${power}` : "1", left - 5, py(10 ** power), "--quiet", "right");
    }
    if (this.get("clip") === "step") line([[left, py(this.get("limit"))], [right, py(this.get("limit"))]], "--vermillion", [4, 4], 1.5);
    text("largest derivative", left + 8, py(10 ** BIGGEST) + 14);
    this.seen.largest.forEach((path, n) => {
      line([...path].map((value, t) => [px(t), py(value)]), STYLES[n][0], STYLES[n][1], 2.5);
      if (this.get("layers") > 1) text(`layer ${n + 1}`, right - 8 - 56 * (this.get("layers") - 1 - n), py(10 ** BIGGEST) + 14, STYLES[n][0], "right");
    });
    text("step 1, the bit", left, height - 10);
    text(`step ${steps}, the question`, right, height - 10, "--quiet", "right");
  }

  drawCurve(context, width, height) {
    const { line, words: text } = brush(this.root, context, 12), left = 46, right = width - 10, bottom = height - 24, most = 1.2;
    const px = (update) => left + (right - left) * update / MOST_UPDATES, py = (loss) => 6 + (bottom - 6) * (1 - Math.min(most, loss) / most);
    for (const [level, words] of [[COIN, "coin"], [LOW, "goal"]]) {
      line([[left, py(level)], [right, py(level)]], level === LOW ? "--green" : "--edge", [4, 4], 1.5);
      text(words, left - 5, py(level), level === LOW ? "--green" : "--quiet", "right");
    }
    line([[left, bottom], [right, bottom]], "--line", [], 1);
    line(this.losses.map((loss, k) => [px(k), py(loss)]), "--blue");
    if (this.ended === "nan") {
      const x = px(this.losses.length) + 8;
      for (const side of [-1, 1]) line([[x - 7, 22 - 7 * side], [x + 7, 22 + 7 * side]], "--vermillion", [], 3.5);
      text("NaN", x + 14, 22, "--vermillion");
    }
    text("loss", left, height - 10);
    text(`${MOST_UPDATES} updates of ${LINES} lines`, right, height - 10, "--quiet", "right");
  }

  stop() {
    this.running = false;
    cancelAnimationFrame(this.frame);
    for (const sheet of [this.back, this.curve]) sheet.stop();
    for (const knob of KNOBS) this.model.off(`change:${knob}`, this.changed);
  }
}

function render({ model, el: host }) {
  const explode = new Explode(model, host);
  return () => explode.stop();
}

export default { render };
