// A text that a network reads in a page: its symbols as labels, what each of them costs in bits, and an output
// layer that learns while it reads.

import { INSTEAD, softmax } from "./sampler.js";

/** The labels of a text. What the network has no symbol for is replaced, or left out and named in `strange`. */
export function labelsOf(text, symbols) {
  const known = new Map(Array.from(symbols, (symbol, label) => [symbol, label])), strange = new Set();
  const plain = (letter) => {
    if (known.has(letter)) return letter;
    if (/\s/.test(letter) && known.has(" ")) return " "; // INSTEAD names these in words, for a writer
    const other = INSTEAD[letter] ?? letter.normalize("NFKD").replace(/\p{M}/gu, "");
    return other !== letter && Array.from(other).every((part) => known.has(part)) ? other : "";
  };
  const read = Array.from(text.replaceAll(/\r\n?/g, "\n"), (letter) => {
    const found = plain(letter);
    if (!found) strange.add(letter);
    return found;
  }).join("");
  return { text: read, labels: Array.from(read, (symbol) => known.get(symbol)), strange: [...strange] };
}

/** What a symbol costs, in bits, from the raw outputs that predicted it: -log2 of its softmax (eq. 12). */
export function costOf(y, label) {
  const top = Math.max(...y);
  return (Math.log(y.reduce((sum, a) => sum + Math.exp(a - top), 0)) + top - y[label]) / Math.LN2;
}

/** The output layer of a network, which can learn and forget again. All below it stays as it is, so what it
 *  reads, the layers' outputs `h`, is the same whatever it has learnt. */
export class LearningOutput {
  constructor(network) {
    this.network = network;
    this.first = network.output.weights.slice();
  }

  forget() { this.network.output.weights.set(this.first); }

  /** The raw outputs (a view) for the layers' outputs `h`. */
  predict(h) {
    const { network } = this;
    network.output.x.set(h, 1);
    network.multiply(network.output);
    return network.y;
  }

  /** Learn from the symbol that came after the latest prediction: W -= rate (y - onehot) [1, h]. */
  learn(label, rate) {
    const { output, y } = this.network, slope = new Float32Array(output.height);
    slope.set(softmax(y));
    slope[label] -= 1; // the derivative of the loss by the raw outputs
    for (let row = 0; row < output.height; row++) slope[row] *= rate;
    for (let top = 0; top < output.height; top += 16) {
      for (let column = 0, at = output.index(top, 0); column < output.columns; column++, at += 16) {
        const x = output.x[column];
        for (let k = 0; k < 16; k++) output.weights[at + k] -= slope[top + k] * x;
      }
    }
  }
}
