/**
 * The data for signing in, in one file: the hash of the password, sessions, API tokens. Small and rarely written: on a sign-in,
 * on a change of an account, and once an hour for the last use of a session.
 */
import { isObject } from '../../config/json-schema.ts';
import { reasonWithRemedy } from '../../os/system-reason.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Storage } from '../../runtime/storage.ts';
import type { Scope } from '../contract/common.ts';
import { ApiError } from '../api-error.ts';
import { isPasswordHash } from './password.ts';
import { newSecret } from './secrets.ts';
import { type Text, english, notAsWritten, reasonOf, say } from '../../texts/text.ts';

export interface Session {
  readonly id: string;
  readonly hash: string;
  /** Corrected when the clock was set (right-time.ts), like the other times. */
  createdAtMs: number;
  lastSeenAtMs: number;
  source: string;
  readonly userAgent: string | null;
}

export interface ApiToken {
  readonly id: string;
  readonly hash: string;
  readonly name: string;
  readonly scope: Scope;
  createdAtMs: number;
  expiresAtMs: number | null;
  lastUsedAtMs: number | null;
}

export interface AuthData {
  version: 1;
  /** As made by `hashPassword`; null while the appliance is unclaimed. */
  password: string | null;
  totp: { secret: string; lastStep: number } | null;
  sessions: Session[];
  tokens: ApiToken[];
  /** The key of the cookies that mark browsers which have signed in before. */
  deviceKey: string;
}

export interface AuthFile {
  /** The active data. Change it in place, then call `save`. */
  readonly data: AuthData;
  /** Why nobody can sign in, and what to do; undefined if there is no problem. */
  readonly problem: Text | undefined;
  /** Resolves when the present `data` is on the disk, or with the reason why not. The data is active in both cases. Never rejects. */
  keep(): Promise<Text | undefined>;
  /** The same, but throws NotKeptError if the data could not be stored. */
  save(): Promise<void>;
}

/** The change is active, but not on the disk. */
export class NotKeptError extends ApiError {
  readonly reason: Text;
  constructor(reason: Text) {
    super(
      503,
      'not-kept',
      say(
        'Active now, but not saved on the disk yet. Saving is retried; a restart before that brings back the previous state. {reason}',
        { reason },
      ),
    );
    this.reason = reason;
  }
}

const FILE = 'auth.json';
/** Exists as soon as the appliance has an owner. If FILE is missing then, it was lost. */
const CLAIMED = 'claimed';
/** Matches no password. */
const UNUSABLE = 'unusable';

const newData = (password: string | null): AuthData => ({
  version: 1,
  password,
  totp: null,
  sessions: [],
  tokens: [],
  deviceKey: newSecret(),
});

/**
 * Reads the file, or begins a new one. A file that is damaged, unreadable or lost does not make the appliance unclaimed,
 * because then the next visitor could claim it. Nobody can sign in until a new password is set with the bootstrap token. Never
 * rejects.
 */
export async function openAuthFile(storage: Storage, log: Logger): Promise<AuthFile> {
  const file = storage.file(FILE);
  const claimed = storage.file(CLAIMED);
  const found = await file.read(parseAuthData);
  const hasOwner = (await claimed.read(() => true)).verdict !== 'missing';
  const data =
    found.verdict === 'good'
      ? found.value
      : newData(found.verdict === 'missing' && !hasOwner ? null : UNUSABLE);
  // As on a new appliance, but closed if it already has an owner.
  if (hasOwner) data.password ??= UNUSABLE;
  let problem: Text | undefined;
  if (data.password === UNUSABLE) {
    const reason =
      found.verdict === 'damaged' || found.verdict === 'unreadable'
        ? reasonOf(found.error)
        : found.verdict === 'missing'
          ? say('it is missing, although somebody owns this appliance')
          : say('it has no password');
    problem = say('{path} cannot be used ({reason}); set a new password with the bootstrap token', {
      path: file.path,
      reason,
    });
    log.error(
      { file: file.path, reason: english(reason) },
      'admin: nobody can sign in until a new password is set',
    );
  } else if (data.password !== null && !hasOwner) await claimed.write('');

  async function keep(): Promise<Text | undefined> {
    // Nothing in memory yet is worth more than what the file may still hold.
    if (data.password === UNUSABLE) return problem;
    try {
      // Root has set a new password, and so has given up the unreadable data.
      if (problem !== undefined && found.verdict === 'unreadable') await file.setAside();
      problem = undefined;
      const error = await file.write(`${JSON.stringify(data)}\n`);
      if (error !== undefined) throw error;
    } catch (error) {
      return reasonWithRemedy(error);
    }
    if (data.password !== null) await claimed.write('');
    return undefined;
  }

  return {
    data,
    get problem() {
      return problem;
    },
    keep,
    async save() {
      const reason = await keep();
      if (reason === undefined) return;
      throw new NotKeptError(reason);
    },
  };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTime = (value: unknown): value is number => Number.isSafeInteger(value);
const isTimeOrNull = (value: unknown) => value === null || isTime(value);
const SCOPES: readonly unknown[] = ['read', 'configure', 'system'] satisfies Scope[];

/** The data, if it is what we wrote. Throws with the name of the invalid field. */
export function parseAuthData(content: Buffer): AuthData {
  const value: unknown = JSON.parse(content.toString('utf8'));
  if (!isObject(value) || value['version'] !== 1) return notAsWritten('version');
  const data = value as unknown as AuthData;
  if (data.password !== null && data.password !== UNUSABLE && !isPasswordHash(data.password))
    notAsWritten('password');
  if (data.totp !== null && !(isText(data.totp?.secret) && isTime(data.totp.lastStep))) notAsWritten('totp');
  if (!isText(data.deviceKey)) notAsWritten('deviceKey');
  const isSession = (each: Session | null) =>
    isText(each?.id) && isText(each.hash) && isTime(each.createdAtMs) && isTime(each.lastSeenAtMs);
  if (!Array.isArray(data.sessions) || !data.sessions.every(isSession)) notAsWritten('sessions');
  const isToken = (each: ApiToken | null) =>
    [each?.id, each?.hash, each?.name].every(isText) &&
    SCOPES.includes(each!.scope) &&
    isTime(each!.createdAtMs) &&
    isTimeOrNull(each!.expiresAtMs) &&
    isTimeOrNull(each!.lastUsedAtMs);
  if (!Array.isArray(data.tokens) || !data.tokens.every(isToken)) notAsWritten('tokens');
  return data;
}
