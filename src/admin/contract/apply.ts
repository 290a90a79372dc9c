/** The shapes of requests that change the configuration: check, apply with a countdown, revisions. */
import { type Static, Type } from '../../config/json-schema.ts';
import { Nullable, strict } from './common.ts';
import { AssertionResult } from './explain.ts';

/** What is wrong with an input, and what is expected; as in `ErrorAnswer`. */
export const Problem = Type.Object({
  /** JSON pointer (RFC 6901) to the value. */
  path: Type.String(),
  value: Type.Optional(Type.String()),
  expected: Type.String(),
  message: Type.String(),
  /** Only if the document was sent as text; from 1. */
  line: Type.Optional(Type.Integer()),
  column: Type.Optional(Type.Integer()),
});

/** One difference between two documents. List entries that have a name (servers, listeners) are matched by it. */
export const DiffEntry = Type.Object({
  kind: Type.Union([
    Type.Literal('added'),
    Type.Literal('removed'),
    Type.Literal('changed'),
    Type.Literal('moved'),
  ]),
  /** JSON pointer into the new document; for a removed value, into the old one. */
  path: Type.String(),
  /** The same for people: `hosts[web1].address`. */
  label: Type.String(),
  /** The previous value; absent if the value was added. For a moved entry, its position in the list, from 0. */
  from: Type.Optional(Type.Unknown()),
  to: Type.Optional(Type.Unknown()),
});

/** The document, or its text as one string. With a text, problems carry line and column. */
const Document = Type.Unknown({
  title: 'The configuration',
  expected: 'a configuration, as an object or as its text',
});

/** POST config/check */
export const ConfigCheckRequest = Type.Object(
  { document: Document },
  { ...strict, expected: 'an object with "document"' },
);
export const ConfigCheckAnswer = Type.Object({
  /** True if there are no problems. Assertions may still fail. */
  valid: Type.Boolean(),
  problems: Type.Array(Problem),
  /** From the active configuration to this one; empty while there are problems. */
  diff: Type.Array(DiffEntry),
  failedAssertions: Type.Array(AssertionResult),
});

const ConfirmSeconds = Type.Integer({
  minimum: 0,
  maximum: 3600,
  title: 'How long the change waits for its confirmation before it is rolled back; 0: no countdown',
  expected: 'a whole number of seconds from 0 to 3600',
  default: 60,
});
const ExpectedRevision = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,64}$',
  title: 'The revision that the change was made from',
  expected: 'the "revision" of GET config',
});
const IgnoreAssertions = Type.Boolean({
  title: 'Apply although assertions fail',
  expected: 'true or false',
  default: false,
});

/**
 * POST config/apply. Errors: 400 invalid-config, 409 assertions-failed (AssertionsFailedAnswer), change-pending or
 * file-changed, 412 stale, 422 apply-failed.
 */
export const ConfigApplyRequest = Type.Object(
  {
    document: Document,
    revision: ExpectedRevision,
    confirmSeconds: Type.Optional(ConfirmSeconds),
    ignoreAssertions: Type.Optional(IgnoreAssertions),
  },
  { ...strict, expected: 'an object with "document" and "revision"' },
);
/** POST config/revisions/:id/revert */
export const ConfigRevertRequest = Type.Object(
  {
    revision: ExpectedRevision,
    confirmSeconds: Type.Optional(ConfirmSeconds),
    ignoreAssertions: Type.Optional(IgnoreAssertions),
  },
  { ...strict, expected: 'an object with "revision"' },
);
export const ConfigApplyAnswer = Type.Object({
  revision: Type.String(),
  /** False: it was active already, and nothing is pending. */
  changed: Type.Boolean(),
  /** ISO 8601; null without a countdown. */
  confirmBy: Nullable(Type.String()),
});

/** Of 409 assertions-failed: ErrorAnswer, and the assertions that failed. */
export const AssertionsFailedAnswer = Type.Object({
  error: Type.Literal('assertions-failed'),
  message: Type.String(),
  failedAssertions: Type.Array(AssertionResult),
});

/** GET config/pending */
export const ConfigPendingAnswer = Type.Object({
  /** The change that waits for POST config/confirm; null if there is none. */
  pending: Nullable(
    Type.Object({
      revision: Type.String(),
      previousRevision: Type.String(),
      by: Type.String(),
      /** ISO 8601. */
      appliedAt: Type.String(),
      confirmBy: Type.String(),
      secondsLeft: Type.Integer(),
      diff: Type.Array(DiffEntry),
    }),
  ),
  /** The last change that was rolled back, until another one is confirmed. */
  lastRollback: Nullable(
    Type.Object({
      /** ISO 8601. */
      at: Type.String(),
      /** The revision that was rolled back. */
      revision: Type.String(),
      by: Type.String(),
      /** not-confirmed: the countdown ended; restarted: the process ended during the countdown; asked: POST config/rollback. */
      reason: Type.Union([Type.Literal('not-confirmed'), Type.Literal('restarted'), Type.Literal('asked')]),
      text: Type.String(),
    }),
  ),
});

/** POST config/confirm and config/rollback: the revision that is active now. 409 nothing-pending. */
export const ConfigRevisionAnswer = Type.Object({ revision: Type.String() });

const revisionRow = {
  /** Increases with time. */
  id: Type.Integer(),
  revision: Type.String(),
  /** ISO 8601. */
  at: Type.String(),
  /** Session or token; "file" for an edit by hand, "appliance" for an automatic change. */
  by: Type.String(),
  why: Type.Union([
    Type.Literal('first'),
    Type.Literal('apply'),
    Type.Literal('revert'),
    Type.Literal('rollback'),
    Type.Literal('file'),
    Type.Literal('restore'),
  ]),
  /** The reason in more detail: "back to revision 12", "not confirmed within 60 s"; may be empty. */
  reason: Type.String(),
  isCurrent: Type.Boolean(),
  /** Number of differences from the previous revision. */
  changes: Type.Integer(),
};

/** GET config/revisions?cursor: the newest first. */
export const ConfigRevisionsAnswer = Type.Object({
  rows: Type.Array(Type.Object(revisionRow)),
  /** For the parameter "cursor" of the next request; null at the end. */
  nextCursor: Nullable(Type.Integer()),
});
/** GET config/revisions/:id */
export const ConfigRevisionDetail = Type.Object({
  ...revisionRow,
  document: Type.Unknown(),
  /** From the previous revision to this one. */
  diff: Type.Array(DiffEntry),
  /** What a revert would change: from the active configuration to this one. */
  diffFromCurrent: Type.Array(DiffEntry),
});

export type Problem = Static<typeof Problem>;
export type DiffEntry = Static<typeof DiffEntry>;
export type ConfigCheckRequest = Static<typeof ConfigCheckRequest>;
export type ConfigCheckAnswer = Static<typeof ConfigCheckAnswer>;
export type ConfigApplyRequest = Static<typeof ConfigApplyRequest>;
export type ConfigRevertRequest = Static<typeof ConfigRevertRequest>;
export type ConfigApplyAnswer = Static<typeof ConfigApplyAnswer>;
export type AssertionsFailedAnswer = Static<typeof AssertionsFailedAnswer>;
export type ConfigPendingAnswer = Static<typeof ConfigPendingAnswer>;
export type ConfigRevisionAnswer = Static<typeof ConfigRevisionAnswer>;
export type ConfigRevisionsAnswer = Static<typeof ConfigRevisionsAnswer>;
export type ConfigRevisionDetail = Static<typeof ConfigRevisionDetail>;
