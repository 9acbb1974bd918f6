// Ink as offsets: one row of a line is wrong, and all that follows has moved. Mend it; store positions instead.

import { goalLine } from "./goal.js";
import { placesOf } from "./rows.js";
import { announcer, colour, draggable, el, radios, reducedMotion, sharpCanvas, slider, toyRoot } from "./toolkit.js";
import { drawLabel, drawPlaces, drawTraces, sheetScale, traceScale } from "./traces.js";

const NEAR = 25; // tablet units, an eighth of a line's height: nearer than this is mended
const GRASP = 24; // CSS pixels around a point that take hold of it
const ROOM = { left: 60, right: 330, above: 190, below: 190 }; // tablet units around the line, for it to move
const SLIDER_REACH = 500, SLIDER_STEP = 5; // tablet units
const GLIDE = 450; // milliseconds in which the ink takes its new place
const BREAKS = [[0.3, -90, 130], [0.75, 120, -110], [0.4, 150, 60], [0.62, -60, -150]]; // where, and what is added
const SHADES = ["accent", "edge", "ink", "paper", "quiet", "text", "blue", "orange"];
const minus = (number) => String(number).replace("-", "−");

class Offsets {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "offsets");
    this.breaks = 0;
    this.build();
    this.say = announcer(this.root);
    this.changed = () => { this.glide(); this.show(); };
    this.renewed = () => this.spoil(this.get("broken"));
    model.on("change:positions", this.changed);
    for (const field of ["offsets", "broken"]) model.on(`change:${field}`, this.renewed);
    this.renewed();
  }

  get(field) { return this.model.get(field); }
  get truth() { return this.get("offsets"); }
  get colours() { return Object.fromEntries(SHADES.map((name) => [name, colour(this.root, `--${name}`)])); }

  // ---- The line, as the file has it and as it comes onto the sheet ----

  get rows() { return this.truth.map(([dx, dy], i) => [dx + this.wrong[i][0], dy + this.wrong[i][1], this.ends[i]]); }

  /** Where the points come to lie: a wrong offset moves all that follow, a wrong position moves one. */
  get places() {
    if (!this.get("positions")) return placesOf(this.rows);
    return placesOf(this.truth).map(([x, y], i) => [x + this.wrong[i][0], y + this.wrong[i][1]]);
  }

  /** What the file stores in a row. */
  get stored() { return this.get("positions") ? this.places : this.rows; }

  get astray() {
    const right = placesOf(this.truth);
    return this.places.filter(([x, y], i) => Math.hypot(x - right[i][0], y - right[i][1]) > NEAR).length;
  }

  /** Add [dx, dy] to one row of the line, and let the reader look for it. */
  spoil([row, dx, dy]) {
    Object.assign(this, { broken: row, row: 0, reached: false, ends: this.truth.map((each) => each[2]) });
    this.wrong = this.truth.map(() => [0, 0]);
    this.glide();
    this.wrong[row] = [dx, dy];
    this.show();
  }

  spoilAnother() {
    const [share, dx, dy] = BREAKS[this.breaks++ % BREAKS.length], last = this.truth.length - 1;
    const midStroke = (row) => this.truth.slice(Math.max(0, row - 4), row + 4).every((each) => !each[2]);
    let row = Math.max(1, Math.floor(share * last));
    while (row < last && !midStroke(row)) row++;
    this.spoil([row, dx, dy]);
  }

  /** Change the error of a row. What is right but for a hair is made right. */
  correct(row, error) {
    this.wrong[row] = error;
    const near = this.wrong.every(([dx, dy]) => Math.hypot(dx, dy) <= NEAR);
    if (near && this.ends.every((end, i) => end === this.truth[i][2])) {
      this.wrong = this.truth.map(() => [0, 0]);
      this.reached = true;
    }
    this.show();
  }

  // ---- Controls ----

  build() {
    this.goal = goalLine();
    this.sheet = sharpCanvas({
      label: "A line of ink", height: (width) => Math.max(120, Math.min(300, 0.32 * width)), draw: (...on) => this.drawSheet(...on),
    });
    this.charts = sharpCanvas({ label: "The rows of the line", height: () => 150, draw: (...on) => this.drawCharts(...on) });
    this.count = el("p", { class: "offsets-count" });
    this.stores = radios({
      legend: "The file stores", choices: [["offsets", "offsets"], ["positions", "positions"]], value: "offsets",
      onchange: (choice) => { this.model.set("positions", choice === "positions"); this.model.save_changes(); },
    });
    this.which = slider({ label: "Row", min: 1, max: 2, value: 1, format: (n) => `${n} of ${this.truth.length}`, oninput: (n) => this.select(n - 1) });
    this.numbers = [0, 1].map((axis) => slider({
      label: "dx", min: -SLIDER_REACH, max: SLIDER_REACH, step: SLIDER_STEP, value: 0, format: minus,
      oninput: (value) => this.correct(this.row, this.wrong[this.row].map((error, i) => (i === axis ? error + value - this.stored[this.row][i] : error))),
    }));
    this.end = el("input", { type: "checkbox", onchange: () => {
      this.ends[this.row] = Number(this.end.checked);
      this.correct(this.row, this.wrong[this.row]);
    } });
    const button = (textContent, onclick) => el("button", { type: "button", textContent, onclick });
    this.root.append(this.goal.line, this.sheet.canvas, this.charts.canvas, this.count, this.which.row, ...this.numbers.map((each) => each.row),
      el("label", { class: "toy-choice" }, this.end, el("span", { textContent: "the pen lifts after this row" })), this.stores.fieldset,
      el("div", { class: "toy-row" }, button("Spoil another row", () => this.spoilAnother()), button("Start again", () => this.renewed())));
    this.grasp();
  }

  grasp() {
    const { canvas } = this.sheet;
    const scale = () => sheetScale(placesOf(this.truth), canvas.clientWidth, canvas.clientHeight, ROOM);
    draggable(canvas, {
      find: (x, y) => {
        const { px, py } = scale(), away = this.places.map(([u, v]) => Math.hypot(px(u) - x, py(v) - y));
        const held = [this.row, this.broken].find((row) => away[row] <= GRASP) ?? away.indexOf(Math.min(...away));
        if (away[held] > GRASP) return undefined;
        this.start = { x, y, error: this.wrong[held] };
        this.select(held);
        return held;
      },
      move: (row, x, y) => {
        const { start } = this, moved = [x - start.x, y - start.y];
        if (moved.some(Boolean)) this.correct(row, moved.map((pixels, i) => start.error[i] + Math.round(pixels / scale().unit)));
      },
    });
    draggable(this.charts.canvas, {
      across: true, find: () => "row", move: (_, x) => this.select(traceScale(this.charts.canvas.clientWidth, this.truth.length).row(x)),
    });
  }

  select(row) {
    this.row = row;
    this.show();
  }

  // ---- What is seen and said ----

  /** Let the ink move from where it is seen to where it belongs, unless the reader wants less motion. */
  glide() {
    if (!reducedMotion()) [this.from, this.began] = [this.seen, performance.now()];
  }

  /** The places at this moment of a glide; `this.from` is empty when there is none. */
  moving(places) {
    const share = Math.min(1, (performance.now() - this.began) / GLIDE), eased = share * share * (3 - 2 * share);
    if (share >= 1 || this.from?.length !== places.length) this.from = undefined;
    this.seen = this.from ? places.map(([x, y], i) => [this.from[i][0] + eased * (x - this.from[i][0]), this.from[i][1] + eased * (y - this.from[i][1])]) : places;
    if (this.from) requestAnimationFrame(() => this.sheet.redraw());
    return this.seen;
  }

  show() {
    const positions = this.get("positions"), names = positions ? ["x", "y"] : ["dx", "dy"], total = this.truth.length;
    this.stores.set(positions ? "positions" : "offsets");
    this.which.input.max = total;
    this.which.set(this.row + 1);
    this.numbers.forEach((each, axis) => {
      const value = this.stored[this.row][axis], bounds = [-SLIDER_REACH, SLIDER_REACH].map((reach) => value + reach);
      if (value < each.input.min || value > each.input.max || each.of !== `${positions} ${this.row}`) [each.input.min, each.input.max] = bounds;
      each.of = `${positions} ${this.row}`;
      each.row.firstChild.textContent = names[axis];
      each.set(value);
    });
    this.end.checked = Boolean(this.ends[this.row]);
    const { astray } = this, bad = this.wrong.filter((error) => error.some(Boolean)).length;
    this.goal.set(this.reached, "Goal: make the line whole again. Find what is wrong, and set it right.",
      `Whole again: of ${total} rows one was wrong, row ${this.broken + 1}. Spoil another, or store positions.`);
    this.count.textContent = astray === 0 ? `All ${total} points are in their places.`
      : `${astray} of ${total} points ${astray === 1 ? "is" : "are"} out of place${positions ? `: ${bad} wrong ${bad === 1 ? "row moves one point" : "rows"}` : ""}.`;
    this.sheet.canvas.setAttribute("aria-label", `A line of synthetic ink, “${this.get("text")}”. ${this.count.textContent}`);
    this.charts.canvas.setAttribute("aria-label", `${names.join(" and ")} over the rows; row ${this.row + 1} holds ${this.stored[this.row].slice(0, 2).map(minus).join(" and ")}.`);
    this.say(`Row ${this.row + 1}: ${names.map((name, i) => `${name} ${minus(this.stored[this.row][i])}`).join(", ")}. ${this.count.textContent}`);
    this.sheet.redraw();
    this.charts.redraw();
  }

  drawSheet(context, width, height) {
    const theme = this.colours, scale = sheetScale(placesOf(this.truth), width, height, ROOM), places = this.moving(this.places);
    drawPlaces(context, places, this.rows, scale, theme.ink, Math.max(1.6, 14 * scale.unit));
    const [x, y] = places[this.row];
    context.strokeStyle = theme.accent;
    context.lineWidth = 3;
    context.beginPath();
    context.arc(scale.px(x), scale.py(y), 9, 0, 2 * Math.PI);
    context.stroke();
    if (this.row === 0 && !this.reached) drawLabel(context, "take hold of the line or of its rows", 12, height - 12, theme);
  }

  drawCharts(context, width, height) {
    const theme = this.colours, names = this.get("positions") ? ["x, across (ticks: the pen lifts)", "y, down"] : ["dx, across (ticks: the pen lifts)", "dy, down"];
    const series = names.map((name, axis) => ({ name, values: this.stored.map((row) => row[axis]), colour: [theme.blue, theme.orange][axis] }));
    drawTraces(context, width, height, { series, rows: this.rows, at: this.row, theme });
  }

  stop() {
    this.sheet.stop();
    this.charts.stop();
    this.model.off("change:positions", this.changed);
    for (const field of ["offsets", "broken"]) this.model.off(`change:${field}`, this.renewed);
  }
}

function render({ model, el: host }) {
  const offsets = new Offsets(model, host);
  return () => offsets.stop();
}

export default { render };
