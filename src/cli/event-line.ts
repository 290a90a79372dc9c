/** An event as a line. Apart from format.ts: it loads what every service says of itself. */
import type { LiveEvent } from '../admin/contract/live.ts';
import { EVENT_KINDS } from '../state/event-kinds.ts';
import { bytes } from './format.ts';

/** One line; a kind that only a newer appliance knows is written as it came. Names come from clients: control characters, which terminals obey, are written out. */
export function eventLine(event: LiveEvent): string {
  const kind = EVENT_KINDS.find(({ name }) => name === event.kind);
  const line = kind?.line(event, bytes) ?? JSON.stringify(event);
  return `${event.at} ${line}`.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about.
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
