// Keep the machine busy: three layers of a network, twelve steps, forty multiprocessors. The reader
// chooses what stands between two operations, the order of the layers, and how many programs share one.

import { announcer, colour, el, radios, sharpCanvas, slider, toyRoot } from "./toolkit.js";

const BUSY = { layers: 3, steps: 12, processors: 40, work: 96, operations: 10, goal: 140 };
const BUSY_GAPS = { launches: 4, graph: 1 }; // microseconds before each operation
const BUSY_FIELDS = ["way", "order", "programs"];
const BUSY_COLOURS = ["--blue", "--orange", "--green"];

/** The pause and the work of one step of one layer, in microseconds. */
function stepOf(way, programs) {
  const pause = way === "resident" ? 0.4 + 0.1 * programs : BUSY.operations * BUSY_GAPS[way];
  return { pause, work: BUSY.work / programs };
}

/** Whether programs would wait for others that can never start. */
const isStuck = ({ way, order, programs }) =>
  way === "resident" && order === "wave" && BUSY.layers * programs > BUSY.processors;

/** Every step of every layer as {layer, step, start}, and the time at which all is done. */
function schedule({ way, order, programs }) {
  const { pause, work } = stepOf(way, programs), length = pause + work, jobs = [];
  const waves = order === "wave" && way === "resident";
  for (let layer = 0; layer < BUSY.layers; layer++) {
    for (let step = 0; step < BUSY.steps; step++) {
      const inTurn = order === "wave" ? step * BUSY.layers + layer : layer * BUSY.steps + step;
      jobs.push({ layer, step, start: (waves ? step + layer : inTurn) * length });
    }
  }
  return { jobs, pause, work, end: Math.max(...jobs.map((job) => job.start)) + length };
}

class Busy {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "busy");
    this.reached = false;
    this.build();
    this.say = announcer(this.root);
    this.changed = () => this.show();
    for (const field of BUSY_FIELDS) model.on(`change:${field}`, this.changed);
    this.show();
  }

  get state() { return Object.fromEntries(BUSY_FIELDS.map((field) => [field, this.model.get(field)])); }

  set(values) {
    for (const [field, value] of Object.entries(values)) this.model.set(field, value);
    this.model.save_changes();
  }

  build() {
    const { way, order, programs } = this.state;
    this.goal = el("p", { class: "toy-goal" });
    this.chart = sharpCanvas({
      label: "Time line", height: (width) => (width < 500 ? 190 : 210),
      draw: (context, width, height) => this.draw(context, width, height),
    });
    this.way = radios({
      legend: "Between two operations", value: way, onchange: (way) => this.set({ way }),
      choices: [["launches", "a launch"], ["graph", "a replayed recording"], ["resident", "a barrier: the programs stay"]],
    });
    this.order = radios({
      legend: "Order", value: order, onchange: (order) => this.set({ order }),
      choices: [["layers", "layer by layer"], ["wave", "step by step, as a wave"]],
    });
    this.programs = slider({
      label: "Programs", min: 1, max: BUSY.processors, value: programs, format: (n) => `${n} a layer`,
      oninput: (programs) => this.set({ programs }),
    });
    this.note = el("p", { class: "toy-note" });
    this.root.append(this.goal, this.chart.canvas, this.way.fieldset, this.order.fieldset, this.programs.row, this.note,
      el("div", { class: "toy-row" }, el("button", {
        type: "button", textContent: "Start again",
        onclick: () => { this.reached = false; this.set({ way: "launches", order: "layers", programs: 4 }); this.show(); },
      })));
  }

  show() {
    const state = this.state;
    this.way.set(state.way);
    this.order.set(state.order);
    this.programs.set(state.programs);
    this.plan = schedule(state);
    this.reached ||= !isStuck(state) && this.plan.end <= BUSY.goal;
    this.goal.textContent = this.reached
      ? `Goal reached: ${BUSY.goal} µs or less. The programs stay, the layers work at the same time, and no more programs wait than can run.`
      : `Goal: all twelve steps of the three layers in ${BUSY.goal} µs or less.`;
    this.goal.classList.toggle("toy-reached", this.reached);
    const words = this.words();
    this.note.textContent = words;
    this.note.classList.toggle("toy-error", isStuck(state));
    this.chart.canvas.setAttribute("aria-label", `A time line of three layers. ${words}`);
    this.chart.redraw();
    this.say(words);
  }

  words() {
    const state = this.state, { end, work, pause } = this.plan;
    if (isStuck(state)) {
      return `Stuck: ${BUSY.layers} times ${state.programs} programs want to run at once, on ${BUSY.processors} multiprocessors. `
        + "Those that run wait at the barrier for those that cannot start. Take fewer programs.";
    }
    const share = BUSY.layers * BUSY.steps * BUSY.work / (end * BUSY.processors);
    return `${end.toFixed(0)} µs. A step of a layer: ${work.toFixed(1)} µs of work, ${pause.toFixed(1)} µs of waiting. `
      + `The multiprocessors compute ${(100 * share).toFixed(0)} % of the time.`;
  }

  draw(context, width, height) {
    const left = 62, right = 10, row = (height - 44) / BUSY.layers, { jobs, pause, work, end } = this.plan;
    const longest = Math.max(BUSY.goal * 1.15, end), x = (time) => left + (time / longest) * (width - left - right);
    context.font = "13px system-ui, sans-serif";
    context.textBaseline = "middle";
    for (let layer = 0; layer < BUSY.layers; layer++) {
      context.fillStyle = colour(this.root, "--text");
      context.fillText(`layer ${layer + 1}`, 6, 14 + (layer + 0.5) * row);
    }
    if (!isStuck(this.state)) {
      for (const job of jobs) this.drawJob(context, job, pause, work, x, 14 + job.layer * row, row - 8);
    }
    this.drawGoal(context, x(BUSY.goal), height);
    context.fillStyle = colour(this.root, "--text");
    context.fillText(isStuck(this.state) ? "never" : `${end.toFixed(0)} µs`, 6, height - 12);
  }

  /** One step: hollow where the multiprocessors wait, full where they compute. */
  drawJob(context, job, pause, work, x, top, tall) {
    const from = x(job.start), middle = x(job.start + pause), to = x(job.start + pause + work);
    context.strokeStyle = colour(this.root, "--edge");
    context.lineWidth = 1;
    context.strokeRect(from + 0.5, top + tall * 0.35, Math.max(0, middle - from - 1), tall * 0.3);
    context.fillStyle = colour(this.root, BUSY_COLOURS[job.layer]);
    context.fillRect(middle, top, Math.max(0.8, to - middle - 0.6), tall);
  }

  drawGoal(context, x, height) {
    context.strokeStyle = context.fillStyle = colour(this.root, "--accent");
    context.lineWidth = 2;
    context.setLineDash([5, 4]);
    context.beginPath();
    context.moveTo(x, 6);
    context.lineTo(x, height - 24);
    context.stroke();
    context.setLineDash([]);
    context.fillText("goal", Math.max(4, x - 14), height - 12);
  }

  stop() {
    this.chart.stop();
    for (const field of BUSY_FIELDS) this.model.off(`change:${field}`, this.changed);
  }
}

function render({ model, el: host }) {
  const busy = new Busy(model, host);
  return () => busy.stop();
}

export default { render };
