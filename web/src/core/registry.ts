/**
 * What a page is to the frame. A page is a folder with its registration (page.ts) and one line in pages/all.ts. The page of a
 * service also has its place in the dashboard's picture, and in parts.ts, which the build finds, what other pages show of it.
 */
import type { ComponentType } from 'preact';
import type { Tone } from '../ui/basics.tsx';
import type { IconName } from '../ui/icon.tsx';
import type { LiveEvent } from './contract.ts';
import { formatBitRate } from './format.ts';

export type Parameters = Readonly<Record<string, string>>;

export interface PageRegistration {
  readonly id: string;
  /** "/servers/:name"; the first one is used in the navigation. */
  readonly paths: readonly string[];
  readonly icon: IconName;
  readonly title: () => string;
  /** Words in addition to the title, by which the command palette finds it. */
  readonly keywords?: () => string;
  /** Its other parts (?view=NAME), for the palette: their titles, and words to search for. */
  readonly views?: () => Readonly<Record<string, string>>;
  readonly group: 'main' | 'services' | 'manage';
  /** Shown in the bar of a phone; the others are under "More". */
  readonly isPrimary?: boolean;
  readonly load: () => Promise<{ default: ComponentType<Parameters> }>;
  readonly service?: ServiceRegistration;
}

/** A flow in the dashboard's picture. */
export interface ServiceRegistration {
  /** The name in GET status and in counters. */
  readonly name: string;
  readonly direction: 'in' | 'out';
  readonly title: () => string;
  /** One word, for the picture on a phone. */
  readonly short: () => string;
  readonly href: string;
  /** Counters in bytes, whose growth is the width of the flow. */
  readonly bytes: readonly string[];
  /** Instead of bytes, for a service that transfers none. */
  readonly events?: { readonly counters: readonly string[]; readonly unit: () => string };
}

/** Parts of a service that other pages show: the `parts.ts` of its folder, loaded with the first such page. */
export interface ServiceParts {
  /** In the current language. */
  readonly charts?: () => readonly ChartPart[];
  /** The kinds of events that it reports. */
  readonly timeline?: readonly EventRow[];
  /** The port of one of its listeners, from which a client on the Internet could request the same again. */
  readonly portOf?: (listener: string) => number | undefined;
}

/** A chart of the history, or a service's part of a shared chart. */
export type ChartPart = {
  /** Names of the series, as in GET history, with their titles. */
  readonly series: readonly (readonly [name: string, title: string])[];
} & (
  | { readonly joins: 'connections' | 'accepted' }
  | {
      readonly title: string;
      readonly format: (value: number) => string;
      /** Series of bytes that it transfers: their sum is on the dashboard. */
      readonly isTraffic?: boolean;
    }
);

/** Bytes that a service transfers in each direction. */
export const trafficChart = (title: string, series: ChartPart['series']): ChartPart => ({
  title,
  format: formatBitRate,
  isTraffic: true,
  series,
});

/** How the timeline shows an event of this kind. */
export interface EventRow {
  readonly kind: string;
  readonly title: () => string;
  readonly line: (event: LiveEvent, services: ServiceLookup) => EventLine;
}

export interface EventLine {
  readonly icon: IconName;
  readonly tone: Tone;
  readonly sentence: string;
  readonly note: string;
  readonly facts: readonly (readonly [string, string] | false)[];
  readonly links: readonly (readonly [href: string, title: string])[];
}

/** The row of a kind, with the kind's own event type. */
export const eventRow = <E extends LiveEvent>(
  kind: string,
  title: () => string,
  line: (event: E, services: ServiceLookup) => EventLine,
): EventRow => ({ kind, title, line: line as EventRow['line'] });

/** What a row needs from other services, by their names. */
export interface ServiceLookup {
  readonly iconOf: (service: string) => IconName | undefined;
  readonly portOf: (service: string, listener: string) => number | undefined;
}
