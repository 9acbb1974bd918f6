// One sheet of the bias toy: a slider, a line of ink, and what the network believes at the present step.

import { bestLetter, drawBelief, drawStop } from "./belief.js";
import { drawInk, layout, strokesOf } from "./ink.js";
import { colour, el, sharpCanvas } from "./toolkit.js";
import { liftChance, mixtureOf, Writing } from "./watched.js";

const BUDGET = 6; // milliseconds of network for each line in each frame

/** A number in words, with a minus that can be seen. */
export const signed = (number, digits) => number.toFixed(digits).replace("-", "−");

/** Raise the weights to a power and multiply the spreads: raw outputs in, raw outputs out. */
function sharpen(y, M, power, shrink) {
  const sharp = y.slice();
  for (let j = 0; j < M; j++) {
    sharp[1 + j] *= power;
    sharp[1 + 3 * M + j] += Math.log(shrink);
    sharp[1 + 4 * M + j] += Math.log(shrink);
  }
  return sharp;
}

// What each of the two numbers does: [power of the weights, factor of the spreads].
const RULES = {
  bias: (b) => [1 + b, Math.exp(-b)], // eqs (61) and (62)
  temperature: (tau) => [1 / tau, Math.sqrt(tau)],
};

/** `toy` has a model, the network, and the step that is `shown`; `field` is "bias" or "temperature". */
export class Sheet {
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
  get rules() { return RULES[this.field](this.value); }

  write() {
    const { network, model } = this.toy, rules = this.rules;
    const change = (y) => sharpen(y, network.M, ...rules);
    this.writing = new Writing(network, model.get("text"), { seed: model.get("seed"), change });
    this.loss = undefined;
  }

  advance() {
    if (!this.writing.advance(performance.now() + BUDGET)) return false;
    this.loss ??= this.writing.loss();
    return true;
  }

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
      + (loss === undefined ? "" : ` Surprise: ${signed(loss, 2)} nats a point.`);
    this.ink.canvas.setAttribute("aria-label", `“${writing.text}” written with ${this.field} ${this.value.toFixed(2)}. ${this.words.textContent}`);
    const seen = this.seen, [power, shrink] = this.rules;
    if (!seen) return;
    this.belief.canvas.setAttribute("aria-label", `Step ${Math.floor(this.step)}: weights to the power ${power.toFixed(1)}, `
      + `spreads times ${shrink.toFixed(2)}, the pen lifts with chance ${liftChance(seen.y).toFixed(2)} as before.`);
    const best = bestLetter(seen.logPhi), past = seen.logPhi.at(-1);
    this.rule.canvas.setAttribute("aria-label", `log phi of letter ${best + 1} is ${signed(seen.logPhi[best], 1)}, `
      + `past the end ${signed(past, 1)}: ${past > seen.logPhi[best] ? "stop" : "go on"}.`);
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

  drawBelief(context, width, height) {
    if (!this.seen) return;
    const { M } = this.toy.network, { y } = this.seen;
    const sharp = mixtureOf(sharpen(y, M, ...this.rules), M);
    drawBelief(context, width, height, { learnt: mixtureOf(y, M), sharp, lift: liftChance(y) }, this.toy.paint);
  }

  drawRule(context, width) {
    if (this.seen) drawStop(context, width, this.seen.logPhi, this.writing.text, this.toy.paint);
  }

  stop() { for (const view of [this.ink, this.belief, this.rule]) view.stop(); }
}
