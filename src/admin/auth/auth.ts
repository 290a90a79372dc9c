/** Signing in: what is asked for, in one place, whichever route it comes through. */
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
 * Of all that have never signed in here together: who has many addresses is slowed down as well. Those that still have free
 * failures wait for one another only: one network that goes on guessing would keep every new browser of the owner's out.
 */
const FREE_FAILURES_OF_ALL = 50;
const allOf = (isFree: boolean) => (isFree ? 'all that begin' : 'all that go on');

export interface Auth {
  readonly data: AuthData;
  readonly problem: Text | undefined;
  readonly claim: ClaimWindow;
  readonly audit: AuditLog;
  readonly bootstrapToken: string;
  /** Of wrong tokens. */
  readonly tokenBackOff: BackOff;
  isClaimed(): boolean;
  /** As `AuthFile.save`. */
  save(): Promise<void>;
  /** Unix time; what this process has made is as old as it is, whatever the clock was when it was made. */
  now(): number;
  /** A session or token begins now. */
  made(item: Dated): void;
  /** For intervals. */
  monotonicNow(): number;
  /** Sets the first password, once; not where it cannot be kept. */
  claimWith(password: string): Promise<void>;
  /**
   * Refuses a weak one as a problem at `path`. With the old one goes what it opened: every session, and what browsers are known
   * by. In force also when it throws because it could not be kept.
   */
  setPassword(password: string, path: string): Promise<void>;
  /**
   * Whether the password, and the code when TOTP is on, are right. Throws ApiError 429 when this client must wait first,
   * or too many are being checked.
   */
  isOwner(candidate: Candidate): Promise<boolean>;
}

export interface Candidate {
  readonly password: string;
  /** Not asked for when undefined; '' is wrong. */
  readonly code: string | undefined;
  readonly source: string;
  /** Of a browser that has signed in here before. */
  readonly device: string | undefined;
}

export interface AuthOptions {
  readonly storage: Storage;
  readonly log: Logger;
  readonly now: () => number;
  readonly monotonicNow: () => number;
}

/** Reads what is kept. The claim window of an unclaimed appliance opens now. Never rejects. */
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
        // Who cannot be remembered is no owner: after a restart the next visitor would be.
        data.password = null;
        await file.keep();
        throw new ApiError(
          503,
          'not-kept',
          say('Nobody owns this appliance yet, because that could not be kept: {reason}', { reason }),
        );
      } finally {
        isClaiming = false;
      }
    },
    setPassword,
    isOwner: ({ password, code, source, device }) =>
      // The wait is looked at when it is this one's turn: many at once are no way round it.
      queue.run(device !== undefined || isLoopback(source) ? undefined : sourceKey(source), async () => {
        const key = device === undefined ? sourceKey(source) : `device ${device}`;
        // Whoever may guess from everywhere else, this machine (an SSH tunnel) and known browsers are apart.
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

/** The step of a right code; 0 when none is asked for. */
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
  throw invalidInput(path, expected, say('is what guessers try first; expected {expected}', { expected }));
}
