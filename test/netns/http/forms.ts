/** The heads that the proxy sends: the only place that knows their fields and the order of these. */
import { ADDRESSES, type ServerName, hostnameOf } from './addresses.ts';

export interface Request {
  /** "GET /path". */
  readonly line: string;
  /** The authority, by server: "a.example.com". */
  readonly at?: ServerName;
  /** Instead of `at`. */
  readonly authority?: string;
  /** Lines without Host, in their order. */
  readonly fields?: readonly string[];
  readonly body?: string;
  /** Of the client's request. */
  readonly version?: '1.0' | '1.1';
  /** Upgrade to this protocol. */
  readonly upgrade?: string;
  /** It reaches the server as the last one on its connection. */
  readonly isLast?: boolean;
}

const authorityOf = ({ at = 'a', authority = hostnameOf(at) }: Request) => authority;

/** What a client sends. */
export function request(parts: Request): string {
  const { line, fields = [], body = '', version = '1.1', upgrade } = parts;
  const own = upgrade === undefined ? [] : ['Connection: Upgrade', `Upgrade: ${upgrade}`];
  const lines = [`${line} HTTP/${version}`, `Host: ${authorityOf(parts)}`, ...fields, ...own];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** What the server gets for it. `fields` are those that pass. */
export function forwarded(parts: Request): string {
  const { line, fields = [], body = '', version = '1.1', upgrade, isLast = false } = parts;
  const authority = authorityOf(parts);
  const lines = [
    `${line} HTTP/1.1`,
    `Host: ${authority}`,
    ...fields,
    `X-Forwarded-For: ${ADDRESSES.client}`,
    `X-Real-IP: ${ADDRESSES.client}`,
    'X-Forwarded-Proto: http',
    `Forwarded: for=${ADDRESSES.client};proto=http;host="${authority}"`,
    `X-Forwarded-Host: ${authority}`,
    ...(upgrade === undefined ? [] : [`Upgrade: ${upgrade}`]),
    `Via: ${version} tombolo`,
    ...(upgrade === undefined ? [] : ['Connection: Upgrade']),
    ...(isLast ? ['Connection: close'] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

export interface Answer {
  /** "200 OK". */
  readonly status?: string;
  readonly fields?: readonly string[];
  readonly body?: string;
  /** Of the server's answer. */
  readonly version?: '1.0' | '1.1';
  /** Lines that only the server's side or the client's side of it has, after the others. */
  readonly connection?: readonly string[];
}

/** What a server sends. */
export function answer({
  status = '200 OK',
  fields,
  body = '',
  version = '1.1',
  connection = [],
}: Answer): string {
  const lines = [`HTTP/${version} ${status}`, ...(fields ?? lengthOf(body)), ...connection];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** What the client gets of it. */
export function relayed({
  status = '200 OK',
  fields,
  body = '',
  version = '1.1',
  connection = [],
}: Answer): string {
  const lines = [
    `HTTP/1.1 ${status}`,
    ...(fields ?? lengthOf(body)),
    `Via: ${version} tombolo`,
    ...connection,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

const lengthOf = (body: string) => [`Content-Length: ${body.length}`];

/** A body of chunks. */
export const chunked = (...chunks: string[]): string =>
  [...chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`), '0\r\n\r\n'].join('');

export const CHUNKED = 'Transfer-Encoding: chunked';
export const CLOSE = 'Connection: close';
