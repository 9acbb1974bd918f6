// What the toy of the futures says: its goals, its status, and its pictures in words.

import { FUTURES, MEASURED } from "./futures-trail.js";

const APART_GOAL = 10; // the first goal: so many times as far
export const LOOP_GOAL = { points: 6, far: 70, near: 30 }; // the second: points, and tablet units from where the pen was taken over

export const decimals = (number, digits = 1) => number.toFixed(digits).replace("-", "\u2212");
const wholeUnits = (number) => decimals(number, 0);

/** For each goal whether it is reached, and the words before and after. */
export function futureGoals({ spreads, loop }) {
  const [least, most] = [spreads[0], spreads.at(-1)];
  const seen = least ? ` So far: from ${wholeUnits(least.size)} units (point ${least.point}) to ${wholeUnits(most.size)} (point ${most.point}).` : "";
  const measures = least ? `${wholeUnits(most.size)} units apart from point ${most.point}, ${wholeUnits(least.size)} from point ${least.point}.` : "";
  return [
    [Boolean(least) && most.size >= APART_GOAL * least.size,
      `First goal: find two points of the line, the futures of one ${APART_GOAL} times as far apart as those of the other, without bias.${seen}`,
      `First goal reached: ${MEASURED} points on, the futures are ${measures}`],
    [loop !== undefined,
      `Second goal: take the pen over. Choose at least ${LOOP_GOAL.points} points that lead it ${LOOP_GOAL.far} units away or more and round, back into the ring (of ${LOOP_GOAL.near}) where you took it.`,
      `Second goal reached: a loop against its will, for ${wholeUnits(loop ?? 0)} nats. Can you do it for less?`],
  ];
}

/** What the network thinks here, and what the reader's own points cost. */
export function futureStatus({ trail, point, fan, paid }) {
  const mine = trail.own < point ? `Your points cost ${decimals(paid)} nats more than its favourites, the last of them ${decimals(trail.prices.at(-1))}. ` : "";
  const lift = `Chance that the pen lifts: ${wholeUnits(100 * trail.lift(point))} %.`;
  const came = point < trail.rows.length ? ` The point that came cost ${decimals(trail.loss(point, trail.rows[point]))} nats.` : "";
  const spread = fan?.done ? ` ${MEASURED} points on, the pens of the futures lie ${wholeUnits(fan.spread().size)} units from their middle.` : "";
  return mine + lift + came + spread;
}

export const aimInWords = ({ aim: [dx, dy], price }) => `The aim lies ${wholeUnits(dx)} across and ${wholeUnits(dy)} down from the pen and would cost ${price}`;

/** The sheet, the map and the weights in words. */
export function futureLabels(toy) {
  const { trail, point, fan } = toy, text = toy.get("text");
  return [
    `A line of ink, “${text}”, written up to point ${point} of ${trail.rows.length}${fan?.done ? `, and ${FUTURES} futures from there` : ""}.`,
    `Map of the next point. Arrow keys aim, Enter chooses. ${aimInWords(toy)}.`,
    `Weights of the ${trail.network.M} components at each point; the largest here is ${Math.max(...trail.shares(point)).toFixed(2)}.`,
  ];
}
