// What the toy of the futures shows: the line on its sheet, the density around the pen, the weights over time.

import { logDensity } from "./mixture.js";
import { cividis } from "./toolkit.js";
import { drawLabel, drawPolyline } from "./traces.js";

const LEAST_SPOT = 3.5; // CSS pixels: the map shows no spot smaller than this
const MAP_CELL = 3; // CSS pixels: a place of the density map
const MAP_WHITE = "#ffffff", MAP_BLACK = "#000000"; // on the map, whose colours are the same in light and dark

/** Draw rows from `from` to `to` as ink; row n leads from place n to place n + 1. `lifted`: the pen begins in the air. */
function strokeOut(context, places, rows, { px, py }, colour, width, from = 0, to = rows.length, lifted = 0) {
  Object.assign(context, { strokeStyle: colour, lineWidth: width, lineCap: "round", lineJoin: "round" });
  context.beginPath();
  for (let n = from; n < to; n++) {
    const inAir = n ? rows[n - 1][2] : lifted, begin = places[n + (inAir ? 1 : 0)];
    if (n === from || inAir) context.moveTo(px(begin[0]) - 0.01, py(begin[1])); // or a dot would not be seen
    context.lineTo(px(places[n + 1][0]), py(places[n + 1][1]));
  }
  context.stroke();
}

function drawDot(context, [x, y], radius, fill, rim, width = 1.5) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  if (fill) { context.fillStyle = fill; context.fill(); }
  if (rim) Object.assign(context, { strokeStyle: rim, lineWidth: width }), context.stroke();
}

/** Where things are on the sheet: the whole line if it can be read so, else the part around the pen. */
export function sheetView(places, pen, width, height) {
  const [xs, ys] = [0, 1].map((axis) => places.map((place) => place[axis]));
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const unit = Math.max(0.15, Math.min((height - 24) / (bottom - top + 120), (width - 24) / (right - left + 700)));
  const room = width / unit;
  const from = Math.min(Math.max(left - 40, pen[0] - 0.6 * room), Math.max(left - 40, pen[0] - 0.2 * room));
  const middle = (top + bottom) / 2 + Math.sign(pen[1] - (top + bottom) / 2) * Math.max(0, Math.abs(pen[1] - (top + bottom) / 2) - 0.4 * height / unit);
  return { unit, px: (x) => (x - from) * unit, py: (y) => height / 2 + (y - middle) * unit };
}

/** The sheet: what is written, what the line did from there, the reader's own points, and the futures. */
export function drawSheet(context, width, height, { trail, point, fan, view, theme }) {
  const { rows, places, own, left, line } = trail, pen = [view.px(places[point][0]), view.py(places[point][1])];
  context.globalAlpha = 0.28;
  if (left <= rows.length) strokeOut(context, trail.linePlaces, line, view, theme.ink, 2, left);
  strokeOut(context, places, rows, view, theme.ink, 2, point);
  context.globalAlpha = 1;
  strokeOut(context, places, rows, view, theme.ink, 2.2, 0, Math.min(own, point));
  if (own < point) strokeOut(context, places, rows, view, theme.vermillion, 2.6, own, point);
  if (fan) drawFan(context, fan, view, theme);
  for (let n = own + 1; n <= point; n++) drawDot(context, [view.px(places[n][0]), view.py(places[n][1])], 2.2, theme.vermillion);
  drawDot(context, pen, 5, theme.accent, theme.paper);
}

/** Twenty faint lines, and where they stand at the measured point: a dot each, and a ring as large as their spread. */
function drawFan(context, fan, view, theme) {
  context.globalAlpha = 0.4;
  fan.rows.forEach((rows, n) => strokeOut(context, fan.lines[n], rows, view, theme.blue, 1.3, 0, rows.length, fan.lifted));
  context.globalAlpha = 1;
  const { places, middle, size } = fan.spread();
  for (const [x, y] of places) drawDot(context, [view.px(x), view.py(y)], 2.2, theme.blue);
  context.setLineDash([5, 4]);
  drawDot(context, [view.px(middle[0]), view.py(middle[1])], Math.max(3, size * view.unit), undefined, theme.orange, 2.2);
  context.setLineDash([]);
}

const REACHES = [60, 120, 240]; // tablet units from the pen to the upper edge of the map

/** The least reach of the map that holds the heavier components of `mixture`, in the network's units, and other offsets. */
export function reachOf(mixture, toRaw, [sx, sy], offsets = []) {
  const parts = mixture.filter(({ pi }) => pi >= 0.05).map(({ mu, sigma }) => [...toRaw([...mu, 0]), 2 * sx * sigma[0], 2 * sy * sigma[1]]);
  const seen = [...parts.map(([dx, dy, , w, h]) => [dx, dy, w, h]), ...offsets.map(([dx, dy]) => [dx, dy, 20, 20])];
  const holds = (reach) => seen.every(([dx, dy, w, h]) => Math.abs(dy) + h < reach && Math.abs(dx) + w < 1.5 * reach);
  return REACHES.find(holds) ?? REACHES.at(-1);
}

