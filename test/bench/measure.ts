/** Samples, medians, ratios and targets: turns measured figures into verdicts. No I/O. */

/** The result of one run of one contender: figures by name, with the unit in the name. */
export type Sample = Readonly<Record<string, number>>;

/** One of the programs that are measured side by side. */
export interface Contender {
  readonly name: string;
  /** One measured run, `seconds` long if the subject has a duration. */
  run(seconds: number): Promise<Sample>;
}

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Median, least and greatest of at least one value. */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new Error('summarize: no values');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}

/**
 * Ratios of two series, round by round. The contenders of a round ran one after the other, so a disturbance that lasts longer
 * than a round cancels out.
 */
export function pairedRatios(numerators: readonly number[], denominators: readonly number[]): number[] {
  if (numerators.length !== denominators.length)
    throw new Error(`pairedRatios: ${numerators.length} values against ${denominators.length}`);
  return numerators.map((value, round) => value / denominators[round]);
}

/** A bound for our figure, or for its ratio to a peer's figure in the same round. */
export interface Target {
  /** The peer to divide by; absent if the bound is for the figure itself. */
  readonly against?: string;
  readonly bound: 'at least' | 'at most';
  readonly value: number;
}

/** One line of the table: one metric of one scenario. */
export interface RowPlan {
  readonly id: string;
  readonly title: string;
  /** Name of the figure in the samples. */
  readonly metric: string;
  readonly unit: string;
  /** Divides the figure for display: 1e9 and the unit "Gbit/s" show bits per second. */
  readonly scale?: number;
  /** Whether more is better; only changes how the table is printed. */
  readonly better: 'more' | 'less';
  readonly targets: readonly Target[];
}

/** Contenders that are measured in turn, and the rows that their samples fill. */
export interface Scenario {
  readonly contenders: readonly Contender[];
  readonly rows: readonly RowPlan[];
  /** Measured once and without a warm-up, because a sample takes minutes. */
  readonly isOnce?: boolean;
}

export interface RowFigure extends Summary {
  readonly contender: string;
  readonly samples: readonly number[];
  /** Our figure divided by this contender's, round by round; absent on our own line. */
  readonly ratio?: Summary;
}

export interface Verdict extends Target {
  readonly measured: number;
  readonly reached: boolean;
}

export interface Row {
  readonly plan: RowPlan;
  readonly figures: readonly RowFigure[];
  readonly verdicts: readonly Verdict[];
}

/** Name of our own contender: the numerator of the ratios. */
export const OURS = 'tombolo';

/**
 * Measures the contenders in turn (A B C A B C ...), `rounds` times. Before that, each has one short run that is not counted,
 * unless `warmUpSeconds` is 0. Returns each contender's samples in the order of the rounds.
 */
export async function interleave(
  contenders: readonly Contender[],
  options: {
    readonly rounds: number;
    readonly seconds: number;
    readonly warmUpSeconds: number;
  },
): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  if (options.warmUpSeconds > 0)
    for (const contender of contenders) await contender.run(options.warmUpSeconds);
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of contenders)
      samples.get(contender.name)?.push(await contender.run(options.seconds));
  }
  return samples;
}

/** The row of one metric, from the samples of `interleave`; a contender whose samples lack the metric is omitted. */
export function fillRow(plan: RowPlan, samples: ReadonlyMap<string, readonly Sample[]>): Row {
  const series = new Map(
    [...samples]
      .filter(([, taken]) => taken.some((sample) => plan.metric in sample))
      .map(([contender, taken]) => [contender, taken.map((sample) => figureOf(sample, plan))]),
  );
  const ours = series.get(OURS);
  const figures = [...series].map(([contender, values]): RowFigure => {
    const figure = { contender, samples: values, ...summarize(values) };
    if (ours === undefined || contender === OURS) return figure;
    return { ...figure, ratio: summarize(pairedRatios(ours, values)) };
  });
  const verdicts = ours === undefined ? [] : plan.targets.map((target) => judge(target, ours, series));
  return { plan, figures, verdicts };
}

function figureOf(sample: Sample, { metric, scale = 1 }: RowPlan): number {
  const figure = sample[metric];
  if (figure === undefined || !Number.isFinite(figure))
    throw new Error(`sample has no finite "${metric}": ${JSON.stringify(sample)}`);
  return figure / scale;
}

function judge(target: Target, ours: readonly number[], series: ReadonlyMap<string, number[]>): Verdict {
  const peer = target.against === undefined ? undefined : series.get(target.against);
  if (target.against !== undefined && peer === undefined)
    throw new Error(`target against "${target.against}", which was not measured`);
  const measured = summarize(peer === undefined ? ours : pairedRatios(ours, peer)).median;
  const reached = target.bound === 'at least' ? measured >= target.value : measured <= target.value;
  return { ...target, measured, reached };
}
