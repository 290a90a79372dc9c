/**
 * The first lines that servers send: enough to recognise the protocol. Bytes come as Latin-1 text. Each reader returns
 * "incomplete" while more may come, and undefined when it is a different protocol.
 */

/** Longer than the greeting of any reasonable server. */
export const MAX_GREETING_BYTES = 8192;

export type Greeting<T> = T | 'incomplete' | undefined;

/** The complete lines, without CR LF (a bare LF ends a line too). */
const completeLines = (text: string): string[] => text.split(/\r?\n/).slice(0, -1);

export interface StatusLine {
  /** 100 to 599. */
  readonly status: number;
  /** May be empty. */
  readonly reason: string;
}

/** The status line of an HTTP/1.x response (RFC 9112 section 4). */
export function readStatusLine(text: string): Greeting<StatusLine> {
  const [line] = completeLines(text);
  if (line === undefined) return isStartOf('HTTP/1.', text) ? 'incomplete' : undefined;
  const match = /^HTTP\/1\.[0-9] ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(line);
  return match === null ? undefined : { status: Number(match[1]), reason: match[2] ?? '' };
}

export interface SshBanner {
  /** "2.0", or "1.99" for servers that speak both versions. */
  readonly protocol: string;
  /** "OpenSSH_9.2p1". */
  readonly software: string;
}

/** The identification string (RFC 4253 section 4.2). Other lines may come before it, but none that starts with "SSH-". */
export function readSshBanner(text: string): Greeting<SshBanner> {
  for (const line of completeLines(text)) {
    if (!line.startsWith('SSH-')) continue;
    const match = /^SSH-([0-9.]+)-([\x21-\x7e]+)(?: .*)?$/.exec(line);
    return match === null ? undefined : { protocol: match[1], software: match[2] };
  }
  return text.length < MAX_GREETING_BYTES ? 'incomplete' : undefined;
}

export interface SmtpGreeting {
  /** 220 when the server accepts mail; 554 when it does not (RFC 5321 section 3.1). */
  readonly code: number;
  /** The text of the first line, usually the server's name. */
  readonly text: string;
}

/** The greeting of an SMTP server (RFC 5321 section 4.2): "220-..." lines, the last one with a space. */
export function readSmtpGreeting(text: string): Greeting<SmtpGreeting> {
  let first: SmtpGreeting | undefined;
  for (const line of completeLines(text)) {
    const match = /^([2-5][0-9]{2})(?:([ -])(.*))?$/.exec(line);
    if (match === null) return undefined;
    const code = Number(match[1]);
    first ??= { code, text: match[3] ?? '' };
    if (code !== first.code) return undefined;
    if (match[2] !== '-') return first;
  }
  return text.length < MAX_GREETING_BYTES ? 'incomplete' : undefined;
}

/** Whether the text may still become one that begins with `start`. */
const isStartOf = (start: string, text: string): boolean =>
  text.startsWith(start) ? text.length < MAX_GREETING_BYTES : start.startsWith(text);
