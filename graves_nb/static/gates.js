// Gates as a puzzle: one LSTM cell. First the reader sets its gates by hand, to hold a bit; then by
// weights, to spike on every Nth step, without and with a peephole. A plain unit does what it can.

import { cellByHand, cellByWeights, faults, plainUnit } from "./cell.js";
import { goalLine } from "./goal.js";
import { tileRows } from "./tiles.js";
import { announcer, colour, el, radios, sharpCanvas, slider, toyRoot } from "./toolkit.js";

const BIT = 1, GUTTER = 44; // the step that brings the bit, from 0; room for names at the left, as in gates.css
const GATES = { i: "input gate", f: "forget gate", o: "output gate" };
const BANDS = { c: { middle: 40, reach: 34 }, h: { middle: 124, reach: 42 }, plain: { middle: 205, reach: 34 } }; // of the traces
const NEEDLE = { add: 0.08, ob: -3.25, oh: 27, oc: 0, fh: -22 };
const LEVELS = [[1, "1 Hold a bit"], [2, "2 Spike, no peephole"], [3, "3 Spike, with a peephole"]];
const WEIGHTS = { // name: [label, least, most, step, words]
  add: ["added to c", 0.02, 0.4, 0.01, (v) => `${v.toFixed(2)} each step`],
  ob: ["o: bias", -40, 0, 0.25, (v) => v.toFixed(2)],
  oh: ["o: hears h", 0, 40, 1, (v) => `weight ${v}`],
  oc: ["o: sees c", 0, 40, 1, (v) => `peephole ${v}`],
  fh: ["f: hears h", -30, 0, 1, (v) => `weight ${v}`],
};
const TASKS = {
  1: "Step 2 brings the bit; all the rest is noise. Gates are tiles: tap one to open or shut it at that step, paint across "
    + "several, or tap a letter for the whole row.",
  2: "Now the gates set themselves, by what they hear. The cell adds a little to c at each step, so c counts. Can the output "
    + "gate hear, in h, when it is time?",
  3: "The same cell with one weight more: the output gate sees c itself.",
};
const WHY = {
  1: "i opened once, so only the bit came in. f stayed on, so each step multiplied c by 1 and nothing was lost. o opened once, "
    + "so the bit was shown once. The plain unit has one number for all three jobs: all it hears goes into what it knows, "
    + "and all it knows is shown. Move its w: from -2 to 2 it ends at the same value for either bit.",
  2: "While the output gate is shut, h is all but 0, and h is all the gate can hear: nobody can read the count. The way out is "
    + "to leak a little of c and to let the weight of h blow the leak up, neither too soon nor too late. Of the 7,980,609 "
    + "settings of the four sliders, 12 do it. Move any of them by a notch or two, and it is gone.",
  3: "The gate reads the count: it opens where its peephole times c outweighs its bias. Then it hears the spike, the forget "
    + "gate empties the cell, and the count begins again. Ask for another step, and move the bias alone.",
};

