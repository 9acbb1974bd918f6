// Writing with the network: random draws, the mixture, the stop rule, primes. The same draws give
// the same line here and in graves_nb/sampling.py.

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

/** Draw the next point [dx, dy, end] from raw outputs `y` (eqs 18-22, biased by eqs 61-62). */
export function drawPoint(y, M, bias, [uComponent, uPen, n1, n2]) {
  let top = -Infinity, total = 0, sum = 0, j = 0;
  for (let m = 1; m <= M; m++) top = Math.max(top, y[m]);
  const weight = (m) => Math.exp((y[m] - top) * (1 + bias)); // eq. (62)
  for (let m = 1; m <= M; m++) total += weight(m);
  for (; j < M - 1; j++) {
    sum += weight(1 + j) / total;
    if (sum > uComponent) break;
  }
  const [mu1, mu2, s1, s2, r] = [1, 2, 3, 4, 5].map((block) => y[1 + block * M + j]);
  const rho = Math.tanh(r);
  const end = uPen < 1 / (1 + Math.exp(y[0])) ? 1 : 0; // eq. (18): minus, as printed
  return [
    mu1 + Math.exp(s1 - bias) * n1, // eq. (61)
    mu2 + Math.exp(s2 - bias) * (rho * n1 + Math.sqrt(1 - rho * rho) * n2),
    end,
  ];
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

const NO_PRIME = { text: "", offsets: [] };

/** Lets a network write lines. It keeps the states after a prime, so that only a new text or a new
 *  prime costs time. */
export class Sampler {
  constructor(network) {
    this.network = network;
    this.alphabet = network.about.alphabet;
    const { mean: [mx, my], std: [sx, sy] } = network.about.normalisation;
    this.normalise = ([dx, dy, end]) => [(dx - mx) / sx, (dy - my) / sy, end];
    this.toRaw = ([dx, dy, end]) => [dx * sx + mx, dy * sy + my, end];
    this.primed = new Map();
  }

  /** Read a prime's points but the last; returns the last, and the place of the window at each.
   *  Like all that takes long here it is a generator: what it yields gives the page time to breathe. */
  *read(points, codes) {
    const { network } = this;
    const places = [];
    let point = [0, 0, 0];
    network.reset();
    for (const next of points) {
      network.step(point, codes);
      places.push(network.at);
      point = this.normalise(next);
      yield;
    }
    return { point, places, state: network.save() };
  }

  /** Bring the network to the end of `prime` = {text, offsets}, read with the text that follows it. */
  *begin(prime, text, codes) {
    const key = JSON.stringify([prime.text, prime.offsets.length, text]);
    if (!this.primed.has(key)) {
      const read = yield* this.read(prime.offsets, codes);
      if (this.primed.size > 20) this.primed.clear();
      this.primed.set(key, read);
    }
    return this.primed.get(key);
  }

  /** Write `text`, point by point: yields [dx, dy, end, place] in tablet units, where `place` counts
   *  characters of `text` from 1, or nothing while it reads the prime. Returns what ended the line:
   *  "rule" or "length". Only one writing at a time: the network has one state. */
  *write(text, { bias = 0, seed = 0, prime = NO_PRIME, chance = (t) => draws(seed, t) } = {}) {
    const { network } = this;
    const codes = encode(prime.text + text, this.alphabet);
    let { point, state } = yield* this.begin(prime, text, codes);
    network.restore(state);
    const limit = STEPS_PER_CHARACTER * text.length;
    for (let t = 0; ; t++) {
      const y = network.step(point, codes);
      if (network.past) return "rule";
      if (t === limit) return "length";
      point = drawPoint(y, network.M, bias, chance(t));
      yield [...this.toRaw(point), network.at - prime.text.length];
    }
  }

  /** The first `words` words of a line {text, offsets_raw} as a prime: ink and transcript are cut at
   *  one place, the last lift of the pen before the window comes to the next word. */
  *cut({ text, offsets_raw: offsets }, words) {
    const all = text.split(" ");
    if (words <= 0) return NO_PRIME;
    if (words >= all.length) return { text: `${text} `, offsets };
    const kept = `${all.slice(0, words).join(" ")} `;
    const { places } = yield* this.begin({ text, offsets }, "", encode(text, this.alphabet));
    const next = places.findIndex((place) => place > kept.length);
    const lifts = offsets.map(([, , end], t) => (end ? t + 1 : 0)).filter((t) => t && (next < 0 || t <= next));
    return { text: kept, offsets: offsets.slice(0, lifts.pop() ?? next) };
  }
}
