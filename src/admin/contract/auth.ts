/** The shapes of signing in: first run, sessions, password, TOTP, API tokens, audit log. */
import { type Static, Type } from '../../config/json-schema.ts';
import { Nullable, Scope, strict } from './common.ts';
import { StatusAnswer } from './status.ts';

/** The cookie of the session token: HttpOnly, SameSite=Strict, Path=/. Over HTTPS also Secure, and with the prefix "__Host-". */
export const SESSION_COOKIE = 'tombolo_session';
/** Every request with the cookie, except GET, must carry the `csrfToken` of GET session in this header. */
export const CSRF_HEADER = 'x-csrf-token';

export const PASSWORD_MIN_CHARACTERS = 10;

// `writeOnly`: an error never repeats the value.
const NewPassword = Type.String({
  pattern: `^[^]{${PASSWORD_MIN_CHARACTERS},256}$`,
  writeOnly: true,
  title: 'New password',
  expected: `a password of ${PASSWORD_MIN_CHARACTERS} to 256 characters`,
});
export const PresentPassword = Type.String({
  pattern: '^[^]{1,256}$',
  writeOnly: true,
  title: 'Present password',
  expected: 'the present password',
});
/** For routes with `config.presence`: a session must send it, the bootstrap token need not. */
export const AskedPassword = Type.Optional(PresentPassword);
const TotpCode = Type.String({
  pattern: '^[0-9]{6}$',
  writeOnly: true,
  title: 'Code of the authenticator app',
  expected: 'the six digits that the authenticator app shows',
});

/** GET session: open to every client that may connect. It is the first request of the page. */
export const SessionAnswer = Type.Object({
  /** unclaimed: no password has been set yet; POST first-run sets it. */
  state: Type.Union([Type.Literal('unclaimed'), Type.Literal('signed-out'), Type.Literal('signed-in')]),
  /** Only while unclaimed. If the window is closed, only a restart of the appliance opens it again. */
  claim: Type.Optional(
    Type.Object({
      isOpen: Type.Boolean(),
      endsInSeconds: Type.Integer(),
      /** Whether this client is in the local network. A claim is only accepted from there. */
      isLocal: Type.Boolean(),
    }),
  ),
  /** Only if signed in by cookie. */
  csrfToken: Type.Optional(Type.String()),
  /** Only if signed in: what this session or token may do. */
  scope: Type.Optional(Scope),
  /** Whether POST session needs a code; also present when signed out. */
  hasTotp: Type.Optional(Type.Boolean()),
  hostname: Type.String(),
  /** Whether this request came over TLS. */
  isEncrypted: Type.Boolean(),
  /** SHA-256 of the certificate, "AB:CD:..."; absent without HTTPS. */
  certificateFingerprint: Type.Optional(Type.String()),
});

/** POST first-run: sets the first password and signs in; answers SessionAnswer. */
export const FirstRunBody = Type.Object(
  { password: NewPassword },
  { ...strict, expected: 'an object with the field "password"' },
);

/** POST session: signs in; answers SessionAnswer. DELETE session signs out. */
export const SignInBody = Type.Object(
  { password: PresentPassword, code: Type.Optional(TotpCode) },
  { ...strict, expected: 'an object with the field "password", and "code" when TOTP is on' },
);

/** GET sessions. DELETE sessions/:id ends one, DELETE sessions ends all, including this one. */
export const SessionsAnswer = Type.Object({
  sessions: Type.Array(
    Type.Object({
      id: Type.String(),
      isCurrent: Type.Boolean(),
      createdAt: Type.String(),
      /** To the minute, so that a page that only reads causes no writes. */
      lastSeenAt: Type.String(),
      /** When it ends if it is not used, and when it ends at the latest. */
      endsAt: Type.String(),
      /** Client address of the last request. */
      source: Type.String(),
      userAgent: Nullable(Type.String()),
    }),
  ),
});

/** PUT password: ends every other session; this one continues with a new cookie. Answers SessionAnswer (new csrfToken). */
export const PasswordBody = Type.Object(
  {
    current: AskedPassword,
    next: NewPassword,
  },
  { ...strict, expected: 'an object with the fields "current" and "next"' },
);

/** POST totp: a new secret. It is not required for signing in until PUT totp has proved that the app has it. */
export const TotpSecretAnswer = Type.Object({
  /** Base32, for typing. */
  secret: Type.String(),
  /** otpauth://..., for the QR code. */
  uri: Type.String(),
  /** ISO 8601: PUT totp accepts it until then. */
  confirmBy: Type.String(),
});
/** PUT totp: switches it on; answers SessionAnswer. */
export const TotpConfirmBody = Type.Object(
  { code: TotpCode, password: AskedPassword },
  { ...strict, expected: 'an object with the fields "code" and "password"' },
);
/** DELETE totp: switches it off; answers SessionAnswer. The bootstrap token needs no password. */
export const TotpRemoveBody = Type.Object(
  { password: AskedPassword },
  { ...strict, expected: 'an object with the field "password"' },
);

