// Which idea became what: ten ideas of 2013, ten later works, and threads that the reader draws by
// choosing one card on each side, in either order.

import { announcer, el, newId, onTheme, reducedMotion, toyRoot } from "./toolkit.js";

const THREAD_COLOURS = ["blue", "orange", "green", "vermillion", "purple"];
const SIDES = { idea: ["work", "ArrowRight"], work: ["idea", "ArrowLeft"] }; // the other side, and the key that leads there
const START = "Choose a card on either side to see what it does. Then choose what belongs to it on the other.";

/** A line of text with a bold beginning. */
const told = (name, text) => el("p", {}, el("b", { textContent: `${name} ` }), text);

class Lineage {
  constructor(model, host) {
    this.model = model;
    this.root = toyRoot(host, "lineage");
    this.threads = model.get("threads");
    this.order = { idea: this.threads, work: [...this.threads].sort((a, b) => a.year - b.year) };
    this.build();
    this.say = announcer(this.root, 400);
    this.sizes = new ResizeObserver(() => this.drawThreads());
    this.sizes.observe(this.map);
    this.forgetTheme = onTheme(() => this.drawThreads());
    this.changed = () => this.show();
    for (const field of ["found", "misses"]) model.on(`change:${field}`, this.changed);
    this.tell(START);
    this.show();
  }

  get found() { return this.model.get("found"); }
  set(values) {
    for (const [field, value] of Object.entries(values)) this.model.set(field, value);
    this.model.save_changes();
  }

  build() {
    this.goal = el("p", { class: "toy-goal" });
    this.cards = { idea: new Map(), work: new Map() };
    const lists = Object.keys(SIDES).map((side) => this.buildList(side));
    this.web = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.web.setAttribute("class", "lineage-web");
    this.web.setAttribute("role", "img");
    this.map = el("div", { class: "lineage-map" }, lists[0], this.web, lists[1]);
    this.story = el("div", { class: "lineage-story" });
    this.help = el("button", { type: "button", textContent: "Show me one", onclick: () => this.showOne() });
    this.root.append(this.goal, this.map, this.story, el("div", { class: "toy-row" }, this.help,
      el("button", { type: "button", textContent: "Start again", onclick: () => this.again() })), this.legend());
  }

  buildList(side) {
    const heading = el("p", { class: "lineage-heading", id: newId(), textContent: side === "idea" ? "2013" : "Later, by year" });
    const items = this.order[side].map((thread) => el("li", {}, this.buildCard(side, thread)));
    return el("div", { class: "lineage-side" }, heading, el("ul", { "aria-labelledby": heading.id, role: "list" }, ...items));
  }

  buildCard(side, thread) {
    const badge = el("span", { class: "lineage-badge", "aria-hidden": "true" });
    const joined = el("span", { class: "toy-hidden" });
    const words = side === "idea" ? [thread.idea] : [el("small", { textContent: thread.year }), ` ${thread.work}`];
    const card = el("button", {
      type: "button", class: "lineage-card", "aria-pressed": "false", onclick: () => this.choose(side, thread),
      onkeydown: (event) => this.walk(event, side, thread), onblur: () => this.preview(),
      onpointerenter: () => this.preview(side, thread), onpointerleave: () => this.preview(), onfocus: () => this.preview(side, thread),
    }, el("span", {}, ...words), joined, badge);
    this.cards[side].set(thread.key, { card, badge, joined });
    return card;
  }

  legend() {
    const line = (dashed) => `<svg width="44" height="10" aria-hidden="true"><path d="M2 5h40" class="lineage-thread${dashed ? " lineage-likeness" : ""}"/></svg>`;
    const note = el("p", { class: "toy-note" });
    note.innerHTML = `${line(false)} the later work cites Graves. ${line(true)} a likeness: we claim no descent. “Show me one” counts as a miss.`;
    return note;
  }

