/** The bootstrap token: made at the first start, kept in the state directory for root, of scope system. */
import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../os/atomic-write.ts';
import { newSecret } from './secrets.ts';

const TOKEN_FILE = 'admin-token';
const TOKEN_PATTERN = /^[A-Za-z0-9_-]{43}$/;

/** Where the token is kept; only root and the service may read it. */
export const tokenPath = (stateDirectory: string): string => join(stateDirectory, TOKEN_FILE);

/**
 * The token of this appliance, made when there is none. Throws when the file holds something else: a token that is
 * shorter than ours would be a guessable one.
 */
export async function loadOrCreateToken(stateDirectory: string): Promise<string> {
  const path = tokenPath(stateDirectory);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new Error(`could not read the admin token ${path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    const token = newSecret();
    await writeFileAtomically(path, `${token}\n`, 0o600);
    return token;
  }
  const token = text.trim();
  if (!TOKEN_PATTERN.test(token)) {
    throw new Error(
      `${path}: expected 43 characters of base64url; remove the file and a new token is made at the next start`,
    );
  }
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
  return token;
}

/** The credentials of an Authorization header (RFC 6750 section 2.1), undefined when there are none. */
export const bearerToken = (header: string | undefined): string | undefined =>
  /^Bearer +(\S{1,256})$/i.exec(header ?? '')?.[1];