class Gates {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "gates");
    this.fields = ["level", "bit", "i", "f", "o", "every", "plain", ...Object.keys(WEIGHTS)];
    this.start = Object.fromEntries(this.fields.map((field) => [field, model.get(field)]));
    this.reached = {};
    this.build();
    this.say = announcer(this.root);
    this.changed = () => this.show();
    for (const field of this.fields) model.on(`change:${field}`, this.changed);
    this.show();
  }

  get(field) { return this.model.get(field); }

  set(values) {
    for (const [field, value] of Object.entries(values)) this.model.set(field, value);
    this.model.save_changes();
  }

  // ---- What stands on the page ----

  build() {
    this.goal = goalLine();
    this.task = el("p", { class: "toy-note" });
    this.status = el("p", { class: "gates-status" });
    this.levels = radios({ legend: "Level", choices: LEVELS, value: this.get("level"), onchange: (level) => this.begin(level) });
    this.inputs = sharpCanvas({ label: "Input", height: () => 44, draw: (context, width) => this.drawInput(context, width) });
    this.traces = sharpCanvas({ label: "Traces", height: () => 264, draw: (context, width) => this.drawTraces(context, width) });
    this.board = el("div", { class: "gates-board" });
    this.bits = radios({ legend: "The bit", choices: [[1, "+1"], [-1, "-1"]], value: this.get("bit"), onchange: (bit) => this.set({ bit }) });
    this.sliders = Object.fromEntries(Object.entries(WEIGHTS).map(([name, [label, min, max, step, format]]) =>
      [name, slider({ label, min, max, step, value: this.get(name), format, oninput: (value) => this.set({ [name]: value }) })]));
    this.every = slider({ label: "spike every", min: 5, max: 11, value: 11, format: (n) => `${n} steps`, oninput: (every) => this.set({ every }) });
    this.plain = slider({ label: "plain unit: w", min: -2, max: 2, step: 0.05, value: 1, format: (w) => w.toFixed(2), oninput: (plain) => this.set({ plain }) });
    this.reason = el("p", {});
    this.why = el("details", { open: true }, el("summary", { textContent: "Why it works" }), this.reason);
    this.showOne = el("button", { type: "button", textContent: "I give up: show one", onclick: () => this.set(NEEDLE) });
    this.startAgain = el("button", { type: "button", textContent: "Start again", onclick: () => this.again() });
    this.controls = el("div");
    this.root.append(this.levels.fieldset, this.goal.line, this.task, this.inputs.canvas, this.board, this.traces.canvas, this.status,
      this.controls, this.why);
  }

  /** A level's own: tiles to be painted where the reader sets the gates, else pictures of what they do; its controls. */
  arrange(level) {
    const turned = (gate, steps, value) => {
      const tiles = [...this.get(gate)];
      for (const t of steps) tiles[t] = value;
      this.set({ [gate]: tiles.join("") });
    };
    this.tiles = tileRows({ names: GATES, steps: this.now.x.length, turned: level === 1 ? turned : undefined });
    this.board.replaceChildren(...this.tiles.rows);
    const { add, ob, oh, oc, fh } = this.sliders, slides = { 1: [], 2: [add, ob, oh, fh], 3: [this.every, add, ob, oh, oc, fh] }[level];
    this.controls.replaceChildren(...(level === 1 ? [this.bits.fieldset] : []), ...[...slides, this.plain].map(({ row }) => row),
      el("div", { class: "toy-row" }, this.startAgain, ...(level === 2 ? [this.showOne] : [])));
    this.arranged = level;
  }

  /** A level begins with the first weights: those that solve one would solve the next. */
  begin(level) {
    const { level: _, ...weights } = this.start; // set before the level, which looks at them
    this.set({ ...weights, level });
  }

  again() { this.begin(this.get("level")); }

  // ---- What the cells do ----

  /** The input of each step, the steps that should spike, and what both units make of it. */
  run(bit = this.get("bit")) {
    const level = this.get("level"), noise = this.get("inputs"), every = level === 3 ? this.get("every") : 11;
    const x = noise.map((value, t) => (level > 1 ? 0.5 : t === BIT ? bit : value));
    const wanted = x.map((_, t) => (level > 1 ? Number((t + 1) % every === 0) : t === x.length - 1 ? bit : 0));
    const weights = Object.fromEntries(Object.keys(WEIGHTS).map((name) => [name, this.get(name)]));
    const gates = Object.fromEntries(Object.keys(GATES).map((gate) => [gate, [...this.get(gate)].map(Number)]));
    const cell = level === 1 ? cellByHand(x, gates) : cellByWeights(x.length, level === 3 ? weights : { ...weights, oc: 0 });
    return { x, wanted, cell, plain: plainUnit(x, this.get("plain")), faults: faults(cell.map(({ h }) => h), wanted) };
  }

  show() {
    const level = this.get("level");
    this.now = this.run();
    if (this.arranged !== level) this.arrange(level);
    const right = !this.now.faults.length && (level > 1 || !this.run(-this.get("bit")).faults.length);
    this.reached[level] ||= right;
    this.tiles.show(Object.fromEntries(Object.keys(GATES).map((gate) => [gate, this.now.cell.map((step) => step[gate])])));
    this.levels.set(level);
    this.bits.set(this.get("bit"));
    for (const [name, { set }] of Object.entries(this.sliders)) set(this.get(name));
    this.every.set(this.get("every"));
    this.plain.set(this.get("plain"));
    this.why.hidden = !this.reached[level];
    this.reason.textContent = WHY[level];
    this.report(level, right);
  }

  report(level, right) {
    const { cell, faults: wrong, plain, wanted } = this.now, last = cell.at(-1).h, every = level === 3 ? this.get("every") : 11;
    const aims = { 1: "show the bit at step 22, silent until then, whichever bit it was", 2: "spike on every 11th step, silent on all others",
      3: `spike on every ${every}th step, silent on all others` };
    this.goal.set(Boolean(this.reached[level]), `Goal: ${aims[level]}.`, `Goal reached: ${aims[level]}.`);
    this.task.textContent = TASKS[level];
    const list = wrong.length > 8 ? `${wrong.slice(0, 8).join(", ")} and ${wrong.length - 8} more` : wrong.join(", ");
    this.status.textContent = right ? `All ${cell.length} steps are right. h ends at ${last.toFixed(2)}.`
      : wrong.length ? `Not yet right: step${wrong.length > 1 ? "s" : ""} ${list}. h ends at ${last.toFixed(2)}.`
        : "Right for this bit, but not for the other one. Try it.";
    this.inputs.canvas.setAttribute("aria-label", level === 1 ? `Input: noise, and at step 2 the bit ${this.get("bit")}` : "Input: the same tick at each step");
    this.traces.canvas.setAttribute("aria-label", `Traces over ${cell.length} steps. The cell c ends at ${cell.at(-1).c.toFixed(2)}, its output h at `
      + `${last.toFixed(2)}; the plain unit ends at ${plain.at(-1).toFixed(2)}. ${this.status.textContent}`);
    this.say(`${this.reached[level] ? "Goal reached." : ""} ${this.status.textContent}`);
    for (const sheet of [this.inputs, this.traces]) sheet.redraw();
  }

  // ---- The pictures: columns as wide as the tiles ----

  pens(context, width) {
    const step = (width - GUTTER) / this.now.x.length, shade = (name) => colour(this.root, name);
    const text = (words, x, y, textAlign = "left") => {
      Object.assign(context, { fillStyle: shade("--text"), font: "600 13px system-ui, sans-serif", textBaseline: "middle", textAlign });
      context.fillText(words, x, y);
    };
    return { step, px: (t) => GUTTER + (t + 0.5) * step, shade, text };
  }

  drawInput(context, width) {
    const { step, px, shade, text } = this.pens(context, width);
    text("x", 6, 22);
    this.now.x.forEach((value, t) => {
      const bit = this.get("level") === 1 && t === BIT;
      context.fillStyle = shade(bit ? "--vermillion" : "--quiet");
      context.fillRect(px(t) - 0.35 * step, 22, 0.7 * step, -18 * value);
      if (bit) context.fillRect(px(t) - 0.5 * step, 41, step, 3);
    });
  }

  drawTraces(context, width) {
    const { cell, plain } = this.now, most = Math.max(1.5, ...cell.map(({ c }) => Math.abs(c)));
    const pens = this.pens(context, width);
    this.drawBand(context, pens, "c", cell.map(({ c }) => c / most), "--blue");
    this.drawWanted(context, pens);
    this.drawBand(context, pens, "h", cell.map(({ h }) => h), "--ink");
    this.drawFaults(context, pens);
    this.drawBand(context, pens, "plain", plain, "--purple");
    for (const t of [2, ...this.now.wanted.flatMap((sign, t) => (sign ? [t + 1] : []))]) {
      pens.text(t, Math.min(width - 10, pens.px(t - 1)), 252, "center");
    }
  }

  drawBand(context, { px, shade, text }, name, values, line) {
    const path = (points) => { context.beginPath(); points.forEach(([x, y]) => context.lineTo(x, y)); context.stroke(); };
    const { middle, reach } = BANDS[name], points = values.map((value, t) => [px(t), middle - reach * value]);
    text(name, 6, middle);
    [context.strokeStyle, context.lineWidth] = [shade("--line"), 1];
    path([[GUTTER, middle], [px(values.length), middle]]);
    [context.strokeStyle, context.fillStyle, context.lineWidth, context.lineJoin] = [shade(line), shade(line), 2.5, "round"];
    path(points);
    for (const [x, y] of points) context.fillRect(x - 2.5, y - 2.5, 5, 5);
  }

  /** Where h should be: a box for a spike, a narrow lane for silence. */
  drawWanted(context, { step, px, shade }) {
    const { middle, reach } = BANDS.h;
    [context.fillStyle, context.strokeStyle, context.lineWidth] = [shade("--line"), shade("--green"), 2];
    this.now.wanted.forEach((sign, t) => {
      if (sign) context.strokeRect(px(t) - 0.45 * step, middle - 0.5 * reach * sign, 0.9 * step, -0.52 * reach * sign);
      else { context.globalAlpha = 0.4; context.fillRect(px(t) - step / 2, middle - reach / 4, step + 0.5, reach / 2); context.globalAlpha = 1; }
    });
  }

  drawFaults(context, { px, shade }) {
    [context.strokeStyle, context.lineWidth] = [shade("--vermillion"), 2.5];
    for (const t of this.now.faults) {
      const x = px(t - 1), y = BANDS.h.middle - BANDS.h.reach * this.now.cell[t - 1].h;
      for (const side of [-1, 1]) { context.beginPath(); context.moveTo(x - 4, y - 4 * side); context.lineTo(x + 4, y + 4 * side); context.stroke(); }
    }
  }

  stop() {
    for (const sheet of [this.inputs, this.traces]) sheet.stop();
    for (const field of this.fields) this.model.off(`change:${field}`, this.changed);
  }
}

function render({ model, el: host }) {
  const gates = new Gates(model, host);
  return () => gates.stop();
}

export default { render };
