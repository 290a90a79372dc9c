/** The access log of TLS and SSH connections, and a reader of the lines that does not read. */
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { connect } from 'node:tls';
import { test } from 'node:test';
import { startForward } from '../../../src/services/forward/service.ts';
import { startProxy } from '../../../src/services/proxy/service.ts';
import { check, close, pinned, pipe2 } from '../../../src/os/libc.ts';
import { openLogOutput } from '../../../src/runtime/log-output.ts';
import { waitUntil } from '../../../lab/wait.ts';
import { Cleanup, LIMITS, MAPPED, freePort, hostAt, receive } from '../net/support.ts';
import { type Line, collectLines, connectionOf } from './access-lines.ts';
import { closed } from './proxy/http-peers.ts';

const proxyAt = (port: number, protocol: 'http' | 'tls') => ({
  ...MAPPED,
  listen: ['127.0.0.1'],
  listeners: [{ name: 'in', port, protocol }],
  handshakeTimeoutMs: 10_000,
  responseTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
});

/** A TLS connection with a server name, until its end. */
async function hello(cleanup: Cleanup, port: number, servername: string): Promise<void> {
  const client = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
  cleanup.defer(() => void client.destroy());
  client.on('error', () => {});
  await new Promise((resolve) => client.once('close', resolve));
}

async function startTls(cleanup: Cleanup, accessLog: 'all' | 'errors') {
  const lines = collectLines();
  const port = await freePort();
  const target = await cleanup.listen((socket) => {
    // No TLS, but the proxy does not look at it.
    socket.once('data', () => socket.end('no'));
    socket.on('end', () => socket.end());
  });
  const services = [{ listener: 'in', targetPort: target }];
  const dead = [{ listener: 'in', targetPort: await freePort() }];
  const hosts = [
    hostAt('web', { hostnames: ['web.example'], services }),
    hostAt('dead', { hostnames: ['dead.example'], services: dead }),
    hostAt('private', { hostnames: ['private.example'], services, allow: ['198.51.100.0/24'] }),
    hostAt('quiet', { hostnames: ['quiet.example'], services, maintenance: true, accessLog: 'off' }),
  ];
  cleanup.use(
    await startProxy(
      { proxy: { ...proxyAt(port, 'tls'), accessLog }, hosts },
      { ...cleanup.context, lines: lines.output },
    ),
  );
  return { lines, port };
}

for (const accessLog of ['all', 'errors'] as const) {
  test(`TLS connections, "${accessLog}": by their server, also the refused ones`, async () => {
    await using cleanup = new Cleanup();
    const { lines, port } = await startTls(cleanup, accessLog);
    const names = ['web.example', 'dead.example', 'private.example', 'quiet.example', 'other.example'];
    for (const name of names) await hello(cleanup, port, name);
    const plain = await cleanup.connect(port);
    plain.write('GET / HTTP/1.1\r\n\r\n');
    await receive(plain);
    const silent = await cleanup.connect(port);
    silent.end();
    await closed(silent);
    const expected = [
      'proxy in web.example -> web: closed',
      'proxy in dead.example -> dead: server-refused',
      'proxy in private.example -> private: refused-tls-not-allowed',
      'proxy in other.example -> null: refused-tls-unknown-name',
      'proxy in null -> null: refused-tls-http',
      'proxy in null -> null: closed-early',
    ];
    const isWanted = (line: string) => accessLog === 'all' || !/closed(-early)?$/.test(line);
    const wanted = expected.filter(isWanted);
    // The first one may end by a reset: the client closes when it finds that the answer is no TLS.
    const taken = await waitUntil(
      'the lines',
      () => {
        const all = lines.all().filter((line) => isWanted(connectionOf(line)) && line['server'] !== 'web');
        return all.length >= wanted.filter((line) => !line.includes('web')).length && lines.all();
      },
      { explain: () => JSON.stringify(lines.all()) },
    );
    const others = taken.filter(({ server }) => server !== 'web');
    assert.deepEqual(
      others.map(connectionOf).toSorted(),
      wanted.filter((line) => !line.includes('web')).toSorted(),
    );
    const web = taken.find(({ server }) => server === 'web');
    if (accessLog === 'all') {
      assert.match(connectionOf(web!), /^proxy in web\.example -> web: closed/);
      assert.equal(web!['bytesDown'], 2);
      assert.ok(Number(web!['bytesUp']) > 100 && Number(web!['connectMs']) >= 0);
    }
    assert.ok(taken.every(({ msg, client }) => msg === 'connection' && client === '127.0.0.1'));
  });
}

