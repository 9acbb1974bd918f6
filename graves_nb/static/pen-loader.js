// The pen for a toy: its weights as loader.js gets them, and a Sampler made of them.

import { loadNetwork } from "./loader.js";
import { Sampler } from "./sampler.js";

const PEN = { kind: "HandwritingSynthesizer", name: "the pen" };

/** Hand a Sampler to `ready` when `place` has come in sight and the weights have come. Returns a stop. */
export const loadPen = (model, place, ready) => loadNetwork(model, place, PEN, (network) => ready(new Sampler(network)));
