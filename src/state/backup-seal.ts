/**
 * The envelope of a backup: one file that tells nothing without its passphrase and cannot be changed unnoticed, in the format of age, so
 * that `age -d FILE` opens it on any machine. Inside is JSON, { createdAt, version, hostname, entries: [{ name, text }] }, or
 * `content` (base64) for an entry that is no text: names and contents, no archive format whose parser could be fooled.
 */
import { isUtf8 } from 'node:buffer';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../os/command.ts';
import { TextError, say } from '../texts/text.ts';
import type { AgeOutcome, AgeTask } from './backup-age.ts';
import { type Backup, BackupError } from './backup-error.ts';
import { OLD_MAGIC, openOldBackup } from './backup-old.ts';

/** A larger file is not one of ours. */
export const MAX_BACKUP_BYTES = 8 << 20;
const MAX_ENTRIES = 100;

/** OWASP's advice for scrypt with p = 1, as age has it: 128 MiB and some seconds on a Raspberry Pi. */
const LOG2_N = 17;
/** What a file may make us spend: what `age -p` takes, twice that. */
const MAX_LOG2_N = 18;
const LIMIT_MS = 120_000;
/** How a file of age begins that one passphrase opens. */
const BEGINNING =
  /^age-encryption\.org\/v1\n-> scrypt [A-Za-z0-9+/]{22} ([1-9][0-9]?)\n[A-Za-z0-9+/]{43}\n---/;
const INTRO = Buffer.from('age-encryption.org/v1\n');

/** NFKC: one passphrase is one passphrase, whichever keyboard it was typed on. */
const normal = (passphrase: string): string => passphrase.normalize('NFKC');

/** Seals a backup under a passphrase; `log2N` is what its key costs. */
export async function sealBackup(backup: Backup, passphrase: string, log2N = LOG2_N): Promise<Buffer> {
  const entries = backup.entries.map(({ name, content }) =>
    isUtf8(content)
      ? { name, text: Buffer.from(content).toString('utf8') }
      : { name, content: Buffer.from(content).toString('base64') },
  );
  const json = `${JSON.stringify({ ...backup, entries }, undefined, 1)}\n`;
  const outcome = await perform({
    kind: 'seal',
    passphrase: normal(passphrase),
    log2N,
    content: Buffer.from(json).toString('base64'),
  });
  if ('refusal' in outcome) throw new Error(`sealBackup: ${outcome.refusal}`);
  return Buffer.from(outcome.content, 'base64');
}

async function perform(task: AgeTask): Promise<AgeOutcome> {
  const program = fileURLToPath(new URL('backup-age.ts', import.meta.url));
  try {
    return JSON.parse(
      await runCommand(process.execPath, [program], JSON.stringify(task), LIMIT_MS),
    ) as AgeOutcome;
  } catch (error) {
    // Without what the program was given, which the error carries for the log: the passphrase is in it.
    throw error instanceof TextError ? new TextError(error.text) : error;
  }
}

/** Opens a sealed backup, or what its owner has sealed with `age -p`. Rejects with a BackupError. */
export async function openBackup(file: Uint8Array, passphrase: string): Promise<Backup> {
  if (file.length > MAX_BACKUP_BYTES) {
    throw new BackupError(
      'too-large',
      say('The file has {bytes} bytes; a backup has at most {most}.', {
        bytes: file.length,
        most: MAX_BACKUP_BYTES,
      }),
    );
  }
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const begins = (magic: Buffer) => bytes.subarray(0, magic.length).equals(magic);
  if (begins(OLD_MAGIC) && bytes.length >= OLD_MAGIC.length + 2)
    return readBackupContent(await openOldBackup(bytes, normal(passphrase)));
  if (!begins(INTRO)) {
    throw new BackupError(
      'not-a-backup',
      say('This file is not a Tombolo backup: it begins with something else.'),
    );
  }
  const log2N = BEGINNING.exec(bytes.subarray(0, 256).toString('latin1'))?.[1];
  if (log2N === undefined || Number(log2N) > MAX_LOG2_N)
    throw new BackupError('damaged', say('The backup is damaged: its beginning is not complete.'));
  const outcome = await perform({
    kind: 'open',
    passphrases: [...new Set([normal(passphrase), passphrase])],
    content: bytes.toString('base64'),
  });
  if ('content' in outcome) return readBackupContent(Buffer.from(outcome.content, 'base64').toString('utf8'));
  const message = say('The passphrase is wrong, or the file was changed or cut short.');
  throw new BackupError('wrong-passphrase', message, { cause: new Error(outcome.refusal) });
}

/** Checks the content. Only we could have written it, but perhaps a different version. Throws BackupError. */
export function readBackupContent(json: string): Backup {
  const fail = (what: string): never => {
    throw new BackupError('damaged', say('The backup is not as expected: {what}.', { what }));
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return fail('its content is no JSON');
  }
  const { createdAt, version, hostname, entries } = (parsed ?? {}) as Record<string, unknown>;
  if (![createdAt, version, hostname].every((text) => typeof text === 'string' && text.length <= 255)) {
    return fail('it does not say when and where it was made');
  }
  if (!Array.isArray(entries) || entries.length > MAX_ENTRIES) return fail('its list of entries');
  return {
    createdAt: createdAt as string,
    version: version as string,
    hostname: hostname as string,
    entries: entries.map((entry: unknown) => {
      const { name, text, content } = (entry ?? {}) as Record<string, unknown>;
      if (typeof name === 'string' && typeof text === 'string') return { name, content: Buffer.from(text) };
      if (typeof name !== 'string' || typeof content !== 'string')
        return fail('an entry without name or content');
      return { name, content: Buffer.from(content, 'base64') };
    }),
  };
}
