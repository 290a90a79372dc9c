/** Probes of small servers on the loopback interface. */
import assert from 'node:assert/strict';
import { type Server, createServer } from 'node:net';
import { test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { listen, selfSigned } from '../../servers.ts';
import type { ProbeFound } from '../../../../src/admin/diagnostics/found.ts';
import type { ProbeTarget } from '../../../../src/services/check.ts';
import { probeTarget } from '../../../../src/admin/diagnostics/probe.ts';
import { english } from '../../../../src/texts/text.ts';
import { PROXY_V2_LOCAL } from '../../../../src/wire/proxy-protocol.ts';

const says = (text: string, end = false) =>
  createServer((socket) => (end ? socket.end(text) : socket.write(text)));
/** Answers after it has received something. */
const answersWith = (text: string, heard: string[] = []) =>
  createServer((socket) =>
    socket.on('data', (bytes) => {
      heard.push(bytes.toString('latin1'));
      if (heard.join('').includes('\r\n\r\n')) socket.end(text);
    }),
  );

const targetOf = (port: number, more: Partial<ProbeTarget>): ProbeTarget => ({
  service: 'x',
  address: '::1',
  port,
  expects: 'http',
  hostnames: ['example.com'],
  clientAddress: 'none',
  ...more,
});
const probe = (target: ProbeTarget, timeoutMs = 5000): Promise<ProbeFound[]> =>
  probeTarget(target, { now: new Date(), signal: AbortSignal.timeout(20_000), timeoutMs });
const summary = (reports: readonly ProbeFound[]) => reports.map(({ name, state }) => `${name} ${state}`);

/** title, expected service, the server, reports, the detail of the last one. */
const TABLE: readonly [string, ProbeTarget['expects'], () => Server, string[], RegExp][] = [
  ['HTTP', 'http', () => answersWith('HTTP/1.1 200 OK\r\n\r\n'), ['tcp ok', 'http ok'], /Answers 200 OK\./],
  ['a redirect', 'http', () => answersWith('HTTP/1.1 301 Moved\r\n\r\n'), ['tcp ok', 'http ok'], /301 Moved/],
  [
    'an error page',
    'http',
    () => answersWith('HTTP/1.1 502 Bad Gateway\r\n\r\n'),
    ['tcp ok', 'http fail'],
    /502 Bad Gateway/,
  ],
  [
    'a refused request',
    'http',
    () => answersWith('HTTP/1.1 400 Bad Request\r\n\r\n'),
    ['tcp ok', 'http warn'],
    /PROXY protocol/,
  ],
  ['SSH instead of HTTP', 'http', () => says('SSH-2.0-x\r\n'), ['tcp ok', 'http fail'], /not with HTTP/],
  [
    'closes at once',
    'http',
    () => says('', true),
    ['tcp ok', 'http fail'],
    /closed the connection without HTTP answer/,
  ],
  ['SSH', 'ssh', () => says('SSH-2.0-OpenSSH_9.2p1\r\n'), ['tcp ok', 'ssh ok'], /Greets as OpenSSH_9\.2p1/],
  [
    'HTTP instead of SSH',
    'ssh',
    () => says('HTTP/1.1 400 \r\n', true),
    ['tcp ok', 'ssh fail'],
    /without SSH greeting/,
  ],
  ['no TLS', 'https', () => says('220 mx.example.com\r\n'), ['tcp ok', 'tls fail'], /not with TLS/],
  [
    'closes in the handshake',
    'https',
    () => says('', true),
    ['tcp ok', 'tls fail'],
    /closed the connection during/,
  ],
];
for (const [title, expects, server, states, detail] of TABLE) {
  test(`${expects}: ${title}`, async (t) => {
    const reports = await probe(targetOf(await listen(t, server()), { expects }));
    assert.deepEqual(summary(reports), states);
    assert.match(english(reports.at(-1)?.detail ?? ''), detail);
  });
}

test('a silent server: the probe ends', async (t) => {
  const port = await listen(t, says(''));
  for (const [expects, detail] of [
    ['ssh', /sends no SSH greeting/],
    ['https', /handshake gets no answer/],
  ] as const) {
    const [, report] = await probe(targetOf(port, { expects }), 50);
    assert.equal(report.state, 'fail');
    assert.match(english(report.detail), detail);
  }
});

test('the timeout of a silent TLS server is spent once, not for each name', async (t) => {
  const port = await listen(t, says(''));
  const hostnames = ['a.example', 'b.example', 'c.example'];
  assert.deepEqual(summary(await probe(targetOf(port, { expects: 'https', hostnames }), 50)), [
    'tcp ok',
    'tls fail',
  ]);
});

test('no listener', async (t) => {
  const server = says('');
  const port = await listen(t, server);
  await new Promise((resolve) => server.close(resolve));
  const reports = await probe(targetOf(port, {}));
  assert.deepEqual(summary(reports), ['tcp fail']);
  assert.match(english(reports[0].detail), new RegExp(`Nothing takes connections at \\[::1\\]:${port}`));
});

test('the PROXY header comes first, without a client address', async (t) => {
  for (const [clientAddress, header] of [
    ['proxy-v1', 'PROXY UNKNOWN\r\n'],
    ['proxy-v2', Buffer.from(PROXY_V2_LOCAL).toString('latin1')],
    ['none', ''],
  ] as const) {
    const heard: string[] = [];
    const port = await listen(t, answersWith('HTTP/1.1 204 \r\n\r\n', heard));
    const [, report] = await probe(targetOf(port, { clientAddress }));
    assert.equal(report.state, 'ok');
    assert.ok(heard.join('').startsWith(`${header}HEAD / HTTP/1.1\r\nHost: example.com\r\n`), heard.join(''));
  }
});

test('HTTPS: the certificate is checked for each name, the site is requested for the main name', async (t) => {
  const names: string[] = [];
  const noteName = (name: string, done: (error: null) => void) => {
    names.push(name);
    done(null);
  };
  const options = { ...selfSigned('example.com', 'other.example'), SNICallback: noteName };
  const server = createTlsServer(options, (socket) => {
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n')).on('error', () => {});
  });
  const hostnames = ['example.com', 'www.example.com'];
  const reports = await probe(targetOf(await listen(t, server), { expects: 'https', hostnames }));
  assert.deepEqual(summary(reports), ['tcp ok', 'tls warn', 'http ok', 'tls fail']);
  const [, first, , second] = reports;
  assert.match(english(first.detail), /self-signed/);
  assert.deepEqual(first.certificate?.names, ['example.com', 'other.example']);
  assert.deepEqual([first.certificate?.matches, first.certificate?.trust], [true, 'self-signed']);
  assert.equal(second.hostname, 'www.example.com');
  assert.match(english(second.detail), /not for www\.example\.com: it names example\.com, other\.example/);
  assert.deepEqual(names, hostnames);
});

test('SMTP over TLS: one name is enough, and the greeting is read', async (t) => {
  const server = createTlsServer(selfSigned('mail.example.com'), (socket) => {
    socket.on('error', () => {}).write('220 mail.example.com ESMTP\r\n');
  });
  const hostnames = ['example.com', 'mail.example.com'];
  const reports = await probe(targetOf(await listen(t, server), { expects: 'smtps', hostnames }));
  assert.deepEqual(summary(reports), ['tcp ok', 'tls warn', 'smtp ok']);
  assert.match(english(reports[2].detail), /Greets with 220 mail\.example\.com ESMTP/);
});

test('without a name nothing can be requested', async (t) => {
  const port = await listen(t, says(''));
  for (const expects of ['http', 'https'] as const) {
    const [, report] = await probe(targetOf(port, { expects, hostnames: [] }));
    assert.equal(report.state, 'unknown');
  }
});

test('the end of the process ends a probe', async (t) => {
  const port = await listen(t, says(''));
  const aborter = new AbortController();
  const options = { now: new Date(), signal: aborter.signal, timeoutMs: 20_000 };
  const probing = probeTarget(targetOf(port, { expects: 'ssh' }), options);
  aborter.abort(new Error('stopping'));
  await assert.rejects(probing, /stopping/);
});
