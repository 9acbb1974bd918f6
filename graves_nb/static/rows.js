// Rows of ink [dx, dy, end_of_stroke] in numbers: places, means and spreads, and what a threshold does.

/** The places [x, y] that the pen visits: the running sum of its offsets. */
export function placesOf(rows) {
  let x = 0, y = 0;
  return rows.map(([dx, dy]) => [x += dx, y += dy]);
}

const averageOf = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/** Means and standard deviations of both offsets, [[dx, dy], [dx, dy]]. */
function unitsOf(rows) {
  const columns = [0, 1].map((axis) => rows.map((row) => row[axis])), mean = columns.map(averageOf);
  return [mean, columns.map((column, i) => Math.sqrt(averageOf(column.map((value) => (value - mean[i]) ** 2))))];
}

/** How many points a line has, the share of them that ends a stroke, and the mean and spread of its offsets.
 *  Row one is a starting point and counts in neither mean nor spread. */
export function describeRows(rows) {
  const [mean, std] = unitsOf(rows.slice(1));
  return { points: rows.length, lifts: averageOf(rows.map((row) => row[2])), mean, std };
}

export const stepsOf = (rows) => rows.map(([dx, dy], i) => (i ? Math.hypot(dx, dy) : 0));

/** What dropping the steps longer than `threshold` does: the `kept` rows, which rows were `dropped`, the stds before
 *  and after, and `nats`: how much more the same density of tablet offsets loses on the rows that stay, for its
 *  units alone, T (ln s1 s2 before - ln s1 s2 after). */
export function dropLong(rows, threshold) {
  const keep = stepsOf(rows).map((step) => step <= threshold), kept = rows.filter((_, i) => keep[i]);
  const dropped = rows.map((_, i) => i).filter((i) => !keep[i]);
  const [before, after] = [rows, kept].map((each) => unitsOf(each.slice(1))[1]);
  const area = ([s1, s2]) => Math.log(s1 * s2);
  return { kept, dropped, before, after, nats: (kept.length - 1) * (area(before) - area(after)) };
}
