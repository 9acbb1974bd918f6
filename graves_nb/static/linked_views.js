// What the network sees and believes while it writes, in pictures that move together: the trace, the
// window over the text, the weights of the mixture, and the density of the next point.

import { bestLetter, horizonOf } from "./belief.js";
import { drawInk, layout, strokesOf } from "./ink.js";
import { logDensity } from "./mixture.js";
import { liftOf, mixtureOf } from "./sampler.js";
import { cividis, colour, draggable, sharpCanvas } from "./toolkit.js";

const LEFT_MARGIN = 30, WINDOW_TALL = 170, WEIGHTS_TALL = 60, BETWEEN_STRIPS = 22, DENSITY_SQUARE = 5;

/** `toy` has root, network, a `writing` (see watched.js), the step that is `shown`, and `seek(step)`. */
export class LinkedViews {
  constructor(toy) {
    this.toy = toy;
    const canvas = (label, height, draw) => sharpCanvas({ label, height, draw });
    this.trace = canvas("Handwriting", (width) => this.arrange(width).height, (context, width) => this.drawTrace(context, width));
    this.strips = canvas("Window and weights over time", () => WINDOW_TALL + BETWEEN_STRIPS + WEIGHTS_TALL + 20, (context, width) => this.drawStrips(context, width));
    this.density = canvas("Density of the next point", (width) => Math.min(210, width), (context, width, height) => this.drawDensity(context, width, height));
    const seek = (_, x) => toy.seek(Math.round((x - LEFT_MARGIN) / (this.strips.canvas.clientWidth - LEFT_MARGIN) * this.last));
    draggable(this.strips.canvas, { across: true, find: () => (toy.writing ? true : undefined), move: seek });
  }

  get canvases() { return [this.trace, this.strips, this.density]; }
  get last() { return Math.max(1, (this.toy.writing?.steps.length ?? 1) - 1); }
  get step() { return Math.min(Math.floor(this.toy.shown), this.last); }
  get seen() { return this.toy.writing?.steps[this.step]; }
  get text() { const { prime, text } = this.toy.writing; return prime.text + text; }

  redraw() {
    for (const view of this.canvases) view.redraw();
    const { writing } = this.toy, seen = this.seen;
    if (!seen) return;
    const at = bestLetter(seen.logPhi), top = Math.max(...mixtureOf(seen.y, this.toy.network.M).map(({ pi }) => pi));
    this.trace.canvas.setAttribute("aria-label", `Handwriting: “${writing.prime.text}” as it was given, then “${writing.text}” by the network.`);
    this.strips.canvas.setAttribute("aria-label", `Step ${this.step} of ${this.last}: the window is on letter ${at + 1}, “${this.text[at]}”; `
      + `the heaviest component has ${Math.round(100 * top)} % of the weight.`);
    this.density.canvas.setAttribute("aria-label", `Density of the next point. The pen lifts with chance ${liftOf(seen.y).toFixed(2)}.`);
  }

  // ---- The trace: what was given in blue, what the network wrote in ink ----

  arrange(width) {
    const { writing } = this.toy, key = `${width} ${writing?.points.length} ${writing?.stopped}`;
    if (this.arranged?.key !== key || this.arranged.writing !== writing) {
      const text = writing ? this.text : "a", strokes = strokesOf(writing?.placed ?? [], text);
      this.arranged = { key, writing, ...layout(strokes, text, width, Boolean(writing?.stopped)) };
    }
    return this.arranged;
  }

  drawTrace(context, width) {
    const { root, writing } = this.toy, ink = this.arrange(width), given = writing?.prime.offsets.length ?? 0;
    drawInk(context, ink, Infinity, colour(root, "--line")); // faintly, what is still to come
    const pen = drawInk(context, ink, this.step, colour(root, "--ink"));
    drawInk(context, ink, Math.min(this.step, given), colour(root, "--blue"));
    if (!pen) return;
    context.fillStyle = colour(root, "--vermillion");
    context.beginPath();
    context.arc(pen.x, pen.y, 4.5, 0, 2 * Math.PI);
    context.fill();
  }

  // ---- The strips: a column for each step, drawn once into a picture of one pixel each ----

