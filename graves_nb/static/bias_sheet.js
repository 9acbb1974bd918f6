// One sheet of the bias toy: a slider, a line of ink, and what the network believes at the present step.

import { bestLetter, drawBelief, drawStop } from "./belief.js";
import { drawInk, layout, strokesOf } from "./ink.js";
import { liftOf, mixtureOf } from "./sampler.js";
import { colour, el, sharpCanvas } from "./toolkit.js";
import { WatchedLine } from "./watched.js";

const AT_REST = 2, MUCH_REST = 0.3; // tablet units: a shorter step is none; a share of such steps
const SHEET_BUDGET = 6; // milliseconds of network for each line in each frame

/** A number in words, with a minus that can be seen. */
export const signedNumber = (number, digits) => number.toFixed(digits).replace("-", "−");

// What each of the two numbers does to the weights and to the spreads: a power, and a factor.
const SHARPENING = {
  bias: (b) => [1 + b, Math.exp(-b)], // eqs (62) and (61)
  temperature: (tau) => [1 / tau, Math.sqrt(tau)], // each factor of the density to the power 1 / tau
};

/** `toy` has a model, the network, and the step that is `shown`; `field` is "bias" or "temperature". */
export class BiasSheet {
  constructor(toy, field, control) {
    Object.assign(this, { toy, field, control });
    const canvas = (label, height, draw) => sharpCanvas({ label, height, draw });
    this.ink = canvas(`Line written with ${field}`, (width) => this.arrange(width).height, (context, width) => this.drawInk(context, width));
    this.belief = canvas(`Mixture under ${field}`, () => 112, (context, width, height) => this.drawBelief(context, width, height));
    this.rule = canvas(`Stop rule under ${field}`, () => 66, (context, width) => this.drawRule(context, width));
    this.words = el("p", { class: "toy-note bias-words" });
    this.element = el("div", { class: "bias-sheet" }, control.row, this.ink.canvas,
      el("div", { class: "bias-views" }, this.belief.canvas, el("div", {}, this.rule.canvas, this.words)));
  }

  get value() { return this.toy.model.get(this.field); }
  get sharpening() { return SHARPENING[this.field](this.value); }

  write() {
    const { network, model } = this.toy;
    this.writing = new WatchedLine(network, model.get("text"), { seed: model.get("seed"), [this.field]: this.value });
    this.loss = undefined;
  }

  advance() {
    if (!this.writing.advance(performance.now() + SHEET_BUDGET)) return false;
    this.loss ??= this.writing.loss();
    return true;
  }

  /** The share of steps at which the pen lay still. A pen that rests surprises nobody, and is not tidy. */
  get rest() { return this.writing.points.filter(([dx, dy]) => Math.hypot(dx, dy) < AT_REST).length / this.length; }
  /** Whether the line came to its end, and moved on its way. */
  get whole() { return this.writing.stopped === "rule" && this.rest < MUCH_REST; }
  get length() { return this.writing?.points.length ?? 0; }
  /** The step that is shown: its belief comes before point `step`. */
  get step() { return Math.min(this.toy.shown, this.length, (this.writing?.steps.length ?? 0) - 1); }
  get seen() { return this.writing?.steps[Math.floor(this.step)]; }

  show() {
    for (const view of [this.ink, this.belief, this.rule]) view.redraw();
    const { length, writing, loss } = this;
    if (!writing) return;
    const ended = { rule: "Stopped by the rule", length: "Never met the rule, cut", "": "Writing" }[writing.stopped];
    this.words.textContent = `${ended} at ${length} points.`
      + (loss === undefined ? "" : ` Surprise: ${signedNumber(loss, 2)} nats a point.`)
      + (loss === undefined || this.rest < MUCH_REST ? "" : ` The pen lay still at ${Math.round(100 * this.rest)} % of them.`);
    this.ink.canvas.setAttribute("aria-label", `“${writing.text}” written with ${this.field} ${this.value.toFixed(2)}. ${this.words.textContent}`);
    const seen = this.seen, [power, shrink] = this.sharpening, { lift } = seen ? this.believed(seen.y) : {};
    if (!seen) return;
    this.belief.canvas.setAttribute("aria-label", `Step ${Math.floor(this.step)}: weights to the power ${power.toFixed(1)}, `
      + `spreads times ${shrink.toFixed(2)}, the pen lifts with chance ${lift.toFixed(2)}, as learnt ${liftOf(seen.y).toFixed(2)}.`);
    const best = bestLetter(seen.logPhi), past = seen.logPhi.at(-1);
    this.rule.canvas.setAttribute("aria-label", `log phi of letter ${best + 1} is ${signedNumber(seen.logPhi[best], 1)}, `
      + `past the end ${signedNumber(past, 1)}: ${past > seen.logPhi[best] ? "stop" : "go on"}.`);
  }

  arrange(width) {
    const text = this.writing?.text ?? "", key = `${width} ${this.length} ${this.writing?.stopped}`;
    if (this.arranged?.key !== key || this.arranged.writing !== this.writing) {
      const strokes = strokesOf(this.writing?.placed ?? [], text);
      this.arranged = { key, writing: this.writing, ...layout(strokes, text || "a", width, Boolean(this.writing?.stopped)) };
    }
    return this.arranged;
  }

  drawInk(context, width) {
    const shown = Math.floor(this.step), ink = this.arrange(width);
    drawInk(context, ink, Infinity, colour(this.toy.root, "--line")); // faintly, what comes after this step
    const pen = drawInk(context, ink, shown, colour(this.toy.root, "--ink"));
    if (!pen || shown >= this.length) return;
    context.fillStyle = colour(this.toy.root, "--vermillion");
    context.beginPath();
    context.arc(pen.x, pen.y, 4, 0, 2 * Math.PI);
    context.fill();
  }

  /** What a point is drawn from: the mixture and the pen's chance to lift, at this bias or temperature. */
  believed(y) {
    const { bias = 0, temperature = 1 } = { [this.field]: this.value };
    return { mixture: mixtureOf(y, this.toy.network.M, bias, temperature), lift: liftOf(y, temperature) };
  }

  drawBelief(context, width, height) {
    if (!this.seen) return;
    const { y } = this.seen, learnt = { mixture: mixtureOf(y, this.toy.network.M), lift: liftOf(y) };
    drawBelief(context, width, height, learnt, this.believed(y), this.toy.paint);
  }

  drawRule(context, width) {
    if (this.seen) drawStop(context, width, this.seen.logPhi, this.writing.text, this.toy.paint);
  }

  stop() { for (const view of [this.ink, this.belief, this.rule]) view.stop(); }
}
