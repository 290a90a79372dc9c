/** Heads that are nearly right: most pass, and each part is at times one that must not. */
import fc from 'fast-check';

/** A field name, and whether a request's field of that name is passed on. */
export const NAMES: readonly (readonly [name: string, passes: boolean])[] = [
  ['Accept', true],
  ['Cookie', true],
  ['User_Agent', true],
  ['X-A', true],
  ['x-b', true],
  ['X_A', true],
  ['Via', true],
  ['Content_Length', false],
  ['transfer_encoding', false],
  ['Keep-Alive', false],
  ['TE', false],
  ['Proxy-Connection', false],
  ['HTTP2-Settings', false],
  ['X-Forwarded-For', false],
  ['X_Forwarded_For', false],
  ['x-forwarded-x', false],
  ['X-Real-IP', false],
  ['Forwarded', false],
  ['Proxy', false],
  ['X-Original-URL', false],
];

/** Mostly of the first; `weight` in 200 of the second. */
const mostly = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>, weight = 10): fc.Arbitrary<T> =>
  fc.oneof({ weight: 200 - weight, arbitrary: usual }, { weight, arbitrary: odd });

const blank = mostly(fc.constantFrom(' ', '', '\t ', '  '), fc.constantFrom('\0', '\r', '\x0b', '\xa0'));
const value = mostly(
  fc.stringMatching(/^[!-~\x80-\xff]([ -~\t\x80-\xff]{0,12}[!-~\x80-\xff])?$/),
  fc.constantFrom('', 'a\0b', 'a\rb', 'a\nb', 'a\x7fb', 'a\r\n b', '"a, b"'),
);
const colon = mostly(fc.constant(':'), fc.constantFrom(' :', '\t:', '', ': :'));
const eol = mostly(fc.constant('\r\n'), fc.constantFrom('\n', '\r', '\r\r\n', '\r\n ', '\r\n\t'), 1);

const field = (names: fc.Arbitrary<string>, values: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(names, mostly(fc.constant(':'), colon), blank, values, blank).map((parts) => parts.join(''));

const oneOf = (...texts: string[]) => fc.constantFrom(...texts);
const lengths = mostly(
  fc.integer({ min: 0, max: 40 }).map(String),
  oneOf(
    '',
    '+5',
    '-1',
    '0x5',
    '5, 5',
    '5,6',
    '5,',
    ',5',
    '05',
    '5 5',
    '1e1',
    '99999999999999999',
    '5;',
    '\xa05',
  ),
  40,
);
const codings = mostly(
  oneOf('chunked', 'Chunked'),
  oneOf(
    'gzip, chunked',
    'chunked, gzip',
    'chunked, chunked',
    'xchunked',
    '',
    'identity',
    'chunked;a',
    '\xa0chunked',
    ',chunked,',
  ),
  60,
);
const options = fc
  .array(
    oneOf(
      'close',
      'keep-alive',
      'Upgrade',
      'X-A',
      'x-B',
      'Via',
      '',
      'host',
      'content-length',
      'x_a',
      '\xa0close',
      'TE',
    ),
    { maxLength: 4 },
  )
  .map((members) => members.join(','));

const common = fc.oneof(
  { weight: 8, arbitrary: field(fc.constantFrom(...NAMES.map(([name]) => name)), value) },
  { weight: 2, arbitrary: field(oneOf('Connection', 'connection'), options) },
  { weight: 1, arbitrary: field(oneOf('Upgrade'), oneOf('websocket', 'h2c', 'foo, WebSocket', '')) },
  {
    weight: 1,
    arbitrary: oneOf('nonsense', ' folded', '\tfolded', ': x', 'a b: c', '\xe9: x', 'a\0: b', ''),
  },
);
const framing: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<string[]>([]) },
  { weight: 3, arbitrary: fc.tuple(field(oneOf('Content-Length', 'CONTENT-length'), lengths)) },
  { weight: 3, arbitrary: fc.tuple(field(oneOf('Transfer-Encoding', 'transfer-encoding'), codings)) },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.oneof(field(oneOf('Content-Length'), lengths), field(oneOf('Transfer-Encoding'), codings)),
      { maxLength: 3 },
    ),
  },
);

