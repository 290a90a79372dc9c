/** Why the system refused something, without the call and its path, which say nothing to people. */
import { type Text, TextError, asIs, reasonOf } from '../texts/text.ts';

/** The system's own error: what is around it is said by who tells it. */
export const rootOf = (error: unknown): unknown =>
  error instanceof Error && !(error instanceof TextError) && error.cause !== undefined
    ? rootOf(error.cause)
    : error;

/** "ENOSPC"; empty for what is no error of the system. */
export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException | undefined)?.code ?? '';

/** "EROFS: read-only file system". */
export function plainReasonOf(error: unknown): Text {
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
