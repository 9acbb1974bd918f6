// A line that is watched while the network writes it: what the network believes before each point, and
// where its window stands.

import { logDensity } from "./mixture.js";
import { liftOf, mixtureOf, Sampler, STEPS_PER_CHARACTER, Writing } from "./sampler.js";

/** A line in the making: the network reads the ink of `prime`, then goes on with `text`; `options` are
 *  those of a Writing. `points` are [dx, dy, end] in tablet units, the prime's first. `steps[t]` is what
 *  the network thought before point t: its raw outputs `y`, `logPhi` of the places 1..U+1, and `at`, the
 *  place that it looked at. The last step has no point: there the line stopped. */
export class WatchedLine {
  constructor(network, text, { prime = { text: "", offsets: [] }, ...options } = {}) {
    const limit = STEPS_PER_CHARACTER * text.length;
    Object.assign(this, { network, text, prime, steps: [], points: [...prime.offsets], stopped: "" });
    this.most = prime.offsets.length + limit;
    this.sampler = new Sampler(network); // for its units
    this.writing = new Writing(network, { text: prime.text + text, limit, ...options });
  }

  /** Go on until `performance.now()` is past `end`; returns whether the line is finished. */
  advance(end = Infinity) {
    while (!this.stopped && performance.now() < end) this.step();
    return Boolean(this.stopped);
  }

  step() {
    const { network, writing, sampler, points } = this, given = this.prime.offsets[this.steps.length];
    const drawn = given ? void writing.follow(sampler.normalise(given)) : writing.next();
    const logPhi = Float32Array.from({ length: writing.codes.length + 1 }, (_, u) => network.logPhi(u + 1));
    this.steps.push({ y: network.y.slice(), logPhi, at: network.at });
    if (drawn) points.push(sampler.toRaw(drawn));
    this.stopped = writing.stopped;
    if (this.stopped && points.length > this.prime.offsets.length) points.at(-1)[2] = 1;
  }

  /** The points with the character, from 1, that each belongs to: what `strokesOf` of ink.js takes. */
  get placed() { return this.points.map(([dx, dy, end], t) => [dx, dy, end, this.steps[t]?.at ?? 1]); }

  /** The mean loss of the points that it drew, as the network learnt to predict them: nats a point (eq. 26). */
  loss() {
    const first = this.prime.offsets.length, { M } = this.network;
    const losses = this.points.slice(first).map((point, i) => lossOfPoint(this.steps[first + i].y, M, this.sampler.normalise(point)));
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  }
}

/** -log Pr(point | y), in nats; `point` is in the network's units. */
function lossOfPoint(y, M, [dx, dy, end]) {
  const lift = liftOf(y), mixture = mixtureOf(y, M).filter(({ pi }) => pi > 0);
  return -logDensity([dx, dy], mixture) - Math.log(Math.max(1e-30, end ? lift : 1 - lift));
}