const target = mostly(
  fc.stringMatching(/^\/[!-"$-~]{0,10}$/),
  oneOf(
    '*',
    'http://b.example',
    'http://b.example/x',
    'HTTP://b.example:80?x',
    'https://b.example/',
    'http://a@b.example/',
    'http:///x',
    'x',
    '/#x',
    '/\x80',
    '/a b',
    '',
  ),
  40,
);
const method = mostly(
  oneOf('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'),
  oneOf('BREW', 'CONNECT', 'get', 'G(T', ''),
);
const version = mostly(
  oneOf('HTTP/1.1', 'HTTP/1.0'),
  oneOf('HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.', 'HTTP/1.1 '),
);
const requestLine = fc.tuple(method, target, version).map((parts) => parts.join(' '));
const host = mostly(
  oneOf('a.example', 'A.example.:80', '[2001:db8::1]', '192.0.2.1:8080', 'a_b'),
  oneOf('', 'a b', 'a@b', 'a:99999', '[x]', ':80', 'a,b', 'a/b', '.', 'a\0', '[::1]x'),
);
const hosts = mostly(
  fc.tuple(field(oneOf('Host', 'host', 'HOST'), host)),
  fc.array(field(oneOf('Host', 'Ho_st'), host), { maxLength: 2 }),
);

/** Lines in a random order behind the first, each with its end, and the empty line. */
function head(first: fc.Arbitrary<string>, ...groups: fc.Arbitrary<string[]>[]): fc.Arbitrary<string> {
  const rest = fc
    .tuple(...groups)
    .chain((lists) => fc.shuffledSubarray(lists.flat(), { minLength: lists.flat().length }));
  return fc
    .tuple(mostly(fc.constant(''), oneOf('\r\n', '\n', ' ', '\r\n\r\n')), first, rest)
    .chain(([start, first, lines]) =>
      fc
        .array(eol, { minLength: lines.length + 1, maxLength: lines.length + 1 })
        .map((ends) => `${start}${[first, ...lines].map((line, i) => line + ends[i]).join('')}\r\n`),
    );
}

export const requestHeads: fc.Arbitrary<string> = head(
  requestLine,
  hosts,
  framing,
  fc.array(common, { maxLength: 5 }),
);

const statusLine = mostly(
  fc
    .tuple(
      oneOf('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
      fc.constantFrom(100, 103, 200, 204, 206, 304, 404, 426, 500),
      oneOf('', ' ', ' OK', ' Not \xe9'),
    )
    .map(([version, status, reason]) => `${version} ${status}${reason}`),
  oneOf(
    'HTTP/1.1  200',
    'HTTP/2 200',
    'HTTP/1.1 99',
    'HTTP/1.1 1000',
    'HTTP/1.1 200 a\0',
    'HTTP/1.7 200 OK',
    '',
  ),
);

export const responseHeads: fc.Arbitrary<string> = head(
  statusLine,
  framing,
  fc.array(common, { maxLength: 5 }),
);

/** Chunked bodies, each part at times a wrong one. */
const chunkSize = (data: string): fc.Arbitrary<string> =>
  mostly(
    fc.constantFrom('', '0', '000').map((zeros) => zeros + data.length.toString(16)),
    oneOf('', '+1', '0x1', ' 1', '1 ', '-1', 'g', '1_', 'ffffffffffffffff'),
  );
const extension = mostly(
  oneOf('', '', ';a', ';a=b', ';a="b;\\"c\t\xe9"', ';a;b=c'),
  oneOf(';', ';=', ';a=', ' ;a', ';a b', ';a="', ';a="b"c', ';a=\0', '\t', ';"a"', ';a="\\\r\n"', ';a="\n"'),
);
const chunk = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 20 })
  .map((data) => Buffer.from(data).toString('latin1'))
  .chain((data) =>
    fc.tuple(chunkSize(data), extension, eol, fc.constant(data), eol).map((parts) => parts.join('')),
  );
const trailer = mostly(
  oneOf('', '', 'A: b\r\n', 'A:\r\nC: d\xe9\r\n'),
  oneOf(
    'nothing\r\n',
    ' x: y\r\n',
    'A : b\r\n',
    'A: b\n',
    'A: \0\r\n',
    ': b\r\n',
    'A: b\r\n c\r\n',
    'A: b\r\r\n',
  ),
);
export const chunkedBodies: fc.Arbitrary<string> = fc
  .tuple(fc.array(chunk, { maxLength: 4 }), oneOf('0', '0', '00'), extension, eol, trailer, eol)
  .map(([chunks, last, ...end]) => `${chunks.join('')}${last}${end.join('')}`);