  /** Arrow keys: up and down a list, and across to the card at the same height. */
  walk(event, side, thread) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const [other, across] = SIDES[side];
    if (!step && event.key !== across) return;
    event.preventDefault();
    const at = this.order[side].indexOf(thread), to = step ? side : other;
    const next = this.order[to][(at + (step ?? 0) + this.threads.length) % this.threads.length];
    this.cards[to].get(next.key).card.focus();
  }

  choose(side, thread) {
    const picked = this.picked;
    if (this.found.includes(thread.key)) return this.recall(thread);
    if (picked && picked.side !== side) return this.join(picked, side, thread);
    const same = picked?.thread === thread;
    this.picked = same ? undefined : { side, thread };
    this.shown = undefined;
    if (same) this.tell(START);
    else this.describe(side, thread);
    this.show();
  }

  join(picked, side, thread) {
    if (picked.thread === thread) return this.draw(thread);
    this.set({ misses: this.model.get("misses") + 1 });
    const { card } = this.cards[side].get(thread.key);
    if (!reducedMotion()) card.animate({ translate: ["0", "-6px", "6px", "-3px", "0"] }, 300);
    const names = [picked, { side, thread }].map((end) => end.thread[end.side]);
    this.tell(`${names[0]} and ${names[1]}: not these two. Compare what they do.`,
      ...[picked, { side, thread }].map((end) => told(`${end.thread[end.side]}:`, end.side === "idea" ? end.thread.does : end.thread.did)));
    this.show();
  }

  draw(thread) {
    this.picked = undefined;
    this.set({ found: [...this.found, thread.key] });
    this.recall(thread, "Yes. ");
  }

  showOne() {
    const thread = this.picked?.thread ?? this.threads.find(({ key }) => !this.found.includes(key));
    this.set({ misses: this.model.get("misses") + 1 });
    this.draw(thread);
    if (this.help.disabled) this.cards.idea.get(thread.key).card.focus(); // a button that fades must not keep the focus
  }

  again() {
    this.picked = this.shown = undefined;
    this.tell(START);
    this.set({ found: [], misses: 0 });
    this.show();
  }

  describe(side, thread) {
    const [name, source, text] = side === "idea" ? [thread.idea, thread.where, thread.does] : [thread.work, `${thread.who}, ${thread.year}`, thread.did];
    this.tell(`${name} (${source})`, el("p", { textContent: text }));
  }

  /** Tell what stayed and what changed along a thread. */
  recall(thread, opening = "") {
    this.picked = undefined;
    this.shown = thread.key;
    this.tell(`${opening}${thread.idea} (${thread.where}) → ${thread.work} (${thread.who}, ${thread.year})`,
      told("What stayed.", thread.stayed), told("What changed.", thread.changed));
    this.show();
  }

  tell(title, ...paragraphs) {
    this.story.replaceChildren(el("p", { class: "lineage-title", textContent: title }), ...paragraphs);
    this.say?.([title, ...paragraphs.map((p) => p.textContent)].join(" "));
  }

  show() {
    const found = this.found, misses = this.model.get("misses"), all = this.threads.length;
    const reached = found.length === all;
    const wrong = misses === 0 ? "without a miss" : `${misses} ${misses === 1 ? "miss" : "misses"}`;
    this.goal.textContent = reached ? `Goal reached: all ${all} threads, ${wrong}. Choose any card to read its story again.`
      : `Goal: draw all ${all} threads. ${found.length} so far, ${wrong}.`;
    this.goal.classList.toggle("toy-reached", reached);
    this.help.disabled = reached;
    for (const [side, [other]] of Object.entries(SIDES)) {
      for (const thread of this.threads) this.showCard(side, other, thread, found.indexOf(thread.key) + 1);
    }
    this.drawThreads();
  }

  showCard(side, other, thread, number) {
    const { card, badge, joined } = this.cards[side].get(thread.key);
    const picked = this.picked?.side === side && this.picked.thread === thread;
    card.setAttribute("aria-pressed", String(picked));
    card.classList.toggle("lineage-found", number > 0);
    badge.textContent = number || "";
    joined.textContent = number ? ` (thread ${number}, to ${thread[other]})` : "";
  }

  /** Show where a thread from the chosen card would go. */
  preview(side, thread) {
    const fits = thread && this.picked && this.picked.side !== side && !this.found.includes(thread.key);
    this.aim = fits ? thread : undefined;
    this.drawThreads();
  }

  drawThreads() {
    const box = this.web.getBoundingClientRect(), [a, b] = [4, box.width - 4];
    if (!box.width) return;
    const middle = (side, { key }) => {
      const at = this.cards[side].get(key).card.getBoundingClientRect();
      return at.top + at.height / 2 - box.top;
    };
    const path = (from, to) => {
      const [y, z] = [middle("idea", from), middle("work", to)];
      return `M${a} ${y}C${(a + b) / 2} ${y} ${(a + b) / 2} ${z} ${b} ${z}`;
    };
    const drawn = this.threads.filter(({ key }) => this.found.includes(key)).map((thread) => {
      const kind = `${thread.named ? "" : " lineage-likeness"}${thread.key === this.shown ? " lineage-shown" : ""}`;
      const hue = THREAD_COLOURS[this.threads.indexOf(thread) % THREAD_COLOURS.length];
      return `<path d="${path(thread, thread)}" class="lineage-thread${kind}" style="stroke:var(--${hue})"/>`;
    });
    if (this.aim && this.picked) {
      const [from, to] = this.picked.side === "idea" ? [this.picked.thread, this.aim] : [this.aim, this.picked.thread];
      drawn.push(`<path d="${path(from, to)}" class="lineage-aim"/>`);
    }
    this.web.innerHTML = drawn.join("");
    const names = this.threads.filter(({ key }) => this.found.includes(key)).map(({ idea, work }) => `${idea} to ${work}`);
    this.web.setAttribute("aria-label", names.length ? `Threads drawn: ${names.join("; ")}` : "No thread is drawn yet");
  }

  stop() {
    this.sizes.disconnect();
    this.forgetTheme();
    for (const field of ["found", "misses"]) this.model.off(`change:${field}`, this.changed);
  }
}

function render({ model, el: host }) {
  const lineage = new Lineage(model, host);
  return () => lineage.stop();
}

export default { render };
