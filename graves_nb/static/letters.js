// Symbols of a text in a page: how they are shown and named, and how likely each was, as bars.

import { el } from "./toolkit.js";

const SIGNS = { "\n": "↵", " ": "␣" };
const SYMBOL_NAMES = { "\n": "new line", " ": "space", ".": "full stop", ",": "comma", "'": "apostrophe", "-": "hyphen" };

/** A symbol as one visible character. */
export const signOf = (symbol) => SIGNS[symbol] ?? symbol;

/** A symbol in words. */
export const nameOf = (symbol) => SYMBOL_NAMES[symbol] ?? `“${symbol}”`;

/** A share as a percentage of two figures at most. */
export const percentOf = (share) => (share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`);

/** The `count` likeliest of `symbols` as rows [symbol, share, came]; `came` marks the one that came. If it is
 *  not among them, it stands in the last row. */
export function likeliest(symbols, shares, came, count) {
  const rows = Array.from(symbols, (symbol, i) => [symbol, shares[i], symbol === came]);
  rows.sort((a, b) => b[1] - a[1]);
  const top = rows.slice(0, count), right = rows.find((row) => row[2]);
  if (right && !top.includes(right)) top[count - 1] = right;
  return top;
}

/** Rows [symbol, share, came] as bars under a `title`; the symbol that came has a mark, not only a colour. */
export function symbolBars(title, rows) {
  const row = ([symbol, share, came]) => {
    const bar = el("span", { class: "letters-bar", "aria-hidden": "true" });
    bar.style.setProperty("--length", `${100 * share}%`);
    return el("li", { class: came ? "letters-came" : "" }, el("span", { class: "letters-sign", "aria-label": nameOf(symbol), role: "img", textContent: signOf(symbol) }),
      bar, el("span", { class: "letters-share", textContent: `${percentOf(share)}${came ? " ✓" : ""}` }));
  };
  return el("div", { class: "letters" }, el("p", { class: "letters-title", textContent: title }), el("ul", {}, ...rows.map(row)));
}
