import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import fc from 'fast-check';
import {
  type ClientHelloResult,
  MAX_CLIENT_HELLO_BYTES,
  readClientHello,
  startClientHelloScan,
} from '../../../src/wire/client-hello.ts';
import { TlsAlert, encodeTlsAlert } from '../../../src/wire/tls-alert.ts';
import { captureClientHello } from './capture-client-hello.ts';

/** A result with the offered protocols as texts. */
function shown(result: ClientHelloResult) {
  if (result.kind !== 'complete') return result;
  const { kind, serverName, offers, offersFrom, offersTo } = result;
  const protocols: string[] = [];
  for (let at = offersFrom; offers !== null && at < offersTo; at += 1 + offers[at])
    protocols.push(Buffer.from(offers.subarray(at + 1, at + 1 + offers[at])).toString('latin1'));
  return { kind, serverName, protocols };
}

const read = (bytes: Uint8Array) => shown(readClientHello(bytes, startClientHelloScan()));

/** Feeds growing prefixes, as segments would bring them; returns the first result that is not "incomplete". */
function readInPieces(bytes: Uint8Array, cuts: readonly number[]) {
  const scan = startClientHelloScan();
  for (const cut of [...cuts, bytes.length]) {
    const result = readClientHello(bytes.subarray(0, cut), scan);
    if (result.kind !== 'incomplete') return shown(result);
  }
  return { kind: 'incomplete' } as const;
}

const uint16 = (n: number) => [n >>> 8, n & 255];
const vector16 = (content: readonly number[]) => [...uint16(content.length), ...content];
const ascii = (text: string) => Array.from(text, (character) => character.charCodeAt(0));
const extension = (type: number, content: readonly number[]) => [...uint16(type), ...vector16(content)];
const alpn = (...protocols: string[]) =>
  extension(16, vector16(protocols.flatMap((protocol) => [protocol.length, ...ascii(protocol)])));
const hostName = (name: string) => [0, ...vector16(ascii(name))];
const serverName = (...names: string[]) => extension(0, vector16(names.flatMap(hostName)));

interface HelloParts {
  readonly sessionId?: readonly number[];
  readonly ciphers?: readonly number[];
  readonly compressions?: readonly number[];
  /** null: the field is missing. */
  readonly extensions?: readonly number[] | null;
  readonly messageType?: number;
}

function message({
  sessionId = [],
  ciphers = [0x13, 1],
  compressions = [0],
  extensions = [],
  messageType = 1,
}: HelloParts) {
  const body = [
    3, // legacy_version
    3,
    ...Array.from({ length: 32 }, (_, i) => i),
    sessionId.length,
    ...sessionId,
    ...vector16(ciphers),
    compressions.length,
    ...compressions,
    ...(extensions === null ? [] : vector16(extensions)),
  ];
  return Uint8Array.from([messageType, body.length >>> 16, ...uint16(body.length & 0xffff), ...body]);
}

/** Cuts a message into records of at most `recordBytes`. */
function records(handshake: Uint8Array, recordBytes = 16_384): Uint8Array {
  const pieces: number[] = [];
  for (let at = 0; at < handshake.length; at += recordBytes) {
    const piece = handshake.subarray(at, at + recordBytes);
    pieces.push(22, 3, 1, ...uint16(piece.length), ...piece);
  }
  return Uint8Array.from(pieces);
}

const complete = (serverName: string | undefined, ...protocols: string[]) => ({
  kind: 'complete',
  serverName,
  protocols,
});

const hello = (parts: HelloParts) => records(message(parts));

