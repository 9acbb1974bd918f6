// The judge: a line that the pen wrote, spoilt in two ways. The loss has its say, and so has the reader.

import { goalLine } from "./goal.js";
import { placesOf } from "./rows.js";
import { announcer, colour, el, radios, sharpCanvas, slider, toyRoot } from "./toolkit.js";

const JUDGED = ["shake", "pull", "reads_first", "reads_second"];
const inNats = (number) => `${number.toFixed(0).replace("-", "−")} nats`;

/** Each place moved by up to `amount`. */
export const shakenPlaces = (places, jitter, amount) => places.map(([x, y], t) => [x + amount * jitter[t][0], y + amount * jitter[t][1]]);

/** Each stroke moved as it is, a share of the way back to where the line begins. */
export function pulledPlaces(places, ink, share) {
  let start = places[0][0];
  return places.map(([x, y], t) => {
    if (t && ink[t - 1][2]) start = x;
    return [x - share * (start - places[0][0]), y];
  });
}

class Judge {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "judge");
    this.reached = false;
    this.places = placesOf(this.get("ink"));
    this.box = [0, 1].map((axis) => {
      const along = this.places.map((place) => place[axis]);
      return [Math.min(...along) - 30, Math.max(...along) + 30];
    });
    this.build();
    this.say = announcer(this.root);
    this.changed = () => this.show();
    for (const field of JUDGED) model.on(`change:${field}`, this.changed);
    this.show();
  }

  get(field) { return this.model.get(field); }
  loss(field) { return this.get(`${field}_nats`)[this.get(`${field}s`).indexOf(this.get(field))]; }

  set(field, value) {
    this.model.set(field, value);
    this.model.save_changes();
  }

  build() {
    this.goal = goalLine();
    this.first = this.line("The first line", "shake", "reads_first", "Shake each point", (amount) => (amount ? `by up to ${amount} unit${amount > 1 ? "s" : ""}` : "not at all"),
      () => shakenPlaces(this.places, this.get("jitter"), this.get("shake")));
    this.second = this.line("The second line", "pull", "reads_second", "Pull strokes together", (share) => `by ${Math.round(100 * share)} %`,
      () => pulledPlaces(this.places, this.get("ink"), this.get("pull")));
    this.bars = sharpCanvas({ label: "The losses of both lines", height: () => 96, draw: (...on) => this.drawBars(...on) });
    this.verdict = el("p", { class: "judge-verdict" });
    this.root.append(this.goal.line, this.first.part, this.second.part, this.bars.canvas, this.verdict,
      el("p", { class: "toy-note", textContent: "The losses are those of the pen that wrote the line, given the same text. It scored each state that the sliders have. "
        + "One unit is one step of the tablet's grid." }));
  }

  /** A line: its picture, the slider that spoils it, and what the reader says. */
  line(title, field, reads, label, words, places) {
    const levels = this.get(`${field}s`), [[left, right], [top, bottom]] = this.box;
    const sheet = sharpCanvas({
      label: title, height: (width) => Math.min(170, Math.max(60, width * (bottom - top) / (right - left))),
      draw: (...on) => this.drawLine(places(), ...on),
    });
    const control = slider({
      label, min: 0, max: levels.length - 1, value: levels.indexOf(this.get(field)),
      format: (i) => words(levels[i]), oninput: (i) => this.set(field, levels[i]),
    });
    const says = radios({
      legend: `${title}: can you read it?`, choices: [["true", "I can read it"], ["false", "I cannot"]],
      value: String(this.get(reads)), onchange: (key) => this.set(reads, key === "true"),
    });
    const part = el("div", { class: "judge-line" }, el("p", { class: "judge-name", textContent: title }), sheet.canvas, control.row, says.fieldset);
    return { part, sheet, refresh: () => { control.set(levels.indexOf(this.get(field))); says.set(String(this.get(reads))); sheet.redraw(); } };
  }

  show() {
    const first = this.loss("shake"), second = this.loss("pull"), can = this.get("reads_first"), cannot = !this.get("reads_second");
    const preferred = first === second ? "The loss finds both equally good" : `The loss prefers the ${first < second ? "first" : "second"} line, by ${inNats(Math.abs(first - second))}`;
    this.verdict.textContent = `First ${inNats(first)}, second ${inNats(second)}. ${preferred}. You can read `
      + `${can ? (cannot ? "the first line only" : "both") : cannot ? "neither" : "the second line only"}.`;
    this.reached ||= can && cannot && second < first && this.get("pull") > 0;
    this.goal.set(this.reached, "Goal: make the loss prefer a line that you cannot read to one that you can. You are the judge of what can be read.",
      "Reached: the lower loss belongs to the line that nobody can read.");
    for (const line of [this.first, this.second]) line.refresh();
    const original = `The line reads “${this.get("text")}”.`;
    this.first.sheet.canvas.setAttribute("aria-label", `${original} Here each of its points is moved by up to ${this.get("shake")} tablet units.`);
    this.second.sheet.canvas.setAttribute("aria-label", `${original} Here its strokes are pulled together by ${Math.round(100 * this.get("pull"))} percent: ${
      this.get("pull") < 0.3 ? "letters crowd" : this.get("pull") < 0.7 ? "letters lie upon each other" : "it is a knot"}.`);
    this.bars.canvas.setAttribute("aria-label", `Losses: first line ${inNats(first)}, second line ${inNats(second)}.`);
    this.bars.redraw();
    this.say(this.verdict.textContent);
  }

  drawLine(places, context, width, height) {
    const [[left, right], [top, bottom]] = this.box, ink = this.get("ink");
    const scale = Math.min(width / (right - left), height / (bottom - top));
    Object.assign(context, { strokeStyle: colour(this.root, "--ink"), lineWidth: Math.max(1.3, 7 * scale), lineCap: "round", lineJoin: "round" });
    context.beginPath();
    places.forEach(([x, y], t) => {
      const at = [(x - left) * scale, (y - top) * scale];
      if (t && !ink[t - 1][2]) return context.lineTo(...at);
      context.moveTo(...at);
      return context.lineTo(at[0] + 0.01, at[1]); // a stroke of one point is a dot
    });
    context.stroke();
  }

  /** Two bars from the untouched line's loss: the longer, the worse. */
  drawBars(context, width) {
    const all = [...this.get("shake_nats"), ...this.get("pull_nats")], least = Math.min(...all), range = Math.max(...all) - least;
    context.font = "14px system-ui, sans-serif";
    [["First line", this.loss("shake"), "--blue"], ["Second line", this.loss("pull"), "--orange"]].forEach(([name, loss, paint], i) => {
      const y = 44 * i + 6;
      context.fillStyle = colour(this.root, paint);
      context.fillRect(10, y + 20, Math.max(3, (width - 20) * (loss - least) / range), 14);
      context.fillStyle = colour(this.root, "--text");
      context.fillText(`${name}: ${inNats(loss)}${loss === least ? "" : ` (${(loss - least).toFixed(0)} worse)`}`, 10, y + 14);
    });
  }

  stop() {
    for (const { stop } of [this.first.sheet, this.second.sheet, this.bars]) stop();
    for (const field of JUDGED) this.model.off(`change:${field}`, this.changed);
  }
}

function render({ model, el: host }) {
  const judge = new Judge(model, host);
  return () => judge.stop();
}

export default { render };
