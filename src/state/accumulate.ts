/** Means and maxima of several figures over a time. NaN, or a figure that was never added, means "no figure". */

export interface Accumulator {
  readonly sums: Float64Array;
  readonly weights: Float64Array;
  readonly highest: Float32Array;
}

export const createAccumulator = (width: number): Accumulator => ({
  sums: new Float64Array(width),
  weights: new Float64Array(width),
  highest: new Float32Array(width).fill(Number.NaN),
});

/** Adds figures that are valid for `weight` samples. */
export function accumulate(
  { sums, weights, highest }: Accumulator,
  means: Float32Array,
  maxima: Float32Array,
  at: number,
  weight: number,
): void {
  for (let i = 0; i < sums.length; i++) {
    const mean = means[at + i];
    if (Number.isNaN(mean)) continue;
    sums[i] += mean * weight;
    weights[i] += weight;
    const maximum = maxima[at + i];
    if (!(highest[i] >= maximum)) highest[i] = maximum;
  }
}

export function finish({ sums, weights, highest }: Accumulator): {
  mean: Float32Array;
  highest: Float32Array;
} {
  const mean = Float32Array.from(sums, (sum, i) => (weights[i] === 0 ? Number.NaN : sum / weights[i]));
  return { mean, highest };
}

/** The largest total weight of any figure. */
export const weightOf = ({ weights }: Accumulator): number => Math.max(...weights);