describe('ClientHellos of a real client', () => {
  const captured: { title: string; bytes: Uint8Array; expected: object }[] = [];
  before(async () => {
    for (const [title, options, expected] of [
      ['TLS 1.3', { servername: 'Example.COM', minVersion: 'TLSv1.3' }, 'example.com'],
      ['TLS 1.2', { servername: 'mail.example.org', maxVersion: 'TLSv1.2' }, 'mail.example.org'],
      ['with ALPN', { servername: 'a.example.net', ALPNProtocols: ['h2', 'http/1.1'] }, 'a.example.net'],
      [
        'with a post-quantum key share',
        { servername: 'pq.example.net', ecdhCurve: 'X25519MLKEM768' },
        'pq.example.net',
      ],
      ['without a name', {}, undefined],
    ] as [string, ConnectionOptions, string | undefined][]) {
      captured.push({
        title,
        bytes: await captureClientHello(options),
        expected: complete(expected, ...((options.ALPNProtocols ?? []) as string[])),
      });
    }
  });

  test('contain their server name', () => {
    for (const { title, bytes, expected } of captured) {
      assert.deepEqual(read(bytes), expected, title);
    }
  });

  test('are incomplete up to their last byte, wherever a segment ends', () => {
    for (const { title, bytes, expected } of captured) {
      for (let cut = 0; cut < bytes.length; cut++) {
        assert.deepEqual(read(bytes.subarray(0, cut)), { kind: 'incomplete' }, `${title}, ${cut} bytes`);
        assert.deepEqual(readInPieces(bytes, [cut]), expected, `${title}, cut at ${cut}`);
      }
    }
  });

  test('may come in records of any size and segments of any size', () => {
    for (const { title, bytes, expected } of captured) {
      const handshake = bytes.subarray(5);
      for (const recordBytes of [1, 2, 3, 4, 5, 37, 100, 255, 256, 511]) {
        const cut = records(handshake, recordBytes);
        const everyByte = Array.from({ length: cut.length }, (_, i) => i);
        assert.deepEqual(readInPieces(cut, []), expected, `${title}, ${recordBytes}`);
        assert.deepEqual(readInPieces(cut, everyByte), expected, `${title}, ${recordBytes}`);
      }
    }
  });

  test('never make the parser throw when mutated, and the verdict does not depend on the segments', () => {
    const mutation = fc.record({
      which: fc.nat(),
      edits: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      cuts: fc.array(fc.nat(3000), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(mutation, ({ which, edits, cuts }) => {
        const bytes = captured[which % captured.length].bytes.slice();
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        const sorted = cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b);
        assert.deepEqual(readInPieces(bytes, sorted), read(bytes));
      }),
      { numRuns: 5000 },
    );
  });
});

test('random bytes never make the parser throw', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      (bytes) => void read(Uint8Array.of(22, 3, 1, 0, 190, 1, 0, 0, 186, ...bytes)),
    ),
    { numRuns: 5000 },
  );
});

const refused = (fault: 'malformed' | 'oversized', alert: number) => ({ kind: 'refused', fault, alert });
const decodeError = refused('malformed', TlsAlert.decodeError);
const illegal = refused('malformed', TlsAlert.illegalParameter);
const notTls = { kind: 'refused', fault: 'not-tls', alert: undefined };
const minimal = hello({ extensions: serverName('example.com') });
const patched = (at: number, value: number) => {
  const bytes = minimal.slice();
  bytes[at] = value;
  return bytes;
};

