/** Sessions of the browser: random tokens in a cookie. Only their hashes are stored. */
import { hashSecret, keyed, newId, newSecret } from './secrets.ts';
import type { AuthData, Session } from './state-file.ts';

const HOUR_MS = 3_600_000;
/** A session ends after this long without use. */
export const IDLE_LIMIT_MS = 12 * HOUR_MS;
/** A session ends after this long even if it is used. */
export const ABSOLUTE_LIMIT_MS = 7 * 24 * HOUR_MS;
/**
 * If a session begins later than this from now, the clock was ahead when it began. Its age is unknown, and it would last for
 * years.
 */
const MOST_AHEAD_MS = 24 * HOUR_MS;
const MAX_SESSIONS = 50;
const LAST_SEEN_STEP_MS = 60_000;
/** How much of a session's last use a power failure may lose: it saves writes to the card. */
const LAST_SEEN_SAVE_MS = HOUR_MS;
const MAX_USER_AGENT_CHARACTERS = 200;

export const sessionEndsAtMs = ({ createdAtMs, lastSeenAtMs }: Session): number =>
  Math.min(createdAtMs + ABSOLUTE_LIMIT_MS, lastSeenAtMs + IDLE_LIMIT_MS);

export const isLive = (session: Session, nowMs: number): boolean =>
  nowMs < sessionEndsAtMs(session) && session.createdAtMs <= nowMs + MOST_AHEAD_MS;

/**
 * Begins a session under a new token, whatever the browser sent, so a token that somebody else placed there (session fixation)
 * never becomes valid. Removes sessions that have ended, and above MAX_SESSIONS the one that was unused for longest.
 */
export function beginSession(
  data: AuthData,
  source: string,
  userAgent: string | undefined,
  nowMs: number,
): { token: string; session: Session } {
  const token = newSecret();
  const session: Session = {
    id: newId(),
    hash: hashSecret(token),
    createdAtMs: nowMs,
    lastSeenAtMs: nowMs,
    source,
    userAgent: userAgent?.slice(0, MAX_USER_AGENT_CHARACTERS).toWellFormed() ?? null,
  };
  data.sessions = [
    ...data.sessions
      .filter((each) => isLive(each, nowMs))
      .toSorted((a, b) => a.lastSeenAtMs - b.lastSeenAtMs)
      .slice(-(MAX_SESSIONS - 1)),
    session,
  ];
  return { token, session };
}

/** The live session of a token. */
export function findSession({ sessions }: AuthData, token: string, nowMs: number): Session | undefined {
  const hash = hashSecret(token);
  const session = sessions.find((each) => each.hash === hash);
  return session !== undefined && isLive(session, nowMs) ? session : undefined;
}

/** Records that a session is used. Returns true if that should be written. */
export function touchSession(session: Session, source: string, nowMs: number): boolean {
  const before = session.lastSeenAtMs;
  if (nowMs - before < LAST_SEEN_STEP_MS && session.source === source) return false;
  session.lastSeenAtMs = Math.max(before, nowMs - (nowMs % LAST_SEEN_STEP_MS));
  session.source = source;
  return Math.floor(before / LAST_SEEN_SAVE_MS) !== Math.floor(session.lastSeenAtMs / LAST_SEEN_SAVE_MS);
}

/** A page of ours sends this back in a header; a page of another site cannot know it. */
export const csrfToken = (sessionToken: string): string => keyed(sessionToken, 'csrf');
