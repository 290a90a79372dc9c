/** The bootstrap token: made at the first start and kept in the state directory for root. Its scope is system. */
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Storage } from '../../runtime/storage.ts';
import { TextError, say } from '../../texts/text.ts';
import { newSecret } from './secrets.ts';

const TOKEN_FILE = 'admin-token';
const TOKEN_PATTERN = /^[A-Za-z0-9_-]{43}$/;

/** Where the token is kept; only root and the service may read it. */
export const tokenPath = (stateDirectory: string): string => join(stateDirectory, TOKEN_FILE);

/** The token of the file. Throws on anything else: a token shorter than ours could be guessed. */
export function parseToken(content: Buffer): string {
  const token = content.toString('latin1').trim();
  if (!TOKEN_PATTERN.test(token)) throw new TextError(say('it does not have 43 characters of base64url'));
  return token;
}

/**
 * The token of this appliance. If there is none, a new one is made. A file that holds no valid token is moved aside first. If
 * the file cannot be read or written, the token is only in memory and nobody knows it, so nobody can use it. Never rejects.
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

/** The credentials of an Authorization header (RFC 6750 section 2.1); undefined if there are none. */
export const bearerToken = (header: string | undefined): string | undefined =>
  /^Bearer +(\S{1,256})$/i.exec(header ?? '')?.[1];