  columns() {
    const { writing, network } = this.toy, letters = this.text.length + 1;
    if (this.picture?.writing !== writing) {
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: writing.most + 1, height: letters + network.M });
      this.picture = { writing, canvas, context: canvas.getContext("2d"), drawn: 0 };
      this.picture.context.fillStyle = cividis(0);
      this.picture.context.fillRect(0, 0, canvas.width, canvas.height);
    }
    const { context } = this.picture;
    for (; this.picture.drawn < writing.steps.length; this.picture.drawn++) {
      const { y, logPhi } = writing.steps[this.picture.drawn], paint = (row, share) => {
        if (share < 0.01) return;
        context.fillStyle = cividis(share);
        context.fillRect(this.picture.drawn, row, 1, 1);
      };
      logPhi.forEach((value, u) => paint(u, Math.min(1, Math.exp(value))));
      mixtureOf(y, network.M).forEach(({ pi }, j) => paint(letters + j, pi));
    }
    return this.picture.canvas;
  }

  drawStrips(context, width) {
    if (!this.seen) return;
    const { root, network, writing } = this.toy, picture = this.columns(), letters = this.text.length + 1, seen = this.seen;
    const room = width - LEFT_MARGIN, count = writing.steps.length, top = 18 + WINDOW_TALL + BETWEEN_STRIPS;
    const text = (words, x, y, align = "left") => {
      context.fillStyle = colour(root, "--text");
      context.font = "13px system-ui, sans-serif";
      context.textAlign = align;
      context.fillText(words, x, y);
    };
    context.imageSmoothingEnabled = false;
    for (const [from, to, alpha] of [[0, this.step + 1, 1], [this.step + 1, count, 0.35]]) {
      const x = LEFT_MARGIN + room * from / count, wide = room * (to - from) / count;
      if (to <= from) continue;
      context.globalAlpha = alpha;
      context.drawImage(picture, from, 0, to - from, letters, x, 18, wide, WINDOW_TALL);
      context.drawImage(picture, from, letters, to - from, network.M, x, top, wide, WEIGHTS_TALL);
    }
    context.globalAlpha = 1;
    text("window φ, a row for each letter", LEFT_MARGIN, 13);
    text("weights π, a row for each component", LEFT_MARGIN, top - 6);
    const at = bestLetter(seen.logPhi), letter = this.text[at] === " " ? "␣" : this.text[at];
    text(letter, LEFT_MARGIN - 8, 18 + WINDOW_TALL * (at + 0.5) / letters + 5, "right");
    this.drawCursor(context, room, count, top);
  }

  drawCursor(context, room, count, top) {
    const { root, writing } = this.toy, given = writing.prime.offsets.length;
    const bar = (step, name, dash) => {
      const x = LEFT_MARGIN + room * (step + 0.5) / count;
      context.strokeStyle = colour(root, name);
      context.setLineDash(dash);
      context.lineWidth = 2;
      context.beginPath();
      context.moveTo(x, 18);
      context.lineTo(x, top + WEIGHTS_TALL);
      context.stroke();
      context.setLineDash([]);
    };
    if (given) bar(given, "--paper", [5, 5]);
    bar(this.step, "--vermillion", []);
  }

  // ---- The density of the next point, around the pen ----

  drawDensity(context, width, height) {
    const seen = this.seen;
    if (!seen) return;
    const { root, network, writing } = this.toy, mixture = mixtureOf(seen.y, network.M).filter(({ pi }) => pi > 1e-4);
    const horizon = horizonOf(mixture), scale = Math.min(width, height) / 2 / horizon;
    context.fillStyle = cividis(0);
    context.fillRect(0, 0, width, height);
    for (let x = 0; x < width; x += DENSITY_SQUARE) {
      for (let y = 0; y < height; y += DENSITY_SQUARE) {
        const place = [(x + DENSITY_SQUARE / 2 - width / 2) / scale, (y + DENSITY_SQUARE / 2 - height / 2) / scale];
        const density = Math.exp(logDensity(place, mixture));
        if (density < 0.01) continue;
        context.fillStyle = cividis(density / (density + 1));
        context.fillRect(x, y, DENSITY_SQUARE, DENSITY_SQUARE);
      }
    }
    const next = writing.points[this.step];
    context.strokeStyle = "#fff";
    context.fillStyle = "#000";
    context.lineWidth = 2;
    context.beginPath();
    if (next) {
      const [dx, dy] = writing.sampler.normalise(next);
      context.arc(width / 2 + dx * scale, height / 2 + dy * scale, 5, 0, 2 * Math.PI);
    }
    context.fill();
    context.stroke();
    context.fillStyle = "#fff";
    context.font = "13px system-ui, sans-serif";
    context.textAlign = "left";
    context.fillText("next point", 8, 18);
    context.fillText(`e = ${liftOf(seen.y).toFixed(2)}`, 8, height - 9);
    context.textAlign = "right";
    context.fillText(`±${horizon}`, width - 8, 18);
  }

  stop() { for (const view of this.canvases) view.stop(); }
}
