/** The reason for which the system refused something, without the call and its path, which do not help users. */
import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';
import { type Text, TextError, asIs, listOf, reasonOf, say } from '../texts/text.ts';

/** The system's own error; the code that reports it adds the context. */
export const rootOf = (error: unknown): unknown =>
  error instanceof Error && !(error instanceof TextError) && error.cause !== undefined
    ? rootOf(error.cause)
    : error;

/** SQLite's own result codes (https://sqlite.org/rescode.html), in the lowest byte of an extended one. */
const OF_SQLITE: Readonly<Record<number, 'ENOSPC' | 'EROFS' | 'EIO'>> = {
  13: 'ENOSPC',
  8: 'EROFS',
  10: 'EIO',
};

const sqliteCodeOf = (error: unknown): 'ENOSPC' | 'EROFS' | 'EIO' | undefined => {
  const { errcode } = (error ?? {}) as { errcode?: unknown };
  return typeof errcode === 'number' ? OF_SQLITE[errcode & 0xff] : undefined;
};

/** "ENOSPC", from the system or SQLite; empty if the error is not from the system. */
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

/** Whether an error came from a file system. */
export function isOfFile(error: unknown): boolean {
  const root = rootOf(error) as NodeJS.ErrnoException | undefined;
  return (
    (typeof root?.syscall === 'string' && typeof root.path === 'string') ||
    ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].includes(codeOf(root))
  );
}

/** What to do about an error of a file system; undefined where there is no better advice than to check the system. */
export function remedyOf(code: string): Text | undefined {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return say('Free some space on that disk, or remove files if it has no inodes left (df -i).');
    case 'EBUSY':
      return say('End one of the two.');
    case 'EROFS':
      return say(
        'The file system is read-only, as after a fault of the disk: the log of the kernel has the reason. Replace a worn card, or mount it for writing.',
      );
    case 'EACCES':
    case 'EPERM':
      return say(
        'Give the directory and what is in it to the user that this process runs as (chown), and restart it.',
      );
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EEXIST':
      return say('Create the directory, for the user that this process runs as.');
    default:
      return undefined;
  }
}

/** The reason for users, with advice if a file system refused it. */
export function reasonWithRemedy(error: unknown): Text {
  const root = rootOf(error);
  const remedy = isOfFile(root) ? remedyOf(codeOf(root)) : undefined;
  return remedy === undefined ? reasonOf(error) : listOf([plainReasonOf(root), remedy], '. ');
}
