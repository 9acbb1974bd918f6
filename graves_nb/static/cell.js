// One LSTM cell of one unit, and a plain unit beside it: what the toy of chapter 2 runs, step by step.

const squash = (z) => 1 / (1 + Math.exp(-z));
const KEEP = 6; // the forget gate's own bias: it keeps, unless it hears something

/** The cell with gates set by hand: `gates` is {i, f, o}, each a list of 0 and 1, one a step. */
export function cellByHand(x, gates) {
  let c = 0;
  return x.map((input, t) => {
    const [i, f, o] = [gates.i[t], gates.f[t], gates.o[t]];
    c = f * c + i * Math.tanh(input); // eq. (9)
    return { i, f, o, c, h: o * Math.tanh(c) }; // eq. (11)
  });
}

/** The cell whose gates see its output h and, through a peephole, c. Each step adds `add` to c.
 *  `ob`: the output gate's bias; `oh`, `oc`: its weights of h and c; `fh`: the forget gate's of h. */
export function cellByWeights(steps, { add, ob, oh, oc, fh }) {
  let c = 0, h = 0;
  return Array.from({ length: steps }, () => {
    const f = squash(KEEP + fh * h); // eq. (8)
    c = f * c + add; // eq. (9), the input gate open
    const o = squash(ob + oh * h + oc * c); // eq. (10): the new cell
    h = o * Math.tanh(c); // eq. (11)
    return { i: 1, f, o, c, h };
  });
}

/** A plain recurrent unit: h = tanh(w h + x). */
export function plainUnit(x, w) {
  let h = 0;
  return x.map((input) => (h = Math.tanh(w * h + input)));
}

/** Which steps, counted from 1, break the rules: `wanted` is 0 for silence, 1 or -1 for a spike. */
export function faults(h, wanted) {
  const wrong = (value, t) => (wanted[t] ? value * wanted[t] < 0.5 : Math.abs(value) > 0.25);
  return h.flatMap((value, t) => (wrong(value, t) ? [t + 1] : []));
}
