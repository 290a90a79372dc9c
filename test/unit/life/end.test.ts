/** The end of the process: open work finishes within its limit, and a signal before its handler exists ends nothing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import dnsPacket from 'dns-packet';
import { Cleanup, freePort, receive } from '../net/support.ts';
import { frame, scriptedUpstream, zone } from '../services/dns64/helpers.ts';
import { PATIENCE_MS, spawnAppliance } from './appliance.ts';
import { waitUntil } from '../../../lab/wait.ts';

/**
 * A process with a proxy whose clients may be silent for ten minutes, and a panel; also DNS64 if an upstream is given. A silent
 * client delays a drain.
 */
async function start(cleanup: Cleanup, shutdownSeconds: number, upstream?: string) {
  const [proxy, panel, dns] = [await freePort(), await freePort(), await freePort()];
  const configuration = {
    hosts: [
      { name: 'a', address: '2001:db8:1::10', hostnames: ['example.com'], services: ['tls'], ssh: false },
    ],
    proxy: {
      listen: ['127.0.0.1'],
      listeners: [{ name: 'tls', port: proxy, protocol: 'tls' }],
      handshakeTimeoutMs: 600_000,
    },
    dns64: {
      enabled: upstream !== undefined,
      listen: ['127.0.0.1'],
      port: dns,
      ...(upstream && { upstreams: [upstream] }),
    },
    forward: { sshPorts: '2201-2210' },
    nat64: { enabled: false },
    admin: { listen: ['127.0.0.1'], port: panel, allow: ['127.0.0.0/8'] },
    shutdownSeconds,
  };
  const appliance = spawnAppliance(cleanup, configuration);
  /** Resolves when the proxy has accepted the connection. */
  const hold = async () => {
    const client = await cleanup.connect(proxy);
    await waitUntil(
      'the proxy has accepted',
      async () =>
        (await (await appliance.get(panel, '/metrics')).text()).includes('tombolo_proxy_connections 1\n'),
      { timeoutMs: PATIENCE_MS },
    );
    return client;
  };
  return { appliance, configuration, proxy, panel, dns, hold };
}

test('connections that are still open at the limit are cut', async () => {
  await using cleanup = new Cleanup();
  const { appliance, hold } = await start(cleanup, 1);
  await appliance.logged('started');
  const hostile = await hold();
  const ended = receive(hostile);
  const sinceMs = performance.now();
  appliance.process.kill('SIGTERM');
  // A TLS record that never ends: sending more data does not delay the end.
  hostile.write(Buffer.from([22, 3, 1, 64, 0]));
  const chatter = setInterval(() => hostile.write('\0'), 20);
  cleanup.defer(() => clearInterval(chatter));
  assert.equal(await appliance.ended(), 0);
  assert.ok(performance.now() - sinceMs >= 1000, 'not before the limit');
  assert.match((await ended).ended, /end|ECONNRESET|EPIPE|close/);
  assert.ok(!appliance.has('not stopped in time'));
});

test('a second signal cuts at once, and the end is still orderly', async () => {
  await using cleanup = new Cleanup();
  const { appliance, hold } = await start(cleanup, 300);
  await appliance.logged('started');
  await hold();
  appliance.process.kill('SIGTERM');
  await appliance.logged('stopping');
  appliance.process.kill('SIGTERM');
  assert.equal(await appliance.ended(), 0);
  assert.ok(appliance.has('stopped') && !appliance.has('not stopped in time'), appliance.log());
});

