// The networks of the book in a page: float32 weights in one memory, one hand-written WebAssembly
// loop for the products (matvec.wat), plain JavaScript for the rest and as the fallback.

// matvec.wat, compiled by `python tools/matvec.py`.
const MATVEC = "AGFzbQEAAAABCQFgBX9/f39/AAITAQduZXR3b3JrBm1lbW9yeQIAAQMCAQAHCgEGbWF0dmVjAAAK+AEB9QECAX8FewNA/QwAAAAAAAAAAAAAAAAAAAAAIQf9DAAAAAAAAAAAAAAAAAAAAAAhCP0MAAAAAAAAAAAAAAAAAAAAACEJ/QwAAAAAAAAAAAAAAAAAAAAAIQogASEFA0AgBf0JAgAhBiAHIAYgAP0ABAD95gH95AEhByAIIAYgAP0ABBD95gH95AEhCCAJIAYgAP0ABCD95gH95AEhCSAKIAYgAP0ABDD95gH95AEhCiAAQcAAaiEAIAVBBGohBSAFIARJDQALIAIgB/0LBAAgAiAI/QsEECACIAn9CwQgIAIgCv0LBDAgAkHAAGohAiACIANJDQALCwBFBG5hbWUCKgEACwABdwEBeAIBeQMDZW5kBAV4X2VuZAUBcAYBdgcBYQgBYgkBYwoBZAMSAQACAAVibG9jawEGY29sdW1u";

const BLOCK = 16; // rows that matvec takes at a time

// ---- Files of weights ----

/** A number of 16 bits as the number that it stands for. */
function halfToNumber(half) {
  const exponent = (half >> 10) & 31, fraction = half & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24
    : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return half >> 15 ? -size : size;
}

const HALVES = Float32Array.from({ length: 65536 }, (_, half) => halfToNumber(half));

// How the numbers of a file become float32. Numbers of 8 bits have a scale for each row (quantise.py).
const NUMBERS = {
  F32: { bytes: 4, read: (raw) => new Float32Array(raw) },
  F16: { bytes: 2, read: (raw) => Float32Array.from(new Uint16Array(raw), (half) => HALVES[half]) },
  I8: { bytes: 1, read: (raw) => Float32Array.from(new Int8Array(raw)) },
};

const broken = (what) => new Error(`These weights cannot be used: ${what}. Try again, `
  + "or take the file anew from the book's repository.");

/** Read a safetensors file of one of the book's networks, by default a pen: returns
 *  {about, tensor(name, shape) -> Float32Array}. Throws an Error that says what to do where the
 *  file is not what it should be. */
export function readWeights(buffer, model = "HandwritingSynthesizer") {
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
    throw broken("the header does not describe a pen or another network of this book");
  }
  if (about.model !== model) throw broken(`they are of a ${about.model}, not of a ${model}`);
  return { about, tensor: (name, shape) => readTensor(buffer, start, header, name, shape) };
}

function readTensor(buffer, start, header, name, shape) {
  const entry = header[name];
  if (!entry) throw broken(`${name} is missing`);
  const size = shape.reduce((a, b) => a * b), { bytes, read } = NUMBERS[entry.dtype] ?? {};
  if (String(entry.shape) !== String(shape)) throw broken(`${name} has shape (${entry.shape}), not (${shape})`);
  if (!bytes) throw broken(`${name} holds ${entry.dtype} numbers, none of ${Object.keys(NUMBERS).join(", ")}`);
  const [from, to] = entry.data_offsets.map((offset) => start + offset);
  if (to - from !== bytes * size || to > buffer.byteLength) throw broken("the file is cut short");
  const numbers = read(buffer.slice(from, to));
  if (bytes === 1) {
    const scale = readTensor(buffer, start, header, `${name}.scale`, shape.slice(0, 1)), width = size / shape[0];
    scale.forEach((s, row) => { for (let i = row * width; i < (row + 1) * width; i++) numbers[i] *= s; });
  }
  if (!numbers.every(Number.isFinite)) throw broken(`${name} holds numbers that are not finite`);
  return numbers;
}

