// The network of section 5 in a page: float32 weights in one memory, one hand-written WebAssembly
// loop for the products (matvec.wat), plain JavaScript for the rest and as the fallback.

// matvec.wat, compiled by `python tools/matvec.py`.
const MATVEC = "AGFzbQEAAAABCQFgBX9/f39/AAITAQduZXR3b3JrBm1lbW9yeQIAAQMCAQAHCgEGbWF0dmVjAAAK+AEB9QECAX8FewNA/QwAAAAAAAAAAAAAAAAAAAAAIQf9DAAAAAAAAAAAAAAAAAAAAAAhCP0MAAAAAAAAAAAAAAAAAAAAACEJ/QwAAAAAAAAAAAAAAAAAAAAAIQogASEFA0AgBf0JAgAhBiAHIAYgAP0ABAD95gH95AEhByAIIAYgAP0ABBD95gH95AEhCCAJIAYgAP0ABCD95gH95AEhCSAKIAYgAP0ABDD95gH95AEhCiAAQcAAaiEAIAVBBGohBSAFIARJDQALIAIgB/0LBAAgAiAI/QsEECACIAn9CwQgIAIgCv0LBDAgAkHAAGohAiACIANJDQALCwBFBG5hbWUCKgEACwABdwEBeAIBeQMDZW5kBAV4X2VuZAUBcAYBdgcBYQgBYgkBYwoBZAMSAQACAAVibG9jawEGY29sdW1u";

const BLOCK = 16; // rows that matvec takes at a time

/** A number of 16 bits as the number that it stands for. */
function halfToNumber(half) {
  const exponent = (half >> 10) & 31, fraction = half & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24
    : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return half >> 15 ? -size : size;
}

const HALVES = Float32Array.from({ length: 65536 }, (_, half) => halfToNumber(half));

const broken = (what) => new Error(`These weights cannot be used: ${what}. Try again, `
  + "or take the file anew from the book's repository.");

/** Read a safetensors file of a pen: returns {about, tensor(name, shape) -> Float32Array}.
 *  Throws an Error that says what to do where the file is not what it should be. */
export function readWeights(buffer) {
  let header, start, about;
  try {
    start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, 8, start - 8)));
  } catch {
    throw broken("the file has no safetensors header");
  }
  try {
    about = JSON.parse(header.__metadata__.graves_nb);
  } catch {
    throw broken("the header does not describe a pen of this book");
  }
  if (about.model !== "HandwritingSynthesizer") throw broken(`they are of a ${about.model}, not of a HandwritingSynthesizer`);
  return { about, tensor: (name, shape) => readTensor(buffer, start, header, name, shape) };
}

function readTensor(buffer, start, header, name, shape) {
  const entry = header[name];
  if (!entry) throw broken(`${name} is missing`);
  const size = shape.reduce((a, b) => a * b), bytes = { F32: 4, F16: 2 }[entry.dtype];
  if (String(entry.shape) !== String(shape)) throw broken(`${name} has shape (${entry.shape}), not (${shape})`);
  if (!bytes) throw broken(`${name} holds ${entry.dtype} numbers, neither F16 nor F32`);
  const [from, to] = entry.data_offsets.map((offset) => start + offset);
  if (to - from !== bytes * size || to > buffer.byteLength) throw broken("the file is cut short");
  const raw = buffer.slice(from, to);
  const numbers = bytes === 4 ? new Float32Array(raw) : Float32Array.from(new Uint16Array(raw), (half) => HALVES[half]);
  if (!numbers.every(Number.isFinite)) throw broken(`${name} holds numbers that are not finite`);
  return numbers;
}

const roundUp = (n, unit) => Math.ceil(n / unit) * unit;

/** y = W [1, x]: a product with its place in memory. The first column of W is the bias. */
class Product {
  constructor(rows, columns) {
    Object.assign(this, { rows, columns: columns + 1, height: roundUp(rows, BLOCK) });
    this.floats = this.height * this.columns + this.height + roundUp(this.columns, 4);
  }

  place(buffer, start) {
    const take = (length) => { const view = new Float32Array(buffer, start, length); start += 4 * length; return view; };
    this.weights = take(this.height * this.columns);
    this.y = take(this.height);
    this.x = take(roundUp(this.columns, 4));
    this.x[0] = 1;
    this.addresses = [this.weights, this.x, this.y].map((view) => view.byteOffset);
    this.addresses.push(this.y.byteOffset + 4 * this.height, this.x.byteOffset + 4 * this.columns);
    return start;
  }

  /** Put `data`, (rows, width) by rows, at `column`. */
  fill(data, column) {
    const width = data.length / this.rows;
    for (let row = 0; row < this.rows; row++) {
      const block = (row - (row % BLOCK)) * this.columns + (row % BLOCK);
      for (let j = 0; j < width; j++) this.weights[block + (column + j) * BLOCK] = data[row * width + j];
    }
  }
}

/** What matvec.wat does, four rows at a time. */
function plainProduct({ weights, x, y, height, columns }) {
  for (let row = 0; row < height; row += 4) {
    let a = 0, b = 0, c = 0, d = 0;
    let at = (row - (row % BLOCK)) * columns + (row % BLOCK);
    for (let j = 0; j < columns; j++, at += BLOCK) {
      const v = x[j];
      a += v * weights[at]; b += v * weights[at + 1]; c += v * weights[at + 2]; d += v * weights[at + 3];
    }
    y[row] = a; y[row + 1] = b; y[row + 2] = c; y[row + 3] = d;
  }
}

/** Compile matvec for a memory; undefined where the browser has no WebAssembly SIMD. */
function compile(memory) {
  try {
    const bytes = Uint8Array.from(atob(MATVEC), (letter) => letter.charCodeAt(0));
    const { matvec } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { network: { memory } }).exports;
    return (product) => matvec(...product.addresses);
  } catch {
    return undefined;
  }
}

