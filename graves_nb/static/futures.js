// Futures: scrub through a line, see where the network expects the pen next, choose the next point against its will,
// and let twenty futures branch.

import { goalLine } from "./goal.js";
import { drawLens, drawShares, drawSheet, lensView, reachOf, sheetView } from "./futures-draw.js";
import { FUTURES, Fan, Trail, closesLoop } from "./futures-trail.js";
import { LOOP_GOAL, aimInWords, futureGoals, futureLabels, decimals, futureStatus } from "./futures-words.js";
import { loadNetwork } from "./loader.js";
import { Sampler } from "./sampler.js";
import { announcer, colour, draggable, el, reducedMotion, sharpCanvas, slider, toyRoot } from "./toolkit.js";

const PREDICTOR = { kind: "HandwritingPredictor", name: "the predictor" };
const ONWARD = 25; // points that the network writes when it is let go on
const AIM_STEP = 5; // tablet units for each arrow key
const FAN_BUDGET = 10; // milliseconds of network in each frame
const GRASP_INK = 30; // CSS pixels around a point of the line that take hold of it
const AIM_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FUTURE_SHADES = ["accent", "blue", "ink", "orange", "paper", "quiet", "vermillion"];

class Futures {
  constructor(model, host) {
    Object.assign(this, { model, root: toyRoot(host, "futures"), aim: [20, 0], spreads: [], frame: 0 });
    this.build();
    this.say = announcer(this.root);
    const hear = (field, heard) => {
      model.on(`change:${field}`, heard);
      return () => model.off(`change:${field}`, heard);
    };
    this.stops = [
      hear("point", () => this.moved()), hear("bias", () => this.biased()), hear("seed", () => this.fan && this.branch()),
      hear("offsets", () => this.begin(this.sampler)), this.sheet.stop, this.lens.stop, this.weights.stop,
      loadNetwork(model, this.loading, PREDICTOR, (network) => this.begin(new Sampler(network))),
    ];
  }

  get(field) { return this.model.get(field); }
  set(field, value) { this.model.set(field, value); this.model.save_changes(); }
  get point() { return Math.min(this.get("point"), this.trail.rows.length); }
  get theme() { return Object.fromEntries(FUTURE_SHADES.map((name) => [name, colour(this.root, `--${name}`)])); }

  // ---- Controls ----

  build() {
    this.goals = [goalLine(), goalLine()];
    const canvas = (label, height, draw) => sharpCanvas({ label, height, draw: (...on) => this.trail && draw(...on) });
    this.sheet = canvas("A line of ink", (width) => Math.max(110, Math.min(150, width / 4)), (...on) => this.drawSheet(...on));
    this.lens = canvas("Map of the next point", () => 260, (...on) => this.drawLens(...on));
    this.weights = canvas("Weights of the components", () => 90, (context, width, height) => drawShares(context, width, height, this));
    this.loading = el("div", { class: "futures-loading" });
    this.status = el("p", { class: "futures-status" });
    this.scrub = slider({
      label: "Point", min: 0, max: 1, value: 0, format: (n) => `${n} of ${this.trail?.rows.length ?? "..."}`,
      oninput: (n) => this.set("point", n),
    });
    this.bias = slider({
      label: "Bias", min: 0, max: 30, value: 10 * this.get("bias"), format: (n) => (n / 10).toFixed(1),
      oninput: (n) => this.set("bias", n / 10),
    });
    this.ends = el("input", { type: "checkbox", onchange: () => this.show() });
    const button = (textContent, onclick, main = "") => el("button", { type: "button", textContent, onclick, class: main });
    this.root.append(...this.goals.map(({ line }) => line),
      el("div", { class: "futures-sheet" }, this.sheet.canvas, this.loading), this.scrub.row,
      el("div", { class: "toy-row" }, button(`${FUTURES} futures`, () => this.branchAnew(), "toy-main"),
        button("Let it go on", () => this.goOn()), button("Its favourite", () => this.trail && this.choose(this.favourite)),
        button("Back to the line", () => this.restore())),
      this.lens.canvas, el("label", { class: "toy-choice" }, this.ends, el("span", { textContent: "lift the pen after my point" })),
      this.status, this.weights.canvas, el("p", { class: "toy-note", textContent: "Weights of the components, one row each, at each point of the line. "
        + "Ticks mark where the pen lifts." }), this.bias.row, this.terms = el("p", { class: "toy-note" }));
    this.grasp();
  }

