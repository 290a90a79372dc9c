/** Figures and rows for people. */
import type { LiveEvent } from '../admin/contract/live.ts';

/** Columns as wide as they need to be; the last one runs on. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** "1.5 MiB" */
export function bytes(count: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** "3 d 4 h", "5 min", "12 s" */
export function age(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** One line. Names come from clients: control characters, which terminals obey, are written out. */
export function eventLine(event: LiveEvent): string {
  return `${event.at} ${wordsOf(event)}`.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about.
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function wordsOf(event: LiveEvent): string {
  switch (event.kind) {
    case 'connection': {
      const to = `${event.name ?? '-'} -> ${event.server ?? '-'}`;
      const moved =
        event.what === 'closed'
          ? ` up ${bytes(event.bytesUp)}, down ${bytes(event.bytesDown)}, ${(event.durationMs / 1000).toFixed(1)} s`
          : '';
      return `${event.service} ${event.what} ${event.client} ${event.listener} ${to}${moved}${event.reason === null ? '' : ` (${event.reason})`}`;
    }
    case 'dns':
      return `dns ${event.client ?? '-'} ${event.name} ${event.type} ${event.answer} ${event.rcode}`;
    case 'nat64':
      return `nat64 ${event.what} ${event.protocol} [${event.client}]:${event.clientPort} = ${event.poolAddress}:${event.poolPort}`;
    case 'health': {
      const why = event.detail === null ? '' : `: ${event.service} port ${event.port}: ${event.detail}`;
      return `health ${event.server} ${event.before} -> ${event.state}${why}`;
    }
    case 'notice':
      return `notice ${event.service} ${event.severity}: ${event.text}`;
    case 'service':
      return `service ${event.service} ${event.state}${event.problem === null ? '' : `: ${event.problem}`}`;
  }
}