/** The map around the pen: CSS pixels a tablet unit, and between places and offsets from the pen. */
export function lensView(width, height, reach) {
  const unit = height / 2 / reach;
  const toPlace = ([dx, dy]) => [width / 2 + dx * unit, height / 2 + dy * unit];
  return { unit, toPlace, toOffset: (x, y) => [(x - width / 2) / unit, (y - height / 2) / unit] };
}

/** The density of the next point around the pen, the ink that led there, the line's next point, and the aim. */
export function drawLens(context, width, height, { trail, point, reach, mixture, aim, price, target, came }) {
  const view = lensView(width, height, reach), [x0, y0] = trail.places[point];
  drawMap(context, width, height, view, mixture, trail.sampler.normalise);
  const near = { px: (x) => view.toPlace([x - x0, 0])[0], py: (y) => view.toPlace([0, y - y0])[1] };
  const first = Math.max(0, point - 150);
  strokeOut(context, trail.places, trail.rows, near, MAP_BLACK, 5, first, point);
  strokeOut(context, trail.places, trail.rows, near, MAP_WHITE, 2.6, first, point);
  if (target) {
    context.setLineDash([5, 4]);
    const [x, y] = view.toPlace([target[0] - x0, target[1] - y0]), within = (at, most) => Math.max(0, Math.min(most, at));
    drawDot(context, [within(x, width), within(y, height)], target[2] * view.unit, undefined, MAP_WHITE, 2); // beyond the edge: half a ring says where
    context.setLineDash([]);
  }
  if (came) drawDot(context, view.toPlace(came), 4, MAP_WHITE, MAP_BLACK);
  drawDot(context, view.toPlace([0, 0]), 5, "#56b4e9", MAP_BLACK);
  drawAim(context, view.toPlace(aim), price, width);
}

/** The map itself: a small picture, enlarged. Its brightest place is always yellow; how wide it is tells how sure. */
function drawMap(context, width, height, view, mixture, normalise) {
  const [w, h] = [Math.ceil(width / MAP_CELL), Math.ceil(height / MAP_CELL)], small = Object.assign(document.createElement("canvas"), { width: w, height: h });
  const least = normalise([LEAST_SPOT / view.unit, 0, 0])[0] - normalise([0, 0, 0])[0]; // in the network's units
  const parts = mixture.filter(({ pi }) => pi > 1e-3).map((part) => ({ ...part, sigma: part.sigma.map((each) => Math.max(each, least)) })), top = Math.max(...parts.map(({ mu }) => logDensity(mu, parts)));
  const paint = small.getContext("2d");
  paint.fillStyle = cividis(0);
  paint.fillRect(0, 0, w, h);
  for (let i = 0; i < w * h; i++) {
    const offset = normalise([...view.toOffset((i % w + 0.5) * MAP_CELL, (Math.floor(i / w) + 0.5) * MAP_CELL), 0]);
    if (!parts.some(({ mu, sigma }) => Math.abs(offset[0] - mu[0]) < 5 * sigma[0] && Math.abs(offset[1] - mu[1]) < 5 * sigma[1])) continue;
    paint.fillStyle = cividis(Math.exp((logDensity(offset, parts) - top) / 3));
    paint.fillRect(i % w, Math.floor(i / w), 1, 1);
  }
  context.drawImage(small, 0, 0, w * MAP_CELL, h * MAP_CELL);
}

function drawAim(context, [x, y], price, width) {
  for (const [colour, thick] of [[MAP_BLACK, 4], [MAP_WHITE, 1.8]]) {
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) drawPolyline(context, [[x + 4 * dx, y + 4 * dy], [x + 12 * dx, y + 12 * dy]], colour, thick);
  }
  const right = x > width - 120;
  drawLabel(context, price, x + (right ? -12 : 12), y - 12, { paper: MAP_BLACK, text: MAP_WHITE }, right ? "right" : "left");
}

const sharePictures = new WeakMap(); // of a trail's beliefs: they are many, and the same while the pen is led along

/** The weights of the components before each point as a small picture: one row a component, one column a point. */
function sharePicture(trail) {
  if (!sharePictures.has(trail.beliefs)) {
    const small = Object.assign(document.createElement("canvas"), { width: trail.beliefs.length, height: trail.network.M });
    const paint = small.getContext("2d");
    trail.beliefs.forEach((_, n) => trail.shares(n).forEach((pi, j) => {
      paint.fillStyle = cividis(Math.sqrt(pi));
      paint.fillRect(n, j, 1, 1);
    }));
    sharePictures.set(trail.beliefs, small);
  }
  return sharePictures.get(trail.beliefs);
}

/** The weights over time; the pen's lifts, and where we are. */
export function drawShares(context, width, height, { trail, point, theme }) {
  const x = (n) => width * n / trail.beliefs.length;
  context.imageSmoothingEnabled = false;
  context.drawImage(sharePicture(trail), 0, 0, width, height - 10);
  trail.rows.forEach(([, , end], n) => end && drawPolyline(context, [[x(n + 0.5), height - 8], [x(n + 0.5), height - 1]], theme.quiet, 1.2));
  drawPolyline(context, [[x(point + 0.5), 0], [x(point + 0.5), height]], MAP_BLACK, 5);
  drawPolyline(context, [[x(point + 0.5), 0], [x(point + 0.5), height]], MAP_WHITE, 2.5);
}
