// Gaussian mixtures in two dimensions for the toys: density, contours, draws, and a fit to points (EM).
// A mixture is an array of components {pi, mu: [x, y], sigma: [x, y], rho}.

/** log N(x | mu, sigma, rho), eqs (24) and (25). */
export function logNormal([x, y], { mu, sigma, rho }) {
  const d1 = (x - mu[0]) / sigma[0], d2 = (y - mu[1]) / sigma[1], q = 1 - rho * rho;
  return -(d1 * d1 + d2 * d2 - 2 * rho * d1 * d2) / (2 * q) - Math.log(2 * Math.PI * sigma[0] * sigma[1] * Math.sqrt(q));
}

/** log sum_j pi_j N(x | ...): the logarithm of the mixture's density (eq. 23). */
export function logDensity(point, mixture) {
  const terms = mixture.map((part) => Math.log(part.pi) + logNormal(point, part));
  const top = Math.max(...terms);
  return top + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - top), 0));
}

/** Sharpen a mixture as the biased sampler does (eqs 61 and 62). */
export function biased(mixture, bias) {
  const weights = mixture.map(({ pi }) => pi ** (1 + bias)), total = weights.reduce((a, b) => a + b);
  const shrink = Math.exp(-bias);
  return mixture.map((part, j) => ({ ...part, pi: weights[j] / total, sigma: part.sigma.map((s) => s * shrink) }));
}

/** Draw a point with the chance [component, two normals]. */
export function drawFrom(mixture, [u, n1, n2]) {
  let j = 0;
  for (let sum = mixture[0].pi; sum <= u && j < mixture.length - 1; sum += mixture[++j].pi);
  const { mu, sigma, rho } = mixture[j];
  return [mu[0] + sigma[0] * n1, mu[1] + sigma[1] * (rho * n1 + Math.sqrt(1 - rho * rho) * n2)];
}

/** Points of the ellipse at `r` standard deviations. */
export function contour({ mu, sigma, rho }, r, count = 48) {
  return Array.from({ length: count + 1 }, (_, i) => {
    const a = 2 * Math.PI * i / count, n1 = r * Math.cos(a), n2 = r * Math.sin(a);
    return [mu[0] + sigma[0] * n1, mu[1] + sigma[1] * (rho * n1 + Math.sqrt(1 - rho * rho) * n2)];
  });
}

/** Mean negative log-density of the points, in nats. */
export const lossOf = (points, mixture) => -points.reduce((sum, point) => sum + logDensity(point, mixture), 0) / points.length;

export const mean = (points) => [0, 1].map((i) => points.reduce((sum, point) => sum + point[i], 0) / points.length);

/** Begin with `count` components spread over the points from top to bottom. */
export function spread(points, count) {
  const sorted = [...points].sort((a, b) => a[1] - b[1]);
  const groups = Array.from({ length: count }, (_, j) =>
    sorted.slice(Math.round(j * points.length / count), Math.round((j + 1) * points.length / count)));
  return groups.map((group) => ({ pi: 1 / count, mu: mean(group), sigma: [0.5, 0.5], rho: 0 }));
}

/** One step of expectation and maximisation; no spread falls below `least`. */
export function improve(points, mixture, least = 0.05) {
  const shares = points.map((point) => { // how much of the point is due to each component (eqs 28 and 29)
    const all = logDensity(point, mixture);
    return mixture.map((part) => Math.exp(Math.log(part.pi) + logNormal(point, part) - all));
  });
  return mixture.map((part, j) => {
    const total = shares.reduce((sum, share) => sum + share[j], 0);
    if (total < 1e-3) return { ...part, pi: 1e-6 };
    const average = (f) => points.reduce((sum, point, i) => sum + shares[i][j] * f(point), 0) / total;
    const mu = [average(([x]) => x), average(([, y]) => y)];
    const sigma = [0, 1].map((i) => Math.sqrt(Math.max(least ** 2, average((point) => (point[i] - mu[i]) ** 2))));
    const both = average(([x, y]) => (x - mu[0]) * (y - mu[1])) / (sigma[0] * sigma[1]);
    return { pi: total / points.length, mu, sigma, rho: Math.max(-0.95, Math.min(0.95, both)) };
  });
}