test('idle connections of the panel and of DNS over TCP are closed; a connection with a request gets its answer', async () => {
  await using cleanup = new Cleanup();
  const upstream = cleanup.use(
    await scriptedUpstream(zone({ 'v6.example.com': { AAAA: [{ data: '2001:db8::1' }] } })),
  );
  const { appliance, panel, dns, hold } = await start(cleanup, 300, upstream.url);
  await appliance.logged('started');
  const holder = await hold();
  const query = frame(
    dnsPacket.encode({
      type: 'query',
      id: 1,
      flags: 0x100,
      questions: [{ type: 'AAAA', name: 'v6.example.com' }],
    }),
  );
  const ask = (socket: Socket) => {
    socket.write(query);
    return once(socket, 'data');
  };
  const idle = connect({ host: '127.0.0.1', port: dns });
  await ask(idle);
  const notYet = connect({ host: '127.0.0.1', port: dns });
  await once(notYet, 'connect');
  const keepAlive = connect({ host: '127.0.0.1', port: panel });
  keepAlive.write('GET /api/health HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await once(keepAlive, 'data');
  cleanup.defer(() => [idle, notYet, keepAlive].forEach((socket) => void socket.destroy()));
  const ends = [once(idle, 'close'), once(keepAlive, 'close')];
  appliance.process.kill('SIGTERM');
  await Promise.all(ends);
  assert.ok(!appliance.has('stopped'), 'a connection is still open');
  // Connected before the signal, sends its query only now: it gets the answer, then the end.
  const [answer] = (await ask(notYet)) as [Buffer];
  assert.ok(answer.length > 40);
  await once(notYet, 'close');
  holder.destroy();
  assert.equal(await appliance.ended(), 0);
});

test('a log that nobody reads blocks neither the service nor the end', async () => {
  await using cleanup = new Cleanup();
  const panel = await freePort();
  const fifo = join(cleanup.stateDirectory, 'unread');
  execFileSync('mkfifo', [fifo]);
  // Opened for both directions, the pipe does not wait for a reader, and has room for 64 KiB.
  const unread = openSync(fifo, constants.O_RDWR);
  cleanup.defer(() => closeSync(unread));
  const configuration = {
    hosts: [],
    dns64: { enabled: false },
    nat64: { enabled: false },
    admin: { listen: ['127.0.0.1'], port: panel, allow: ['127.0.0.0/8'] },
  };
  const appliance = spawnAppliance(cleanup, configuration, unread);
  const asked = async (path: string) => (await appliance.get(panel, path)).json() as Promise<LogsLike>;
  await waitUntil(
    'the panel',
    () =>
      asked('/api/health').then(
        () => true,
        () => false,
      ),
    { timeoutMs: PATIENCE_MS },
  );
  await waitUntil(
    'more lines than fit in a pipe',
    async () => {
      for (let i = 0; i < 300; i++) {
        appliance.process.kill('SIGHUP');
        await new Promise(setImmediate);
      }
      // Each line has about 130 bytes.
      return (await asked('/api/logs?limit=1')).lines[0].id > 1000;
    },
    { timeoutMs: PATIENCE_MS },
  );
  appliance.process.kill('SIGTERM');
  assert.equal(await appliance.ended(), 0);
});

interface LogsLike {
  readonly lines: readonly { readonly id: number }[];
}

/** Whether the handler for SIGHUP, the last one, is installed: bit 0 of SigCgt in /proc/PID/status (proc_pid_status(5)). */
const catchesSignals = (pid: number): boolean => {
  try {
    const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '0';
    return (BigInt(`0x${mask}`) & 1n) === 1n;
  } catch {
    return false;
  }
};

test('SIGHUP during the start ends nothing, and is handled after the start', async () => {
  await using cleanup = new Cleanup();
  const { appliance, configuration } = await start(cleanup, 0);
  const pid = appliance.process.pid!;
  await waitUntil('the handler', () => catchesSignals(pid), { timeoutMs: PATIENCE_MS });
  assert.ok(!appliance.has('started'));
  for (let i = 0; i < 20; i++) appliance.process.kill('SIGHUP');
  await appliance.logged('started');
  await appliance.logged('configuration: file read again, nothing changed');
  writeFileSync(appliance.configFile, JSON.stringify({ ...configuration, shutdownSeconds: 1 }));
  appliance.process.kill('SIGHUP');
  await appliance.logged('configuration: changed');
});

test('SIGTERM during the start takes effect after it, with an orderly end', async () => {
  await using cleanup = new Cleanup();
  const { appliance, proxy } = await start(cleanup, 300);
  await waitUntil('the handler', () => catchesSignals(appliance.process.pid!), { timeoutMs: PATIENCE_MS });
  appliance.process.kill('SIGTERM');
  assert.equal(await appliance.ended(), 0);
  assert.ok(!appliance.has('started'), appliance.log());
  assert.equal((await receive(cleanup.open(proxy))).ended, 'ECONNREFUSED');
});

test('the compile cache is accessible to its owner only', async () => {
  await using cleanup = new Cleanup();
  const kept = process.env['NODE_COMPILE_CACHE'];
  delete process.env['NODE_COMPILE_CACHE'];
  cleanup.defer(() => {
    if (kept !== undefined) process.env['NODE_COMPILE_CACHE'] = kept;
  });
  const { appliance } = await start(cleanup, 0);
  await appliance.logged('started');
  assert.equal(statSync(join(appliance.stateDirectory, 'compile-cache')).mode & 0o777, 0o700);
});