for (const [title, bytes, expected] of [
  ['a minimal message', minimal, complete('example.com')],
  ['a name in capitals', hello({ extensions: serverName('EXAMPLE.Com') }), complete('example.com')],
  ['a name with a final dot', hello({ extensions: serverName('example.com.') }), complete('example.com')],
  [
    'other extensions around it',
    hello({ extensions: [...extension(23, []), ...serverName('a.example'), ...extension(43, [2, 3, 4])] }),
    complete('a.example'),
  ],
  ['no extensions field (TLS 1.2)', hello({ extensions: null }), complete(undefined)],
  ['an empty extensions field', hello({ extensions: [] }), complete(undefined)],
  ['bytes after the record', Uint8Array.of(...minimal, 20, 3, 3, 0, 1, 1), complete('example.com')],
  ['two names', hello({ extensions: serverName('a.example', 'b.example') }), illegal],
  [
    'two server_name extensions',
    hello({ extensions: [...serverName('a.example'), ...serverName('b.example')] }),
    illegal,
  ],
  ['a NUL in the name', hello({ extensions: serverName('a\0b.example') }), illegal],
  ['an empty name', hello({ extensions: serverName('') }), decodeError],
  ['an empty list of names', hello({ extensions: extension(0, [0, 0]) }), decodeError],
  ['an empty server_name', hello({ extensions: extension(0, []) }), decodeError],
  [
    'a name of another type',
    hello({ extensions: extension(0, vector16([1, ...vector16(ascii('x'))])) }),
    decodeError,
  ],
  ['a list longer than its extension', hello({ extensions: extension(0, [0, 9, 0, 0, 1, 97]) }), decodeError],
  ['an extension longer than the message', hello({ extensions: [0, 0, 0, 200, 0] }), decodeError],
  ['a protocol', hello({ extensions: alpn('acme-tls/1') }), complete(undefined, 'acme-tls/1')],
  [
    'protocols before the name, one of them with any bytes',
    hello({ extensions: [...alpn('h2', '\0\xff', 'x'.repeat(255)), ...serverName('a.example')] }),
    complete('a.example', 'h2', '\0\xff', 'x'.repeat(255)),
  ],
  ['an empty list of protocols', hello({ extensions: alpn() }), decodeError],
  ['an empty protocol', hello({ extensions: alpn('h2', '') }), decodeError],
  ['an empty ALPN extension', hello({ extensions: extension(16, []) }), decodeError],
  ['a protocol longer than its list', hello({ extensions: extension(16, [0, 3, 3, 1, 2]) }), decodeError],
  [
    'a list of protocols shorter than its extension',
    hello({ extensions: extension(16, [0, 2, 1, 97, 0]) }),
    decodeError,
  ],
  ['two ALPN extensions', hello({ extensions: [...alpn('h2'), ...alpn('imap')] }), illegal],
  ['a session id of 33 bytes', hello({ sessionId: Array(33).fill(1) }), decodeError],
  ['no cipher suites', hello({ ciphers: [] }), decodeError],
  ['half a cipher suite', hello({ ciphers: [1, 2, 3] }), decodeError],
  ['no compression method', hello({ compressions: [] }), decodeError],
  ['an empty message', records(Uint8Array.of(1, 0, 0, 0)), decodeError],
  ['another handshake message', hello({ messageType: 2 }), refused('malformed', TlsAlert.unexpectedMessage)],
  ['an empty record', Uint8Array.of(22, 3, 1, 0, 0), decodeError],
  ['a record above 2^14 bytes', patched(3, 0x40 + 1), refused('oversized', TlsAlert.recordOverflow)],
  [
    'a message above the limit',
    records(Uint8Array.of(1, 1, 0, 0, 0)),
    refused('oversized', TlsAlert.decodeError),
  ],
  [
    'another record within the message',
    Uint8Array.of(22, 3, 1, 0, 5, ...message({}).subarray(0, 5), 23, 3, 3, 0, 1),
    refused('malformed', TlsAlert.unexpectedMessage),
  ],
  ['an alert', Uint8Array.of(21, 3, 1, 0, 2, 1, 0), notTls],
  ['plain HTTP', Uint8Array.from(ascii('GET / HTTP/1.1\r\n')), notTls],
  ['SSH', Uint8Array.from(ascii('SSH-2.0-OpenSSH_9\r\n')), notTls],
  ['an SSL 2 hello', Uint8Array.of(0x80, 0x2e, 1, 3, 1), notTls],
  ['no byte', new Uint8Array(0), { kind: 'incomplete' }],
] as [string, Uint8Array, unknown][]) {
  test(`${title}`, () => {
    assert.deepEqual(read(bytes), expected);
    assert.deepEqual(
      readInPieces(
        bytes,
        Array.from({ length: bytes.length }, (_, i) => i),
      ),
      expected,
      'byte by byte',
    );
  });
}

test('a message of nearly the limit passes, in the fewest records and in many', () => {
  const padding = extension(21, Array(60_000).fill(0));
  const handshake = message({ extensions: [...padding, ...serverName('large.example')] });
  assert.deepEqual(read(records(handshake)), complete('large.example'));
  assert.deepEqual(read(records(handshake, 100)), complete('large.example'));
  assert.deepEqual(read(records(handshake, 10)), refused('oversized', TlsAlert.decodeError));
  assert.ok(records(handshake, 10).length > MAX_CLIENT_HELLO_BYTES);
});

test('a fatal alert is 7 bytes', () => {
  assert.deepEqual(encodeTlsAlert(TlsAlert.unrecognizedName), Uint8Array.of(21, 3, 3, 0, 2, 2, 112));
});
