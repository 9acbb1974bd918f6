// "Is my loss right?": a loss as it was reported, in the units of others, beside the paper's figures.

import { goalLine } from "./goal.js";
import { announcer, colour, el, newId, radios, sharpCanvas, slider, toyRoot } from "./toolkit.js";

const REPORT = { value: 1400, likelihood: true, per_step: false, bits: false, std: 56 }; // the goal's
const ROW = 40; // CSS pixels for each of the paper's figures
const PAINT = ["accent", "edge", "paper", "text", "vermillion"];
const FIELD_NAMES = ["value", "likelihood", "per_step", "bits", "std", "steps", "lowest"];
const withMinus = (number, digits = 1) => number.toFixed(digits).replace("-", "−");

/** What 1 in a convention {likelihood, per_step, bits} is in nats a line. */
const natsALine = ({ likelihood, per_step: perStep, bits }, steps) => (likelihood ? -1 : 1) * (perStep ? steps : 1) * (bits ? Math.LN2 : 1);

/** Tell a loss in another convention, as graves_nb/units.py does. */
export function convertLoss(value, source, target, steps) {
  const area = ({ std: [s1, s2] }) => Math.log(s1 * s2);
  return (value * natsALine(source, steps) + steps * (area(source) - area(target))) / natsALine(target, steps);
}

