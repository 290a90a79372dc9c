/** The form of the tables: what one client sends and gets, and what reaches which server. */
import type { ServerName } from './addresses.ts';

/** One of our own answers. */
export interface OwnAnswer {
  /** One status, or those of which any will do. */
  readonly status: number | readonly number[];
  /** The request was HEAD: no body follows. */
  readonly isHead?: boolean;
}

/** Bytes that must come next: exactly these, or one of our own answers, which is framed by its Content-Length. */
export type Expected = string | OwnAnswer;

export type ClientStep =
  /** In one write; in the variant "byte by byte" in as many as it has bytes. */
  | { readonly send: string }
  | { readonly gets: Expected }
  /** The client has sent all: FIN. */
  | 'ends'
  /** Servers that wait for it go on. */
  | 'signals'
  /** The proxy ends the connection, and nothing comes before that. */
  | 'is-closed'
  /** The proxy ends or resets the connection. What comes before that must be the beginning of `cutOff`, or all of it. */
  | { readonly cutOff: string };

export type ServerStep =
  /** All that comes next, to the byte. */
  | { readonly gets: string }
  /** Nothing but this, or a part of it from its beginning, may come until the connection ends. */
  | { readonly getsAtMost: string }
  /** Whatever comes after the bytes of before is part of an upload that nobody needs. */
  | 'ignores-the-rest'
  | 'awaits-signal'
  /** Up to now, nothing came that no step has taken. */
  | 'got-nothing-more'
  /** In one write each. */
  | { readonly sends: string | readonly string[] }
  | 'ends'
  | 'resets';

/** A connection to a server. Those of one server are accepted in the order of the table. */
export interface ServerConnection {
  readonly at: ServerName;
  readonly steps: readonly ServerStep[];
  /** Whether the proxy may leave it out. */
  readonly isOptional?: boolean;
}

export interface Row {
  readonly title: string;
  readonly client: readonly ClientStep[];
  /** None: nothing at all reaches any server. */
  readonly servers?: readonly ServerConnection[];
  /** Not repeated with each byte in a segment of its own. */
  readonly isWholeOnly?: boolean;
}

export const send = (text: string): ClientStep => ({ send: text });
export const gets = <Which extends Expected>(expected: Which): { readonly gets: Which } => ({
  gets: expected,
});
export const answered = (status: OwnAnswer['status']): ClientStep => ({ gets: { status } });

/** An own answer after which the connection is closed, which it says. */
export const refused = (status: OwnAnswer['status']): ClientStep[] => [answered(status), 'is-closed'];

/** Refused, and no server notices. */
export const refusedRow = (title: string, bytes: string, status: OwnAnswer['status']): Row => ({
  title,
  client: [send(bytes), ...refused(status)],
});
