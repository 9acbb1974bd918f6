// Whose hand the network goes on in: a line of the gallery, or one that the reader writes here.

import { miniature } from "./ink.js";
import { Recorder, tabletOffsets } from "./recorder.js";
import { textProblem } from "./sampler.js";
import { announcer, colour, el, newId, radios, sharpCanvas } from "./toolkit.js";

const HAND_INK = 40; // points: less is no hand

/** `choose(style)` hears of a choice (0 is the reader's own), `wrote(line)` of a line that was written. */
export class HandChooser {
  constructor(root, gallery, alphabet, { style, choose, wrote }) {
    Object.assign(this, { root, gallery, alphabet, wrote });
    const choices = [[0, el("span", { class: "pen-none", textContent: "write your own" }), "write your own line"],
      ...gallery.map(({ text, offsets_raw }, n) => [n + 1, miniature(offsets_raw), `Line ${n + 1}: ${text}`])];
    this.lines = radios({ legend: "Your line: write one, or take one that the network wrote before", choices, value: style, onchange: choose });
    this.element = el("div", {}, this.lines.fieldset, this.buildSheet());
    this.show(style);
  }

  buildSheet() {
    this.sheet = sharpCanvas({ label: "A sheet to write on", height: (width) => Math.max(170, Math.min(230, width / 3)), draw: (...on) => this.draw(...on) });
    this.sheet.canvas.setAttribute("role", "application");
    this.recorder = new Recorder(this.sheet.canvas, { changed: () => this.showInk() });
    const id = newId(), button = (textContent, onclick) => el("button", { type: "button", textContent, onclick });
    this.transcript = el("input", { type: "text", id, autocomplete: "off", spellcheck: false });
    this.error = el("p", { class: "toy-error", role: "alert" });
    this.fact = el("p", { class: "toy-note" });
    const submit = (event) => { event.preventDefault(); this.take(); };
    this.own = el("div", { class: "own-sheet" }, this.sheet.canvas,
      el("form", { class: "toy-row", onsubmit: submit }, el("label", { htmlFor: id, textContent: "It reads" }), this.transcript,
        el("button", { class: "toy-main", textContent: "Go on in this hand" }), button("Undo", () => this.recorder.undo()), button("Clear", () => this.recorder.clear())),
      this.error, this.fact, el("p", { class: "toy-note", textContent: "Keys write too, once the sheet has the focus: arrows move the pen, "
        + "space puts it down or lifts it, backspace takes a stroke back." }));
    this.say = announcer(this.own);
    this.showInk();
    return this.own;
  }

  /** Draw what is written, and say how much it is. */
  showInk() {
    const { length } = this.recorder?.strokes ?? [], seen = length ? `${length} stroke${length > 1 ? "s" : ""}` : "nothing written yet";
    this.sheet.canvas.setAttribute("aria-label", `A sheet to write on: ${seen}. Arrows move the pen, space puts it down or lifts it.`);
    if (length && !this.recorder.writing) this.say(`Your line: ${seen}.`);
    this.sheet.redraw();
  }

  show(style) {
    this.lines.set(style);
    this.own.hidden = style !== 0;
    this.sheet.redraw();
  }

  /** Make a line of what stands on the sheet, at the tablet's pace and scale. */
  take() {
    const text = this.transcript.value.trim().replace(/ +/g, " "), { strokes } = this.recorder;
    const written = strokes.reduce((sum, stroke) => sum + stroke.length, 0);
    const offsets = tabletOffsets(strokes, { characters: text.length }).slice(1); // row one is the starting place
    this.error.textContent = !written ? "There is no ink yet. Write a few words on the sheet above."
      : !text ? "Say what your line reads: the window must know the letters."
        : textProblem(text, this.alphabet) || (offsets.length < HAND_INK ? "That is too little ink for a hand. Write a few words." : "");
    this.transcript.setAttribute("aria-invalid", Boolean(this.error.textContent));
    if (this.error.textContent) return;
    this.fact.textContent = `Your ${written} points in ${strokes.length} strokes became ${offsets.length} at the tablet's pace and scale.`;
    this.line = { text, offsets_raw: offsets };
    this.wrote(this.line);
  }

  draw(context, width, height) {
    const paint = (name) => colour(this.root, `--${name}`), { strokes, cursor } = this.recorder;
    context.fillStyle = paint("line");
    context.fillRect(16, Math.round(0.62 * height), width - 32, 1);
    context.strokeStyle = context.fillStyle = paint("ink");
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = 2.5;
    for (const stroke of strokes) {
      context.beginPath();
      if (stroke.length) context.moveTo(stroke[0][0] - 0.01, stroke[0][1]); // or a dot would not be seen
      for (const [x, y] of stroke) context.lineTo(x, y);
      context.stroke();
    }
    context.font = "15px system-ui, sans-serif";
    context.fillStyle = paint("quiet");
    if (!strokes.length) context.fillText(width < 480 ? "write a few words here" : "write a few words here, with mouse, finger or stylus", 20, 0.3 * height);
    if (!cursor) return;
    context.fillStyle = paint("accent");
    context.beginPath();
    context.arc(cursor.x, cursor.y, cursor.down ? 4 : 7, 0, 2 * Math.PI);
    context.fill();
  }

  stop() { this.recorder.stop(); this.sheet.stop(); }
}
