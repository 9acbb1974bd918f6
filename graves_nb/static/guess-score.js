// The score of Shannon's game: what guesses are worth, bits a character as bars, and all bits as a race.

import { colour, el, sharpCanvas } from "./toolkit.js";

const EXPECTED_WEIGHT = 2; // how many guesses the expectation counts for
const PLAYERS = [["you", "you", "--blue", []], ["bigram", "bigram", "--orange", [7, 4]], ["lstm", "LSTM", "--green", [2, 4]]];

export const bitsOf = (share) => -Math.log2(share);
export const addUp = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** What guesses are worth: see Twin in graves_nb/toys/guess.py. */
export class GuessTwin {
  constructor(expected) { Object.assign(this, { expected, tries: expected.map(() => 0), hits: expected.map(() => 0) }); }

  place(n) { return Math.min(n, this.expected.length - 1); }

  rate(n) {
    const at = this.place(n);
    return (this.hits[at] + EXPECTED_WEIGHT * this.expected[at]) / (this.tries[at] + EXPECTED_WEIGHT);
  }

  cost(misses, hit) {
    const flags = [...Array(misses).fill(false), ...(hit ? [true] : [])];
    const bits = addUp(flags.map((right, n) => bitsOf(right ? this.rate(n) : 1 - this.rate(n))));
    flags.forEach((right, n) => { this.tries[this.place(n)]++; this.hits[this.place(n)] += right; });
    return bits;
  }
}

/** Bars and race. `add(who, bits)` counts one character of "you", "bigram" or "lstm"; `wanted` is where the race's
 *  mark stands. */
export class GuessScore {
  constructor(root, wanted) {
    Object.assign(this, { root, wanted });
    this.bars = el("div", { class: "guess-scores" });
    this.race = sharpCanvas({ label: "Bits so far", height: () => 170, draw: (context, width, height) => this.draw(context, width, height) });
    this.stop = this.race.stop;
    this.reset();
  }

  reset() { this.bits = Object.fromEntries(PLAYERS.map(([who]) => [who, []])); }
  add(who, bits) { this.bits[who].push(bits); }
  count(who) { return this.bits[who].length; }
  total(who) { return addUp(this.bits[who]); }
  mean(who) { return this.total(who) / this.count(who); }

  /** What the character before cost each of those who have come so far, in words. */
  latest() {
    const there = PLAYERS.filter(([who]) => this.count(who) === this.count("you"));
    return there.map(([who, name]) => `${this.bits[who].at(-1).toFixed(1)} for ${who === "you" ? "you" : `the ${name}`}`).join(", ");
  }

  show(words) {
    const most = Math.max(4, ...PLAYERS.map(([who]) => this.mean(who)).filter(Number.isFinite));
    this.bars.replaceChildren(el("p", { class: "guess-unit", textContent: "Bits a character, so far" }), ...PLAYERS.map(([who, name, hue]) => {
      const mean = this.mean(who), bar = el("span", { class: "guess-bar", "aria-hidden": "true" });
      bar.style.setProperty("--length", `${100 * (mean || 0) / most}%`);
      bar.style.setProperty("--hue", `var(${hue})`);
      return el("div", { class: "guess-score" }, el("span", { textContent: name }), bar,
        el("span", { class: "guess-number", textContent: Number.isFinite(mean) ? `${mean.toFixed(2)} bits` : "..." }));
    }), el("p", { class: "guess-unit", textContent: words }));
    const totals = PLAYERS.map(([who, name]) => `${name}: ${this.total(who).toFixed(1)}`).join(", ");
    this.race.canvas.setAttribute("aria-label", `Bits so far, over ${this.count("you")} characters. ${totals}. ${words}`);
    this.race.redraw();
  }

  draw(context, width, height) {
    const left = 34, right = 62, bottom = 24, top = 10, count = Math.max(this.wanted + 4, this.count("you") + 2);
    const most = Math.max(40, ...PLAYERS.map(([who]) => this.total(who))), tall = height - bottom - top;
    const x = (n) => left + (width - left - right) * n / count, y = (bits) => height - bottom - tall * bits / (1.1 * most);
    const words = (text, at, up, hue = "--quiet") => { context.fillStyle = colour(this.root, hue); context.fillText(text, at, up); };
    const line = (points, hue, thick, dash = []) => {
      Object.assign(context, { strokeStyle: colour(this.root, hue), lineWidth: thick });
      context.setLineDash(dash);
      context.beginPath();
      points.forEach((point) => context.lineTo(...point));
      context.stroke();
    };
    context.font = "13px system-ui, sans-serif";
    line([[left, top], [left, y(0)], [width - right, y(0)]], "--edge", 1);
    line([[x(this.wanted), top], [x(this.wanted), y(0)]], "--edge", 1, [3, 4]);
    [["0", left - 12, y(0) + 4], [String(Math.round(most)), 2, y(most) + 4], ["bits", 2, y(most) + 20],
      [String(this.wanted), x(this.wanted) - 8, height - 7], ["characters", left + 4, height - 7]].forEach((label) => words(...label));
    this.drawPlayers(line, words, x, y);
  }

  /** One line for each player, with its name at the end; names keep apart. */
  drawPlayers(line, words, x, y) {
    const ends = PLAYERS.filter(([who]) => this.count(who)).map(([who, name, hue, dash]) => {
      let total = 0;
      const points = [[x(0), y(0)], ...this.bits[who].map((bits, n) => [x(n + 1), y(total += bits)])];
      line(points, hue, 2.4, dash);
      return { name, hue, at: points.at(-1) };
    }).sort((a, b) => a.at[1] - b.at[1]);
    ends.reduce((above, { name, hue, at: [across, up] }) => {
      const place = Math.max(up + 4, above + 15);
      words(name, across + 6, place, hue);
      return place;
    }, -Infinity);
  }
}
