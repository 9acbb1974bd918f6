// The fork: a stroke that may go on in two ways, points that the reader drags, and mixtures of one
// to three Gaussians that follow them live.

import { biased, contour, drawFrom, improve, logDensity, lossOf, mean, spread } from "./mixture.js";
import { announcer, cividis, colour, draggable, el, radios, sharpCanvas, slider, toyRoot } from "./toolkit.js";
import { draws } from "./sampler.js";

const LEFT = -0.6, RIGHT = 3.2, TOP = -1.7, BOTTOM = 1.7; // the part of the plane that is shown
const REACH = 22; // CSS pixels around a point that take hold of it
const MOST_BIAS = 3, SAMPLES = 60, LEAST = 0.05;
const COUNTS = [1, 2, 3];
const NAMES = { 1: "one component", 2: "two components", 3: "three components" };

class Fork {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "fork");
    this.start = model.get("points").map((point) => [...point]);
    Object.assign(this, { held: 0, reached: false, frame: 0 });
    this.build();
    this.say = announcer(this.root);
    this.changed = () => { this.show(); this.follow(); };
    for (const field of ["points", "components", "bias"]) model.on(`change:${field}`, this.changed);
    this.mixtures = Object.fromEntries(COUNTS.map((count) => [count, spread(this.points, count)]));
    this.follow(60);
    this.show();
  }

  get points() { return this.model.get("points"); }
  get mixture() { return this.mixtures[this.model.get("components")]; }

  set(values) {
    for (const [field, value] of Object.entries(values)) this.model.set(field, value);
    this.model.save_changes();
  }

  build() {
    this.goal = el("p", { class: "toy-goal" });
    this.sheet = sharpCanvas({
      label: "A stroke that forks", height: (width) => Math.min(420, width * (BOTTOM - TOP) / (RIGHT - LEFT)),
      draw: (context, width, height) => this.draw(context, width, height),
    });
    this.grasp(this.sheet.canvas);
    this.table = el("div", { class: "fork-losses" });
    this.components = radios({
      legend: "Components", choices: COUNTS.map((count) => [count, String(count), NAMES[count]]),
      value: this.model.get("components"), onchange: (components) => this.set({ components }),
    });
    this.bias = slider({
      label: "Bias", min: 0, max: MOST_BIAS * 10, value: this.model.get("bias") * 10,
      format: (step) => (step / 10).toFixed(1), oninput: (step) => this.set({ bias: step / 10 }),
    });
    this.note = el("p", { class: "toy-note" });
    this.root.append(this.goal, this.sheet.canvas, this.table, this.components.fieldset, this.bias.row, this.note,
      this.buildKeys(), el("div", { class: "toy-row" }, el("button", {
        type: "button", textContent: "Start again", onclick: () => this.again(),
      })));
  }

  /** Three sliders move any point without a pointer. */
  buildKeys() {
    const move = (axis, value) => this.move(this.held, axis === 0 ? [value, this.points[this.held][1]] : [this.points[this.held][0], value]);
    this.which = slider({
      label: "Point", min: 1, max: this.points.length, value: 1, format: (n) => `${n} of ${this.points.length}`,
      oninput: (n) => { this.held = n - 1; this.show(); },
    });
    this.across = slider({ label: "Across", min: 0, max: RIGHT * 20, value: 0, format: (n) => (n / 20).toFixed(2), oninput: (n) => move(0, n / 20) });
    this.down = slider({ label: "Down", min: -34, max: 34, value: 0, format: (n) => (n / 20).toFixed(2), oninput: (n) => move(1, n / 20) });
    return el("details", {}, el("summary", { textContent: "Move a point with sliders" }), this.which.row, this.across.row, this.down.row);
  }

  grasp(canvas) {
    const scale = () => this.scale(canvas.clientWidth, canvas.clientHeight);
    const find = (x, y) => {
      const { px, py } = scale();
      const distance = this.points.map((point) => Math.hypot(px(point[0]) - x, py(point[1]) - y));
      const nearest = distance.indexOf(Math.min(...distance));
      return distance[nearest] <= REACH ? nearest : undefined;
    };
    const move = (which, x, y) => {
      const { ux, uy } = scale();
      this.held = which;
      this.move(which, [ux(x), uy(y)]);
    };
    draggable(canvas, { find, move });
  }

  move(which, [x, y]) {
    const bound = (value, low, high) => Math.max(low, Math.min(high, value));
    const points = this.points.map((point, i) => (i === which ? [bound(x, 0, RIGHT), bound(y, TOP, BOTTOM)] : point));
    this.set({ points });
  }

  again() {
    this.reached = false;
    this.set({ points: this.start.map((point) => [...point]), components: 1, bias: 0 });
    this.mixtures = Object.fromEntries(COUNTS.map((count) => [count, spread(this.points, count)]));
    this.follow(60);
  }

  /** Let the mixtures follow the points: a few steps of EM a frame, until they stand still. */
  follow(steps = 4) {
    const before = COUNTS.map((count) => lossOf(this.points, this.mixtures[count]));
    for (const count of COUNTS) {
      for (let i = 0; i < steps; i++) this.mixtures[count] = improve(this.points, this.mixtures[count], LEAST);
    }
    this.losses = COUNTS.map((count) => lossOf(this.points, this.mixtures[count]));
    const moving = this.losses.some((loss, i) => Math.abs(loss - before[i]) > 1e-4);
    this.report();
    this.sheet.redraw();
    if (moving) this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.follow(); });
  }

  show() {
    const [x, y] = this.points[this.held];
    this.components.set(this.model.get("components"));
    this.bias.set(Math.round(this.model.get("bias") * 10));
    this.which.set(this.held + 1);
    this.across.set(Math.round(x * 20));
    this.down.set(Math.round(y * 20));
    this.sheet.redraw();
  }

  report() {
    const present = this.model.get("components"), most = Math.max(3, ...this.losses);
    this.table.replaceChildren(...COUNTS.map((count, i) => {
      const loss = this.losses[i], row = el("div", { class: count === present ? "fork-loss fork-present" : "fork-loss" });
      const bar = el("span", { class: "fork-bar", "aria-hidden": "true" });
      bar.style.setProperty("--length", `${50 * Math.min(1, Math.abs(loss) / most)}%`);
      bar.classList.toggle("fork-below", loss < 0);
      row.append(el("span", { textContent: NAMES[count] }), bar, el("span", { class: "fork-number", textContent: `${loss.toFixed(2)} nats` }));
      return row;
    }));
    const loss = this.losses[present - 1];
    this.reached ||= this.losses[1] < 0;
    this.goal.textContent = this.reached
      ? "Goal reached: a loss below 0. Around the points the density is above 1, and that is allowed."
      : "Goal: drag points until two components have a loss below 0.";
    this.goal.classList.toggle("toy-reached", this.reached);
    const middle = mean(this.points), there = Math.exp(logDensity(middle, this.mixtures[2]));
    this.note.textContent = `The cross is the one guess with the least squared error, (${middle.map((v) => v.toFixed(1)).join(", ")}). `
      + `Two components give that place a density of ${there.toFixed(3)}.`;
    this.sheet.canvas.setAttribute("aria-label", `A stroke that forks, ${this.points.length} points where it may go on, and `
      + `${NAMES[present]} fitted to them. ${this.mixture.map(({ pi, mu }) => `Weight ${pi.toFixed(2)} at ${mu.map((v) => v.toFixed(1)).join(", ")}`).join("; ")}.`);
    this.say(`${NAMES[present]}: ${loss.toFixed(2)} nats a point`);
  }

  scale(width, height) {
    const sx = width / (RIGHT - LEFT), sy = height / (BOTTOM - TOP);
    return { px: (x) => (x - LEFT) * sx, py: (y) => (y - TOP) * sy, ux: (x) => x / sx + LEFT, uy: (y) => y / sy + TOP };
  }

  draw(context, width, height) {
    const { px, py, ux, uy } = this.scale(width, height), mixture = biased(this.mixture, this.model.get("bias"));
    this.drawDensity(context, width, height, mixture, ux, uy);
    this.drawBranches(context, px, py);
    mixture.forEach((part, j) => this.drawComponent(context, part, j, px, py));
    this.drawSamples(context, mixture, px, py);
    this.drawPoints(context, px, py);
    this.drawMean(context, px, py);
  }

  /** The density as a map of small squares: cividis, clear where there is next to none. */
  drawDensity(context, width, height, mixture, ux, uy) {
    const size = 6;
    for (let x = 0; x < width; x += size) {
      for (let y = 0; y < height; y += size) {
        const density = Math.exp(logDensity([ux(x + size / 2), uy(y + size / 2)], mixture));
        const share = density / (density + 1.5);
        if (share < 0.02) continue;
        context.fillStyle = cividis(share, Math.min(0.75, 2 * share));
        context.fillRect(x, y, size, size);
      }
    }
  }

  drawBranches(context, px, py) {
    context.strokeStyle = colour(this.root, "--ink");
    context.lineWidth = 5;
    context.lineCap = "round";
    this.line(context, [[-0.9, 0.1], [-0.5, 0.06], [0, 0]], px, py);
    context.lineWidth = 1.5;
    context.setLineDash([4, 7]);
    for (const side of [-1, 1]) {
      this.line(context, Array.from({ length: 16 }, (_, i) => [i / 5, side * 0.12 * (i / 5) ** 2 + side * 0.25 * (i / 5)]), px, py);
    }
    context.setLineDash([]);
  }

  line(context, points, px, py) {
    context.beginPath();
    for (const [x, y] of points) context.lineTo(px(x), py(y));
    context.stroke();
  }

  drawComponent(context, part, j, px, py) {
    if (part.pi < 0.01) return;
    context.strokeStyle = colour(this.root, ["--blue", "--orange", "--green"][j]);
    for (const r of [1, 2]) {
      context.lineWidth = (r === 1 ? 1.5 : 0.8) + 3 * part.pi;
      this.line(context, contour(part, r), px, py);
    }
    context.fillStyle = colour(this.root, "--text");
    context.font = "600 13px system-ui, sans-serif";
    context.strokeStyle = colour(this.root, "--paper");
    context.lineWidth = 4;
    context.lineJoin = "round";
    const label = [`π = ${part.pi.toFixed(2)}`, px(part.mu[0] + part.sigma[0]) + 10, py(part.mu[1] - part.sigma[1]) - 6];
    context.strokeText(...label);
    context.fillText(...label);
  }

  drawSamples(context, mixture, px, py) {
    context.fillStyle = colour(this.root, "--purple");
    for (let t = 0; t < SAMPLES; t++) {
      const [u, , n1, n2] = draws(1, t), [x, y] = drawFrom(mixture, [u, n1, n2]);
      context.fillRect(px(x) - 1.5, py(y) - 1.5, 3, 3);
    }
  }

  drawPoints(context, px, py) {
    this.points.forEach(([x, y], i) => {
      context.beginPath();
      context.arc(px(x), py(y), i === this.held ? 8 : 6.5, 0, 2 * Math.PI);
      context.fillStyle = colour(this.root, "--paper");
      context.strokeStyle = colour(this.root, i === this.held ? "--accent" : "--ink");
      context.lineWidth = i === this.held ? 3.5 : 2;
      context.fill();
      context.stroke();
    });
  }

  drawMean(context, px, py) {
    const [x, y] = mean(this.points);
    context.strokeStyle = colour(this.root, "--vermillion");
    context.lineWidth = 3.5;
    for (const side of [-1, 1]) {
      context.beginPath();
      context.moveTo(px(x) - 9, py(y) - 9 * side);
      context.lineTo(px(x) + 9, py(y) + 9 * side);
      context.stroke();
    }
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.sheet.stop();
    for (const field of ["points", "components", "bias"]) this.model.off(`change:${field}`, this.changed);
  }
}

function render({ model, el: host }) {
  const fork = new Fork(model, host);
  return () => fork.stop();
}

export default { render };
