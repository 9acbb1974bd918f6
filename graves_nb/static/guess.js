// Shannon's guessing game: the reader guesses the next character of a play, a table of pairs and the LSTM
// predict the same one, and all three are counted in bits.

import { goalLine } from "./goal.js";
import { GuessScore, GuessTwin, bitsOf, addUp } from "./guess-score.js";
import { likeliest, nameOf, symbolBars } from "./letters.js";
import { loadNetwork } from "./loader.js";
import { softmax } from "./sampler.js";
import { announcer, el, newId, toyRoot } from "./toolkit.js";

const GUESS_LSTM = { kind: "TextPredictor", name: "the LSTM" };
const KEY_ROWS = ["qwertyuiop", "asdfghjkl'", "zxcvbnm-", ",.;:!?[]", " \n"];
const WANTED = 20, FAVOURITES = 5, GUESS_BUDGET = 10; // milliseconds of network in each frame

class Guess {
  constructor(model, host) {
    Object.assign(this, { model, root: toyRoot(host, "guess"), symbols: [...model.get("symbols")], keys: [...model.get("choices")] });
    this.pairs = model.get("pairs").map((row) => row.map((count) => count / addUp(row)));
    this.folds = this.symbols.map((symbol) => this.keys.indexOf(symbol.toLowerCase()));
    this.build();
    this.say = announcer(this.root, 300);
    this.changed = () => this.begin();
    model.on("change:passage", this.changed);
    this.begin();
    this.stopLoading = loadNetwork(model, this.loading, GUESS_LSTM, (network) => { this.network = network; this.predict(); });
  }

  get passage() { return this.model.get("passages")[this.model.get("passage")]; }
  get at() { return this.score.count("you"); }
  get letter() { return this.passage.text[this.at]?.toLowerCase(); }

  build() {
    const act = (textContent, onclick, options = {}) => el("button", { type: "button", textContent, onclick, ...options });
    this.goal = goalLine();
    this.sheet = el("div", { class: "guess-sheet", role: "region", tabIndex: 0, "aria-label": "The play so far" });
    this.status = el("p", { class: "guess-status" });
    const id = newId();
    this.input = el("input", { type: "text", id, autocomplete: "off", autocapitalize: "off", spellcheck: false, oninput: () => this.typed(),
      onkeydown: (event) => { if (event.key === "Enter") this.guess("\n"); } });
    this.tell = act("Tell me", () => this.giveUp());
    this.buttons = new Map(KEY_ROWS.flatMap((row) => [...row]).map((key) => [key, act(key === " " ? "space" : key === "\n" ? "new line ↵" : key,
      () => this.guess(key), { class: "guess-key", ...(/\s/.test(key) ? {} : { "aria-label": nameOf(key) }) })]));
    const board = el("div", { class: "guess-board", role: "group", "aria-label": "Characters to guess" },
      ...KEY_ROWS.map((row) => el("div", { class: "guess-row" }, ...Array.from(row, (key) => this.buttons.get(key)))));
    this.score = new GuessScore(this.root, WANTED);
    this.loading = el("div", { class: "guess-loading" });
    this.favourites = el("div", { class: "guess-favourites" });
    this.root.append(this.goal.line, this.sheet, this.status, el("div", { class: "toy-row guess-type" },
      el("label", { htmlFor: id, textContent: "Your guess" }), this.input, this.tell), board, this.score.bars, this.loading, this.score.race.canvas,
    el("details", {}, el("summary", { textContent: "What the two expected there" }), this.favourites),
    el("div", { class: "toy-row" }, act("Another passage", () => this.another()), act("Start again", () => this.begin())));
  }

  another() {
    this.model.set("passage", (this.model.get("passage") + 1) % this.model.get("passages").length);
    this.model.save_changes();
  }

  begin() {
    this.twin = new GuessTwin(this.model.get("expected"));
    this.score.reset();
    Object.assign(this, { tried: [], ranks: [], reached: false, expected: [] });
    this.status.textContent = "Which character comes next? Type it, or press a key below. Capitals count as small letters.";
    this.show();
    this.predict();
  }

  // ---- The two others ----

  /** The bigram's shares of the keys, after the character before the one to guess. */
  bigram(at) {
    const { before, text } = this.passage;
    return this.pairs[this.symbols.indexOf(at ? text[at - 1] : before.at(-1))];
  }

  /** Let the LSTM read what the reader sees, and keep what it expected at each place. */
  predict() {
    if (!this.network) return;
    const reading = this.reading = this.read(this.passage), found = [];
    const work = () => {
      if (reading !== this.reading) return;
      for (const end = performance.now() + GUESS_BUDGET; performance.now() < end;) {
        const { done, value } = reading.next();
        if (value) found.push(value);
        if (done) { this.expected = found; this.catchUp(); return; }
      }
      setTimeout(work);
    };
    this.network.reset();
    work();
  }

