/**
 * A kind of event is declared once, by whoever tells of it, with the shape that the API shows; the log, the API and the timeline
 * work over the list of kinds (`state/event-kinds.ts`).
 */
import type { Untold } from '../texts/text.ts';
import { type SchemaNode, type TSchema, Type } from './shape.ts';

/** An event as the API shows it, whichever it is. */
export interface ShownEvent {
  /** Counts up, also over restarts of the process: the cursor of GET events and the id of the SSE stream. */
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
  /** How many the log keeps: kinds are kept apart, so that a flood of one does not wash out the others. */
  readonly kept: number;
  /**
   * Which field says what server of the configuration it is about: its name ("server"), or its address ("client"). Without it,
   * none.
   */
  readonly serverBy?: 'server' | 'client';
  /** The log adds the field "server", from the address. */
  readonly addsServer?: boolean;
  /** One line for a terminal; `bytes` writes an amount. */
  line(event: ShownEvent, bytes: (count: number) => string): string;
}

/** The list holds kinds whose lines know their own shape: each is given only events of it. */
export const eventKind = <E extends ShownEvent>(
  kind: Omit<EventKind, 'line'> & { readonly line: (event: E, bytes: (count: number) => string) => string },
): EventKind => kind as unknown as EventKind;

/** The shape of a kind: what every event has, and its fields. */
export const eventShape = <const Kind extends string, Fields extends Record<string, TSchema>>(
  kind: Kind,
  fields: Fields,
) =>
  Type.Object({
    /** Counts up, also over restarts of the process: the cursor of GET events and the id of the SSE stream. */
    id: Type.Integer(),
    /** ISO 8601, to the millisecond. */
    at: Type.String(),
    kind: Type.Literal(kind),
    ...fields,
  });

/** The event before it has its number and its time, and before its texts, the fields `Texts`, are told. */
export type Found<Shown, Texts extends string = never> = Omit<Untold<Shown, Texts>, 'id' | 'at'>;
