/**
 * The envelope of a backup: one file that tells nothing without its passphrase and cannot be changed unnoticed.
 *
 *     "TOMBOLO-BACKUP" 0x00, version (1 byte: 1), log2 of scrypt's N (1 byte), 16 bytes of salt, 12 of nonce,
 *     AES-256-GCM of the gzipped JSON, 16 bytes of tag; everything before the ciphertext is authenticated with it.
 *
 * The JSON is { createdAt, version, hostname, entries: [{ name, content (base64) }] }: names and contents, no archive
 * format whose parser could be fooled.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type Text, TextError, reasonOf, say } from '../texts/text.ts';

const MAGIC = Buffer.from('TOMBOLO-BACKUP\0', 'latin1');
const VERSION = 1;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = MAGIC.length + 2 + SALT_BYTES + NONCE_BYTES;
/** RFC 7914; OWASP's advice of 2^15, 8, 3: 32 MiB, and about a second on a Raspberry Pi. */
const LOG2_N = 15;
const [R, P] = [8, 3];
/** The most memory that a file may require: four times ours. */
const MAX_LOG2_N = 17;

/** A larger file is not one of ours. */
export const MAX_BACKUP_BYTES = 8 << 20;
/** The maximum size after decompression. */
export const MAX_CONTENT_BYTES = 16 << 20;
const MAX_ENTRIES = 100;

export interface BackupEntry {
  readonly name: string;
  readonly content: Uint8Array;
}

export interface Backup {
  /** ISO 8601. */
  readonly createdAt: string;
  /** The version of the software that made it. */
  readonly version: string;
  readonly hostname: string;
  readonly entries: readonly BackupEntry[];
}

/** Why a file is not restored; the message is for users. */
export class BackupError extends TextError {
  readonly reason:
    | 'not-a-backup'
    | 'newer'
    | 'wrong-passphrase'
    | 'damaged'
    | 'too-large'
    | 'unreadable'
    | 'unwritable';
  constructor(reason: BackupError['reason'], text: Text, options?: ErrorOptions) {
    super(text, options);
    this.reason = reason;
  }
}

const deriveKey = (passphrase: string, salt: Uint8Array, log2N: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = { N: 2 ** log2N, r: R, p: P, maxmem: 256 << 20 };
    // NFKC: the same passphrase gives the same bytes, whichever keyboard was used.
    scrypt(passphrase.normalize('NFKC'), salt, 32, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });

/** Encrypts a backup with a passphrase. */
export async function sealBackup(backup: Backup, passphrase: string): Promise<Buffer> {
  const { entries, ...about } = backup;
  const json = JSON.stringify({
    ...about,
    entries: entries.map(({ name, content }) => ({ name, content: Buffer.from(content).toString('base64') })),
  });
  const plain = await promisify(gzip)(json);
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const header = Buffer.concat([MAGIC, Buffer.of(VERSION, LOG2_N), salt, nonce]);
  const cipher = createCipheriv('aes-256-gcm', await deriveKey(passphrase, salt, LOG2_N), nonce);
  cipher.setAAD(header);
  return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Decrypts a backup. Rejects with a BackupError. */
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
  if (bytes.length < MAGIC.length + 2 || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new BackupError(
      'not-a-backup',
      say('This file is no backup of a Tombolo: it begins with something else.'),
    );
  }
  const [version, log2N] = bytes.subarray(MAGIC.length);
  if (version !== VERSION) {
    const message = say('The backup has format {version}, this appliance knows {own}: update it first.', {
      version,
      own: VERSION,
    });
    throw new BackupError('newer', message);
  }
  if (bytes.length <= HEADER_BYTES + TAG_BYTES || log2N < 10 || log2N > MAX_LOG2_N) {
    throw new BackupError('damaged', say('The backup is damaged: its beginning is not complete.'));
  }
  const header = bytes.subarray(0, HEADER_BYTES);
  const salt = header.subarray(MAGIC.length + 2, MAGIC.length + 2 + SALT_BYTES);
  const decipher = createDecipheriv(
    'aes-256-gcm',
    await deriveKey(passphrase, salt, log2N),
    header.subarray(HEADER_BYTES - NONCE_BYTES),
    { authTagLength: TAG_BYTES },
  );
  decipher.setAAD(header);
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  let plain: Buffer;
  try {
    plain = Buffer.concat([
      decipher.update(bytes.subarray(HEADER_BYTES, bytes.length - TAG_BYTES)),
      decipher.final(),
    ]);
  } catch (cause) {
    const message = say(
      'The passphrase is wrong, or the file is not as it was written (cut short, or changed on the way).',
    );
    throw new BackupError('wrong-passphrase', message, { cause });
  }
  let json: string;
  try {
    json = (await promisify(gunzip)(plain, { maxOutputLength: MAX_CONTENT_BYTES })).toString('utf8');
  } catch (cause) {
    throw new BackupError(
      'damaged',
      say('The backup cannot be unpacked: {reason}', { reason: reasonOf(cause) }),
      { cause },
    );
  }
  return readBackupContent(json);
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
      const { name, content } = (entry ?? {}) as Record<string, unknown>;
      if (typeof name !== 'string' || typeof content !== 'string')
        return fail('an entry without name or content');
      return { name, content: Buffer.from(content, 'base64') };
    }),
  };
}
