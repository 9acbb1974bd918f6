// What a cell might follow in a play, as one number for each character, and how well each cell follows it.

const NAME_LINE = /^[A-Z][A-Z' ]*\.$/;

/** Count from 0 at each place where `begins(i)` holds. */
function countSince(text, begins) {
  let count = 0;
  return Array.from(text, (_, i) => (count = begins(i) ? 0 : count + 1));
}

/** The properties: [key, name, numbers(text)]. A number may know the character itself and those before it; whether
 *  a line is a speaker's name is known to the reader, who sees all of the line. */
export const CELL_PROPERTIES = [
  ["name", "speaker's name", (text) => text.split("\n").flatMap((line) => Array(line.length + 1).fill(NAME_LINE.test(line) ? 1 : 0)).slice(0, text.length)],
  ["word", "place in the word", (text) => countSince(text, (i) => !/[A-Za-z']/.test(text[i]))],
  ["line", "place in the line", (text) => countSince(text, (i) => text[i] === "\n")],
  ["stage", "stage direction", (text) => {
    let inside = 0;
    return Array.from(text, (letter, i) => (inside = letter === "[" ? 1 : text[i - 1] === "]" ? 0 : inside));
  }],
  ["speech", "length of the speech so far", (text) => countSince(text, (i) => text[i] === "\n" && text[i - 1] === "\n")],
];

/** What all cells held after each character: `rows` of Float32Array, one a character. Finds each cell's mean,
 *  spread and range, and correlations. */
export class CellRecord {
  constructor(rows) {
    const [T, H] = [rows.length, rows[0].length];
    Object.assign(this, { rows, T, H });
    this.mean = this.overRows(() => 1).map((sum) => sum / T);
    this.std = this.overRows((t, value, j) => value - this.mean[j]).map((sum) => Math.sqrt(sum / T));
  }

  /** For each cell, the sum over time of its value times `weight(t, value, cell)`. */
  overRows(weight) {
    const sums = new Float64Array(this.H);
    this.rows.forEach((row, t) => { for (let j = 0; j < this.H; j++) sums[j] += row[j] * weight(t, row[j], j); });
    return sums;
  }

  /** The correlation of each cell with the numbers, -1 to 1. */
  correlations(numbers) {
    const mean = numbers.reduce((sum, x) => sum + x, 0) / this.T;
    const std = Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / this.T);
    return this.overRows((t) => numbers[t] - mean).map((sum, j) => sum / (this.T * std * this.std[j] || Infinity));
  }

  /** One cell through time, with its range. */
  cell(j) {
    const values = this.rows.map((row) => row[j]);
    return { values, low: Math.min(...values), high: Math.max(...values) };
  }
}
