/**
 * The envelope of backups made before the age format, which must be readable for ever:
 *
 *     "TOMBOLO-BACKUP" 0x00, version (1 byte: 1), log2 of scrypt's N (1 byte), 16 bytes of salt, 12 of nonce,
 *     AES-256-GCM of the gzipped JSON, 16 bytes of tag; everything before the ciphertext is authenticated with it.
 */
import { createDecipheriv, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { reasonOf, say } from '../texts/text.ts';
import { BackupError } from './backup-error.ts';

export const OLD_MAGIC = Buffer.from('TOMBOLO-BACKUP\0', 'latin1');
const VERSION = 1;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = OLD_MAGIC.length + 2 + SALT_BYTES + NONCE_BYTES;
const [R, P] = [8, 3];
/** What a file may make us spend: four times what ours had. */
const MAX_LOG2_N = 17;
/** What it may unfold to. */
const MAX_CONTENT_BYTES = 16 << 20;

const deriveKey = (passphrase: string, salt: Uint8Array, log2N: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = { N: 2 ** log2N, r: R, p: P, maxmem: 256 << 20 };
    scrypt(passphrase, salt, 32, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });

/** The JSON inside. Rejects with a BackupError. */
export async function openOldBackup(bytes: Buffer, passphrase: string): Promise<string> {
  const [version, log2N] = bytes.subarray(OLD_MAGIC.length);
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
  const salt = header.subarray(OLD_MAGIC.length + 2, OLD_MAGIC.length + 2 + SALT_BYTES);
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
    const message = say('The passphrase is wrong, or the file was changed or cut short.');
    throw new BackupError('wrong-passphrase', message, { cause });
  }
  try {
    return (await promisify(gunzip)(plain, { maxOutputLength: MAX_CONTENT_BYTES })).toString('utf8');
  } catch (cause) {
    throw new BackupError(
      'damaged',
      say('The backup cannot be unpacked: {reason}', { reason: reasonOf(cause) }),
      { cause },
    );
  }
}
