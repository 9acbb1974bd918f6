// How a hand looks, in six numbers: what graves_nb/hand.py computes. Offsets [dx, dy, end], tablet units.

export const MEASURES = [ // name, how it is said, in which unit
  ["slant", "slant of the downstrokes", "°"], ["size", "height of the letters", ""], ["width", "width of a character", ""],
  ["pace", "way from point to point", ""], ["turning", "turn from point to point", "°"], ["strokes", "strokes a character", ""],
];

const sumOfHand = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
const inDegrees = (angle) => angle * 180 / Math.PI;

/** The steps that left ink: zero where the pen was in the air. */
function drawnSteps(rows) {
  return rows.map(([dx, dy], t) => (t && !rows[t - 1][2] ? [dx, dy] : [0, 0]));
}

function slantOf(steps) {
  const down = steps.filter(([dx, dy]) => dy > Math.abs(dx));
  return inDegrees(Math.atan2(-sumOfHand(down.map(([dx]) => dx)), sumOfHand(down.map(([, dy]) => dy))));
}

/** The height that half of the pen's way up and down is made of. */
function sizeOf(steps) {
  const runs = [0];
  let sign = 0;
  for (const [, dy] of steps) {
    if (Math.sign(dy) !== sign) runs.push(0);
    sign = Math.sign(dy);
    runs[runs.length - 1] += Math.abs(dy);
  }
  runs.sort((a, b) => a - b);
  const half = sumOfHand(runs) / 2;
  let way = 0;
  return runs.find((run) => (way += run) >= half);
}

function turningOf(steps) {
  let sum = 0, weights = 0;
  for (let t = 1; t < steps.length; t++) {
    const [a, b] = [steps[t - 1], steps[t]], weight = Math.min(Math.hypot(...a), Math.hypot(...b));
    const turn = Math.abs(Math.atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1]));
    sum += weight * turn;
    weights += weight;
  }
  return inDegrees(sum / Math.max(weights, 1e-9));
}

/** Measure a line of ink that reads `text`: six numbers, in the order of MEASURES. */
export function measureHand(offsets, text) {
  const places = [[0, 0]]; // whole ones, as on a tablet
  let x = 0, y = 0;
  for (const [dx, dy] of offsets) places.push([Math.floor((x += dx) + 0.5), Math.floor((y += dy) + 0.5)]);
  const rows = offsets.map(([, , end], t) => [places[t + 1][0] - places[t][0], places[t + 1][1] - places[t][1], end]);
  const steps = drawnSteps(rows), letters = text.trim().length || 1;
  const lengths = steps.map((step) => Math.hypot(...step)).filter(Boolean);
  const xs = places.slice(1).map(([across]) => across);
  return [slantOf(steps), sizeOf(steps), (Math.max(...xs) - Math.min(...xs)) / letters,
    lengths.length ? sumOfHand(lengths) / lengths.length : 0, turningOf(steps), sumOfHand(rows.map(([, , end]) => end)) / letters];
}

/** How much each measure varies over some hands: its standard deviation. */
export function spreadOf(hands) {
  return MEASURES.map((_, i) => {
    const values = hands.map((hand) => hand[i]), middle = sumOfHand(values) / values.length;
    return Math.sqrt(sumOfHand(values.map((value) => (value - middle) ** 2)) / values.length) || 1;
  });
}

/** How far apart two hands are: root mean square of their differences, each in units of its spread. */
export const handsApart = (one, other, spread) =>
  Math.sqrt(sumOfHand(one.map((value, i) => ((value - other[i]) / spread[i]) ** 2)) / one.length);
