/** The last log lines of the process, in memory: as pino writes them, parsed only when somebody reads them. */
import type { LogLevel } from '../runtime/log.ts';

export interface LogLine {
  readonly id: number;
  readonly at: string;
  readonly level: LogLevel;
  readonly message: string;
  /** All other fields of the line. */
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
  /** Lines of at least this level that are older than `cursor` (all when undefined), at most `limit`. */
  page(level: LogLevel, cursor: number | undefined, limit: number): LogPage;
}

/** Warnings and errors have their own space, so that a flood of other lines does not push them out. */
const MAX_LINES = 800;
const MAX_IMPORTANT_LINES = 200;
const MAX_CHARACTERS = 192 * 1024;
const MAX_IMPORTANT_CHARACTERS = 64 * 1024;
/** A longer line is cut: no stack trace needs more. */
const MAX_LINE = 8192;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];
/** pino's levels, as far as we use them. */
const LEVEL_NUMBERS: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

interface KeptLine {
  readonly id: number;
  readonly text: string;
}

/** The newest lines, as many as there is room for. */
function boundedLines(maxLines: number, maxCharacters: number) {
  const lines: KeptLine[] = [];
  let characters = 0;
  return {
    lines,
    add(line: KeptLine): void {
      lines.push(line);
      characters += line.text.length;
      while (lines.length > maxLines || characters > maxCharacters)
        characters -= lines.shift()?.text.length ?? 0;
    },
  };
}

/** pino writes the level first: 40 and above are warnings and errors. */
const isImportant = (line: string): boolean => /^\{"level":[4-9]/.test(line);

export function createLogRing(): LogRing {
  const important = boundedLines(MAX_IMPORTANT_LINES, MAX_IMPORTANT_CHARACTERS);
  const rest = boundedLines(MAX_LINES, MAX_CHARACTERS);
  let lastId = 0;

  return {
    add(line) {
      const text = line.length > MAX_LINE ? line.slice(0, MAX_LINE) : line.trimEnd();
      (isImportant(line) ? important : rest).add({ id: ++lastId, text });
    },
    page(level, cursor = Number.POSITIVE_INFINITY, limit) {
      const found: LogLine[] = [];
      const newestFirst = [...important.lines, ...rest.lines].sort((a, b) => b.id - a.id);
      for (const { id, text } of newestFirst) {
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
    // The line was cut off or is not ours, but is still worth reading.
    return { id, at: new Date(0).toISOString(), level: 'info', message: text, fields: {} };
  }
}
