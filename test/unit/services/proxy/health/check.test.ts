/** Single health checks of small servers on the loopback interface. */
import assert from 'node:assert/strict';
import { type Server, type Socket, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { waitUntil } from '../../../../../lab/wait.ts';
import { listen, selfSigned } from '../../../servers.ts';
import { type CheckTarget, checkAddress } from '../../../../../src/services/proxy/health/check.ts';
import { english } from '../../../../../src/texts/text.ts';
import { PROXY_V1_UNKNOWN, PROXY_V2_LOCAL } from '../../../../../src/wire/proxy-protocol.ts';

const ANY_TIME = 60_000;
/** For servers that never answer. */
const SOON = 100;

/** For another name, signed by nobody: that is the matter of another check. */
const certificate = selfSigned('other.example.net');

const silent = () => createServer(() => {});
const closing = () => createServer((socket) => void socket.once('data', () => socket.end()));
const greeting = (text: string) => createServer((socket) => void socket.write(text));

/** Answers a complete request, in pieces. */
function answering(text: string, heard: string[] = []): (socket: Socket) => void {
  return (socket) => {
    let request = '';
    socket
      .on('error', () => {})
      .on('data', (bytes) => {
        request += bytes.toString('latin1');
        if (!request.endsWith('\r\n\r\n')) return;
        heard.push(request);
        for (const piece of text.match(/.{1,9}/gs) ?? []) socket.write(piece);
      });
  };
}
const http = (text: string) => createServer(answering(text));
const tls = (answer = '', heard: string[] = []) => createTlsServer(certificate, answering(answer, heard));
/** Ends the handshake with an alert, because it has no certificate. */
const alerting = () => createTlsServer({});

const REQUEST = { host: 'www.example.com', path: '/health', expect: ['2xx', '3xx', '4xx'] };
const TCP = { isTls: false, hostname: undefined, request: undefined };
const TLS = { isTls: true, hostname: 'www.example.com', request: undefined };
const HTTP = { isTls: false, hostname: 'www.example.com', request: REQUEST };
const HTTPS = { isTls: true, hostname: 'www.example.com', request: REQUEST };

type How = Pick<CheckTarget, 'isTls' | 'hostname' | 'request'>;

const run = (port: number, how: How, timeoutMs = ANY_TIME, more: Partial<CheckTarget> = {}) =>
  checkAddress(
    { address: '::1', port, clientAddress: 'none', ...how, ...more },
    new AbortController().signal,
    timeoutMs,
  );

/** The reason, or "ok"; with a word of the detail. */
const ROWS: readonly (readonly [
  title: string,
  how: How,
  server: () => Server,
  result: string,
  detail?: RegExp,
  timeoutMs?: number,
])[] = [
  ['tcp: a port that only accepts is enough', TCP, silent, 'ok'],
  ['tls: a handshake with a certificate that is not valid', TLS, tls, 'ok'],
  ['tls: without a name', { ...TLS, hostname: undefined }, tls, 'ok'],
  ['tls: a port that never answers', TLS, silent, 'timeout', /handshake gets no answer/, SOON],
  ['tls: closed in the handshake', TLS, closing, 'closed', /closed the connection during/],
  ['tls: an alert', TLS, alerting, 'tls', /alert|handshake/i],
  ['tls: something else', TLS, () => greeting('220 mx.example.com ESMTP\r\n'), 'tls', /not with TLS/],
  ['http: 200', HTTP, () => http('HTTP/1.1 200 OK\r\n\r\n'), 'ok'],
  ['http: 404 shows that the server is there', HTTP, () => http('HTTP/1.1 404 \r\n\r\n'), 'ok'],
  [
    'http: 503',
    HTTP,
    () => http('HTTP/1.1 503 Service Unavailable\r\n\r\n'),
    'status',
    /503 Service Unavailable/,
  ],
  [
    'http: 204 where 200 is expected',
    { ...HTTP, request: { ...REQUEST, expect: ['200'] } },
    () => http('HTTP/1.1 204 No Content\r\n\r\n'),
    'status',
    /204 No Content/,
  ],
  [
    'http: an interim answer comes first',
    HTTP,
    () => http('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 503 Down\r\n\r\n'),
    'status',
    /503 Down/,
  ],
  ['http: something else', HTTP, () => greeting('SSH-2.0-x\r\n'), 'not-http', /not with HTTP/],
  ['http: a port that never answers', HTTP, silent, 'timeout', /sends no HTTP answer/, SOON],
  ['http: closed without an answer', HTTP, closing, 'closed', /without HTTP answer/],
  ['https: 200', HTTPS, () => tls('HTTP/1.1 200 OK\r\n\r\n'), 'ok'],
  ['https: 503', HTTPS, () => tls('HTTP/1.1 503 Down\r\n\r\n'), 'status', /503 Down/],
];

describe('a health check', { concurrency: false }, () => {
  for (const [title, how, server, expected, detail, timeoutMs] of ROWS)
    test(title, async (t) => {
      const result = await run(await listen(t, server()), how, timeoutMs);
      assert.equal(result.kind === 'fail' ? result.reason : result.kind, expected);
      if (detail !== undefined)
        assert.match(english(result.kind === 'fail' ? result.detail : { say: '' }), detail);
    });

  test('a port that nobody has', async (t) => {
    const server = silent();
    const port = await listen(t, server);
    server.close();
    const result = await run(port, TCP);
    assert.ok(result.kind === 'fail' && result.reason === 'refused');
  });

  test('the request names the server and says who asks', async (t) => {
    const heard: string[] = [];
    await run(await listen(t, tls('HTTP/1.1 200 OK\r\n\r\n', heard)), HTTPS);
    assert.deepEqual(heard, [
      'GET /health HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Tombolo health check\r\nAccept: */*\r\nConnection: close\r\n\r\n',
    ]);
  });

  for (const [clientAddress, header] of [
    ['proxy-v1', PROXY_V1_UNKNOWN],
    ['proxy-v2', PROXY_V2_LOCAL],
  ] as const)
    test(`a server that expects ${clientAddress}: the header comes first, in each kind of check`, async (t) => {
      const expected = Buffer.from(header);
      /** Closes the connection if the header does not come first; then does as it is told. */
      const heard: Buffer[] = [];
      const strict = (then: (socket: Socket) => void) =>
        createServer((socket) => {
          let got = Buffer.alloc(0);
          const read = (bytes: Buffer) => {
            got = Buffer.concat([got, bytes]);
            if (got.length < expected.length) return;
            heard.push(got.subarray(0, expected.length));
            socket.off('data', read);
            if (!got.subarray(0, expected.length).equals(expected)) return void socket.destroy();
            socket.pause();
            then(socket);
            if (got.length > expected.length) socket.unshift(got.subarray(expected.length));
            socket.resume();
          };
          socket.on('error', () => {}).on('data', read);
        });
      const ok = 'HTTP/1.1 200 OK\r\n\r\n';
      assert.equal(
        (await run(await listen(t, strict(answering(ok))), HTTP, ANY_TIME, { clientAddress })).kind,
        'ok',
      );
      assert.equal(
        (await run(await listen(t, strict(answering(ok))), HTTP)).kind,
        'fail',
        'without a header',
      );
      heard.length = 0;
      assert.equal(
        (
          await run(
            await listen(
              t,
              strict(() => {}),
            ),
            TCP,
            ANY_TIME,
            { clientAddress },
          )
        ).kind,
        'ok',
      );
      await waitUntil('the header', () => heard.length === 1);
      assert.deepEqual(heard, [expected]);
    });

  test('a check that ends because this process was busy counts neither way', async (t) => {
    const result = run(await listen(t, silent()), HTTP, SOON);
    const untilMs = performance.now() + SOON + 1500;
    while (performance.now() < untilMs);
    assert.deepEqual(await result, { kind: 'late' });
  });

  test('an aborted check ends at once', async (t) => {
    const aborter = new AbortController();
    const target = {
      address: '::1',
      port: await listen(t, silent()),
      clientAddress: 'none' as const,
      ...HTTP,
    };
    const result = checkAddress(target, aborter.signal, ANY_TIME);
    aborter.abort();
    assert.deepEqual(await result, { kind: 'late' });
  });
});
