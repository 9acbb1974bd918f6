// Ink from the reader's own hand, by mouse, finger, stylus or keys, as offsets at the tablet's pace and scale.
// Nothing is sent or kept: what was written lives in the recorder, and in what the toy makes of it.
//
//   const recorder = new Recorder(canvas, { changed() { ... } });
//   recorder.strokes   what was written: strokes of [x, y, milliseconds], x and y in CSS pixels of the canvas
//   recorder.enabled   false: the canvas takes no ink, and the page scrolls under a finger as usual
//   recorder.cursor    {x, y, down} where the keys write, once a key was pressed; for the toy to draw
//   recorder.undo()    takes the last stroke back;  recorder.clear()  takes all;  recorder.stop()  lets go of the canvas
//   changed()          is called after each new point, and after undo() and clear()
//   recorder.writing   whether a stroke is being written just now
//
//   tabletOffsets(recorder.strokes, { characters: 9 })
//                      rows [dx, dy, end_of_stroke] in whole tablet units, y down; row one is [0, 0, end].
//                      Tell `characters`, the length of the text, where it is known: then each takes
//                      22 points and the width of a tablet's character. Without it the height of the line sets
//                      the scale, and the length of its strokes the number of points.
//
// Keys on the canvas: arrows move the pen, space puts it down and lifts it, backspace takes a stroke back.

// What a hand does on the tablet. data/results/iam_ondb_ink.json holds the figures; a test compares.
export const TABLET = { points: 22, width: 184, height: 201, step: 20 }; // a character, a character, a line, a point

