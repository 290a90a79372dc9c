/**
 * What a page is to the frame. A service brings one folder: its page, its place in the dashboard's picture, its name,
 * and nothing outside the folder but one line in pages/all.ts.
 */
import type { ComponentType } from 'preact';
import type { Tone } from '../ui/basics.tsx';
import type { IconName } from '../ui/icon.tsx';
import type { LiveEvent } from './contract.ts';
import { formatBitRate } from './format.ts';

export type Parameters = Readonly<Record<string, string>>;

export interface PageRegistration {
  readonly id: string;
  /** "/servers/:name"; the first is the one in the navigation. */
  readonly paths: readonly string[];
  readonly icon: IconName;
  readonly title: () => string;
  /** Words beside the title that the command palette finds it by. */
  readonly keywords?: () => string;
  /** Its other parts (?view=NAME), for the palette: their titles, with the words that one looks for. */
  readonly views?: () => Readonly<Record<string, string>>;
  readonly group: 'main' | 'services' | 'manage';
  /** Stands in the bar of a phone; the others are behind "More". */
  readonly isPrimary?: boolean;
  readonly load: () => Promise<{ default: ComponentType<Parameters> }>;
  readonly service?: ServiceRegistration;
}

/** A flow of the dashboard's picture. */
export interface ServiceRegistration {
  /** As GET status and counters name it. */
  readonly name: string;
  readonly direction: 'in' | 'out';
  readonly title: () => string;
  /** One word, for the picture on a phone. */
  readonly short: () => string;
  readonly href: string;
  /** Counters whose growth is the width of the flow, in bytes. */
  readonly bytes: readonly string[];
  /** Instead of bytes, for a service that moves none. */
  readonly events?: { readonly counters: readonly string[]; readonly unit: () => string };
}

/** What else of a service other pages show: the `parts.ts` of its folder, loaded with the first such page. */
export interface ServiceParts {
  /** In the language of now. */
  readonly charts?: () => readonly ChartPart[];
  /** The kinds of events that it tells. */
  readonly timeline?: readonly EventRow[];
  /** The port of one of its listeners, where a client of the Internet could ask for the same again. */
  readonly portOf?: (listener: string) => number | undefined;
}

/** A chart of the history, or what a service adds to one that several share. */
export type ChartPart = {
  /** Names of the series, as GET history knows them, with their titles. */
  readonly series: readonly (readonly [name: string, title: string])[];
} & (
  | { readonly joins: 'connections' | 'accepted' }
  | {
      readonly title: string;
      readonly format: (value: number) => string;
      /** Bytes that it carries: a sum of them is on the dashboard. */
      readonly isTraffic?: boolean;
    }
);

/** Bytes that a service carries each way. */
export const trafficChart = (title: string, series: ChartPart['series']): ChartPart => ({
  title,
  format: formatBitRate,
  isTraffic: true,
  series,
});

/** How the timeline shows a kind of event. */
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

/** The row of a kind whose lines know the shape of their events. */
export const eventRow = <E extends LiveEvent>(
  kind: string,
  title: () => string,
  line: (event: E, services: ServiceLookup) => EventLine,
): EventRow => ({ kind, title, line: line as EventRow['line'] });

/** What a row asks of other services, by their names. */
export interface ServiceLookup {
  readonly iconOf: (service: string) => IconName | undefined;
  readonly portOf: (service: string, listener: string) => number | undefined;
}