  grasp() {
    const lens = this.lens.canvas, place = (event) => lensView(lens.clientWidth, lens.clientHeight, this.reach).toOffset(event.offsetX, event.offsetY);
    lens.tabIndex = 0;
    lens.setAttribute("role", "application");
    lens.addEventListener("pointermove", (event) => this.take(place(event)));
    lens.addEventListener("click", (event) => { this.take(place(event)); this.choose(); });
    lens.addEventListener("keydown", (event) => this.key(event));
    const view = () => this.view(this.sheet.canvas.clientWidth, this.sheet.canvas.clientHeight);
    const nearest = (x, y) => {
      const { px, py } = view(), away = this.trail.places.map(([u, v]) => Math.hypot(px(u) - x, py(v) - y));
      return [away.indexOf(Math.min(...away)), Math.min(...away)];
    };
    draggable(this.sheet.canvas, {
      find: (x, y) => (this.trail && nearest(x, y)[1] <= GRASP_INK ? "pen" : undefined),
      move: (_, x, y) => this.set("point", nearest(x, y)[0]),
    });
  }

  key(event) {
    const arrow = AIM_KEYS[event.key];
    if (!this.trail || event.ctrlKey || event.metaKey || event.altKey || (!arrow && event.key !== "Enter")) return;
    event.preventDefault();
    if (arrow) this.take(this.aim.map((offset, i) => offset + AIM_STEP * arrow[i]));
    else this.choose();
  }

  // ---- What happens ----

  begin(sampler) {
    if (!sampler) return;
    const { name, licence } = sampler.network.about;
    this.terms.textContent = `The network runs in this page. Weights “${name}”: ${licence}`;
    Object.assign(this, { sampler, trail: new Trail(sampler, this.get("offsets").slice(1)), spreads: [], fan: undefined, loop: undefined });
    this.moved();
  }

  /** The point changed: aim at the favourite, unless the reader is leading the pen. */
  moved() {
    if (!this.trail) return;
    this.fan = undefined;
    if (!this.leading) {
      this.aim = this.favourite.slice(0, 2);
      this.reach = this.reachHere();
    }
    this.show();
  }

  /** How much the map shows: the heavier components, and what lies at some offsets from the pen. */
  reachHere(offsets = []) {
    const { toRaw, network } = this.sampler;
    return reachOf(this.trail.mixture(this.point), toRaw, network.about.normalisation.std, offsets);
  }

  get favourite() { return this.trail.favourite(this.point); }
  take(aim) { if (this.trail) { this.aim = aim; this.show(); } }

  /** Put the pen at the aim, or at a row that is given, and go on from there. */
  choose(row = [...this.aim, Number(this.ends.checked)]) {
    if (!this.trail) return;
    this.extend([row]);
    const { rows, places, own } = this.trail, path = places.slice(own + 1), [x, y] = places[own], pen = path.at(-1);
    this.reach = Math.max(this.reach, this.reachHere([[x - pen[0], y - pen[1]]])); // the ring stays in sight
    const mine = rows.length - own >= LOOP_GOAL.points && rows.slice(own).every((each) => !each[2]);
    if (mine && closesLoop(places[own], path, LOOP_GOAL)) this.loop = Math.min(this.loop ?? Infinity, this.paid);
    this.show();
  }

