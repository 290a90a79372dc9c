/** The process's own last log lines, in memory: as pino writes them, parsed only when somebody looks. */
import type { LogLevel } from '../runtime/log.ts';

export interface LogLine {
  readonly id: number;
  readonly at: string;
  readonly level: LogLevel;
  readonly message: string;
  /** Everything else that the line says. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface LogPage {
  /** Newest first. */
  readonly lines: LogLine[];
  readonly nextCursor: number | null;
}

export interface LogRing {
  /** Keeps a line of pino's JSON. */
  add(line: string): void;
  /** Lines of at least this level that are older than `cursor` (all when undefined), `limit` at most. */
  page(level: LogLevel, cursor: number | undefined, limit: number): LogPage;
}

const MAX_LINES = 1000;
const MAX_CHARACTERS = 256 * 1024;
/** A line that is longer is cut: no stack trace needs more. */
const MAX_LINE = 8192;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];
/** pino's numbers, as far as we write them. */
const LEVEL_NUMBERS: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

export function createLogRing(): LogRing {
  const lines: { readonly id: number; readonly text: string }[] = [];
  let characters = 0;
  let lastId = 0;

  return {
    add(line) {
      const text = line.length > MAX_LINE ? line.slice(0, MAX_LINE) : line.trimEnd();
      lines.push({ id: ++lastId, text });
      characters += text.length;
      while (lines.length > MAX_LINES || characters > MAX_CHARACTERS)
        characters -= lines.shift()?.text.length ?? 0;
    },
    page(level, cursor = Number.POSITIVE_INFINITY, limit) {
      const found: LogLine[] = [];
      for (let position = lines.length - 1; position >= 0; position--) {
        const { id, text } = lines[position];
        if (id >= cursor) continue;
        const line = parseLine(id, text);
        if (LEVEL_NUMBERS[line.level] < LEVEL_NUMBERS[level]) continue;
        if (found.length === limit) return { lines: found, nextCursor: found[limit - 1].id };
        found.push(line);
      }
      return { lines: found, nextCursor: null };
    },
  };
}

function parseLine(id: number, text: string): LogLine {
  try {
    const { level, time, msg, ...fields } = JSON.parse(text) as Record<string, unknown>;
    return {
      id,
      at: new Date(Number(time)).toISOString(),
      level: LOG_LEVELS.findLast((name) => LEVEL_NUMBERS[name] <= Number(level)) ?? 'debug',
      message: String(msg ?? ''),
      fields,
    };
  } catch {
    // Cut off, or not ours: still worth reading.
    return { id, at: new Date(0).toISOString(), level: 'info', message: text, fields: {} };
  }
}
