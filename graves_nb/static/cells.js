// A text in the colours of one cell: the network reads a passage, the reader looks for cells that follow something
// in it, and each claim is counted as a correlation.

import { CELL_PROPERTIES, CellRecord } from "./cells-find.js";
import { goalLine } from "./goal.js";
import { loadNetwork } from "./loader.js";
import { announcer, cividis, colour, el, radios, reducedMotion, sharpCanvas, slider, toyRoot } from "./toolkit.js";

const CELLS_NETWORK = { kind: "TextPredictor", name: "the network" };
const ENOUGH = 0.6, WANTED_CELLS = 4; // the goal: so large a correlation, for so many properties
const READ_BUDGET = 10, AROUND = 60, LEVELS = 8; // milliseconds a frame; characters each side; colours less one
const SHOWN_AS = { "\n": "↵\n" };
const signed = (r) => `${r < 0 ? "−" : "+"}${Math.abs(r).toFixed(2)}`;

class CellHunt {
  constructor(model, host) {
    Object.assign(this, { model, root: toyRoot(host, "cells"), found: new Map(), place: 0, view: "here" });
    this.build();
    this.say = announcer(this.root, 600);
    this.listeners = [["change:passage", () => this.begin()], ["change:property", () => this.weigh()], ["change:cell", () => this.show()]];
    for (const [event, hear] of this.listeners) model.on(event, hear);
    this.begin();
    this.stopLoading = loadNetwork(model, this.loading, CELLS_NETWORK, (network) => { this.network = network; this.read(); });
  }

  get text() { return this.model.get("passages")[this.model.get("passage")]; }
  get cell() { return Math.min(this.model.get("cell"), (this.record?.H ?? 1) - 1); }
  get name() { return CELL_PROPERTIES.find(([key]) => key === this.model.get("property"))[1]; }
  change(name, value) { this.model.set(name, value); this.model.save_changes(); }

  build() {
    const act = (textContent, onclick) => el("button", { type: "button", textContent, onclick });
    this.goal = goalLine();
    this.foundLine = el("p", { class: "toy-note cells-found" });
    this.sheet = el("div", { class: "cells-sheet", role: "region", tabIndex: 0, "aria-label": "The text in the colours of the cell",
      onclick: ({ target }) => { const i = this.letters.indexOf(target); if (i >= 0) this.goTo(i); } });
    this.status = el("p", { class: "cells-status" });
    this.loading = el("div", { class: "cells-loading" });
    this.properties = radios({ legend: "Look for a cell that follows the", choices: CELL_PROPERTIES.map(([key, name]) => [key, name]), value: this.model.get("property"),
      onchange: (key) => this.change("property", key) });
    this.views = radios({ legend: "Each square of the map is a cell. It shows", value: this.view,
      choices: [["here", "what the cell holds at this place"], ["follows", "how well it follows (scan all cells)"]],
      onchange: (key) => { this.view = key; this.show(); } });
    this.map = sharpCanvas({ label: "Map of the cells", height: (width) => Math.ceil((this.record?.H ?? 640) / this.columns(width)) * width / this.columns(width), draw: (...all) => this.drawMap(...all) });
    this.map.canvas.classList.add("cells-map");
    this.map.canvas.addEventListener("click", (event) => this.pick(event));
    this.curves = sharpCanvas({ label: "Curves", height: () => 150, draw: (...all) => this.drawCurves(...all) });
    this.cellSlider = slider({ label: "Cell", min: 0, max: 639, value: this.model.get("cell"), format: (j) => `number ${j}`, oninput: (j) => this.change("cell", j) });
    this.placeSlider = slider({ label: "Place", min: 0, max: this.text.length - 1, value: 0, oninput: (t) => this.goTo(t),
      format: (t) => `character ${t + 1}` });
    this.play = act("Read on", () => this.toggle());
    this.root.append(this.goal.line, this.foundLine, this.properties.fieldset, this.sheet, this.loading, this.status, this.curves.canvas,
      this.views.fieldset, this.map.canvas, this.cellSlider.row, this.placeSlider.row,
      el("div", { class: "toy-row" }, act("Brightest cell", () => this.brightest()), this.play, act("Another passage", () => this.another())));
  }

  // ---- Reading ----

  begin() {
    this.stopPlay();
    this.record = this.follow = undefined;
    this.letters = Array.from(this.text, (letter) => el("span", { textContent: SHOWN_AS[letter] ?? letter }));
    this.sheet.replaceChildren(...this.letters);
    this.placeSlider.input.max = this.text.length - 1;
    this.show();
    this.goTo(this.text.search(/\n[A-Z]+\.\n/) + 4); // in a name
    this.read();
  }

