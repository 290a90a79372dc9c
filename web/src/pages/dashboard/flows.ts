/** The flows of the picture, as figures: the service, its state, its traffic. */
import { formatBitRate, formatRate } from '../../core/format.ts';
import { rates, status } from '../../core/live.ts';
import type { ServiceRegistration } from '../../core/registry.ts';
import type { StateName } from '../../ui/basics.tsx';
import { PAGES } from '../all.ts';

export interface Flow {
  readonly service: ServiceRegistration;
  readonly state: StateName;
  readonly problem: string | null;
  /** "12 Mbit/s", "30 queries/s". */
  readonly amount: string;
  /** For small spaces: "30/s". */
  readonly shortAmount: string;
  /** 0 to 1, on a logarithmic scale: a tenth of the traffic is not a tenth of the width. */
  readonly width: number;
}

/** Up to the first value, a flow has the least width; from the second on, it has the full width. */
const BYTES_PER_SECOND = { least: 1000, most: 125e6 };
const EVENTS_PER_SECOND = { least: 1, most: 10_000 };

export function flows(): readonly Flow[] {
  const rate = rates.value;
  return PAGES.flatMap(({ service }) => {
    if (service === undefined) return [];
    const report = status.value?.services.find(({ name }) => name === service.name);
    const state = report?.state ?? 'unknown';
    const sum = (counters: readonly string[]) =>
      counters.reduce((total, counter) => total + rate(service.name, counter), 0);
    const { events } = service;
    const carried = sum(events?.counters ?? service.bytes);
    const { least, most } = events === undefined ? BYTES_PER_SECOND : EVENTS_PER_SECOND;
    return {
      service,
      state,
      problem: report?.problem ?? null,
      amount:
        events === undefined
          ? formatBitRate(carried)
          : `${formatRate(carried).replace('/s', '')} ${events.unit()}`,
      shortAmount: events === undefined ? formatBitRate(carried) : formatRate(carried),
      width: Math.min(1, Math.log1p(carried / least) / Math.log1p(most / least)),
    };
  });
}