class Converter {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "converter");
    this.reached = false;
    this.build();
    this.say = announcer(this.root);
    this.changed = () => this.show();
    for (const field of FIELD_NAMES) model.on(`change:${field}`, this.changed);
    this.show();
  }

  get(field) { return this.model.get(field); }
  get convention() { return { ...Object.fromEntries(["likelihood", "per_step", "bits"].map((name) => [name, this.get(name)])), std: this.get("std") }; }
  get ours() { return this.told({ std: this.get("presets")[0].slice(1) }); }

  set(field, value) {
    this.model.set(field, value);
    this.model.save_changes();
  }

  told(target) { return convertLoss(this.get("value"), this.convention, target, this.get("steps")); }

  /** How far the paper's figures may lie from what is printed: [least, most], on this book's scale. */
  get band() {
    const shift = Object.fromEntries(this.get("thresholds"));
    return [-shift[this.get("lowest")], -shift[0]];
  }

  build() {
    this.goal = goalLine();
    this.error = el("p", { class: "toy-error", role: "alert" });
    this.fields = {};
    const choice = (legend, field, no, yes) => {
      const group = radios({ legend, choices: [["false", no], ["true", yes]], value: String(this.get(field)), onchange: (key) => this.set(field, key === "true") });
      this.fields[field] = group;
      return group.fieldset;
    };
    this.preset = el("select", { id: newId(), onchange: () => this.preset.value && this.set("std", this.get("presets")[this.preset.value].slice(1)) },
      ...this.get("presets").map(([name], i) => el("option", { value: i, textContent: name })), el("option", { value: "", textContent: "other numbers" }));
    this.verdict = el("p", { class: "converter-verdict" });
    this.lowest = slider({
      label: "The paper dropped no step shorter than", min: 500, max: 1000, step: 100, value: this.get("lowest"),
      format: (n) => `${n} tablet units`, oninput: (n) => this.set("lowest", n),
    });
    this.lowest.row.classList.add("converter-lowest");
    this.picture = sharpCanvas({ label: "Your loss and the paper's", height: () => ROW * this.get("paper").length + 34, draw: (...on) => this.draw(...on) });
    this.table = el("table", { class: "converter-table" });
    this.root.append(this.goal.line, el("div", { class: "converter-inputs" },
      this.number("The report says", "value", (value) => value), this.number("Points a line", "steps", (steps) => steps),
      choice("It is", "likelihood", "a loss: lower is better", "a log-likelihood: higher is better"),
      choice("for each", "per_step", "line, summed over its points", "point"), choice("in", "bits", "nats", "bits"),
      el("div", { class: "converter-field" }, el("label", { htmlFor: this.preset.id, textContent: "Offsets were divided by" }), this.preset),
      this.number("dx by", "std", ([s1]) => s1, (s1) => [s1, this.get("std")[1]]), this.number("dy by", "std", ([, s2]) => s2, (s2) => [this.get("std")[0], s2])),
    this.error, this.picture.canvas, this.lowest.row, this.verdict, this.table, el("p", { class: "toy-note", textContent:
      "A bar shows where the paper's figure may lie on this book's scale: the paper does not say from which length on it dropped steps. "
      + "It counts the units alone, with the spreads that this book measured." }));
  }

  /** A field for a number; what is no number, or not above 0 where it must be, is explained and changes nothing. */
  number(label, field, read, write = (value) => value) {
    const input = el("input", { type: "number", id: newId(), step: "any", oninput: () => {
      const value = input.valueAsNumber, good = Number.isFinite(value) && (field === "value" || value > 0);
      input.setAttribute("aria-invalid", !good);
      this.error.textContent = good ? "" : `“${label}” must be a number${field === "value" ? "" : " above 0"}.`;
      if (good) this.set(field, write(value));
    } });
    (this.refresh ??= []).push(() => {
      if (document.activeElement === input) return;
      input.value = Number(read(this.get(field)).toFixed(4));
      input.setAttribute("aria-invalid", false);
    });
    return el("div", { class: "converter-field" }, el("label", { htmlFor: input.id, textContent: label }), input);
  }

  show() {
    for (const refresh of this.refresh) refresh();
    for (const [field, group] of Object.entries(this.fields)) group.set(String(this.get(field)));
    const std = this.get("std"), { ours } = this, paper = this.get("paper"), [least, most] = this.band;
    const known = this.get("presets").findIndex(([, ...other]) => other.every((s, i) => Math.abs(s - std[i]) < 5e-3));
    this.preset.value = known < 0 ? "" : known;
    this.lowest.set(this.get("lowest"));
    const better = paper.filter(([, value]) => ours < value + least).length, worse = paper.filter(([, value]) => ours > value + most).length;
    this.verdict.textContent = `In this book's units: ${withMinus(ours)} nats a line. That is better than ${better} of the paper's ${paper.length} figures, `
      + `worse than ${worse}, and too near to ${paper.length - better - worse} to tell.`;
    this.reached ||= Object.entries(REPORT).every(([field, value]) => (field === "std" ? std.every((s) => s === value) : this.get(field) === value));
    this.goal.set(this.reached,
      `Goal: a report says “log-likelihood ${REPORT.value} nats a line; both offsets were divided by ${REPORT.std}”. Does it beat the paper's −1128.2? Find out.`,
      `Found: not at all. ${REPORT.value} of those nats are ${withMinus(convertLoss(REPORT.value, { ...REPORT, std: [56, 56] }, { std: this.get("presets")[0].slice(1) }, this.get("steps")))} here, worse than all of the paper's figures.`);
    this.fill();
    this.picture.canvas.setAttribute("aria-label", `Your loss, ${withMinus(ours)} nats a line, beside the paper's: ${paper.map(([name, value]) =>
      `${name} from ${withMinus(value + least)} to ${withMinus(value + most)}`).join("; ")}.`);
    this.say(this.verdict.textContent);
    this.picture.redraw();
  }

  fill() {
    const presets = this.get("presets"), [book, whole, one, raw] = presets.map(([, ...std]) => ({ std }));
    const rows = [["nats a line, in this book's units", book, 1], ["nats a point", { ...book, per_step: true }, 3],
      ["bits a point", { ...book, per_step: true, bits: true }, 3], ["nats a line, no step dropped", whole, 1],
      ["log-likelihood a line, one number for both", { ...one, likelihood: true }, 1], ["nats a line, in tablet units", raw, 1]];
    this.table.replaceChildren(el("caption", { textContent: "The same loss, told otherwise" }), ...rows.map(([name, target, digits]) =>
      el("tr", {}, el("th", { scope: "row", textContent: name }), el("td", { textContent: withMinus(this.told(target), digits) }))));
  }

  draw(context, width, height) {
    const hue = Object.fromEntries(PAINT.map((name) => [name, colour(this.root, `--${name}`)])), paper = this.get("paper"), [least, most] = this.band;
    const values = paper.map((row) => row[1]), from = Math.min(...values) + least - 30, to = Math.max(...values) + most + 60;
    const x = (value) => Math.max(8, Math.min(width - 8, (value - from) / (to - from) * width)), mine = x(this.ours);
    const words = (text, at, y, align = "left", paint = hue.text) => {
      Object.assign(context, { font: "13px system-ui, sans-serif", textAlign: align, lineJoin: "round", lineWidth: 4, strokeStyle: hue.paper, fillStyle: paint });
      context.strokeText(text, at, y);
      context.fillText(text, at, y);
    };
    paper.forEach(([, value], i) => {
      const y = ROW * i + 26;
      context.globalAlpha = 0.5;
      context.fillStyle = hue.edge;
      context.fillRect(x(value + least), y, x(value + most) - x(value + least), 10);
      context.globalAlpha = 1;
      context.fillStyle = hue.vermillion;
      context.fillRect(x(value) - 1.5, y - 3, 3, 16);
    });
    context.fillStyle = hue.accent;
    context.globalAlpha = 0.75;
    context.fillRect(mine - 1.5, 0, 3, height - 24);
    context.globalAlpha = 1;
    paper.forEach(([name, value], i) => words(`${name}: ${withMinus(value)}`, 10, ROW * i + 18));
    const inside = this.ours > from && this.ours < to;
    words(`${this.ours <= from ? "◀ " : ""}yours: ${withMinus(this.ours)}${this.ours >= to ? " ▶" : ""}`, inside ? Math.max(60, Math.min(width - 60, mine)) : mine,
      height - 8, inside ? "center" : this.ours <= from ? "left" : "right", hue.accent);
  }

  stop() {
    this.picture.stop();
    for (const field of FIELD_NAMES) this.model.off(`change:${field}`, this.changed);
  }
}

function render({ model, el: host }) {
  const converter = new Converter(model, host);
  return () => converter.stop();
}

export default { render };
