// A line of ink that a network reads point by point, that may leave its way at any point, and whose futures branch.
// Rows are [dx, dy, end_of_stroke] in tablet units; `point` counts the rows that are written.

import { logDensity } from "./mixture.js";
import { placesOf } from "./rows.js";
import { Writing, liftOf, mixtureOf } from "./sampler.js";

export const FUTURES = 20, FUTURE_POINTS = 120; // how many, and how many points each is followed
export const MEASURED = 6; // points ahead at which their spread is measured: about a third of a letter

/** The rows, and before each of them what the network expects. */
export class Trail {
  constructor(sampler, rows) {
    Object.assign(this, { sampler, network: sampler.network, line: rows, linePlaces: [[0, 0], ...placesOf(rows)] });
    this.restore();
  }

  /** Back to the line as it was given. */
  restore() { this.follow(0, this.line, Infinity); }

  /** Keep `point` rows and go on with others; those from `own` on are the reader's. Reads what is new. */
  follow(point, rows, own = Math.min(this.own, point)) {
    const { network, sampler } = this;
    this.rows = [...(this.rows ?? []).slice(0, point), ...rows];
    this.marks = (this.marks ?? []).slice(0, point + 1);
    this.beliefs = (this.beliefs ?? []).slice(0, point + 1);
    this.own = own;
    this.left = rows === this.line ? Infinity : Math.min(this.left, point); // where it left the line
    const writing = this.marks.pop() ?? new Writing(network);
    for (let n = this.marks.length; ; n++) {
      this.marks[n] = writing.branch();
      this.beliefs[n] = writing.predict().slice();
      if (n === this.rows.length) break;
      writing.last = sampler.normalise(this.rows[n]);
    }
    this.places = [[0, 0], ...placesOf(this.rows)];
  }

  /** The mixture of the next offset after `point` rows, in the network's units, and the chance that the pen lifts. */
  mixture(point, bias = 0) { return mixtureOf(this.beliefs[point], this.network.M, bias); }
  shares(point) { return this.mixture(point).map(({ pi }) => pi); }
  lift(point) { return liftOf(this.beliefs[point]); }

  /** What a row would cost as the next one after `point`, in nats (eq. 26). */
  loss(point, row) {
    const [dx, dy, end] = this.sampler.normalise(row), lift = this.lift(point);
    return -logDensity([dx, dy], this.mixture(point)) - Math.log(end ? lift : 1 - lift);
  }

  /** The centre at which the density of the next offset is highest, and what the pen most likely does there. */
  favourite(point, bias = 0) {
    const mixture = this.mixture(point, bias), heights = mixture.map(({ mu }) => logDensity(mu, mixture));
    const { mu } = mixture[heights.indexOf(Math.max(...heights))];
    return this.sampler.toRaw([...mu, Number(this.lift(point) > 0.5)]);
  }

  /** How much more each of the reader's rows cost than the network's favourite there. */
  get prices() {
    return this.rows.slice(this.own).map((row, i) => {
      const point = this.own + i;
      return this.loss(point, row) - this.loss(point, this.favourite(point));
    });
  }
}

/** Twenty futures from one point of a trail, each with its own chance, that grow side by side. */
export class Fan {
  constructor(trail, point, { seed, bias, count = FUTURES }) {
    Object.assign(this, { point, bias, toRaw: trail.sampler.toRaw, lifted: trail.rows[point - 1]?.[2] });
    this.writings = Array.from({ length: count }, (_, n) => trail.marks[point].branch({ seed: FUTURES * seed + n, bias }));
    this.rows = this.writings.map(() => []);
    this.lines = this.writings.map(() => [trail.places[point]]);
  }

  get length() { return this.rows[0].length; }
  get done() { return this.length >= FUTURE_POINTS; }

  /** One more point of each. */
  grow() {
    this.writings.forEach((writing, n) => {
      const row = this.toRaw(writing.next()), [x, y] = this.lines[n].at(-1);
      this.rows[n].push(row);
      this.lines[n].push([x + row[0], y + row[1]]);
    });
  }

  /** Where the pens are after so many points: their middle, and how far they lie from it (root mean square). */
  spread(points = MEASURED) {
    const places = this.lines.map((line) => line[Math.min(points, this.length)]);
    const middle = [0, 1].map((axis) => places.reduce((sum, place) => sum + place[axis], 0) / places.length);
    const squares = places.map(([x, y]) => (x - middle[0]) ** 2 + (y - middle[1]) ** 2);
    return { places, middle, size: Math.sqrt(squares.reduce((a, b) => a + b) / places.length) };
  }
}

/** Whether a path from `start` has been `far` away, and has come back to within `near`. */
export function closesLoop(start, path, { far, near }) {
  const away = path.map(([x, y]) => Math.hypot(x - start[0], y - start[1]));
  return away.length > 0 && Math.max(...away) >= far && away.at(-1) <= near;
}