const LONGEST_PAUSE = 60; // milliseconds: a mouse at rest says nothing, and a pause is no point
const PEN_STEP = 6, PEN_TIME = 15; // pixels and milliseconds for each key
const PEN_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Recorder {
  constructor(canvas, { changed = () => {} } = {}) {
    Object.assign(this, { canvas, changed, strokes: [], held: undefined, stylus: false, clock: 0 });
    this.off = new AbortController();
    const hear = (event, listener) => canvas.addEventListener(event, listener, { signal: this.off.signal });
    hear("pointerdown", (event) => this.down(event));
    hear("pointermove", (event) => this.move(event));
    hear("pointerup", (event) => this.up(event));
    hear("pointercancel", (event) => this.up(event, true));
    hear("keydown", (event) => this.key(event));
    this.enabled = true;
  }

  get enabled() { return this.takesInk; }
  set enabled(takesInk) {
    this.takesInk = takesInk;
    this.canvas.style.touchAction = takesInk ? "none" : "";
    this.canvas.tabIndex = takesInk ? 0 : -1;
  }

  get writing() { return this.held !== undefined || Boolean(this.cursor?.down); }

  down(event) {
    const palm = this.stylus && event.pointerType === "touch"; // a hand that rests beside its stylus
    if (!this.enabled || this.held !== undefined || palm || event.button > 0) return;
    this.stylus ||= event.pointerType === "pen";
    this.held = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.cursor = undefined;
    this.strokes.push([]);
    this.move(event);
  }

  move(event) {
    if (event.pointerId !== this.held) return;
    const finer = event.getCoalescedEvents?.() ?? []; // what came between two frames
    const box = this.canvas.getBoundingClientRect();
    for (const each of finer.length ? finer : [event]) {
      this.strokes.at(-1).push([each.clientX - box.left, each.clientY - box.top, each.timeStamp]);
    }
    this.changed();
  }

  up(event, cancelled = false) {
    if (event.pointerId !== this.held) return;
    this.held = undefined;
    if (cancelled) this.strokes.pop(); // the system took the pointer for something else
    this.changed();
  }

  key(event) {
    if (!this.enabled || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = PEN_KEYS[event.key], { clientWidth, clientHeight } = this.canvas;
    if (!arrow && event.key !== " " && event.key !== "Backspace") return;
    event.preventDefault();
    if (event.key === "Backspace") return void this.undo();
    this.cursor ??= { x: clientWidth * 0.1, y: clientHeight / 2, down: false };
    const pen = this.cursor, within = (value, size) => Math.max(0, Math.min(size, value));
    if (arrow) {
      pen.x = within(pen.x + PEN_STEP * arrow[0], clientWidth);
      pen.y = within(pen.y + PEN_STEP * arrow[1], clientHeight);
    } else {
      pen.down = !pen.down;
      if (pen.down) this.strokes.push([]);
    }
    if (pen.down) this.strokes.at(-1).push([pen.x, pen.y, this.clock += PEN_TIME]);
    this.changed();
  }

  undo() {
    if (this.cursor) this.cursor.down = false;
    this.held = undefined;
    this.strokes.pop();
    this.changed();
  }

  clear() {
    Object.assign(this, { strokes: [], held: undefined, cursor: undefined });
    this.changed();
  }

  stop() { this.off.abort(); }
}

/** Written strokes as offsets, see above. */
export function tabletOffsets(strokes, { characters } = {}) {
  const written = strokes.filter((stroke) => stroke.length).map((stroke) => smoothStroke(stroke));
  if (!written.length) return [];
  const scale = tabletScale(written, characters);
  const lengths = written.map((stroke) => strokeLength(stroke) * scale), times = written.map(strokeTimes);
  const wanted = characters ? TABLET.points * characters : sumOfInk(lengths) / TABLET.step;
  const pace = wanted / (sumOfInk(times.map((at) => at.at(-1))) || 1); // points a millisecond
  const even = written.map((stroke, i) => evenStroke(stroke, times[i], Math.max(2, Math.round(pace * times[i].at(-1)))));
  return offsetsOf(even.map((stroke) => stroke.map(([x, y]) => [Math.round(scale * x), Math.round(scale * y)])));
}

/** Offsets that draw strokes of places [x, y], starting at the first one's first place. */
export function offsetsOf(strokes) {
  let last = strokes[0][0];
  return strokes.flatMap((stroke) => stroke.map((place, i) => {
    const row = [place[0] - last[0], place[1] - last[1], Number(i === stroke.length - 1)];
    last = place;
    return row;
  }));
}

const sumOfInk = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

const strokeLength = (stroke) => sumOfInk(stroke.map(([x, y], i) => (i ? Math.hypot(x - stroke[i - 1][0], y - stroke[i - 1][1]) : 0)));

/** When each point came, in milliseconds from the first, with pauses cut short. */
function strokeTimes(stroke) {
  let time = 0;
  return stroke.map(([, , at], i) => time += i ? Math.max(0, Math.min(LONGEST_PAUSE, at - stroke[i - 1][2])) : 0);
}

/** A mouse counts in whole pixels: average each place with its neighbours, and leave the ends alone. */
function smoothStroke(stroke) {
  const once = (points) => points.map(([x, y, at], i) => {
    const before = points[i - 1], after = points[i + 1];
    return before && after ? [(before[0] + 2 * x + after[0]) / 4, (before[1] + 2 * y + after[1]) / 4, at] : [x, y, at];
  });
  return once(once(stroke));
}

/** Tablet units a pixel: from the width of a known text, or else from the height of the line. */
function tabletScale(strokes, characters) {
  const places = strokes.flat(), xs = places.map(([x]) => x);
  const width = Math.max(...xs) - Math.min(...xs);
  const scale = characters ? TABLET.width * characters / width : TABLET.height / inkHeight(places);
  return Math.max(1, Math.min(12, scale)); // a dot has no size
}

/** What lies between the 10th and the 90th percentile of y, along the line's own slope. */
function inkHeight(places) {
  const [mx, my] = [0, 1].map((axis) => sumOfInk(places.map((place) => place[axis])) / places.length);
  const fitted = sumOfInk(places.map(([x, y]) => (x - mx) * (y - my))) / (sumOfInk(places.map(([x]) => (x - mx) ** 2)) || 1);
  const slope = Math.max(-0.3, Math.min(0.3, fitted)); // one letter has no slope to speak of
  const rest = places.map(([x, y]) => y - slope * x).sort((a, b) => a - b);
  return rest[Math.floor(0.9 * (rest.length - 1))] - rest[Math.floor(0.1 * (rest.length - 1))];
}

/** `count` places at equal times along a stroke. */
function evenStroke(stroke, times, count) {
  let i = 0;
  return Array.from({ length: count }, (_, n) => {
    const at = times.at(-1) * n / (count - 1);
    while (i < times.length - 2 && times[i + 1] < at) i++;
    const [x0, y0] = stroke[i], [x1, y1] = stroke[Math.min(i + 1, stroke.length - 1)];
    const share = (at - times[i]) / (times[i + 1] - times[i] || 1) || 0;
    return [x0 + share * (x1 - x0), y0 + share * (y1 - y0)];
  });
}