  *read({ before, text }) {
    let y = this.network.step(-1); // the null vector comes first
    for (const [t, letter] of [...before, ...text].entries()) {
      const shares = t < before.length ? undefined : this.keys.map(() => 0);
      if (shares) softmax(y).forEach((share, i) => { shares[this.folds[i]] += share; });
      y = this.network.step(this.symbols.indexOf(letter));
      yield shares;
    }
  }

  catchUp() {
    for (let at = this.score.count("lstm"); at < this.at; at++) this.score.add("lstm", this.costOf(this.expected[at], at));
    this.show();
  }

  costOf(shares, at) { return bitsOf(shares[this.keys.indexOf(this.passage.text[at].toLowerCase())]); }

  // ---- Guessing ----

  typed() {
    const key = [...this.input.value].at(-1)?.toLowerCase(); // a symbol may be two code units long
    this.input.value = "";
    if (key !== undefined) this.guess(key);
  }

  guess(key) {
    const name = nameOf(key);
    if (!this.letter) return this.tellStatus("The passage is at its end. Take another one.");
    if (!this.buttons.has(key)) return this.tellStatus(`The play holds no ${name}. Guess another character.`);
    if (this.tried.includes(key)) return this.tellStatus(`You have tried ${name} already.`);
    this.tried.push(key);
    if (key === this.letter) return this.solve(true);
    this.showKeys();
    return this.tellStatus(`Not ${name}. Guess again, or let yourself be told.`);
  }

  giveUp() {
    if (this.letter) this.solve(false);
  }

  /** The character is known: count it for all three. Where the reader gave up, the bigram fills in for the rest. */
  solve(hit) {
    const at = this.at, pairs = this.bigram(at), { letter, tried } = this;
    const left = 1 - addUp(tried.map((key) => pairs[this.keys.indexOf(key)]));
    const you = this.twin.cost(tried.length - hit, hit) + (hit ? 0 : this.costOf(pairs, at) - bitsOf(left));
    this.ranks.push(hit ? tried.length : 0);
    this.tried = [];
    this.score.add("you", you);
    this.score.add("bigram", this.costOf(pairs, at));
    if (this.expected.length) this.catchUp();
    else this.show();
    this.tellStatus(`${hit ? `Right, at guess ${this.ranks.at(-1)}` : "It was"}: ${nameOf(letter)}. Bits: ${this.score.latest()}.`);
  }

  tellStatus(words) {
    this.status.textContent = words;
    this.say(words);
  }

  // ---- The picture ----

  show() {
    const { before, text } = this.passage;
    const solved = Array.from(text.slice(0, this.at), (letter, i) => el("span", { class: this.ranks[i] === 1 ? "guess-first" : this.ranks[i] ? "guess-later" : "guess-told",
      textContent: letter === "\n" ? "↵\n" : letter }));
    this.sheet.replaceChildren(before, ...solved, el("span", { class: "guess-cursor", textContent: this.letter ? "?" : "" }));
    this.sheet.scrollTop = this.sheet.scrollHeight;
    this.showKeys();
    this.showFavourites(this.at - 1);
    this.reached ||= this.at >= WANTED && this.score.mean("you") < this.score.mean("bigram");
    const [mine, its] = ["you", "bigram"].map((who) => (this.at ? this.score.mean(who).toFixed(2) : "0"));
    this.goal.set(this.reached, `Goal: over ${WANTED} characters or more, fewer bits a character than the bigram.`,
      `Goal reached: ${mine} bits a character over ${this.at}, the bigram ${its}. It knows pairs of letters. You know words.`);
    this.score.show(`${this.ranks.filter((rank) => rank === 1).length} of your first guesses were right.`);
  }

  /** What the two expected at a place that is solved. */
  showFavourites(at) {
    if (at < 0) return this.favourites.replaceChildren("Guess a character first.");
    const seen = [["The bigram", this.bigram(at)], ["The LSTM", this.expected[at]]].filter(([, shares]) => shares);
    const came = this.passage.text[at].toLowerCase();
    return this.favourites.replaceChildren(...seen.map(([name, shares]) => symbolBars(name, likeliest(this.keys, shares, came, FAVOURITES))));
  }

  showKeys() {
    for (const [key, button] of this.buttons) button.setAttribute("aria-disabled", this.tried.includes(key) || !this.letter);
    this.tell.setAttribute("aria-disabled", !this.letter);
  }

  stop() {
    this.reading = undefined;
    this.stopLoading();
    this.score.stop();
    this.model.off("change:passage", this.changed);
  }
}

function render({ model, el: host }) {
  const game = new Guess(model, host);
  return () => game.stop();
}

export default { render };
