// The soft window, driven by hand: a pen that looks at the text once a letter writes what it sees.

import { drawInk, strokesOf } from "./ink.js";
import { colour, draggable, el, newId, reducedMotion, sharpCanvas, slider } from "./toolkit.js";

const DRIVE = {
  rate: 0.8, // letters that the pen writes in a second
  faint: 0.3, // a window that shows less than this in all keeps the pen waiting
  reaction: 0.5, // seconds until a pen that waited begins
  clear: 0.75, small: 0.5, large: 1.5, // a letter is clear with this share of the window, from this weight to that
  even: 0.5, // seconds that the pen may have waited in the middle of a word that is written evenly
  spare: 6, // letters that fit on the paper after those of the word
  panel: 168, sheet: 172, one: 48, side: 18, // CSS pixels: the window's picture, the paper, a height of 1, margins
  tints: ["ink", "text", "quiet", "line", "warn", "blue", "orange"],
};
const sumOf = (numbers) => numbers.reduce((a, b) => a + b, 0);

/** A window that the reader moves, and the pen that looks through it. */
export class WindowDriver {
  constructor(model, say) {
    Object.assign(this, { model, say, reached: false, running: !reducedMotion(), frame: 0, owed: 0 });
    this.build();
    this.again();
  }

  get word() { return this.model.get("word"); }
  get end() { return this.word.length + 1; }
  get pace() { return DRIVE.rate * this.model.get("letters").a.points.length; } // points a second
  set(field, value) { this.model.set(field, value); this.model.save_changes(); }

  build() {
    this.goal = el("p", { class: "toy-goal" });
    this.sheet = sharpCanvas({
      label: "A window over a word", height: () => DRIVE.panel + DRIVE.sheet, draw: (context, width) => this.draw(context, width),
    });
    this.sheet.canvas.classList.add("window-grasp");
    draggable(this.sheet.canvas, { // the window goes ahead only, so there is nothing to take hold of behind it
      find: (x, y) => (y < DRIVE.panel && this.toPlace(x) > this.kappa - 0.5 ? "window" : undefined),
      move: (_, x) => this.move(this.toPlace(x)),
    });
    this.place = slider({
      label: "Window κ", min: 0, max: this.end, step: 0.25, value: 0, format: () => `at ${(this.kappa ?? 0).toFixed(2)}`,
      oninput: (value) => this.move(value),
    });
    this.height = slider({
      label: "Height α", min: 0, max: 40, value: 20 * this.model.get("alpha"), format: (n) => (n / 20).toFixed(2),
      oninput: (n) => this.set("alpha", n / 20),
    });
    this.sharpness = slider({ // four steps to twice as sharp
      label: "Sharpness β", min: -13, max: 13, value: 4 * Math.log2(this.model.get("beta")), format: (n) => (2 ** (n / 4)).toFixed(2),
      oninput: (n) => this.set("beta", 2 ** (n / 4)),
    });
    this.status = el("p", { class: "toy-note window-status" });
    const button = (textContent, onclick) => el("button", { type: "button", textContent, onclick });
    this.run = button("", () => { this.running = !this.running; this.show(); });
    this.panel = el("div", {}, this.goal, this.sheet.canvas, this.status, this.place.row, this.height.row, this.sharpness.row,
      el("div", { class: "toy-row" }, button("Start again", () => this.again()), button("Write one letter", () => this.letter()), this.run),
      this.buildWord());
  }

  buildWord() {
    const id = newId(), error = el("p", { class: "toy-error", role: "alert", id: newId() });
    this.field = el("input", {
      type: "text", id, value: this.word, maxLength: 10, autocomplete: "off", autocapitalize: "none", spellcheck: false,
      "aria-describedby": error.id, onchange: () => {
        const word = this.field.value.trim(), good = /^[a-z]{2,10}$/.test(word);
        error.textContent = good ? "" : "Type 2 to 10 small letters, from a to z.";
        this.field.setAttribute("aria-invalid", !good);
        if (good) this.set("word", word);
      },
    });
    return el("div", { class: "toy-row" }, el("label", { htmlFor: id, textContent: "Another word" }), this.field, error);
  }

  /** A value came from a control or from Python. */
  changed(field) {
    if (field === "word") this.again();
    this.height.set(20 * this.model.get("alpha"));
    this.sharpness.set(4 * Math.log2(this.model.get("beta")));
    this.show();
  }

