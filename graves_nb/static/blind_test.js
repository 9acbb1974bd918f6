// "Which half is yours?" The same word twice on one sheet, once in the reader's ink and once in the
// network's, in an order that chance decides. Guessing is right every other time.

import { drawInk, strokesOf } from "./ink.js";
import { draws } from "./sampler.js";
import { colour, el, sharpCanvas } from "./toolkit.js";
import { WatchedLine } from "./watched.js";

const BLIND_ROUNDS = 6, WORD_INK = 6; // points: fewer are no word

/** The chance of at least `right` of `rounds` by guessing. */
export function guessingChance(right, rounds) {
  let ways = 0, term = 1; // term is the number of ways to be right k times
  for (let k = 0; k <= rounds; k++) {
    if (k >= right) ways += term;
    term = term * (rounds - k) / (k + 1);
  }
  return ways / 2 ** rounds;
}

/** Cut a line {text, offsets_raw} into its words, [{text, offsets}], where `cutter` (a Sampler) finds
 *  the lifts of the pen between them. */
export function wordsOf(line, cutter) {
  const words = line.text.split(" ");
  let from = 0;
  const pieces = words.map((text, n) => {
    const to = runThrough(cutter.cut(line, n + 1)).offsets.length, offsets = line.offsets_raw.slice(from, to);
    from = Math.max(from, to);
    return { text, offsets };
  });
  const whole = pieces.filter(({ text, offsets }) => text && offsets.length >= WORD_INK);
  return whole.length ? whole : [{ text: line.text, offsets: line.offsets_raw }];
}

/** Run a generator to its end and return its value. */
export function runThrough(work) {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Where the new word of a WatchedLine begins: after the last lift before the window leaves the prime. What comes
 *  sooner are strokes of the prime's last letter, which would give the network away. */
export function beginsAt({ prime, points, steps }) {
  const given = prime.offsets.length, next = steps.findIndex(({ at }, t) => t >= given && at > prime.text.length);
  const lift = points.findLastIndex(([, , end], t) => end && t >= given && t < next);
  return lift < 0 ? given : lift + 1;
}

/** `ask()` gives {line, cutter, network, bias, seed} when a test begins; `finished(right, rounds)` hears its end. */
export class BlindTest {
  constructor(root, { ask, finished }) {
    Object.assign(this, { root, ask, finished, frame: 0, answers: [], tests: 0 });
    this.sheet = sharpCanvas({ label: "Two halves", height: (width) => Math.max(120, Math.min(190, width / 4)), draw: (...on) => this.draw(...on) });
    this.words = el("p", { class: "own-verdict", "aria-live": "polite" });
    const button = (textContent, onclick) => el("button", { type: "button", textContent, onclick });
    this.begin = button("Begin the test", () => this.start());
    this.choices = ["left", "right"].map((side, i) => button(`The ${side} half is mine`, () => this.answer(i)));
    this.element = el("div", { class: "own-blind" }, el("p", { textContent: `${BLIND_ROUNDS} rounds. Each shows one word of your line twice: as you wrote it, `
      + "and as the network writes it in your hand." }), el("div", { class: "toy-row" }, this.begin, ...this.choices), this.sheet.canvas, this.words);
    this.show("");
  }

  get playing() { return Boolean(this.pieces); }

  /** Forget the present test, as after a change of the line. */
  reset() {
    cancelAnimationFrame(this.frame);
    Object.assign(this, { pieces: undefined, halves: undefined, answers: [] });
    this.show("");
  }

  start() {
    this.asked = this.ask();
    if (!this.asked) return this.show("Choose or write a line first.");
    Object.assign(this, { pieces: wordsOf(this.asked.line, this.asked.cutter), answers: [], tests: this.tests + 1 });
    return this.next();
  }

  /** Let the network write the word of this round, after the whole line. */
  next() {
    const { line, network, bias, seed } = this.asked, round = this.answers.length;
    const [, side] = draws(seed + 1000 * (round + 1) + 100_003 * this.tests, 0); // another test, other sides
    const mine = this.pieces[(this.tests + round) % this.pieces.length];
    const prime = { text: `${line.text} `, offsets: line.offsets_raw };
    const writing = new WatchedLine(network, mine.text, { prime, bias, seed: seed + round + 1 });
    cancelAnimationFrame(this.frame); // of a test that was begun before
    this.halves = undefined;
    this.show("The network writes ...");
    const go = () => {
      if (!writing.advance(performance.now() + 12)) { this.frame = requestAnimationFrame(go); return; }
      const its = writing.points.slice(beginsAt(writing)).map(([dx, dy, end]) => [Math.round(dx), Math.round(dy), end]);
      this.mineAt = Number(side < 0.5); // 0 is left
      this.halves = this.mineAt ? [its, mine.offsets] : [mine.offsets, its];
      this.show(`Round ${round + 1} of ${BLIND_ROUNDS}: “${mine.text}”. Which half is yours?`);
    };
    go();
  }

  answer(side) {
    if (!this.halves) return;
    this.answers.push(side === this.mineAt);
    const right = this.answers.filter(Boolean).length, rounds = this.answers.length;
    if (rounds < BLIND_ROUNDS) return this.next();
    const chance = Math.round(100 * guessingChance(right, rounds));
    this.pieces = undefined;
    this.show(`You were right in ${right} of ${rounds} rounds. Somebody who guesses is right in ${rounds / 2} on average, and in ${right} or more `
      + `in ${chance} % of tests. ${chance <= 5 ? "You can tell your ink from the network's." : "That is no proof that you can tell them apart."}`);
    return this.finished(right, rounds);
  }

  show(words) {
    this.words.textContent = words;
    this.begin.textContent = this.playing ? "Begin again" : "Begin the test";
    for (const choice of this.choices) choice.disabled = !(this.playing && this.halves);
    this.sheet.canvas.hidden = !this.playing;
    this.sheet.redraw();
  }

  draw(context, width, height) {
    if (!this.halves) return;
    const inks = this.halves.map((offsets) => strokesOf(offsets)), boxes = inks.map(halfBox);
    const scale = Math.min(...boxes.map(({ wide, tall }) => Math.min((width / 2 - 40) / (wide || 1), (height - 40) / (tall || 1))), 0.25);
    inks.forEach((strokes, i) => {
      const { left, top, wide, tall } = boxes[i], x0 = width * (0.25 + 0.5 * i) - scale * wide / 2, y0 = height / 2 - scale * tall / 2;
      const placed = strokes.map(({ first, xs, ys }) => ({ first, xs: xs.map((x) => x0 + scale * (x - left)), ys: ys.map((y) => y0 + scale * (y - top)) }));
      drawInk(context, { strokes: placed, scale }, Infinity, colour(this.root, "--ink"));
    });
    context.fillStyle = colour(this.root, "--edge");
    context.fillRect(width / 2, 12, 1, height - 24);
  }

  stop() { cancelAnimationFrame(this.frame); this.sheet.stop(); }
}

function halfBox(strokes) {
  const xs = strokes.flatMap((stroke) => stroke.xs), ys = strokes.flatMap((stroke) => stroke.ys);
  const left = Math.min(...xs), top = Math.min(...ys);
  return { left, top, wide: Math.max(...xs) - left, tall: Math.max(...ys) - top };
}
