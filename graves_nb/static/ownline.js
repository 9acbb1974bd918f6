// A line of one's own: written on the sheet, seen as offsets at once, and compared with synthetic ink.

import { goalLine } from "./goal.js";
import { Recorder, tabletOffsets } from "./recorder.js";
import { describeRows } from "./rows.js";
import { announcer, colour, el, sharpCanvas, toyRoot } from "./toolkit.js";
import { drawLabel, drawPolyline, drawTraces } from "./traces.js";

const ENOUGH = 60; // points: fewer are no word
const HUES = ["accent", "edge", "line", "ink", "paper", "quiet", "text", "blue", "orange"];
const percent = (share) => `${(100 * share).toFixed(1)}\u202f%`; // kept on one line
const tenths = (number) => (Math.round(10 * number) / 10 + 0).toFixed(1).replace("-", "−"); // no "−0.0"
const ROWS = [
  ["points", ({ points }) => points], ["of them end a stroke", ({ lifts }) => percent(lifts)],
  ["mean of dx", ({ mean }) => tenths(mean[0])], ["mean of dy", ({ mean }) => tenths(mean[1])],
  ["std of dx", ({ std }) => tenths(std[0])], ["std of dy", ({ std }) => tenths(std[1])],
];

class OwnLine {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "offsets ownline");
    Object.assign(this, { rows: [], reached: false });
    this.build();
    this.say = announcer(this.root);
    this.changed = () => this.show();
    model.on("change:offsets", this.changed);
    this.recorder = new Recorder(this.sheet.canvas, { changed: () => this.wrote() });
    this.show();
  }

  get synthetic() { return describeRows(this.model.get("offsets")); }
  get colours() { return Object.fromEntries(HUES.map((name) => [name, colour(this.root, `--${name}`)])); }

  build() {
    this.goal = goalLine();
    this.sheet = sharpCanvas({
      label: "A sheet to write on", height: (width) => Math.max(180, Math.min(260, 0.36 * width)), draw: (...on) => this.drawSheet(...on),
    });
    this.sheet.canvas.setAttribute("role", "application");
    this.charts = sharpCanvas({ label: "Your offsets", height: () => 150, draw: (...on) => this.drawCharts(...on) });
    const button = (textContent, onclick) => el("button", { type: "button", textContent, onclick });
    this.table = el("table", { class: "offsets-table" });
    this.root.append(this.goal.line, this.sheet.canvas, el("div", { class: "toy-row" },
      button("Undo a stroke", () => this.recorder.undo()), button("Clear the sheet", () => this.recorder.clear())),
    this.charts.canvas, this.table, el("p", { class: "toy-note", textContent: "Your ink never leaves this page. Keys write too, "
      + "once the sheet has the focus: arrows move the pen, space puts it down or lifts it, backspace takes a stroke back." }));
  }

  wrote() {
    this.rows = tabletOffsets(this.recorder.strokes);
    this.show();
  }

  show() {
    const own = this.rows.length > 2 ? describeRows(this.rows) : undefined, { synthetic } = this;
    this.reached ||= own?.points >= ENOUGH && own.lifts < synthetic.lifts && !this.recorder.writing;
    this.goal.set(this.reached,
      `Goal: write a word, and lift the pen more rarely than the synthetic line: at less than ${percent(synthetic.lifts)} of your points.`,
      "Reached: your pen stays down longer than the synthetic one.");
    const cell = (tag, textContent, scope) => el(tag, scope ? { textContent, scope } : { textContent });
    this.table.replaceChildren(el("tr", {}, cell("td", ""), cell("th", "yours", "col"), cell("th", "synthetic", "col")),
      ...ROWS.map(([name, value]) => el("tr", {}, cell("th", name, "row"), cell("td", own ? value(own) : "–"), cell("td", value(synthetic)))));
    const seen = own ? `${own.points} points, ${this.rows.filter((row) => row[2]).length} strokes` : "nothing written yet";
    this.sheet.canvas.setAttribute("aria-label", `A sheet to write on: ${seen}. Arrows move the pen, space puts it down or lifts it.`);
    this.charts.canvas.setAttribute("aria-label", `Your line as dx and dy: ${seen}.`);
    if (!this.recorder?.writing) this.say(`Your line: ${seen}.`);
    this.sheet.redraw();
    this.charts.redraw();
  }

  drawSheet(context, width, height) {
    const theme = this.colours, strokes = this.recorder?.strokes ?? [], cursor = this.recorder?.cursor;
    for (const share of [0.4, 0.62]) drawPolyline(context, [[16, share * height], [width - 16, share * height]], theme.line, 1);
    context.lineCap = context.lineJoin = "round";
    if (!strokes.length) drawLabel(context, "write here, with mouse, finger or stylus", width / 2, 0.3 * height, theme, "center");
    for (const stroke of strokes) drawPolyline(context, [[stroke[0][0] - 0.01, stroke[0][1]], ...stroke], theme.ink, 2.5); // dots too
    if (!cursor) return;
    context.strokeStyle = context.fillStyle = theme.accent;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(cursor.x, cursor.y, 6, 0, 2 * Math.PI);
    if (cursor.down) context.fill(); else context.stroke();
  }

  drawCharts(context, width, height) {
    const theme = this.colours;
    if (this.rows.length < 3) return drawLabel(context, "your offsets appear here", width / 2, height / 2, theme, "center");
    const series = ["dx, across (ticks: the pen lifts)", "dy, down"].map((name, axis) => ({ name, values: this.rows.map((row) => row[axis]), colour: [theme.blue, theme.orange][axis] }));
    return drawTraces(context, width, height, { series, rows: this.rows, theme });
  }

  stop() {
    this.recorder.stop();
    this.sheet.stop();
    this.charts.stop();
    this.model.off("change:offsets", this.changed);
  }
}

function render({ model, el: host }) {
  const line = new OwnLine(model, host);
  return () => line.stop();
}

export default { render };
