/**
 * What signing in must remember, in one file: the password's hash, sessions, API tokens. Small and seldom written: a
 * sign-in, a change of an account, and the hour of a session's last use.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../../config/json-schema.ts';
import { writeFileAtomically } from '../../os/atomic-write.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Scope } from '../contract/common.ts';
import { ApiError } from '../errors.ts';
import { isPasswordHash } from './password.ts';
import { newSecret } from './secrets.ts';
import { type Text, reasonOf, say } from '../../texts/text.ts';

export interface Session {
  readonly id: string;
  readonly hash: string;
  readonly createdAtMs: number;
  lastSeenAtMs: number;
  source: string;
  readonly userAgent: string | null;
}

export interface ApiToken {
  readonly id: string;
  readonly hash: string;
  readonly name: string;
  readonly scope: Scope;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  lastUsedAtMs: number | null;
}

export interface AuthData {
  version: 1;
  /** As `hashPassword` made it; null while the appliance is unclaimed. */
  password: string | null;
  totp: { secret: string; lastStep: number } | null;
  sessions: Session[];
  tokens: ApiToken[];
  /** Of the cookies that tell browsers which have signed in before from others. */
  deviceKey: string;
}

export interface AuthFile {
  /** In force. Changed in place, then `save`d. */
  readonly data: AuthData;
  /** Why nobody can sign in, and what to do; undefined when all is well. */
  readonly problem: Text | undefined;
  /** Resolves when what `data` is now is on the disk. Throws ApiError 503 when that fails: it is in force regardless. */
  save(): Promise<void>;
}

const FILE = 'auth.json';
/** Matches no password. */
const UNUSABLE = 'unusable';

/**
 * Reads the file, or begins a new one. A file that cannot be understood does not make the appliance unclaimed, which
 * would give it to the next visitor: nobody signs in until a new password is set with the bootstrap token.
 */
export async function openAuthFile(stateDirectory: string, log: Logger): Promise<AuthFile> {
  const path = join(stateDirectory, FILE);
  let data: AuthData = {
    version: 1,
    password: null,
    totp: null,
    sessions: [],
    tokens: [],
    deviceKey: newSecret(),
  };
  let problem: Text | undefined;
  try {
    data = check(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      problem = say('{path} cannot be used ({reason}); set a new password with the bootstrap token', {
        path,
        reason: reasonOf(error),
      });
      log.error({ err: error, path }, 'admin: nobody can sign in until a new password is set');
      data.password = UNUSABLE;
    }
  }

  let writing: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  async function write(): Promise<void> {
    await writing.catch(() => {});
    next = undefined;
    writing = writeFileAtomically(path, `${JSON.stringify(data)}\n`, 0o600);
    await writing;
    problem = undefined;
  }
  return {
    data,
    get problem() {
      return problem;
    },
    async save() {
      // What is asked for while a write goes on is one further write.
      next ??= write();
      try {
        await next;
      } catch (error) {
        log.error({ err: error }, 'admin: could not keep who may sign in');
        const message = say('In force until the next restart, but not kept: {reason}', {
          reason: reasonOf(error),
        });
        throw new ApiError(503, 'not-kept', message);
      }
    },
  };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isTime = (value: unknown): value is number => Number.isSafeInteger(value);
const isTimeOrNull = (value: unknown) => value === null || isTime(value);
const SCOPES: readonly unknown[] = ['read', 'configure', 'system'] satisfies Scope[];

/** The data if it is what we wrote; throws otherwise. */
function check(value: unknown): AuthData {
  const fail = (what: string): never => {
    throw new Error(`"${what}" is not what was written there`);
  };
  if (!isObject(value) || value['version'] !== 1) return fail('version');
  const data = value as unknown as AuthData;
  if (data.password !== null && data.password !== UNUSABLE && !isPasswordHash(data.password))
    fail('password');
  if (data.totp !== null && !(isText(data.totp?.secret) && isTime(data.totp.lastStep))) fail('totp');
  if (!isText(data.deviceKey)) fail('deviceKey');
  const isSession = (each: Session) =>
    isText(each?.id) && isText(each.hash) && isTime(each.createdAtMs) && isTime(each.lastSeenAtMs);
  if (!Array.isArray(data.sessions) || !data.sessions.every(isSession)) fail('sessions');
  const isToken = (each: ApiToken) =>
    [each?.id, each?.hash, each?.name].every(isText) &&
    SCOPES.includes(each.scope) &&
    isTime(each.createdAtMs) &&
    isTimeOrNull(each.expiresAtMs) &&
    isTimeOrNull(each.lastUsedAtMs);
  if (!Array.isArray(data.tokens) || !data.tokens.every(isToken)) fail('tokens');
  return data;
}
