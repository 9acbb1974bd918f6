// Writing with the network: random draws, the mixture, the stop rule, primes. The same draws give
// the same line here and in graves_nb/sampling.py.

import { drawFrom } from "./mixture.js";

export const STEPS_PER_CHARACTER = 60; // a line this long has lost its way
export const LONGEST = 200; // characters of one line

/** Scramble a whole number of 32 bits. */
function mix(x) {
  x ^= x >>> 16; x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15; x = Math.imul(x, 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The chance of point t: uniform for component and pen, then two normals. */
export function draws(seed, t) {
  const key = mix((seed + 0x9e3779b9) | 0);
  const uniform = (j) => (mix((key + Math.imul(4 * t + j, 0x9e3779b9)) | 0) + 0.5) / 2 ** 32;
  const radius = Math.sqrt(-2 * Math.log(uniform(2))), angle = 2 * Math.PI * uniform(3);
  return [uniform(0), uniform(1), radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** The mixture that raw outputs `y` stand for (eqs 19 to 22), as mixture.js has it. A bias sharpens it
 *  (eqs 61 and 62); a temperature, 1 as a rule, takes each factor of the density to the power of
 *  1 / temperature. */
export function mixtureOf(y, M, bias = 0, temperature = 1) {
  const share = softmax(y.subarray(1, 1 + M), temperature / (1 + bias)), widen = Math.sqrt(temperature);
  return share.map((pi, j) => {
    const hat = (block) => y[1 + block * M + j], sigma = (block) => widen * Math.exp(hat(block) - bias);
    return { pi, mu: [hat(1), hat(2)], sigma: [sigma(3), sigma(4)], rho: Math.tanh(hat(5)) };
  });
}

/** The chance that the pen lifts, e: no bias moves it. */
export const liftOf = (y, temperature = 1) => 1 / (1 + Math.exp(y[0] / temperature)); // eq. (18): minus, as printed

/** Draw the next point [dx, dy, end] from raw outputs `y`. */
export function drawPoint(y, M, bias, [uComponent, uPen, n1, n2], temperature = 1) {
  const [dx, dy] = drawFrom(mixtureOf(y, M, bias, temperature), [uComponent, n1, n2]);
  return [dx, dy, uPen < liftOf(y, temperature) ? 1 : 0];
}

/** How likely each symbol is to come next, from raw outputs (eq. 12). */
export function softmax(y, temperature = 1) {
  const top = Math.max(...y), weights = Array.from(y, (a) => Math.exp((a - top) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Draw the number of a symbol from its distribution. */
export function drawSymbol(shares, u) {
  let j = 0;
  for (let sum = shares[0]; sum <= u && j < shares.length - 1; sum += shares[++j]);
  return j;
}

/** What a writer can use instead: the table of graves_nb/checks.py. */
export const INSTEAD = {
  "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-",
  "\u2026": "...", "&": "and", "%": "per cent", "+": "plus", "=": "equals", "/": "or",
  "[": "(", "]": ")", "{": "(", "}": ")", "@": "at", "\t": "a space", "\n": "a line of its own",
  "\u00a0": "a space", "\u20ac": "euros", "$": "dollars", "\u00a3": "pounds",
  "\u00e9": "e", "\u00e8": "e", "\u00e0": "a", "\u00e7": "c", "\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue", "\u00df": "ss",
};

/** What is wrong with a text, in a sentence that says what to do; "" where nothing is. */
export function textProblem(text, alphabet) {
  if (!text.trim()) return "There is nothing to write. Type a few words.";
  if (text.length > LONGEST) return `The text has ${text.length} characters; a line takes at most ${LONGEST}. Write it as several lines.`;
  const unknown = [...new Set(text)].filter((letter) => !alphabet.includes(letter));
  if (!unknown.length) return "";
  const advice = unknown.map((letter) => `“${letter}” (${letter in INSTEAD ? `use ${INSTEAD[letter]}` : "leave it out"})`);
  return `The pen never learnt to write ${advice.join(", ")}. It knows letters, digits, space and . , ' " - ? ! : ; ( ) #`;
}

export const encode = (text, alphabet) => Array.from(text, (letter) => alphabet.indexOf(letter));

/** Ink or text in the making: a network in common with others, and a state, a last item and a chance of its
 *  own, so that many futures can grow side by side. An item is a point in the network's units or the number
 *  of a symbol. After each step the network can be looked at. A text network that learnt sentence by
 *  sentence begins anew after the symbol `restart`. */
export class Writing {
  constructor(network, {
    text = "", state = network.initialState(), last = network.symbols ? -1 : [0, 0, 0], restart,
    bias = 0, temperature = 1, seed = 0, chance = (t) => draws(seed, t), limit = Infinity,
  } = {}) {
    Object.assign(this, { network, state, last, restart, bias, temperature, chance, limit, t: 0, stopped: "" });
    this.replaceText(text);
  }

  /** Give the window another text to read from now on. */
  replaceText(text) {
    this.text = text;
    this.codes = this.network.window ? encode(text, this.network.about.alphabet) : [];
  }

  /** Let the network read the last item; returns its raw outputs (a view). */
  predict() {
    const { network, state, last, codes } = this;
    network.restore(state);
    const y = network.step(last, codes);
    network.save(state);
    return y;
  }

  /** Go on with an item that is given, whatever the network thinks (teacher forcing). */
  follow(item) {
    const y = this.predict();
    this.last = item;
    return y;
  }

  /** Go on with an item that the network draws; returns it, or undefined at the end. Then `stopped`
   *  says what ended it: "rule" or "length". */
  next() {
    const y = this.predict(), { network, bias, temperature } = this;
    if (network.past) this.stopped = "rule";
    else if (this.t >= this.limit) this.stopped = "length";
    if (this.stopped) return undefined;
    const chance = this.chance(this.t++);
    const item = network.symbols ? drawSymbol(softmax(y, temperature), chance[0])
      : drawPoint(y, network.M, bias, chance, temperature);
    if (item === this.restart) Object.assign(this, { last: -1, state: network.initialState() });
    else this.last = item;
    return item;
  }

  /** Another future from here: `changes` are options, such as a seed. Draws are counted anew. */
  branch(changes = {}) {
    const { network, text, state, last, restart, bias, temperature, limit } = this;
    const own = state.map((part) => part.slice());
    return new Writing(network, { text, state: own, last, restart, bias, temperature, limit, ...changes });
  }
}

const NO_PRIME = { text: "", offsets: [] };

/** Lets a network write lines in tablet units. It keeps the states after a prime, so that only a new
 *  text or a new prime costs time. What takes long is a generator: its yields give the page time to breathe. */
export class Sampler {
  constructor(network) {
    this.network = network;
    this.alphabet = network.about.alphabet;
    const { mean: [mx, my], std: [sx, sy] } = network.about.normalisation;
    this.normalise = ([dx, dy, end]) => [(dx - mx) / sx, (dy - my) / sy, end];
    this.toRaw = ([dx, dy, end]) => [dx * sx + mx, dy * sy + my, end];
    this.primed = new Map();
  }

  /** Read a line's points but the last; returns the writing that can go on from there, and the place of
   *  the window at each point. */
  *read(points, text) {
    const writing = new Writing(this.network, { text }), places = [];
    for (const point of points) {
      writing.follow(this.normalise(point));
      places.push(this.network.at);
      yield;
    }
    return { writing, places };
  }

  /** Bring the network to the end of `prime` = {text, offsets}, read with the text that follows it. */
  *begin(prime, text) {
    const key = JSON.stringify([prime, text]);
    if (!this.primed.has(key)) {
      const read = yield* this.read(prime.offsets, prime.text + text);
      if (this.primed.size > 20) this.primed.clear();
      this.primed.set(key, read);
    }
    return this.primed.get(key);
  }

  /** Write `text`, point by point: yields [dx, dy, end, place] in tablet units, where `place` counts
   *  characters of `text` from 1, or nothing while it reads the prime. Returns what ended the line:
   *  "rule" or "length". Several lines can be under way at once. */
  *write(text, { prime = NO_PRIME, limit = STEPS_PER_CHARACTER * text.length, ...options } = {}) {
    const line = (yield* this.begin(prime, text)).writing.branch({ limit, ...options });
    for (let point = line.next(); point; point = line.next()) {
      yield [...this.toRaw(point), this.network.at - prime.text.length];
    }
    return line.stopped;
  }

  /** The first `words` words of a line {text, offsets_raw} as a prime: ink and transcript are cut at
   *  one place, the last lift of the pen before the window comes to the next word. */
  *cut({ text, offsets_raw: offsets }, words) {
    const all = text.split(" ");
    if (words <= 0) return NO_PRIME;
    if (words >= all.length) return { text: `${text} `, offsets };
    const kept = `${all.slice(0, words).join(" ")} `;
    const { places } = yield* this.begin({ text, offsets }, "");
    const next = places.findIndex((place) => place > kept.length);
    const lifts = offsets.map(([, , end], t) => (end ? t + 1 : 0)).filter((t) => t && (next < 0 || t <= next));
    return { text: kept, offsets: offsets.slice(0, lifts.pop() ?? next) };
  }
}