  // ---- The window ----

  /** phi(u) of a window with one Gaussian, eq. (46). */
  phi(u) { return this.model.get("alpha") * Math.exp(-this.model.get("beta") * (this.kappa - u) ** 2); }
  get weights() { return Array.from(this.word, (_, i) => this.phi(i + 1)); }

  move(kappa) {
    if (kappa < this.kappa) this.say("The window never goes back.");
    this.kappa = Math.max(this.kappa, Math.min(this.end, kappa));
    this.show();
  }

  // ---- The pen ----

  again() {
    Object.assign(this, { kappa: 0, glances: [], points: [], pen: [0, 0], left: 0, over: "", written: 0, waited: 0, idle: undefined });
    this.field.value = this.word;
    this.place.input.max = this.end;
    this.show();
  }

  /** The stop rule: phi(U+1) is larger than all others. */
  get past() { return this.kappa > this.word.length + 0.5; }
  /** Whether the pen would find something to do at its next glance. */
  get sees() { return this.past || sumOf(this.weights) >= DRIVE.faint; }

  /** Look through the window: take the next letter, wait, or stop. Says whether there is a letter to write. */
  glance() {
    if (this.over || !this.sees) return false;
    if (this.past) return this.finish("past");
    if (this.glances.length >= this.word.length + DRIVE.spare) return this.finish("full");
    const phi = this.weights, top = Math.max(...phi), clear = top / sumOf(phi) >= DRIVE.clear && top >= DRIVE.small && top <= DRIVE.large;
    const parts = Array.from(this.word, (letter) => this.model.get("letters")[letter]);
    const wide = sumOf(parts.map(({ width }, i) => phi[i] * width));
    this.glances.push({ phi, parts, place: phi.indexOf(top) + 1, clear, left: this.left, wide });
    this.left += wide;
    return true;
  }

  /** Write one point: the letters' shapes, each times its weight in the window. */
  point() {
    if (this.written === 0 && !this.glance()) return false;
    const { phi, parts, left, place } = this.glances.at(-1), rows = parts.map(({ points }) => points[this.written]);
    const [x, y] = [0, 1].map((axis) => sumOf(rows.map((row, i) => phi[i] * row[axis])));
    this.written = (this.written + 1) % parts[0].points.length;
    this.points.push([left + x - this.pen[0], y - this.pen[1], rows[place - 1][2] || !this.written]);
    this.pen = [left + x, y];
    return true;
  }

  letter() { while (this.point() && this.written); this.show(); }

  tick(now) {
    this.frame = 0;
    this.owed = Math.min(8, this.owed + this.pace * Math.max(0, now - this.clock) / 1000);
    this.clock = now;
    for (; this.owed >= 1 && this.point(); this.owed--);
    this.show();
  }

  finish(over) {
    this.over = over;
    this.reached ||= this.spelt === this.word && this.glances.every(({ place }, i) => place === i + 1) && this.waited <= DRIVE.even;
    return false;
  }

  get spelt() { return this.glances.map(({ place, clear }) => (clear ? this.word[place - 1] : "?")).join(""); }

  /** How the word came out. */
  get verdict() {
    const times = Array.from(this.word, (_, i) => this.glances.filter(({ place }) => place === i + 1).length);
    const named = (test) => [...new Set(Array.from(this.word).filter((_, i) => test(times[i])))].join(", ");
    const [missing, again, unclear] = [named((n) => n === 0), named((n) => n > 1), this.glances.filter(({ clear }) => !clear).length];
    return [missing && `missing: ${missing}`, again && `more than once: ${again}`, unclear && `unclear: ${unclear}`,
      this.waited > DRIVE.even && `the pen waited ${this.waited.toFixed(1)} s`].filter(Boolean).join("; ") || "each letter once";
  }

  get words() {
    if (this.over === "past") return `The window is past the last letter, so the pen stops. It wrote “${this.spelt}”: ${this.verdict}.`;
    if (this.over) return `The paper is full. The pen wrote “${this.spelt}”: ${this.verdict}.`;
    const waits = !this.sees && !this.written ? ": the pen sees next to nothing and waits" : "";
    return `${this.spelt && `Written: ${this.spelt}. `}The weights sum to ${sumOf(this.weights).toFixed(2)}${waits}.`;
  }

