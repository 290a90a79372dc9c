/** Formats an event as one line. Separate from format.ts, because it loads the descriptions of all services. */
import type { LiveEvent } from '../admin/contract/live.ts';
import { EVENT_KINDS } from '../state/event-kinds.ts';
import { bytes } from './format.ts';

/**
 * One line. A kind that only a newer appliance knows is written as JSON. Clients choose names, so control characters, which
 * terminals would interpret, are escaped.
 */
export function eventLine(event: LiveEvent): string {
  const kind = EVENT_KINDS.find(({ name }) => name === event.kind);
  const line = kind?.line(event, bytes) ?? JSON.stringify(event);
  return `${event.at} ${line}`.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern must match control characters.
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
