// A small recurrent network, forward and backward through time, in 32-bit floats as on a graphics card.
//
// Layers of tanh units; the input reaches every layer and every layer reaches the output (eqs 1-3). A
// line starts with a bit, 1 or -1; noise follows, and after the last step the network is asked for the bit.

import { draws } from "./sampler.js";

export const UNITS = 16, LINES = 8; // of a layer, of a batch
const NOISE = 0.2, RATE = 0.3;

const normals = (seed, count, std) => Float32Array.from({ length: count }, (_, k) => std * draws(seed, k)[2]);

/** A new network. `scale` stretches the recurrent weights W: at 1 their variance is 1 / UNITS. */
export function newNet({ layers, scale, seed }) {
  const stack = Array.from({ length: layers }, (_, n) => {
    const key = 100 * seed + 10 * n, square = UNITS * UNITS, inputs = n ? 1 + UNITS : 1;
    return {
      u: normals(key, UNITS, inputs ** -0.5), // from the input
      D: normals(key + 1, n ? square : 0, inputs ** -0.5), // from the layer below
      W: normals(key + 2, square, scale * UNITS ** -0.5), // from the step before
      b: new Float32Array(UNITS),
      v: normals(key + 3, UNITS, (layers * UNITS) ** -0.5), // to the output
    };
  });
  return { stack, bias: new Float32Array(1) };
}

/** A batch of lines {x, y}: the inputs, and the bit to tell at the end. */
export function newBatch(steps, seed) {
  return Array.from({ length: LINES }, (_, line) => {
    const key = 1e6 + seed * LINES + line, y = draws(key, 0)[0] < 0.5 ? -1 : 1;
    return { y, x: Float32Array.from({ length: steps }, (_, t) => (t ? NOISE * draws(key, t)[2] : y)) };
  });
}

/** out += M x, or its transpose's product, for a square matrix. */
function addProduct(out, M, x, transposed = false) {
  for (let j = 0; j < UNITS; j++) {
    let sum = 0;
    for (let k = 0; k < UNITS; k++) sum += (transposed ? M[k * UNITS + j] : M[j * UNITS + k]) * x[k];
    out[j] += sum;
  }
}

function addOuter(out, dz, x) {
  for (let j = 0; j < UNITS; j++) for (let k = 0; k < UNITS; k++) out[j * UNITS + k] += dz[j] * x[k];
}

/** Outputs of every layer before the first step and after each, as h[n][t]. */
function forwards({ stack }, x) {
  const h = stack.map(() => [new Float32Array(UNITS)]);
  x.forEach((input, t) => stack.forEach(({ u, D, W, b }, n) => {
    const a = u.map((weight, j) => weight * input + b[j]);
    addProduct(a, W, h[n][t]);
    if (n) addProduct(a, D, h[n - 1][t + 1]);
    h[n].push(a.map(Math.tanh));
  }));
  return h;
}

/** Loss and gradients of a batch. `limit` clips the derivative of every tanh's input, at every step and
 *  in every line (Infinity leaves them alone). `largest[n][t]` is the largest of those derivatives. */
export function backprop(net, batch, limit = Infinity) {
  const zeros = (layer) => Object.fromEntries(Object.entries(layer).map(([name, values]) => [name, new Float32Array(values.length)]));
  const grads = { stack: net.stack.map(zeros), bias: new Float32Array(1) }, steps = batch[0].x.length;
  const largest = net.stack.map(() => new Float32Array(steps));
  let loss = 0;
  for (const line of batch) {
    const h = forwards(net, line.x);
    const output = net.stack.reduce((sum, { v }, n) => v.reduce((s, weight, j) => s + weight * h[n][steps][j], sum), net.bias[0]);
    loss += Math.log1p(Math.exp(-line.y * output)) / batch.length;
    backwards(net, grads, line.x, h, -line.y / (1 + Math.exp(line.y * output)), limit, largest);
  }
  for (const values of arrays(grads)) values.forEach((value, k) => { values[k] = value / batch.length; });
  return { loss, grads, largest };
}

/** Add one line's gradients. `dy` is the derivative of its loss by the output. */
function backwards({ stack }, grads, x, h, dy, limit, largest) {
  const dz = stack.map(() => new Float32Array(UNITS)); // by the inputs of tanh, one step later
  grads.bias[0] += dy;
  stack.forEach((_, n) => h[n][x.length].forEach((value, j) => { grads.stack[n].v[j] += dy * value; }));
  for (let t = x.length - 1; t >= 0; t--) {
    for (let n = stack.length - 1; n >= 0; n--) {
      const dh = new Float32Array(UNITS), now = h[n][t + 1], into = grads.stack[n];
      addProduct(dh, stack[n].W, dz[n], true); // from the step after
      if (n + 1 < stack.length) addProduct(dh, stack[n + 1].D, dz[n + 1], true); // from the layer above
      if (t === x.length - 1) stack[n].v.forEach((weight, j) => { dh[j] += weight * dy; });
      dz[n] = dh.map((d, j) => Math.max(-limit, Math.min(limit, d * (1 - now[j] * now[j]))));
      for (const d of dz[n]) largest[n][t] = Math.max(largest[n][t], Math.abs(d));
      addOuter(into.W, dz[n], h[n][t]);
      if (n) addOuter(into.D, dz[n], h[n - 1][t + 1]);
      dz[n].forEach((d, j) => { into.u[j] += d * x[t]; into.b[j] += d; });
    }
  }
}

const arrays = ({ stack, bias }) => [...stack.flatMap(({ u, D, W, b, v }) => [u, D, W, b, v]), bias];

/** The norm of all gradients, as 32-bit floats have it. */
export const normOf = (grads) => Math.sqrt(arrays(grads).flatMap((values) => [...values])
  .reduce((sum, g) => Math.fround(sum + Math.fround(g * g)), 0));

/** Take a step downhill, after shrinking the whole gradient to the norm `most` if it is longer. */
export function descend(net, grads, most = Infinity) {
  const norm = most < Infinity ? normOf(grads) : 0, shrink = Math.fround(norm > most ? most / norm : 1);
  const steps = arrays(grads);
  arrays(net).forEach((weights, a) => weights.forEach((w, k) => { weights[k] = w - RATE * Math.fround(shrink * steps[a][k]); }));
}
