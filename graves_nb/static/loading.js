// Fetching a pen for a toy: when the toy comes in sight, or at a tap where the reader saves data.

import { Network, readWeights } from "./engine.js";
import { asset, el, whenVisible } from "./toolkit.js";

/** Fetch the weights and the gallery that `model` names, with signs of progress in `place`, which then
 *  goes; `ready(network, gallery)` hears of them. Returns a stop. */
export function loadPen(model, place, ready) {
  const load = async (anew = false) => {
    const bar = el("progress", { "aria-label": "Loading the pen", max: 1, value: 0 });
    place.replaceChildren(el("span", { textContent: "Loading the pen ..." }), bar);
    const found = await openPen(model, (share) => { bar.value = share; }, anew).catch((error) => {
      const again = el("button", { type: "button", textContent: "Try again", onclick: () => load(true) });
      place.replaceChildren(el("p", { class: "toy-error", role: "alert", textContent: error.message }), again);
    });
    if (!found) return;
    place.remove();
    ready(...found);
  };
  const ask = () => place.replaceChildren(el("button", {
    type: "button", class: "toy-main", textContent: `Load the pen (${model.get("megabytes")} MB)`, onclick: () => load(),
  }));
  return whenVisible(place, () => (navigator.connection?.saveData ? ask() : load()));
}

async function openPen(model, progress, anew) {
  const [weights, gallery] = await Promise.all([
    asset(model, model.get("weights"), progress, anew), asset(model, model.get("gallery"), undefined, anew),
  ]);
  const plain = new URLSearchParams(location.search).has("plainjs");
  return [new Network(readWeights(weights), { plain }), JSON.parse(new TextDecoder().decode(gallery))];
}
