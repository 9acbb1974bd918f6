// Rows of tiles, one tile a step: painted with a pointer or turned by keys, or pictures of numbers from 0 to 1.

import { el } from "./toolkit.js";

/** Build rows for `names` (letter: words) of `steps` tiles. `turned(letter, steps, value)` hears that the
 *  reader wants tiles at 0 or 1; without it the tiles are pictures. Returns {rows, show(values)}. */
export function tileRows({ names, steps, turned }) {
  const letters = Object.keys(names), tag = turned ? "button" : "span";
  let now = {}, stop = 0; // the values that are shown; the step where the tab key enters
  const shut = (letter, t) => (now[letter][t] === 1 ? 0 : 1);
  const make = (letter, t) => el(tag, turned ? {
    type: "button", class: "tile", onkeydown: (event) => key(event, letter, t),
    onclick: (event) => event.detail === 0 && turned(letter, [t], shut(letter, t)), // pointers paint, see below
  } : { class: "tile" });
  const tiles = Object.fromEntries(letters.map((letter) => [letter, Array.from({ length: steps }, (_, t) => make(letter, t))]));

  const all = (letter) => turned(letter, [...tiles[letter].keys()], now[letter].every((value) => value === 1) ? 0 : 1);
  const rows = letters.map((letter) => {
    const name = el(tag, { class: "tile-name", textContent: letter, ...(turned && {
      type: "button", "aria-label": `${letter}: the whole ${names[letter]}`, onclick: () => all(letter) }) });
    const row = el("div", { class: "tile-row" }, ...tiles[letter]);
    if (turned) paintable(row, letter);
    return el("div", { class: "tile-line", role: "group", "aria-label": names[letter] }, name, row);
  });

  /** The first tile under the pointer turns; those that it is drawn across become like it. */
  function paintable(row, letter) {
    let value;
    const at = ({ clientX }) => {
      const { left, width } = row.getBoundingClientRect();
      return Math.max(0, Math.min(steps - 1, Math.floor((clientX - left) / width * steps)));
    };
    row.addEventListener("pointerdown", (event) => {
      if (event.button > 0) return; // a menu
      row.setPointerCapture(event.pointerId);
      value = shut(letter, at(event));
      turned(letter, [at(event)], value);
    });
    row.addEventListener("pointermove", (event) => value !== undefined && turned(letter, [at(event)], value));
    for (const end of ["pointerup", "pointercancel"]) row.addEventListener(end, () => { value = undefined; });
  }

  /** Arrows walk over the tiles; space and enter click one, as on any button. */
  function key(event, letter, t) {
    const last = steps - 1, move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -last], End: [0, last] }[event.key];
    if (!move) return;
    event.preventDefault();
    stop = Math.max(0, Math.min(last, t + move[1]));
    const row = Math.max(0, Math.min(letters.length - 1, letters.indexOf(letter) + move[0]));
    enter();
    tiles[letters[row]][stop].focus();
  }

  const enter = () => letters.forEach((letter) => tiles[letter].forEach((tile, t) => { tile.tabIndex = t === stop ? 0 : -1; }));
  if (turned) enter();

  /** Show `values`: a list of numbers from 0 to 1 for each letter. */
  function show(values) {
    now = values;
    for (const letter of letters) tiles[letter].forEach((tile, t) => {
      tile.style.setProperty("--open", `${100 * values[letter][t]}%`);
      if (!turned) return;
      tile.setAttribute("aria-label", `${names[letter]}, step ${t + 1}`);
      tile.setAttribute("aria-pressed", String(values[letter][t] === 1));
    });
  }
  return { rows, show };
}