  /** Let the network read the passage, a little in each frame, and keep what its cells hold: tanh c. */
  read() {
    if (!this.network) return;
    const { network, text } = this, symbols = this.model.get("symbols"), rows = [], reading = this.reading = {};
    network.reset();
    network.step(-1); // the null vector comes first
    const work = () => {
      if (reading !== this.reading) return;
      for (const end = performance.now() + READ_BUDGET; rows.length < text.length && performance.now() < end;) {
        network.step(symbols.indexOf(text[rows.length]));
        rows.push(network.layers.at(-1).c.map(Math.tanh));
      }
      if (rows.length < text.length) { setTimeout(work); return; }
      this.record = new CellRecord(rows);
      this.cellSlider.input.max = this.record.H - 1;
      this.weigh();
    };
    work();
  }

  /** Correlate all cells with the chosen property. */
  weigh() {
    this.properties.set(this.model.get("property"));
    this.numbers = CELL_PROPERTIES.find(([key]) => key === this.model.get("property"))[2](this.text);
    this.follow = this.record?.correlations(this.numbers);
    this.show();
  }

  // ---- The reader's acts ----

  another() { this.change("passage", (this.model.get("passage") + 1) % this.model.get("passages").length); }

  goTo(t) {
    this.letters[this.place]?.classList.remove("cells-here");
    this.place = t;
    this.letters[t].classList.add("cells-here");
    this.placeSlider.set(t);
    this.scrollTo(this.letters[t]);
    this.say(`At ${JSON.stringify(this.text[t])} the cell holds ${this.record ? signed(this.record.rows[t][this.cell]) : "nothing yet"}`);
    this.map.redraw();
    this.curves.redraw();
  }

  scrollTo(letter) {
    const { sheet } = this, top = letter.offsetTop - sheet.offsetTop;
    if (top < sheet.scrollTop || top > sheet.scrollTop + sheet.clientHeight - 40) sheet.scrollTop = top - sheet.clientHeight / 3;
  }

  toggle() {
    if (this.timer) { this.stopPlay(); return; }
    this.play.textContent = "Stop";
    const step = reducedMotion() ? [10, 1000] : [1, 60]; // characters, and milliseconds
    this.timer = setInterval(() => (this.place + step[0] < this.text.length ? this.goTo(this.place + step[0]) : this.stopPlay()), step[1]);
  }

  stopPlay() {
    clearInterval(this.timer);
    this.timer = 0;
    this.play.textContent = "Read on";
  }

  /** What the map shows: a number for each cell, the brighter the higher. */
  shades() { return this.view === "here" ? this.record.rows[this.place] : this.follow.map(Math.abs); }

  brightest() {
    if (!this.follow) return;
    const shades = this.shades();
    this.change("cell", shades.indexOf(Math.max(...shades)));
  }

  pick({ offsetX, offsetY }) {
    const { canvas } = this.map, columns = this.columns(canvas.clientWidth), size = canvas.clientWidth / columns;
    const j = Math.floor(offsetY / size) * columns + Math.floor(offsetX / size);
    if (this.record && j < this.record.H) this.change("cell", j);
  }

  // ---- The picture ----

  columns(width) { return width < 480 ? 32 : 64; }

  show() {
    this.cellSlider.set(this.model.get("cell"));
    if (this.follow) this.judge();
    else this.status.textContent = "The network reads the text ...";
    const list = [...this.found].map(([name, [cell, r]]) => `${name}: cell ${cell}, ${signed(r)}`).join("; ");
    this.foundLine.textContent = list ? `Found: ${list}.` : "Found: none yet.";
    this.goal.set(this.found.size >= WANTED_CELLS,
      `Goal: for ${WANTED_CELLS} of the ${CELL_PROPERTIES.length} properties find a cell that follows it, with a correlation of ${ENOUGH} or more, up or down.`,
      `Goal reached: ${this.found.size} properties have a cell. Nobody asked the network for them. They help to predict.`);
    this.map.redraw();
    this.curves.redraw();
  }

  /** Colour the text by the cell, and say how well it follows. */
  judge() {
    const { cell } = this, r = this.follow[cell], { values, low, high } = this.seen = this.record.cell(cell);
    values.forEach((value, t) => {
      const level = Math.round(LEVELS * (value - low) / (high - low || 1)) / LEVELS;
      this.letters[t].style.cssText = `background: ${cividis(level)}; color: ${level > 0.5 ? "#000" : "#fff"}`;
    });
    if (Math.abs(r) >= ENOUGH && !(Math.abs(this.found.get(this.name)?.[1]) > Math.abs(r))) this.found.set(this.name, [cell, r]);
    this.status.textContent = `Cell ${cell} holds ${signed(low)} where the text is dark, ${signed(high)} where it is bright. Correlation with “${this.name}”: ${signed(r)}${Math.abs(r) >= ENOUGH ? ". It follows." : "."}`;
    this.say(this.status.textContent);
  }

