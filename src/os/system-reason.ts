/** Why the system refused something, without the call and its path, which say nothing to people. */
import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';
import { type Text, TextError, asIs, reasonOf } from '../texts/text.ts';

/** The system's own error: what is around it is said by who tells it. */
export const rootOf = (error: unknown): unknown =>
  error instanceof Error && !(error instanceof TextError) && error.cause !== undefined
    ? rootOf(error.cause)
    : error;

/** What SQLite calls by its own numbers (https://sqlite.org/rescode.html), in the lowest byte of an extended one. */
const OF_SQLITE: Readonly<Record<number, 'ENOSPC' | 'EROFS' | 'EIO'>> = {
  13: 'ENOSPC',
  8: 'EROFS',
  10: 'EIO',
};

const sqliteCodeOf = (error: unknown): 'ENOSPC' | 'EROFS' | 'EIO' | undefined => {
  const { errcode } = (error ?? {}) as { errcode?: unknown };
  return typeof errcode === 'number' ? OF_SQLITE[errcode & 0xff] : undefined;
};

/** "ENOSPC", whoever found it; empty for what is no error of the system. */
export const codeOf = (error: unknown): string =>
  sqliteCodeOf(error) ?? (error as NodeJS.ErrnoException | undefined)?.code ?? '';

/** "EROFS: read-only file system". */
export function plainReasonOf(error: unknown): Text {
  const sqlite = sqliteCodeOf(error);
  if (sqlite !== undefined) return asIs(`${sqlite}: ${getSystemErrorMessage(-constants.errno[sqlite])}`);
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  const end = code === undefined || syscall === undefined ? -1 : message.indexOf(`, ${syscall}`);
  return end < 0 ? reasonOf(error) : asIs(message.slice(0, end));
}

/** The reason of an error that came of a file system; undefined for any other. */
export function fileReasonOf(error: unknown): Text | undefined {
  const root = rootOf(error) as NodeJS.ErrnoException | undefined;
  const isOfFile = typeof root?.syscall === 'string' && typeof root.path === 'string';
  return isOfFile || ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].includes(codeOf(root))
    ? plainReasonOf(root)
    : undefined;
}