const token = {
  id: Type.String(),
  name: Type.String(),
  scope: Scope,
  createdAt: Type.String(),
  expiresAt: Nullable(Type.String()),
  lastUsedAt: Nullable(Type.String()),
};
export const TokensAnswer = Type.Object({ tokens: Type.Array(Type.Object(token)) });

/** POST tokens. DELETE tokens/:id revokes one. */
export const TokenBody = Type.Object(
  {
    name: Type.String({
      pattern: '^[^\\p{C}]{1,63}$',
      title: 'What the token is for',
      expected: 'a name of 1 to 63 characters',
    }),
    scope: Scope,
    /** Null: it does not expire. */
    expiresInDays: Type.Union([Type.Integer({ minimum: 1, maximum: 3650 }), Type.Null()], {
      title: 'Days until it expires',
      expected: 'a whole number from 1 to 3650, or null',
    }),
    password: AskedPassword,
  },
  { ...strict, expected: 'an object with the fields "name", "scope", "expiresInDays" and "password"' },
);
/** 201. The secret is only shown here. */
export const TokenMadeAnswer = Type.Object({ ...token, secret: Type.String() });

/** Parameters of the routes with an id. */
export const IdParams = Type.Object(
  {
    id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', title: 'Which', expected: 'an id of the list' }),
  },
  strict,
);

/** GET audit?cursor&limit: newest first. */
export const AuditQuery = Type.Object(
  {
    cursor: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,16}$',
        title: 'Where to go on',
        expected: 'the nextCursor of the answer before',
      }),
    ),
    limit: Type.Optional(
      Type.String({
        pattern: '^([1-9][0-9]?|[1-4][0-9]{2}|500)$',
        title: 'Entries at most',
        expected: 'a whole number from 1 to 500',
      }),
    ),
  },
  { ...strict, expected: 'the optional parameters "cursor" and "limit"' },
);
export const AuditEntry = Type.Object({
  /** Counts up. */
  id: Type.Integer(),
  at: Type.String(),
  /** "owner" (a session), "token NAME", "bootstrap token", or "nobody" for a client that was refused. */
  who: Type.String(),
  /** Address of the client. */
  source: Type.String(),
  /** Method and route: "DELETE /api/tokens/:id". */
  action: Type.String(),
  /** The route's summary, a sentence. */
  summary: Type.String(),
  /** The object of the action: an id, a name, a revision. */
  target: Nullable(Type.String()),
  outcome: Type.Union([Type.Literal('done'), Type.Literal('refused'), Type.Literal('failed')]),
  /** Why it was refused or failed; for sign-ins that came too fast, their number. */
  detail: Nullable(Type.String()),
});
export const AuditAnswer = Type.Object({
  entries: Type.Array(AuditEntry),
  /** For the parameter "cursor" of the next request; null at the end. */
  nextCursor: Nullable(Type.Integer()),
});

/** `console.json` in the runtime directory: the data for the screen of the appliance. */
export const ConsoleFile = Type.Object({
  urls: Type.Array(Type.String()),
  /** Null once claimed. */
  claim: Nullable(Type.Object({ isOpen: Type.Boolean(), until: Type.String() })),
  certificateFingerprint: Nullable(Type.String()),
  /** The process that wrote the file. If it no longer exists, the file is out of date. */
  processId: Type.Integer(),
  /** As in GET status, in English. */
  status: StatusAnswer.properties.status,
  services: Type.Array(
    Type.Object({
      name: Type.String(),
      state: StatusAnswer.properties.services.items.properties.state,
      problem: Nullable(Type.String()),
    }),
  ),
  /** All problems as one text. */
  problem: Nullable(Type.String()),
});

export type SessionAnswer = Static<typeof SessionAnswer>;
export type FirstRunBody = Static<typeof FirstRunBody>;
export type SignInBody = Static<typeof SignInBody>;
export type SessionsAnswer = Static<typeof SessionsAnswer>;
export type PasswordBody = Static<typeof PasswordBody>;
export type TotpSecretAnswer = Static<typeof TotpSecretAnswer>;
export type TotpConfirmBody = Static<typeof TotpConfirmBody>;
export type TotpRemoveBody = Static<typeof TotpRemoveBody>;
export type TokensAnswer = Static<typeof TokensAnswer>;
export type TokenBody = Static<typeof TokenBody>;
export type TokenMadeAnswer = Static<typeof TokenMadeAnswer>;
export type IdParams = Static<typeof IdParams>;
export type AuditQuery = Static<typeof AuditQuery>;
export type AuditEntry = Static<typeof AuditEntry>;
export type AuditAnswer = Static<typeof AuditAnswer>;
export type ConsoleFile = Static<typeof ConsoleFile>;
