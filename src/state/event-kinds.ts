/** Every kind of event: those of the services, and the process's own. */
import type { EventKind } from '../runtime/event-kind.ts';
import { OWN_KINDS } from '../runtime/own-events.ts';
import { SERVICES } from '../services/all.ts';

/** Services on the same engine share a kind. */
export const EVENT_KINDS: readonly EventKind[] = [
  ...new Set([...SERVICES.flatMap(({ events = [] }) => events), ...OWN_KINDS]),
];
