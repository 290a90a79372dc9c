/**
 * A kind of event is declared once, in the part that reports it, with the shape that the API shows. The log, the API and the
 * timeline work from the list of kinds (`state/event-kinds.ts`).
 */
import type { Untranslated } from '../texts/text.ts';
import { type SchemaNode, type TSchema, Type } from './shape.ts';

/** An event of any kind, as the API shows it. */
export interface ShownEvent {
  /** Counts up and continues after a restart of the process: the cursor of GET events and the id of the SSE stream. */
  readonly id: number;
  /** ISO 8601, to the millisecond. */
  readonly at: string;
  readonly kind: string;
  readonly [field: string]: string | number | boolean | null;
}

export interface EventKind {
  readonly name: string;
  /** As the API shows it (`eventShape`). */
  readonly shape: TSchema & SchemaNode;
  /** How many the log keeps. Each kind has its own limit, so that a flood of one does not push out the others. */
  readonly kept: number;
  /**
   * Which field identifies the server of the configuration: its name ("server") or its address ("client"). Undefined: the kind
   * concerns no server.
   */
  readonly serverBy?: 'server' | 'client';
  /** The log adds the field "server", which it derives from the address. */
  readonly addsServer?: boolean;
  /** One line for a terminal; `bytes` formats an amount of data. */
  line(event: ShownEvent, bytes: (count: number) => string): string;
}

/** The list holds kinds with different line types; each kind only gets its own events. */
export const eventKind = <E extends ShownEvent>(
  kind: Omit<EventKind, 'line'> & { readonly line: (event: E, bytes: (count: number) => string) => string },
): EventKind => kind as unknown as EventKind;

/** The shape of a kind: the fields that every event has, and its own. */
export const eventShape = <const Kind extends string, Fields extends Record<string, TSchema>>(
  kind: Kind,
  fields: Fields,
) =>
  Type.Object({
    /** Counts up and continues after a restart of the process: the cursor of GET events and the id of the SSE stream. */
    id: Type.Integer(),
    /** ISO 8601, to the millisecond. */
    at: Type.String(),
    kind: Type.Literal(kind),
    ...fields,
  });

/** The event before it gets its number and time, and before the fields in `Texts` are translated. */
export type Found<Shown, Texts extends string = never> = Omit<Untranslated<Shown, Texts>, 'id' | 'at'>;
