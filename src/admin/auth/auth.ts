/** Signing in: the checks, in one place for all routes. */
import type { Logger } from '../../runtime/log.ts';
import type { Storage } from '../../runtime/storage.ts';
import { ApiError, invalidInput } from '../api-error.ts';
import { isLoopback } from '../transport.ts';
import { type AuditLog, openAuditLog } from './audit-log.ts';
import { BackOff, sourceKey } from './back-off.ts';
import { loadOrCreateToken } from './bootstrap-token.ts';
import { type ClaimWindow, openClaimWindow } from './claim.ts';
import { HashQueue, hashPassword, verifyPassword, weakness } from './password.ts';
import { createRightTime, type Dated } from './right-time.ts';
import { newSecret } from './secrets.ts';
import { type AuthFile, type AuthData, openAuthFile } from './state-file.ts';
import { acceptedStep } from './totp.ts';
import { type Text, say } from '../../texts/text.ts';

const FREE_FAILURES = 5;
/**
 * Failures that are free for all clients together that have never signed in here. It also slows down an attacker with many
 * addresses. Clients that still have free failures only wait for one another. Otherwise a single network that keeps guessing
 * would lock out every new browser of the owner.
 */
const FREE_FAILURES_OF_ALL = 50;
const allOf = (isFree: boolean) => (isFree ? 'all that begin' : 'all that go on');

export interface Auth {
  readonly data: AuthData;
  readonly problem: Text | undefined;
  readonly claim: ClaimWindow;
  readonly audit: AuditLog;
  readonly bootstrapToken: string;
  /** The back-off for wrong tokens. */
  readonly tokenBackOff: BackOff;
  isClaimed(): boolean;
  /** As `AuthFile.save`. */
  save(): Promise<void>;
  /** Unix time. The age of what this process has made is right, even if the clock was wrong when it was made. */
  now(): number;
  /** Registers a session or token that begins now. */
  made(item: Dated): void;
  /** For measuring intervals. */
  monotonicNow(): number;
  /** Sets the first password, once. Fails if it cannot be stored. */
  claimWith(password: string): Promise<void>;
  /**
   * Rejects a weak password as a problem at `path`. Also removes what the old password gave access to: every session, and the
   * key by which known browsers are recognised. If it cannot be stored, this throws, but the new password applies all the same.
   */
  setPassword(password: string, path: string): Promise<void>;
  /**
   * Whether the password is right, and the code too if TOTP is on. Throws ApiError 429 if this client must wait first, or if
   * too many are being checked.
   */
  isOwner(candidate: Candidate): Promise<boolean>;
}

export interface Candidate {
  readonly password: string;
  /** undefined: there is no code to check. '' is wrong. */
  readonly code: string | undefined;
  readonly source: string;
  /** The cookie of a browser that has signed in here before. */
  readonly device: string | undefined;
}

export interface AuthOptions {
  readonly storage: Storage;
  readonly log: Logger;
  readonly now: () => number;
  readonly monotonicNow: () => number;
}

/** Reads the stored state. The claim window of an unclaimed appliance opens now. Never rejects. */
export async function openAuth(options: AuthOptions): Promise<Auth> {
  const { storage, log, monotonicNow } = options;
  const file: AuthFile = await openAuthFile(storage, log);
  const bootstrapToken = await loadOrCreateToken(storage);
  const { data } = file;
  const { now, made } = createRightTime(
    options.now,
    monotonicNow,
    () => [...data.sessions, ...data.tokens],
    () => void file.keep(),
  );
  const audit = await openAuditLog(storage, now);
  const queue = new HashQueue();
  const bySource = new BackOff(FREE_FAILURES);
  const all = new BackOff(FREE_FAILURES_OF_ALL);
  let isClaiming = false;

  async function setPassword(password: string, path: string): Promise<void> {
    refuseWeak(password, path);
    data.password = await queue.run(undefined, () => hashPassword(password));
    data.sessions = [];
    data.deviceKey = newSecret();
    await file.save();
  }

  function waitMs(key: string, isStranger: boolean): number {
    const nowMs = monotonicNow();
    const ofAllMs = isStranger ? all.waitMs(allOf(bySource.isFree(key, nowMs)), nowMs) : 0;
    return Math.max(bySource.waitMs(key, nowMs), ofAllMs);
  }

  return {
    data,
    get problem() {
      return file.problem;
    },
    claim: openClaimWindow(monotonicNow),
    audit,
    bootstrapToken,
    tokenBackOff: new BackOff(FREE_FAILURES),
    isClaimed: () => data.password !== null,
    save: () => file.save(),
    now,
    made,
    monotonicNow,
    async claimWith(password) {
      if (data.password !== null || isClaiming) {
        throw new ApiError(
          409,
          'already-claimed',
          say('Somebody has already set the password; sign in with it.'),
        );
      }
      isClaiming = true;
      try {
        refuseWeak(password, '/password');
        data.password = await queue.run(undefined, () => hashPassword(password));
        const reason = await file.keep();
        if (reason === undefined) return;
        // A password that cannot be stored does not make an owner: after a restart, the next visitor could claim the appliance.
        data.password = null;
        await file.keep();
        throw new ApiError(
          503,
          'not-kept',
          say('Nobody owns this appliance yet, because that could not be saved: {reason}', { reason }),
        );
      } finally {
        isClaiming = false;
      }
    },
    setPassword,
    isOwner: ({ password, code, source, device }) =>
      // The wait is checked when the turn of this request comes, so that many requests at once cannot get around it.
      queue.run(device !== undefined || isLoopback(source) ? undefined : sourceKey(source), async () => {
        const key = device === undefined ? sourceKey(source) : `device ${device}`;
        // Known browsers and this machine (an SSH tunnel) are counted apart from everyone else.
        const isStranger = device === undefined && !isLoopback(source);
        const remainingMs = waitMs(key, isStranger);
        if (remainingMs > 0) {
          const seconds = Math.ceil(remainingMs / 1000);
          throw new ApiError(
            429,
            'too-many-requests',
            say('Too many wrong passwords; try again in {seconds} s.', { seconds }),
          );
        }
        const isRight = await verifyPassword(password, data.password ?? '');
        const step = await matchingStep(data, code, now());
        if (isRight && step !== undefined) {
          if (data.totp !== null && step > 0) data.totp.lastStep = step;
          bySource.succeed(key);
          return true;
        }
        const nowMs = monotonicNow();
        if (isStranger) all.fail(allOf(bySource.isFree(key, nowMs)), nowMs);
        bySource.fail(key, nowMs);
        return false;
      }),
  };
}

/** The period of a right code; 0 if no code is needed. */
async function matchingStep(
  { totp }: AuthData,
  code: string | undefined,
  nowMs: number,
): Promise<number | undefined> {
  if (totp === null || code === undefined) return 0;
  return acceptedStep(totp.secret, code, totp.lastStep, nowMs);
}

function refuseWeak(password: string, path: string): void {
  const expected = weakness(password);
  if (expected === undefined) return;
  throw invalidInput(path, expected, say('is easy to guess; expected {expected}', { expected }));
}
