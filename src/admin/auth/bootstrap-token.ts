/** The bootstrap token: made at the first start, kept in the state directory for root, of scope system. */
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Storage } from '../../runtime/storage.ts';
import { TextError, say } from '../../texts/text.ts';
import { newSecret } from './secrets.ts';

const TOKEN_FILE = 'admin-token';
const TOKEN_PATTERN = /^[A-Za-z0-9_-]{43}$/;

/** Where the token is kept; only root and the service may read it. */
export const tokenPath = (stateDirectory: string): string => join(stateDirectory, TOKEN_FILE);

/** The token of the file. Throws on anything else: one that is shorter than ours would be guessable. */
export function parseToken(content: Buffer): string {
  const token = content.toString('latin1').trim();
  if (!TOKEN_PATTERN.test(token)) throw new TextError(say('it does not hold 43 characters of base64url'));
  return token;
}

/**
 * The token of this appliance. A new one is made where there is none or what is there is none, which is moved aside. Where it
 * cannot be read or written, there is one in memory that nobody knows: nobody gets in by it. Never rejects.
 */
export async function loadOrCreateToken(storage: Storage): Promise<string> {
  const file = storage.file(TOKEN_FILE);
  const found = await file.read(parseToken);
  if (found.verdict !== 'good') {
    const token = newSecret();
    await file.write(`${token}\n`);
    return token;
  }
  await storage
    .retried(TOKEN_FILE, async () => {
      if (((await stat(file.path)).mode & 0o077) !== 0) await chmod(file.path, 0o600);
    })
    .run();
  return found.value;
}

/** The credentials of an Authorization header (RFC 6750 section 2.1), undefined when there are none. */
export const bearerToken = (header: string | undefined): string | undefined =>
  /^Bearer +(\S{1,256})$/i.exec(header ?? '')?.[1];