test('SSH connections, for a server that says so', async () => {
  await using cleanup = new Cleanup();
  const lines = collectLines();
  const target = await cleanup.listen((socket) => void socket.end('SSH-2.0-x\r\n'));
  const dead = await freePort();
  const port = await freePort();
  const forward = cleanup.use(
    await startForward(
      {
        forward: { listen: ['127.0.0.1'], sshPorts: `${port}-${port + 1}`, limits: LIMITS },
        hosts: [
          hostAt('a', { ssh: { targetPort: target, port }, accessLog: 'all' }),
          hostAt('b', { ssh: { targetPort: dead, port: port + 1 } }),
        ],
        reservedPorts: [],
        accessLog: 'errors',
      },
      { ...cleanup.context, lines: lines.output },
    ),
  );
  const { a, b } = forward.sshPorts();
  for (const ssh of [a, b]) {
    const client = await cleanup.connect(ssh!);
    client.end();
    await receive(client);
  }
  const taken = await lines.take(2);
  assert.deepEqual(taken.map(connectionOf).toSorted(), [
    'forward a null -> a: closed',
    'forward b null -> b: server-refused',
  ]);
  assert.equal(taken.find(({ server }) => server === 'a')!['bytesDown'], 11);
});

/** A blocking pipe, as a service manager provides it. */
function makePipe(): [read: number, write: number] {
  const fds = pinned(8);
  check(pipe2(fds, 0), 'pipe2');
  const view = new DataView(fds.buffer);
  return [view.getInt32(0, true), view.getInt32(4, true)];
}

test('nobody reads the lines: no request waits, and what was lost is counted and reported', async () => {
  await using cleanup = new Cleanup();
  const [reader, writer] = makePipe();
  cleanup.defer(() => void close(writer));
  const COUNT = 4000;
  const port = await freePort();
  let served = 0;
  const target = await cleanup.listen((socket) => {
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      const requests = (text + bytes.toString('latin1')).split('\r\n\r\n');
      text = requests.pop()!;
      served += requests.length;
      socket.write('HTTP/1.1 204 No Content\r\n\r\n'.repeat(requests.length));
    });
    socket.on('end', () => socket.end());
  });
  const output = openLogOutput(writer);
  const proxy = cleanup.use(
    await startProxy(
      {
        proxy: { ...proxyAt(port, 'http'), accessLog: 'all' },
        hosts: [
          hostAt('web', { hostnames: ['web.example'], services: [{ listener: 'in', targetPort: target }] }),
        ],
      },
      { ...cleanup.context, lines: output },
    ),
  );
  const client = await cleanup.connect(port);
  let received = '';
  client.on('data', (bytes: Buffer) => void (received += bytes.toString('latin1')));
  const request = `GET /${'x'.repeat(500)} HTTP/1.1\r\nHost: web.example\r\n\r\n`;
  const answers = () => received.split('HTTP/1.1 204').length - 1;
  for (let sent = 0; sent < COUNT; sent += 50) {
    client.write(request.repeat(50));
    await waitUntil('all answers', () => answers() === sent + 50, { timeoutMs: 60_000 });
  }
  assert.equal(served, COUNT);
  const lost = proxy.counters()['access-log-lost']!;
  assert.ok(lost > 0 && lost < COUNT, `${lost}`);
  // Now they are read: those that are there are whole, and the others are told.
  let text = '';
  const pipe = new Socket({ fd: reader, readable: true });
  cleanup.defer(() => void pipe.destroy());
  pipe.on('data', (bytes: Buffer) => void (text += bytes.toString('utf8')));
  const lines = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  await waitUntil(
    'the line about lost ones',
    () => {
      return text.includes('were lost') && lines().length >= COUNT - lost + 1;
    },
    { timeoutMs: 60_000 },
  );
  const [requests, reports] = [
    lines().filter(({ msg }) => msg === 'request'),
    lines().filter(({ msg }) => msg !== 'request'),
  ];
  assert.equal(requests.length, COUNT - lost);
  assert.equal(
    reports.reduce((sum, { lines }) => sum + Number(lines), 0),
    lost,
  );
  assert.ok(reports.every(({ log, level }) => log === 'access' && level === 40));
});