// ---- The parts of a network ----

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

  /** Where the weight of a row and a column lies in `weights`. */
  index(row, column) { return (row - (row % BLOCK)) * this.columns + column * BLOCK + (row % BLOCK); }

  /** Put a matrix, given row by row, at `column`, but for its first `skip` columns. */
  fill(data, column, skip = 0) {
    const width = data.length / this.rows;
    for (let row = 0; row < this.rows; row++) {
      for (let j = skip; j < width; j++) this.weights[this.index(row, column + j - skip)] = data[row * width + j];
    }
  }

  /** Take weights and bias from a file's `nn.Linear`. */
  load(tensor, name) {
    this.fill(tensor(`${name}.bias`, [this.rows]), 0);
    this.fill(tensor(`${name}.weight`, [this.rows, this.columns - 1]), 1);
  }
}

const sigmoid = (a) => 1 / (1 + Math.exp(-a));
const tanh = (a) => 2 / (1 + Math.exp(-2 * a)) - 1;

/** A layer of LSTM cells that reads [1, x, w, h of the layer below, h]. Instead of x it may read one of
 *  `symbols`: then the product becomes a look at one column. After a step `c` holds the cells, `h` the
 *  outputs, and `i`, `f`, `g`, `o` the gates and what the cells were offered. */
class PeepholeLayer extends Product {
  constructor(H, { points = 0, V = 0, below = 0, symbols = 0 }) {
    super(4 * H, points + V + below + H);
    Object.assign(this, { H, points, V, symbols, belowSize: below, c: new Float32Array(H) });
  }

  place(buffer, start) {
    const end = super.place(buffer, start), { H, x, y, points, V, belowSize } = this;
    let from = 1 + points;
    for (const [part, size] of [["w", V], ["below", belowSize], ["h", H]]) this[part] = x.subarray(from, from += size);
    ["i", "f", "g", "o"].forEach((gate, n) => { this[gate] = y.subarray(n * H, (n + 1) * H); });
    return end;
  }

  load(tensor, name) {
    const { H, points, V, belowSize, symbols } = this, rows = 4 * H, width = symbols + points + V + belowSize;
    const weight = tensor(`${name}.weight_x`, [rows, width]);
    this.fill(tensor(`${name}.bias`, [rows]), 0);
    this.fill(weight, 1, symbols);
    this.fill(tensor(`${name}.weight_h`, [rows, H]), 1 + width - symbols);
    this.peephole = tensor(`${name}.peephole`, [3, H]);
    this.table = Array.from({ length: symbols }, (_, s) => Float32Array.from({ length: rows }, (_, row) => weight[row * width + s]));
  }

  /** From products to the new cells and outputs; a symbol's column is added first. */
  gates(column) {
    const { H, i, f, g, o, y, c, h, peephole } = this;
    if (column) for (let row = 0; row < 4 * H; row++) y[row] += column[row];
    for (let j = 0; j < H; j++) {
      i[j] = sigmoid(i[j] + peephole[j] * c[j]); // eq. (7)
      f[j] = sigmoid(f[j] + peephole[H + j] * c[j]); // eq. (8)
      g[j] = tanh(g[j]);
      c[j] = f[j] * c[j] + i[j] * g[j]; // eq. (9)
      o[j] = sigmoid(o[j] + peephole[2 * H + j] * c[j]); // eq. (10): the new cell
      h[j] = o[j] * tanh(c[j]); // eq. (11)
    }
  }
}

/** The soft window: from its product, which holds the logarithms of alpha, beta and the steps of kappa.
 *  `w` is what it reads, `at` the place (from 1) of the character that it is on, and `past` whether it
 *  is past the end, phi(t, U+1) > phi(t, u) for all u. */
class SoftWindow extends Product {
  constructor(H, K, V) {
    super(3 * K, H);
    const [kappa, beta, w] = [K, K, V].map((size) => new Float32Array(size));
    Object.assign(this, { K, kappa, beta, w, at: 0, past: false });
  }

