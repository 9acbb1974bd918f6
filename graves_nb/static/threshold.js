// Long steps: which rows a threshold drops, what is left of the line, and how far the loss moves for that.

import { goalLine } from "./goal.js";
import { dropLong, placesOf, stepsOf } from "./rows.js";
import { announcer, colour, draggable, el, sharpCanvas, slider, toyRoot } from "./toolkit.js";
import { drawLabel, drawPlaces, drawPolyline, sheetScale, traceScale } from "./traces.js";

const LEAST_LIMIT = 40, MOST_LIMIT = 400, LIMIT_STEP = 10; // tablet units; the most drops nothing
const WANTED = 50; // nats
const HEADING = 14; // CSS pixels for the words above each line
const TONES = ["accent", "edge", "ink", "paper", "quiet", "text", "blue", "vermillion"];
const inWords = (limit) => (limit >= MOST_LIMIT ? "none" : `${limit} tablet units`);

class Threshold {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "offsets threshold");
    this.reached = false;
    this.build();
    this.say = announcer(this.root);
    this.changed = () => this.show();
    for (const field of ["offsets", "threshold"]) model.on(`change:${field}`, this.changed);
    this.show();
  }

  get(field) { return this.model.get(field); }
  get rows() { return this.get("offsets"); }
  get limit() { return this.get("threshold") >= MOST_LIMIT ? Infinity : this.get("threshold"); }
  get colours() { return Object.fromEntries(TONES.map((name) => [name, colour(this.root, `--${name}`)])); }

  set limit(limit) {
    this.model.set("threshold", Math.max(LEAST_LIMIT, Math.min(MOST_LIMIT, LIMIT_STEP * Math.round(limit / LIMIT_STEP))));
    this.model.save_changes();
  }

  build() {
    this.goal = goalLine();
    this.sheet = sharpCanvas({
      label: "A line of ink", height: (width) => Math.max(190, Math.min(330, 0.42 * width)), draw: (...on) => this.drawSheet(...on),
    });
    this.chart = sharpCanvas({ label: "The length of each step", height: () => 150, draw: (...on) => this.drawChart(...on) });
    this.slider = slider({
      label: "Threshold", min: LEAST_LIMIT, max: MOST_LIMIT, step: LIMIT_STEP, value: MOST_LIMIT, format: inWords,
      oninput: (limit) => { this.limit = limit; },
    });
    this.table = el("table", { class: "offsets-table" });
    this.moved = el("p", { class: "offsets-count" });
    const draw = (_, x, y) => { this.limit = (1 - (y - 10) / (this.chart.canvas.clientHeight - 20)) * MOST_LIMIT; };
    draggable(this.chart.canvas, { find: () => "threshold", move: draw });
    this.root.append(this.goal.line, this.sheet.canvas, this.chart.canvas, this.slider.row, this.moved, this.table, el("p", {
      class: "toy-note", textContent: "Counted here: the change of units, for the steps that stay, by the spread of this one line. "
        + "Not counted: what the dropped steps themselves would have cost, which depends on the model.",
    }));
  }

  show() {
    const result = this.result = dropLong(this.rows, this.limit), { before, after, dropped, kept, nats } = result;
    const gone = `${dropped.length} of ${this.rows.length - 1} steps ${dropped.length === 1 ? "goes" : "go"}`;
    this.reached ||= nats >= WANTED;
    this.goal.set(this.reached, `Goal: by the threshold alone, make the loss of one and the same model ${WANTED} nats worse.`,
      "Reached: and nothing was learnt or forgotten. A loss says little without its threshold.");
    this.slider.set(Math.min(MOST_LIMIT, this.get("threshold")));
    this.moved.textContent = dropped.length ? `${gone}. The loss of the line rises by ${nats.toFixed(1)} nats, for its units alone.` : "No step is dropped.";
    const line = (...cells) => el("tr", {}, ...cells.map((textContent, i) => el(i ? "td" : "th", i ? { textContent } : { textContent, scope: "row" })));
    const head = el("tr", {}, ...["", "steps", "std of dx", "std of dy"].map((textContent) => el(textContent ? "th" : "td", { textContent })));
    const share = (std) => std.map((value) => value.toFixed(1));
    this.table.replaceChildren(head, line("all steps", this.rows.length - 1, ...share(before)), line("those that stay", kept.length - 1, ...share(after)));
    this.sheet.canvas.setAttribute("aria-label", `A line of synthetic ink, “${this.get("text")}”, and what is left of it below: ${gone}.`);
    this.chart.canvas.setAttribute("aria-label", `The length of each step; the longest is ${Math.max(...stepsOf(this.rows)).toFixed(0)}. Threshold: ${inWords(this.get("threshold"))}.`);
    this.say(this.moved.textContent);
    this.sheet.redraw();
    this.chart.redraw();
  }

  /** Above, the line with its dropped steps; below, what a network gets to see. */
  drawSheet(context, width, height) {
    const theme = this.colours, { kept, dropped } = this.result, places = placesOf(this.rows), half = height / 2;
    const scale = sheetScale(places, width, half - HEADING), shifted = (down) => ({ ...scale, py: (y) => down + HEADING + scale.py(y) });
    const upper = shifted(0), on = ([x, y]) => [upper.px(x), upper.py(y)];
    drawPlaces(context, places, this.rows, upper, theme.quiet, 1.4);
    context.setLineDash([5, 4]);
    for (const i of dropped) drawPolyline(context, [places[i - 1], places[i]].map(on), theme.vermillion, 2.5);
    context.setLineDash([]);
    drawPlaces(context, placesOf(kept), kept, shifted(half), theme.ink, Math.max(1.6, 14 * scale.unit));
    drawLabel(context, "the line, and the steps that go", 10, 18, theme);
    drawLabel(context, "what is left", 10, half + 14, theme);
  }

  drawChart(context, width, height) {
    const theme = this.colours, steps = stepsOf(this.rows), { x } = traceScale(width, steps.length);
    const y = (length) => height - 10 - length / MOST_LIMIT * (height - 20);
    steps.forEach((step, i) => drawPolyline(context, [[x(i), y(0)], [x(i), y(step)]], step > this.limit ? theme.vermillion : theme.blue, step > this.limit ? 3 : 1.4));
    const limit = Math.min(MOST_LIMIT, this.get("threshold"));
    drawPolyline(context, [[0, y(limit)], [width, y(limit)]], theme.accent, 2);
    drawLabel(context, "length of each step", 10, 32, theme);
    drawLabel(context, `threshold: ${inWords(limit)}`, width - 10, limit > MOST_LIMIT / 2 ? y(limit) + 22 : y(limit) - 7, theme, "right");
  }

  stop() {
    this.sheet.stop();
    this.chart.stop();
    for (const field of ["offsets", "threshold"]) this.model.off(`change:${field}`, this.changed);
  }
}

function render({ model, el: host }) {
  const threshold = new Threshold(model, host);
  return () => threshold.stop();
}

export default { render };
