// A network that is watched while it writes: what it believes before each point, and where its
// window stands. Several lines may be written in turns with one network.

import { logDensity } from "./mixture.js";
import { Sampler, STEPS_PER_CHARACTER } from "./sampler.js";

/** The same network, noting each step: `note({y, logPhi, at})`, where `y` are its raw outputs, `logPhi`
 *  holds log phi(t, u) for u = 1..U+1, and `at` is the character that it looks at. Points are drawn
 *  from `change(y)`. */
function watched(network, note, change) {
  const step = (point, codes) => {
    const y = network.step(point, codes).slice(0, 1 + 6 * network.M);
    note({ y, logPhi: Float32Array.from({ length: codes.length + 1 }, (_, u) => network.logPhi(u + 1)), at: network.at });
    return change(y);
  };
  return Object.create(network, { step: { value: step } });
}

/** A line in the making. It keeps its own state, so that others may use the network between its turns.
 *  `steps[t]` is what the network believed before point t; a prime's points come first, then those
 *  that it drew: `points[t]` is [dx, dy, end] in tablet units. */
export class Writing {
  constructor(network, text, { change = (y) => y, prime = { text: "", offsets: [] }, ...options }) {
    Object.assign(this, { network, text, prime, steps: [], points: [...prime.offsets], saved: null, stopped: "" });
    const own = watched(network, (seen) => this.steps.push(seen), change);
    this.sampler = new Sampler(own);
    this.work = this.sampler.write(text, { prime, ...options });
  }

  /** Go on until `performance.now()` is past `end`; returns whether the line is finished. */
  advance(end) {
    if (this.stopped) return true;
    if (this.saved) this.network.restore(this.saved);
    while (!this.stopped && performance.now() < end) {
      const { done, value } = this.work.next();
      if (done) this.finish(value);
      else if (value) this.points.push(value.slice(0, 3));
    }
    this.saved = this.network.save();
    return Boolean(this.stopped);
  }

  finish(stopped) {
    this.stopped = stopped;
    if (this.points.length > this.prime.offsets.length) this.points.at(-1)[2] = 1;
  }

  /** No line has more points than this. */
  get most() { return this.prime.offsets.length + STEPS_PER_CHARACTER * this.text.length; }

  /** The points with the character, from 1, that each belongs to: what `strokesOf` of ink.js takes. */
  get placed() { return this.points.map(([dx, dy, end], t) => [dx, dy, end, this.steps[t]?.at ?? 1]); }

  /** The mean loss of the points from `first` on, as the network predicted them: nats a point (eq. 26). */
  loss(first = this.prime.offsets.length) {
    const losses = this.points.slice(first).map((point, i) =>
      pointLoss(this.steps[first + i].y, this.network.M, this.sampler.normalise(point)));
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  }
}

/** Raw outputs as a mixture, an array of {pi, mu, sigma, rho} (eqs 19-22). */
export function mixtureOf(y, M) {
  const top = Math.max(...y.subarray(1, 1 + M));
  const weights = Array.from({ length: M }, (_, j) => Math.exp(y[1 + j] - top));
  const total = weights.reduce((a, b) => a + b), part = (block, j) => y[1 + block * M + j];
  return weights.map((weight, j) => ({
    pi: weight / total, mu: [part(1, j), part(2, j)],
    sigma: [Math.exp(part(3, j)), Math.exp(part(4, j))], rho: Math.tanh(part(5, j)),
  }));
}

/** The chance that the pen lifts (eq. 18: minus, as printed). */
export const liftChance = (y) => 1 / (1 + Math.exp(y[0]));

/** -log Pr(point | y), in nats; `point` is normalised. */
function pointLoss(y, M, [dx, dy, end]) {
  const pen = Math.log1p(Math.exp(-Math.abs(y[0]))) + Math.max(0, end ? y[0] : -y[0]); // softplus
  return pen - logDensity([dx, dy], mixtureOf(y, M).filter(({ pi }) => pi > 0));
}
