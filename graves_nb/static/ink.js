// From offsets to a picture: strokes, rows of words, a nib on a canvas, one smooth path in SVG.

const CHARACTER = 220; // tablet units that a character takes, about: it sets the size before the line is known
const LARGEST = 0.15, SMALLEST = 0.085; // CSS pixels a tablet unit
const nib = (scale) => Math.max(1.5, 15 * scale); // CSS pixels

/** Turn rows [dx, dy, end, place] into strokes {word, first, xs, ys}: pen-down runs in tablet units. */
export function strokesOf(points, text = "") {
  const strokes = [];
  let x = 0, y = 0, stroke = null;
  points.forEach(([dx, dy, end, place = 1], index) => {
    x += dx; y += dy;
    if (!stroke) strokes.push(stroke = { first: index, xs: [], ys: [], places: [] });
    stroke.xs.push(x); stroke.ys.push(y); stroke.places.push(place);
    if (end) stroke = null;
  });
  for (const each of strokes) {
    const place = each.places[each.places.length >> 1];
    each.word = text.slice(0, Math.max(0, place - 1)).split(" ").length - 1;
  }
  return strokes;
}

const extent = (strokes, axis) => [
  Math.min(...strokes.map((s) => Math.min(...s[axis]))), Math.max(...strokes.map((s) => Math.max(...s[axis]))),
];

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

/** Lay strokes out in rows of whole words, as wide as `width` CSS pixels. While the line grows its
 *  size depends on the text alone, so that it stays; when `done` it may shrink a little to save a row.
 *  Returns {strokes, scale, height}. */
export function layout(strokes, text, width, done = true) {
  const margin = Math.min(32, width * 0.06), room = width - 2 * margin;
  const words = [];
  for (const stroke of strokes) (words[stroke.word] ??= []).push(stroke);
  const present = words.filter(Boolean);
  const widest = Math.max(1, ...present.map((word) => extent(word, "xs")).map(([from, to]) => to - from));
  const wish = Math.min(LARGEST, Math.max(SMALLEST, room / (CHARACTER * text.length)), room / widest);
  const fits = (done ? [1, 0.9, 0.8, 0.7] : [1]).map((part) => [part * wish, rowsOf(present, room / (part * wish))]);
  const fewest = Math.min(...fits.map(([, rows]) => rows.length));
  const [scale, rows] = fits.find((fit) => fit[1].length === fewest);
  const expected = done ? 1 : Math.ceil(text.length * CHARACTER * scale / room - 0.05);
  return { scale, ...place(rows, Math.max(expected, rows.length), scale, margin) };
}

/** Deal words into rows no longer than `room` tablet units. */
function rowsOf(words, room) {
  const rows = [];
  for (const word of words) {
    const row = rows.at(-1);
    if (row && extent(word, "xs")[1] - extent(row, "xs")[0] <= room) row.push(...word);
    else rows.push([...word]);
  }
  return rows;
}

/** Put rows below each other, evenly spaced, each about its own middle: a line may drift. */
function place(rows, count, scale, margin) {
  const boxes = rows.map((row) => ({ left: extent(row, "xs")[0], middle: median(row.flatMap((s) => s.ys)), ys: extent(row, "ys") }));
  const above = Math.max(330, ...boxes.map(({ middle, ys }) => middle - ys[0])) * scale;
  const below = Math.max(330, ...boxes.map(({ middle, ys }) => ys[1] - middle)) * scale;
  const strokes = rows.flatMap((row, n) => row.map((stroke) => ({
    first: stroke.first,
    xs: stroke.xs.map((x) => margin + (x - boxes[n].left) * scale),
    ys: stroke.ys.map((y) => margin + above + n * (above + below) + (y - boxes[n].middle) * scale),
  })));
  return { strokes, height: 2 * margin + count * (above + below) };
}

/** Draw the first `shown` points with a nib that is broader where the pen is slow. Returns the place
 *  of the pen, or undefined before the first point. */
export function drawInk(context, { strokes, scale }, shown, colour) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineCap = context.lineJoin = "round";
  let pen;
  for (const { first, xs, ys } of strokes) {
    const n = Math.min(xs.length, shown - first);
    if (n <= 0) continue;
    if (n > (pen?.index ?? -1) - first) pen = { x: xs[n - 1], y: ys[n - 1], index: first + n };
    drawStroke(context, xs, ys, n, nib(scale), 60 * scale);
  }
  return pen;
}

/** One stroke: a curve through the middles of its segments, a bit of it at a time. */
function drawStroke(context, xs, ys, n, broad, usual) {
  let width = broad, [x, y] = [xs[0] - 0.01, ys[0]]; // a canvas draws no line without a length: a dot needs one
  for (let i = 0; i < n; i++) {
    const last = i + 1 >= n, next = last ? i : i + 1;
    const [mx, my] = last ? [xs[i], ys[i]] : [(xs[i] + xs[next]) / 2, (ys[i] + ys[next]) / 2];
    const pace = Math.hypot(mx - x, my - y) / usual;
    width += (broad * (1.25 - 0.5 * Math.min(1, pace)) - width) * 0.4;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x, y);
    context.quadraticCurveTo(xs[i], ys[i], mx, my);
    context.stroke();
    [x, y] = [mx, my];
  }
}

const short = (number) => String(Math.round(10 * number) / 10);

/** One stroke as SVG path data, the same curve. */
function pathOf({ xs, ys }) {
  let path = `M${short(xs[0])} ${short(ys[0])}`;
  for (let i = 0; i + 1 < xs.length; i++) {
    path += `Q${[xs[i], ys[i], (xs[i] + xs[i + 1]) / 2, (ys[i] + ys[i + 1]) / 2].map(short).join(" ")}`;
  }
  return `${path}L${short(xs.at(-1))} ${short(ys.at(-1))}`;
}

const escapeXml = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** A drawing of single lines, ready for a plotter: one path a stroke, no outlines. */
export function toSvg({ strokes, scale, height }, width, title, colour) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${short(width)} ${short(height)}" role="img">`
    + `<title>${escapeXml(title)}</title><g fill="none" stroke="${colour}" stroke-width="${short(nib(scale))}" `
    + `stroke-linecap="round" stroke-linejoin="round">${strokes.map((s) => `<path d="${pathOf(s)}"/>`).join("")}</g></svg>`;
}

/** A line of ink small enough for a button: an SVG element, its strokes fitted to 300 x 60. */
export function miniature(offsets) {
  const strokes = strokesOf(offsets);
  const [left, right] = extent(strokes, "xs"), [top, bottom] = extent(strokes, "ys");
  const scale = Math.min(300 / (right - left || 1), 60 / (bottom - top || 1));
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `-4 -4 308 ${short((bottom - top) * scale + 8)}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  const fit = ({ xs, ys }) => ({ xs: xs.map((x) => (x - left) * scale), ys: ys.map((y) => (y - top) * scale) });
  path.setAttribute("d", strokes.map((stroke) => pathOf(fit(stroke))).join(""));
  svg.append(path);
  return svg;
}
