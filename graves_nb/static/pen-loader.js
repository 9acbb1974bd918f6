// Weights for a toy: fetched when it comes in sight, or at a tap where the reader saves data.

import { Network, readWeights } from "./engine.js";
import { Sampler } from "./sampler.js";
import { asset, el, whenVisible } from "./toolkit.js";

/** When `place` comes in sight, show there how the weights that `model` names come, and hand a Sampler
 *  to `ready`. What goes wrong is said there too, with a way to try again. Returns a stop. */
export function loadPen(model, place, ready) {
  const button = (textContent, onclick) => el("button", { type: "button", class: "toy-main", textContent, onclick });
  const load = async (anew = false) => {
    const bar = el("progress", { "aria-label": "Loading the pen", max: 1, value: 0 });
    place.replaceChildren(el("span", { textContent: "Loading the pen ..." }), bar);
    try {
      const weights = await asset(model, model.get("weights"), (share) => { bar.value = share; }, anew);
      const sampler = new Sampler(new Network(readWeights(weights)));
      place.remove();
      ready(sampler);
    } catch (error) {
      place.replaceChildren(el("p", { class: "toy-error", role: "alert", textContent: error.message }), button("Try again", () => load(true)));
    }
  };
  return whenVisible(place, () => {
    if (navigator.connection?.saveData) place.replaceChildren(button(`Load the pen (${model.get("megabytes")} MB)`, () => load()));
    else load();
  });
}