  /** Go on with other rows from here; those from `own` on are the reader's. */
  extend(rows, own) {
    const { point } = this;
    this.trail.follow(point, rows, own);
    this.leading = true;
    this.set("point", point + rows.length);
    this.leading = false;
  }

  get paid() { return this.trail.prices.reduce((sum, price) => sum + price, 0); }

  /** Give the pen back: the network writes on, the first of the futures that its seed would have. */
  goOn() {
    if (!this.trail) return;
    const fan = new Fan(this.trail, this.point, { seed: this.get("seed"), bias: this.get("bias"), count: 1 });
    while (fan.length < ONWARD) fan.grow();
    this.extend(fan.rows[0], this.point + ONWARD);
    this.moved();
  }

  restore() {
    if (!this.trail) return;
    const point = Math.min(this.point, this.trail.left);
    this.trail.restore();
    this.set("point", point);
    this.moved();
  }

  branchAnew() {
    if (!this.trail) return;
    if (this.fan) this.set("seed", (this.get("seed") + 1) % 1e5);
    else this.branch();
  }

  branch() {
    this.fan = new Fan(this.trail, this.point, { seed: this.get("seed"), bias: this.get("bias") });
    this.frame ||= requestAnimationFrame(() => this.grow());
  }

  biased() { if (this.trail) { if (this.fan) this.branch(); this.show(); } }

  /** Let the futures grow for as long as a frame allows. */
  grow() {
    this.frame = 0;
    const { fan } = this, end = performance.now() + FAN_BUDGET;
    if (!fan) return;
    do fan.grow(); while (!fan.done && (performance.now() < end || reducedMotion()));
    if (!fan.done) {
      this.frame = requestAnimationFrame(() => this.grow());
      return this.sheet.redraw();
    }
    this.measure(fan);
    this.show();
  }

  /** Keep the spread of futures that no bias has tamed. */
  measure(fan) {
    if (fan.bias || this.trail.left < fan.point) return;
    this.spreads.push({ point: fan.point, size: fan.spread().size });
    this.spreads.sort((a, b) => a.size - b.size);
  }

  // ---- What is seen and said ----

  get came() { return this.trail.rows[this.point]?.slice(0, 2); }

  show() {
    if (!this.trail) return;
    const { trail, point } = this, words = futureStatus(this);
    this.scrub.input.max = trail.rows.length;
    this.scrub.set(point);
    this.bias.set(Math.round(10 * this.get("bias")));
    futureGoals(this).forEach((goal, n) => this.goals[n].set(...goal));
    if (this.status.textContent !== words) this.status.textContent = words;
    futureLabels(this).forEach((label, n) => this.canvases[n].canvas.setAttribute("aria-label", label));
    this.say(`${document.activeElement === this.lens.canvas ? aimInWords(this) : `Point ${point}`}. ${words}`);
    for (const each of this.canvases) each.redraw();
  }

  get canvases() { return [this.sheet, this.lens, this.weights]; }
  get price() { return `${decimals(this.trail.loss(this.point, [...this.aim, Number(this.ends.checked)]))} nats`; }

  view(width, height) { return sheetView(this.trail.linePlaces, this.trail.places[this.point], width, height); }

  drawSheet(context, width, height) {
    const { trail, point, theme } = this, fan = this.fan && (this.fan.done || !reducedMotion()) ? this.fan : undefined;
    drawSheet(context, width, height, { trail, point, fan, theme, view: this.view(width, height) });
  }

  drawLens(context, width, height) {
    const { trail, point, reach, aim, price, came } = this, taken = trail.own < point ? [...trail.places[trail.own], LOOP_GOAL.near] : undefined;
    drawLens(context, width, height, { trail, point, reach, aim, price, came, target: taken, mixture: trail.mixture(point, this.get("bias")) });
  }

  stop() { cancelAnimationFrame(this.frame); for (const stop of this.stops) stop(); }
}

function render({ model, el: host }) {
  const toy = new Futures(model, host);
  return () => toy.stop();
}

export default { render };