  /** Move on and read the text (eqs 46-51). */
  read(codes) {
    const { K, beta, kappa, w, y } = this;
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
    const { K, beta, kappa, y } = this;
    let top = -Infinity, sum = 0;
    for (let k = 0; k < K; k++) {
      const term = y[k] - beta[k] * (kappa[k] - u) ** 2; // y[k] is log alpha, eq. (49)
      if (term > top) [sum, top] = [sum * Math.exp(top - term) + 1, term];
      else sum += Math.exp(term - top);
    }
    return top + Math.log(sum);
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

// ---- The networks ----

// What each of them reads (points or symbols, and a text of V characters through a window) and puts out.
const NETWORKS = {
  HandwritingSynthesizer: ({ M, K, V }) => ({ points: 3, M, K, V, outputs: 1 + 6 * M }),
  HandwritingPredictor: ({ M }) => ({ points: 3, M, outputs: 1 + 6 * M }),
  TextPredictor: ({ V }) => ({ symbols: V, outputs: V }),
};

/** One of the book's networks, and the state it is in: LSTM layers with skip connections (eqs 1 to 4),
 *  with a window where the network has a text to write (eqs 52 and 53). */
export class Network {
  constructor({ about, tensor }, { plain = false } = {}) {
    const { hidden: H, layers: N } = about.config;
    const { outputs, points = 0, symbols = 0, M = 0, K = 0, V = 0 } = NETWORKS[about.model](about.config);
    Object.assign(this, { about, H, N, M, K, V, symbols });
    this.layers = Array.from({ length: N }, (_, n) => new PeepholeLayer(H, { points, symbols, V, below: n ? H : 0 }));
    this.window = K ? new SoftWindow(H, K, V) : undefined;
    this.output = new Product(outputs, N * H);
    this.allocate(plain);
    this.layers.forEach((layer, n) => layer.load(tensor, `layers.${n}`));
    this.window?.load(tensor, "window.linear");
    this.output.load(tensor, "output");
    this.y = this.output.y.subarray(0, outputs);
    this.state = [this.window?.w, this.window?.kappa, ...this.layers.flatMap(({ h, c }) => [h, c])].filter(Boolean);
  }

  allocate(plain) {
    const products = [...this.layers, ...(this.window ? [this.window] : []), this.output];
    const bytes = 4 * products.reduce((sum, product) => sum + product.floats, 0);
    const memory = plain || typeof WebAssembly === "undefined" ? undefined
      : new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) });
    const compiled = memory && compile(memory);
    this.multiply = compiled ?? plainProduct;
    this.kernel = compiled ? "WebAssembly" : "JavaScript";
    const buffer = memory?.buffer ?? new ArrayBuffer(bytes);
    products.reduce((start, product) => product.place(buffer, start), 0);
  }

  // The state's parts stand in `state`, in a fixed order; a copy of them is what others keep.
  initialState() { return this.state.map((part) => new Float32Array(part.length)); }
  save(copy = this.initialState()) { this.state.forEach((part, i) => copy[i].set(part)); return copy; }
  restore(saved) { this.state.forEach((part, i) => part.set(saved[i])); }
  reset() { for (const part of this.state) part.fill(0); }

  get at() { return this.window?.at ?? 0; }
  get past() { return this.window?.past ?? false; }
  logPhi(u) { return this.window.logPhi(u); }

  /** Read `input`, a point [dx, dy, end] or the number of a symbol (-1 is the null vector), in a
   *  text of `codes` where there is a window; returns the raw outputs `y` (a view). */
  step(input, codes) {
    const { layers, window, output, H, symbols } = this;
    layers.forEach((layer, n) => {
      if (!symbols) layer.x.set(input, 1);
      if (window) layer.w.set(window.w); // the first layer sees the window of the step before
      if (n) layer.below.set(layers[n - 1].h);
      this.multiply(layer);
      layer.gates(symbols ? layer.table[input] : undefined);
      if (window && n === 0) this.look(layer.h, codes);
      output.x.set(layer.h, 1 + n * H);
    });
    this.multiply(output);
    return this.y;
  }

  look(h, codes) {
    this.window.x.set(h, 1);
    this.multiply(this.window);
    this.window.read(codes);
  }
}
