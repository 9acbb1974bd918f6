// Weights for a toy: fetched when it comes in sight, or at a tap where the reader saves data.

import { Network, readWeights } from "./engine.js";
import { asset, el, whenVisible } from "./toolkit.js";

/** When `place` comes in sight, show there how the weights that `model` names come, and hand their Network, and
 *  the weights as readWeights gives them, to `ready`. What goes wrong is said there too, with a way to try again.
 *  `kind` is the network that the weights must be of, and `name` what the reader is told that comes. Returns a stop. */
export function loadNetwork(model, place, { kind, name }, ready) {
  const button = (textContent, onclick) => el("button", { type: "button", class: "toy-main", textContent, onclick });
  let stopped = false;
  const load = async (anew = false) => {
    const bar = el("progress", { "aria-label": `Loading ${name}`, max: 1, value: 0 });
    place.replaceChildren(el("span", { textContent: `Loading ${name} ...` }), bar);
    try {
      const file = await asset(model, model.get("weights"), (share) => { bar.value = share; }, anew);
      if (stopped) return; // the cell was run again in the meantime
      const weights = readWeights(file, kind), network = new Network(weights);
      place.remove();
      ready(network, weights);
    } catch (error) {
      place.replaceChildren(el("p", { class: "toy-error", role: "alert", textContent: error.message }), button("Try again", () => load(true)));
    }
  };
  const unsee = whenVisible(place, () => {
    if (navigator.connection?.saveData) place.replaceChildren(button(`Load ${name} (${model.get("megabytes")} MB)`, () => load()));
    else load();
  });
  return () => { stopped = true; unsee(); };
}
