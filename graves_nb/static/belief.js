// Small pictures of what the network believes at one step: the weights, the spreads, the pen's chance to
// lift, and the stop rule. `paint` holds colours: {text, quiet, edge, now, other}.

import { contour } from "./mixture.js";

const HORIZONS = [0.5, 1, 2, 4, 8]; // normalised units from the pen to the edge of the picture of spreads
const LOG_FAR = -40, LOG_NEAR = 5; // nats: the part of log phi that the bars show

const beliefText = (context, paint, text, x, y, align = "left") => {
  context.fillStyle = paint.text;
  context.font = "13px system-ui, sans-serif";
  context.textAlign = align;
  context.fillText(text, x, y);
};

/** Three pictures in a row: outlines are as learnt, filled is what the point is drawn from. Both are
 *  {mixture, lift}. */
export function drawBelief(context, width, height, learnt, sharp, paint) {
  const gap = 14, third = (width - 2 * gap - 34) / 2;
  drawWeights(context, [0, 20, third, height - 22], learnt.mixture, sharp.mixture, paint);
  drawSpreads(context, [third + gap, 20, third, height - 22], learnt.mixture, sharp.mixture, paint);
  drawLift(context, [width - 24, 20, 18, height - 22], learnt.lift, sharp.lift, paint);
}

/** The weights pi: one bar a component. */
function drawWeights(context, [x, y, w, h], learnt, sharp, paint) {
  beliefText(context, paint, "π, which way", x, y - 6);
  const pitch = w / learnt.length;
  context.lineWidth = 1;
  sharp.forEach(({ pi }, j) => {
    const left = x + j * pitch, wide = Math.max(2, pitch - 2);
    context.fillStyle = paint.now;
    context.fillRect(left, y + h * (1 - pi), wide, h * pi);
    context.strokeStyle = paint.text;
    const tall = h * learnt[j].pi;
    context.strokeRect(left + 0.5, y + h - tall - 0.5, wide - 1, tall);
  });
  context.fillStyle = paint.edge;
  context.fillRect(x, y + h, w, 1);
}

/** How far the picture must reach to hold the heavier components. */
export function horizonOf(mixture) {
  const reach = ({ mu, sigma }) => Math.max(...[0, 1].map((i) => Math.abs(mu[i]) + 1.2 * sigma[i]));
  const far = Math.max(...mixture.filter(({ pi }) => pi >= 0.1).map(reach), 0);
  return HORIZONS.find((horizon) => horizon >= far) ?? HORIZONS.at(-1);
}

/** The spreads sigma: one ellipse a component, at one standard deviation, the heavier the bolder. */
function drawSpreads(context, [x, y, w, h], learnt, sharp, paint) {
  const horizon = horizonOf(learnt), scale = Math.min(w, h) / 2 / horizon;
  beliefText(context, paint, "σ, how far", x, y - 6);
  beliefText(context, paint, `±${horizon}`, x + w, y - 6, "right");
  const place = ([dx, dy]) => [x + w / 2 + dx * scale, y + h / 2 + dy * scale];
  const ring = (part) => {
    context.beginPath();
    for (const point of contour(part, 1, 32)) context.lineTo(...place(point));
  };
  context.save();
  context.beginPath();
  context.rect(x, y, w, h);
  context.clip();
  learnt.forEach((part, j) => {
    if (part.pi < 0.02 && sharp[j].pi < 0.02) return;
    ring(part);
    context.strokeStyle = paint.text;
    context.globalAlpha = 0.25 + 0.75 * part.pi;
    context.lineWidth = 1;
    context.stroke();
    ring(sharp[j]);
    context.fillStyle = paint.now;
    context.globalAlpha = Math.min(1, 0.1 + sharp[j].pi);
    context.fill();
  });
  context.restore();
  context.strokeStyle = paint.edge;
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
}

/** The pen's chance to lift, e. */
function drawLift(context, [x, y, w, h], learnt, sharp, paint) {
  beliefText(context, paint, "e", x + w / 2, y - 6, "center");
  context.fillStyle = paint.now;
  context.fillRect(x, y + h * (1 - sharp), w, h * sharp);
  context.lineWidth = 1;
  for (const [tall, line] of [[h, paint.edge], [h * learnt, paint.text]]) {
    context.strokeStyle = line;
    context.strokeRect(x + 0.5, y + h - tall + 0.5, w - 1, Math.max(0, tall - 1));
  }
}

/** The best letter of a step, from 0, by log phi; the last entry is the place past the end. */
export function bestLetter(logPhi) {
  let best = 0;
  for (let u = 1; u < logPhi.length - 1; u++) if (logPhi[u] > logPhi[best]) best = u;
  return best;
}

/** The stop rule as two bars: log phi of the best letter, and of the place past the end. */
export function drawStop(context, width, logPhi, text, paint) {
  const best = bestLetter(logPhi), past = logPhi.length - 1, left = 122, room = width - left - 50;
  const rows = [[`${text[best] === " " ? "the space" : `“${text[best]}”`} (${best + 1})`, logPhi[best], paint.other],
    [`past the end (${past + 1})`, logPhi[past], paint.now]];
  beliefText(context, paint, "log φ", left, 14);
  beliefText(context, paint, logPhi[past] > logPhi[best] ? "stop" : "go on", width, 14, "right");
  rows.forEach(([name, value, fill], row) => {
    const y = 20 + 24 * row, share = Math.max(0, Math.min(1, (value - LOG_FAR) / (LOG_NEAR - LOG_FAR)));
    beliefText(context, paint, name, 0, y + 15);
    context.fillStyle = fill;
    context.fillRect(left, y + 3, room * share, 14);
    context.fillStyle = paint.edge;
    context.fillRect(left, y, 1, 20);
    beliefText(context, paint, value < -999 ? "< −999" : value.toFixed(2).replace("-", "−"), width, y + 15, "right");
  });
}
