// A line of ink on a sheet, and its numbers over the rows as small charts below each other.

const TRACE_MARGIN = 8; // CSS pixels left and right of a chart

/** Fit places [x, y] into width x height, with room `around` them {left, right, above, below} in tablet units.
 *  Returns {px, py}, from tablet units to CSS pixels, and `unit`, the pixels of one. */
export function sheetScale(places, width, height, { left = 60, right = 60, above = 60, below = 60 } = {}) {
  const [xs, ys] = [0, 1].map((axis) => places.map((place) => place[axis]));
  const x0 = Math.min(...xs) - left, y0 = Math.min(...ys) - above;
  const wide = Math.max(...xs) + right - x0, tall = Math.max(...ys) + below - y0;
  const unit = Math.min(width / wide, height / tall);
  const down = (height - tall * unit) / 2;
  return { unit, px: (x) => (x - x0) * unit, py: (y) => down + (y - y0) * unit };
}

/** Draw places as ink: a stroke ends after each place whose row in `rows` says so. */
export function drawPlaces(context, places, rows, { px, py }, colour, width = 2) {
  Object.assign(context, { strokeStyle: colour, lineWidth: width, lineCap: "round", lineJoin: "round" });
  context.beginPath();
  places.forEach(([x, y], i) => {
    if (i === 0 || rows[i - 1]?.[2]) context.moveTo(px(x) - 0.01, py(y)); // or a stroke of one point would not be seen
    context.lineTo(px(x), py(y));
  });
  context.stroke();
}

/** Between rows and CSS pixels of a chart: `x(row)`, and `row(x)`, the nearest row to a place. */
export function traceScale(width, count) {
  const room = width - 2 * TRACE_MARGIN, last = Math.max(1, count - 1);
  return {
    x: (row) => TRACE_MARGIN + room * row / last,
    row: (x) => Math.max(0, Math.min(count - 1, Math.round((x - TRACE_MARGIN) / room * last))),
  };
}

/** Draw `series`, each {name, values, colour}, below each other, each from its least value to its largest and 0 among
 *  them; ticks where the pen lifts, and a cursor at row `at`. `theme` is what `themeOf` gives. */
export function drawTraces(context, width, height, { series, rows, at, theme }) {
  const tall = height / series.length;
  series.forEach(({ name, values, colour }, n) => {
    const { x } = traceScale(width, values.length), top = n * tall + 8, bottom = (n + 1) * tall - 8;
    const least = Math.min(0, ...values), most = Math.max(0, ...values);
    const y = (value) => bottom - (value - least) / (most - least || 1) * (bottom - top);
    drawPolyline(context, [[0, y(0)], [width, y(0)]], theme.edge, 1);
    rows.forEach(([, , end], row) => end && drawPolyline(context, [[x(row), bottom + 3], [x(row), bottom + 8]], theme.quiet, 1));
    drawPolyline(context, values.map((value, row) => [x(row), y(value)]), colour, 1.6);
    if (at !== undefined) drawCursor(context, x(at), y(values[at]), [top - 8, bottom + 8], theme);
    drawLabel(context, name, 10, top + 10, theme);
  });
}

function drawCursor(context, x, y, [top, bottom], theme) {
  drawPolyline(context, [[x, top], [x, bottom]], theme.accent, 1.5);
  context.fillStyle = theme.accent;
  context.beginPath();
  context.arc(x, y, 4.5, 0, 2 * Math.PI);
  context.fill();
}

export function drawPolyline(context, points, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
}

/** Words with a rim of paper, so that no line crosses them. */
export function drawLabel(context, words, x, y, theme, align = "left") {
  Object.assign(context, { font: "600 13px system-ui, sans-serif", textAlign: align, lineJoin: "round", lineWidth: 4 });
  context.strokeStyle = theme.paper;
  context.strokeText(words, x, y);
  context.fillStyle = theme.text;
  context.fillText(words, x, y);
}
