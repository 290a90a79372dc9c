/**
 * What a page is to the frame. A service brings one folder: its page, its place in the dashboard's picture, its name,
 * and nothing outside the folder but one line in pages/all.ts.
 */
import type { ComponentType } from 'preact';
import type { IconName } from '../ui/icon.tsx';

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