  drawMap(context, width) {
    if (!this.follow) return;
    const columns = this.columns(width), size = width / columns, { cell, view } = this, shades = this.shades();
    const share = view === "here" ? (value) => (value + 1) / 2 : (value) => value;
    shades.forEach((value, j) => {
      context.fillStyle = cividis(share(value));
      context.fillRect((j % columns) * size + 0.5, Math.floor(j / columns) * size + 0.5, size - 1, size - 1);
    });
    Object.assign(context, { strokeStyle: colour(this.root, "--vermillion"), lineWidth: 3 });
    context.strokeRect((cell % columns) * size, Math.floor(cell / columns) * size, size, size);
    this.map.canvas.setAttribute("aria-label", `Map of ${shades.length} cells: ${view === "here" ? `what each holds at character ${this.place + 1}` : `how well each follows “${this.name}”`}. `
      + `Cell ${cell}, the chosen one: ${signed(shades[cell])}. The brightest is cell ${shades.indexOf(Math.max(...shades))}.`);
  }

  /** The cell and the property around the place; the property in the cell's units, so that both would lie upon each other. */
  drawCurves(context, width, height) {
    if (!this.follow) return;
    const { cell, numbers, record, seen, text } = this, r = this.follow[cell], T = text.length;
    const around = Math.min(AROUND, Math.floor(width / 13)), from = Math.max(0, Math.min(this.place - around, T - 1 - 2 * around)), to = from + 2 * around;
    const mean = numbers.reduce((sum, n) => sum + n, 0) / T, std = Math.sqrt(numbers.reduce((sum, n) => sum + (n - mean) ** 2, 0) / T) || 1;
    const scaled = numbers.map((n) => record.mean[cell] + Math.sign(r) * record.std[cell] * (n - mean) / std);
    const x = (t) => 10 + (width - 20) * (t - from) / (to - from), y = (value) => 26 + (height - 52) * (1.4 - value) / 2.8;
    const line = (points, hue, dash, thick = 2) => {
      Object.assign(context, { strokeStyle: colour(this.root, hue), lineWidth: thick });
      context.setLineDash(dash);
      context.beginPath();
      points.forEach((point) => context.lineTo(...point));
      context.stroke();
    };
    const curve = (values) => values.slice(from, to + 1).map((value, i) => [x(from + i), y(Math.max(-1.5, Math.min(1.5, value)))]);
    line([[10, y(0)], [width - 10, y(0)]], "--line", [], 1);
    line([[x(this.place), 22], [x(this.place), height - 22]], "--vermillion", [], 2);
    line(curve(scaled), "--orange", [6, 3]);
    line(curve(seen.values), "--blue", []);
    context.font = "13px system-ui, sans-serif";
    line([[80, 11], [102, 11]], "--orange", [6, 3]);
    [[`cell ${cell}`, "--blue", 10], [`${this.name}${r < 0 ? ", upside down" : ""}`, "--orange", 106]].forEach(([words, hue, at]) => {
      context.fillStyle = colour(this.root, hue);
      context.fillText(words, at, 15);
    });
    this.drawLetters(context, x, from, to, height);
    this.curves.canvas.setAttribute("aria-label", `What cell ${cell} holds from character ${from + 1} to ${to + 1}, and “${this.name}”${r < 0 ? ", upside down" : ""}, as two curves. Correlation over the whole text: ${signed(r)}.`);
  }

  /** As many letters under the curves as there is room for. */
  drawLetters(context, x, from, to, height) {
    const apart = x(from + 1) - x(from);
    if (apart < 5) return;
    context.font = `${Math.min(13, apart * 1.6)}px ui-monospace, monospace`;
    Object.assign(context, { fillStyle: colour(this.root, "--quiet"), textAlign: "center" });
    for (let t = from; t <= to; t++) context.fillText(this.text[t] === "\n" ? "↵" : this.text[t], x(t), height - 7);
    context.textAlign = "start";
  }

  stop() {
    this.reading = undefined;
    this.stopPlay();
    this.stopLoading();
    this.map.stop();
    this.curves.stop();
    for (const [event, hear] of this.listeners) this.model.off(event, hear);
  }
}

function render({ model, el: host }) {
  const hunt = new CellHunt(model, host);
  return () => hunt.stop();
}

export default { render };