  show() {
    this.place.set(this.kappa);
    this.run.textContent = this.running ? "Pause the pen" : "Run the pen";
    this.goal.textContent = this.reached ? "Goal reached: each letter once, clear and at an even pace. That is a window's work."
      : "Goal: move the window so that the pen writes the word at an even pace. It looks up once a letter: "
        + "linger, and it writes one twice; jump, and it leaves one out.";
    this.goal.classList.toggle("toy-reached", this.reached);
    const { words } = this, told = `${this.glances.length} ${this.over}`;
    const label = `A window over the word “${this.word}”, at place ${this.kappa.toFixed(2)}. ${words}`;
    if (this.label !== label) {
      this.status.textContent = words;
      this.sheet.canvas.setAttribute("aria-label", this.label = label);
      if (this.told !== told) this.say(words);
      this.told = told;
    }
    this.sheet.redraw();
    this.keepTime();
  }

  /** Run the pen's clock while it has something to write, and count how long it waits in mid-word. */
  keepTime() {
    const busy = this.running && !this.over && (this.written || this.sees), now = performance.now();
    if (this.idle && busy) this.waited += (now - this.idle) / 1000;
    this.idle = busy || !this.running || !this.glances.length ? undefined : this.idle ?? now;
    if (busy && !this.clock) this.owed = this.written ? 0 : -DRIVE.reaction * this.pace;
    this.clock = busy ? this.clock ?? now : undefined;
    if (busy) this.frame ||= requestAnimationFrame((time) => this.tick(time));
  }

  get each() { return (this.sheet.canvas.clientWidth - 2 * DRIVE.side) / this.end; }
  toX(u) { return DRIVE.side + u * this.each; }
  toPlace(x) { return (x - DRIVE.side) / this.each; }

  draw(context, width) {
    const tints = Object.fromEntries(DRIVE.tints.map((name) => [name, colour(this.panel, `--${name}`)]));
    const paint = (name, size = 12, weight = 400) => Object.assign(context, {
      fillStyle: tints[name], strokeStyle: tints[name], font: `${weight} ${size}px system-ui, sans-serif`,
    });
    context.textAlign = "center";
    paint("line").fillRect(0, DRIVE.panel, width, 1);
    this.drawWindow(context, width, paint);
    this.drawWriting(context, width, paint, tints.ink);
  }

  drawWindow(context, width, paint) {
    const ground = 116, up = (phi) => ground - DRIVE.one * phi;
    paint("quiet");
    context.setLineDash([3, 5]);
    context.lineWidth = 1;
    context.strokeRect(-1, up(1), width + 2, DRIVE.one);
    context.setLineDash([]);
    context.fillText("1", 8, up(1) - 4);
    [...this.word, "end"].forEach((letter, i) => {
      const phi = this.phi(i + 1), x = this.toX(i + 1), last = i === this.word.length;
      paint("blue").fillRect(x - 0.25 * this.each, up(phi), 0.5 * this.each, DRIVE.one * phi);
      paint(...(last ? ["quiet"] : ["text", 22, 600])).fillText(letter, x, ground + 24);
      if (!last) paint("quiet").fillText(phi.toFixed(2), x, ground + 43);
    });
    paint("orange");
    context.lineWidth = 2.5;
    context.beginPath();
    for (let x = 0; x <= width; x += 2) context.lineTo(x, up(this.phi(this.toPlace(x))));
    context.stroke();
    const [x, y] = [this.toX(this.kappa), up(this.phi(this.kappa))];
    context.beginPath();
    context.arc(x, y, 10, 0, 2 * Math.PI);
    context.fill();
    context.fillText("κ", x, y - 14);
  }

  drawWriting(context, width, paint, ink) {
    const scale = Math.min(0.34, (width - 2 * DRIVE.side) / Math.max(this.left, 150 * this.word.length));
    const strokes = strokesOf(this.points).map(({ first, xs, ys }) => ({
      first, xs: xs.map((x) => DRIVE.side + x * scale), ys: ys.map((y) => DRIVE.panel + 100 + y * scale),
    }));
    drawInk(context, { strokes, scale }, this.points.length, ink);
    for (const { left, wide, place, clear } of this.glances) {
      const x = DRIVE.side + (left + wide / 2) * scale, name = clear ? this.word[place - 1] : "?";
      paint(clear ? "quiet" : "warn", 13).fillText(name, x, DRIVE.panel + DRIVE.sheet - 10);
    }
  }

  stop() { cancelAnimationFrame(this.frame); this.sheet.stop(); }
}