const sigmoid = (a) => 1 / (1 + Math.exp(-a));
const tanh = (a) => 2 / (1 + Math.exp(-2 * a)) - 1;

/** The synthesis network and the state it is in. */
export class Network {
  constructor({ about, tensor }, { plain = false } = {}) {
    const { hidden: H, layers: N, M, K, V } = about.config;
    Object.assign(this, { about, H, N, M, K, V });
    this.layers = Array.from({ length: N }, (_, n) => new Product(4 * H, 3 + V + (n ? 2 * H : H)));
    this.window = new Product(3 * K, H);
    this.output = new Product(1 + 6 * M, N * H);
    this.allocate(plain);
    this.layers.forEach((layer, n) => this.fillLayer(layer, n, tensor));
    for (const [product, name] of [[this.window, "window.linear"], [this.output, "output"]]) {
      product.fill(tensor(`${name}.bias`, [product.rows]), 0);
      product.fill(tensor(`${name}.weight`, [product.rows, product.columns - 1]), 1);
    }
    this.kappa = new Float32Array(K);
    this.beta = new Float32Array(K);
    this.w = this.layers[0].w;
  }

  /** Give a layer its weights, and names to the parts of its input [1, x, w, h of the layer below, h]. */
  fillLayer(layer, n, tensor) {
    const { H, V } = this, name = `layers.${n}`, below = 3 + V + (n ? H : 0);
    layer.fill(tensor(`${name}.bias`, [4 * H]), 0);
    layer.fill(tensor(`${name}.weight_x`, [4 * H, below]), 1);
    layer.fill(tensor(`${name}.weight_h`, [4 * H, H]), 1 + below);
    layer.peephole = tensor(`${name}.peephole`, [3, H]);
    layer.c = new Float32Array(H);
    layer.w = layer.x.subarray(4, 4 + V);
    layer.below = layer.x.subarray(4 + V, 1 + below);
    layer.h = layer.x.subarray(1 + below, 1 + below + H);
  }

  allocate(plain) {
    const products = [...this.layers, this.window, this.output];
    const bytes = 4 * products.reduce((sum, product) => sum + product.floats, 0);
    const memory = plain || typeof WebAssembly === "undefined" ? undefined
      : new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) });
    const compiled = memory && compile(memory);
    this.multiply = compiled ?? plainProduct;
    this.kernel = compiled ? "WebAssembly" : "JavaScript";
    products.reduce((start, product) => product.place(memory?.buffer ?? (this.buffer ??= new ArrayBuffer(bytes)), start), 0);
  }

  /** The parts of the state, in a fixed order. */
  get state() { return [this.w, this.kappa, ...this.layers.flatMap(({ h, c }) => [h, c])]; }
  reset() { for (const part of this.state) part.fill(0); }
  save() { return this.state.map((part) => part.slice()); }
  restore(saved) { this.state.forEach((part, i) => part.set(saved[i])); }

  /** Read a point [dx, dy, end] in a text of `codes`; returns the 1 + 6M raw outputs (a view).
   *  Leaves `at`, the place (from 1) of the character that the window is on, and `past`: whether
   *  it is past the end, phi(t, U+1) > phi(t, u) for all u. */
  step(point, codes) {
    const { layers, output, H } = this;
    layers.forEach((layer, n) => {
      layer.x.set(point, 1);
      if (n) {
        layer.w.set(this.w); // only the first layer sees the window of the step before
        layer.below.set(layers[n - 1].h);
      }
      this.multiply(layer);
      this.gates(layer);
      if (n === 0) this.look(layer.h, codes);
      output.x.set(layer.h, 1 + n * H);
    });
    this.multiply(output);
    return output.y;
  }

  gates({ y, c, h, peephole }) {
    const H = this.H;
    for (let j = 0; j < H; j++) {
      const i = sigmoid(y[j] + peephole[j] * c[j]); // eq. (7)
      const f = sigmoid(y[H + j] + peephole[H + j] * c[j]); // eq. (8)
      c[j] = f * c[j] + i * tanh(y[2 * H + j]); // eq. (9)
      const o = sigmoid(y[3 * H + j] + peephole[2 * H + j] * c[j]); // eq. (10): the new cell
      h[j] = o * tanh(c[j]); // eq. (11)
    }
  }

  /** Move the window and read the text through it (eqs 46-51). */
  look(h, codes) {
    const { K, beta, kappa, w, window: { x, y } } = this;
    x.set(h, 1);
    this.multiply(this.window);
    for (let k = 0; k < K; k++) {
      beta[k] = Math.exp(y[K + k]); // eq. (50)
      kappa[k] += Math.exp(y[2 * K + k]); // eq. (51)
    }
    w.fill(0);
    let best = -Infinity;
    for (let u = 1; u <= codes.length; u++) {
      const logPhi = this.logPhi(u);
      w[codes[u - 1]] += Math.exp(logPhi); // eqs (46) and (47)
      if (logPhi > best) [best, this.at] = [logPhi, u];
    }
    this.past = this.logPhi(codes.length + 1) > best;
  }

  /** log phi(t, u) by log-sum-exp: phi itself underflows to zero far from the window. */
  logPhi(u) {
    const { K, beta, kappa, window: { y } } = this;
    let top = -Infinity, sum = 0;
    for (let k = 0; k < K; k++) {
      const term = y[k] - beta[k] * (kappa[k] - u) ** 2;
      if (term > top) [sum, top] = [sum * Math.exp(top - term) + 1, term];
      else sum += Math.exp(term - top);
    }
    return top + Math.log(sum);
  }
}
