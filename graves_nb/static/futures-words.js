// What the toy of the futures says: its goals, its status, and its pictures in words.

import { FUTURES, MEASURED } from "./futures-trail.js";

const APART = 4; // the first goal: so many times as far
export const LOOP = { points: 6, far: 70, near: 30 }; // the second: points, and tablet units from where the pen was taken over

export const signed = (number, digits = 1) => number.toFixed(digits).replace("-", "\u2212");
const whole = (number) => signed(number, 0);

/** For each goal whether it is reached, and the words before and after. */
export function goalWords({ spreads, loop }) {
  const [least, most] = [spreads[0], spreads.at(-1)];
  const seen = least ? ` So far: from ${whole(least.size)} units (point ${least.point}) to ${whole(most.size)} (point ${most.point}).` : "";
  const measures = least ? `${whole(most.size)} units apart from point ${most.point}, ${whole(least.size)} from point ${least.point}.` : "";
  return [
    [Boolean(least) && most.size >= APART * least.size,
      `First goal: find two points of the line, the futures of one ${APART} times as far apart as those of the other, without bias.${seen}`,
      `First goal reached: ${MEASURED} points on, the futures are ${measures}`],
    [loop !== undefined,
      `Second goal: take the pen over. Choose at least ${LOOP.points} points that lead it away and round, back into the ring where you took it.`,
      `Second goal reached: a loop against its will, for ${whole(loop ?? 0)} nats. Can you do it for less?`],
  ];
}

/** What the network thinks here, and what the reader's own points cost. */
export function statusWords({ trail, point, fan, paid }) {
  const mine = trail.own < point ? `Your points cost ${signed(paid)} nats more than its favourites, the last of them ${signed(trail.prices.at(-1))}. ` : "";
  const lift = `Chance that the pen lifts: ${whole(100 * trail.lift(point))} %.`;
  const came = point < trail.rows.length ? ` The point that came cost ${signed(trail.loss(point, trail.rows[point]))} nats.` : "";
  const spread = fan?.done ? ` ${MEASURED} points on, the pens of the futures lie ${whole(fan.spread().size)} units from their middle.` : "";
  return mine + lift + came + spread;
}

export const aimWords = ({ aim: [dx, dy], price }) => `The aim lies ${whole(dx)} across and ${whole(dy)} down from the pen and would cost ${price}`;

/** The sheet, the map and the weights in words. */
export function labels(toy) {
  const { trail, point, fan } = toy, text = toy.get("text");
  return [
    `A line of ink, “${text}”, written up to point ${point} of ${trail.rows.length}${fan?.done ? `, and ${FUTURES} futures from there` : ""}.`,
    `Map of the next point. Arrow keys aim, Enter chooses. ${aimWords(toy)}.`,
    `Weights of the ${trail.network.M} components at each point; the largest here is ${Math.max(...trail.shares(point)).toFixed(2)}.`,
  ];
}
