// Weights with their widths: which to keep, what it costs to tell them, and a network of those that are kept.

import { Network } from "./engine.js";
import { draws } from "./sampler.js";

/** The tensors of a text network of one layer, as [name, shape]. */
const tensorsOf = ({ V, hidden: H }) => [["layers.0.weight_x", [4 * H, V]], ["layers.0.weight_h", [4 * H, H]],
  ["layers.0.peephole", [3, H]], ["layers.0.bias", [4 * H]], ["output.weight", [V, H]], ["output.bias", [V]]];

/** log2 of the ways to choose k of n things. */
export function bitsOfChoice(n, k) {
  let bits = 0;
  for (let i = 1; i <= Math.min(k, n - k); i++) bits += Math.log2((n - Math.min(k, n - k) + i) / i);
  return bits;
}

/** KL(Q || P) in bits, for means and widths at `places`, with the Gaussian prior that fits these best. */
export function bitsOfWeights(mu, s, places) {
  const mean = (of) => places.reduce((sum, i) => sum + of(i), 0) / places.length;
  const centre = mean((i) => mu[i]), variance = mean((i) => s[i] ** 2 + (mu[i] - centre) ** 2);
  const nats = (i) => Math.log(variance) / 2 - Math.log(s[i]) + (s[i] ** 2 + (mu[i] - centre) ** 2) / (2 * variance) - 0.5;
  return places.reduce((sum, i) => sum + nats(i), 0) / Math.LN2;
}

/** All weights of a file in one row: `mu` and `s`, and for each way to choose, its `ranks`: places, first to keep first. */
export class NoisyWeights {
  constructor({ about, tensor }) {
    this.about = about;
    this.tensors = tensorsOf(about.config);
    const row = (prefix) => this.tensors.flatMap(([name, shape]) => [...tensor(prefix + name, shape)]);
    Object.assign(this, { mu: row(""), s: row("std.") });
    const sorted = (value) => this.mu.map((_, i) => i).sort((a, b) => value[b] - value[a]);
    this.values = { ratio: this.mu.map((mu, i) => Math.abs(mu) / this.s[i]), size: this.mu.map(Math.abs), chance: this.mu.map((_, i) => draws(1, i)[0]) };
    this.ranks = Object.fromEntries(Object.entries(this.values).map(([by, value]) => [by, sorted(value)]));
  }

  get count() { return this.mu.length; }

  /** The network that is left if all weights but those at `places` are 0. */
  network(places) {
    const kept = new Float32Array(this.count);
    for (const i of places) kept[i] = this.mu[i];
    let at = 0;
    const parts = new Map(this.tensors.map(([name, shape]) => [name, kept.slice(at, at += shape.reduce((a, b) => a * b))]));
    return new Network({ about: this.about, tensor: (name) => parts.get(name) }, { plain: true });
  }
}
