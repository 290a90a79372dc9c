/**
 * A missing resource affects only its own part: if another program uses a port, the rest of the service runs, and the port is
 * opened as soon as it is free. The same for each part that listens.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startAdmin } from '../../../src/admin/server.ts';
import { fillDefaults } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/schema.ts';
import { getsockname, shutdown } from '../../../src/os/libc.ts';
import type { NoticeFound } from '../../../src/runtime/own-events.ts';
import type { Service, ServiceContext } from '../../../src/runtime/service.ts';
import { startDns64 } from '../../../src/services/dns64/service.ts';
import { startForward } from '../../../src/services/forward/service.ts';
import { startProxy } from '../../../src/services/proxy/service.ts';
import { english } from '../../../src/texts/text.ts';
import { testDeps } from '../admin/fixture.ts';
import { Cleanup, freePort, hostAt } from './support.ts';
import { waitUntil } from '../../../lab/wait.ts';

const PATIENCE_MS = 60_000;

/** Another program that uses a port. */
async function holdPort(
  cleanup: Cleanup,
  protocol: 'tcp' | 'udp',
  address: string,
  port: number,
): Promise<ChildProcess> {
  const script =
    protocol === 'tcp'
      ? `net.createServer().listen(${port}, '${address}', () => console.log('has it'))`
      : `dgram.createSocket('udp4').bind(${port}, '${address}', () => console.log('has it'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanup.defer(() => void child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child;
}

async function release(holder: ChildProcess): Promise<void> {
  holder.kill('SIGKILL');
  if (holder.exitCode === null && holder.signalCode === null) await once(holder, 'exit');
}

async function accepts(address: string, port: number): Promise<boolean> {
  const socket = connect({ host: address, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    // A reset may arrive before Node has noticed that the connection was accepted.
    return (error as NodeJS.ErrnoException).code === 'ECONNRESET';
  } finally {
    socket.destroy();
  }
}

/** Whether a query for a local name gets an answer. */
async function answersUdp(address: string, port: number): Promise<boolean> {
  const client = createSocket('udp4');
  client.connect(port, address);
  await once(client, 'connect');
  const query = Buffer.from('000101000001000000000000096c6f63616c686f73740000010001', 'hex');
  const { promise, resolve } = Promise.withResolvers<boolean>();
  client.on('message', () => resolve(true)).on('error', () => resolve(false));
  client.send(query);
  const timer = setTimeout(() => resolve(false), 2000);
  const answered = await promise;
  clearTimeout(timer);
  client.close();
  return answered;
}

type Started = Omit<Service<never>, 'failWorker'>;
interface Row {
  readonly title: string;
  readonly protocol: 'tcp' | 'udp';
  /** Different ports, or different addresses; 127.0.0.1 with `ports.taken` is missing. */
  readonly start: (
    ports: Ports,
    context: ServiceContext,
    t: Parameters<typeof testDeps>[0],
  ) => Promise<Started>;
  /** A change that does not affect the port, and one that needs `ports.alsoTaken`. */
  readonly unrelated: (ports: Ports) => object;
  readonly toTaken: (ports: Ports) => object;
  /** The parts that must keep working. */
  readonly others: (ports: Ports) => Promise<boolean>;
}
interface Ports {
  readonly taken: number;
  readonly free: number;
  readonly alsoTaken: number;
}

const complete = (document: object): Config => fillDefaults(document as Record<string, unknown>);
const allow = ['127.0.0.0/8'];
const forwardOptions = (ports: Record<string, number>, allowPorts: number) => ({
  forward: { listen: ['127.0.0.1'], sshPorts: `${allowPorts}` },
  hosts: Object.entries(ports).map(([name, port]) => hostAt(name, { ssh: { port, targetPort: 22 } })),
  reservedPorts: [],
});
const proxyOptions = (ports: Record<string, number>, idleTimeoutMs = 60_000) => ({
  proxy: {
    ...complete({}).proxy,
    listen: ['127.0.0.1'],
    listeners: Object.entries(ports).map(([name, port]) => ({ name, port, protocol: 'tls' as const })),
    idleTimeoutMs,
  },
  hosts: [hostAt('a', { services: Object.keys(ports) })],
});
const dns64 = (port: number, queryLog: 'off' | 'full', listen = ['127.0.0.1', '127.0.0.2']) => ({
  dns64: { ...complete({}).dns64, listen, port, allow, upstreams: ['127.0.0.9'], queryLog },
});
const admin = (port: number, more: string[] = [], listen = ['127.0.0.1', '127.0.0.2']) => ({
  admin: { ...complete({}).admin, listen, port, allow: [...allow, ...more] },
});

const ROWS: readonly Row[] = [
  {
    title: 'a listener of the proxy',
    protocol: 'tcp',
    start: ({ taken, free }, context) => startProxy(proxyOptions({ a: taken, b: free }), context),
    unrelated: ({ taken, free }) => proxyOptions({ a: taken, b: free }, 50_000),
    toTaken: ({ taken, free, alsoTaken }) => proxyOptions({ a: taken, b: free, c: alsoTaken }),
    others: ({ free }) => accepts('127.0.0.1', free),
  },
  {
    title: 'an SSH port of the forwarder',
    protocol: 'tcp',
    start: ({ taken, free }, context) => startForward(forwardOptions({ a: taken, b: free }, taken), context),
    unrelated: ({ taken, free }) => forwardOptions({ a: taken, b: free }, free),
    toTaken: ({ taken, free, alsoTaken }) => forwardOptions({ a: taken, b: free, c: alsoTaken }, taken),
    others: ({ free }) => accepts('127.0.0.1', free),
  },
  ...(['tcp', 'udp'] as const).map(
    (protocol): Row => ({
      title: `one ${protocol.toUpperCase()} socket of DNS64`,
      protocol,
      start: ({ taken }, context) => startDns64(dns64(taken, 'off'), context),
      unrelated: ({ taken }) => dns64(taken, 'full'),
      toTaken: ({ alsoTaken }) => dns64(alsoTaken, 'off'),
      others: async ({ taken }) =>
        (await accepts('127.0.0.2', taken)) &&
        (await answersUdp('127.0.0.2', taken)) &&
        (protocol === 'tcp' ? answersUdp('127.0.0.1', taken) : accepts('127.0.0.1', taken)),
    }),
  ),
  {
    title: 'one address of the panel',
    protocol: 'tcp',
    start: async ({ taken }, context, t) => startAdmin(admin(taken), await testDeps(t), context),
    unrelated: ({ taken }) => admin(taken, ['192.0.2.0/24']),
    toTaken: ({ alsoTaken }) => admin(alsoTaken),
    others: ({ taken }) => accepts('127.0.0.2', taken),
  },
  {
    title: 'the only address of the panel',
    protocol: 'tcp',
    start: async ({ taken }, context, t) =>
      startAdmin(admin(taken, [], ['127.0.0.1']), await testDeps(t), context),
    unrelated: ({ taken }) => admin(taken, ['192.0.2.0/24'], ['127.0.0.1']),
    toTaken: ({ alsoTaken }) => admin(alsoTaken, [], ['127.0.0.1']),
    others: async () => true,
  },
];

for (const { title, protocol, start, unrelated, toTaken, others } of ROWS) {
  test(`${title} is taken: only this part is missing, the program is named, and the port is opened as soon as it is free`, async (t) => {
    await using cleanup = new Cleanup();
    const ports = { taken: await freePort(), free: await freePort(), alsoTaken: await freePort() };
    const holder = await holdPort(cleanup, protocol, '127.0.0.1', ports.taken);
    await holdPort(cleanup, protocol, '127.0.0.1', ports.alsoTaken);
    const notices: NoticeFound[] = [];
    const events = {
      put: (event: { kind: string }) => void (event.kind === 'notice' && notices.push(event as NoticeFound)),
      forget() {},
      drainRing: () => ({ [Symbol.dispose]() {} }),
      drainRingLater: () => ({ [Symbol.dispose]() {} }),
    };
    const service = await start(ports, { ...cleanup.context, events }, t);
    cleanup.use(service);
    const problem = () => english(service.status().problem ?? '');
    await waitUntil('the program is named', () => problem().includes(`(process ${holder.pid})`), {
      timeoutMs: PATIENCE_MS,
    }).catch((error) => {
      throw new Error(`${(error as Error).message}: ${problem()}`);
    });
    assert.match(problem(), new RegExp(`127\\.0\\.0\\.1:${ports.taken}.*EADDRINUSE.*taken by .*tried again`));
    assert.equal(service.status().state, 'degraded');
    assert.ok(await others(ports), 'the others serve');

    await service.reconfigure(unrelated(ports) as never);
    assert.equal(service.status().state, 'degraded', 'an unrelated change is made');
    await assert.rejects(
      service.reconfigure(toTaken(ports) as never),
      new RegExp(`${ports.alsoTaken}.*EADDRINUSE`),
    );
    assert.ok(await others(ports), 'a refused change changes nothing');
    assert.match(problem(), new RegExp(`:${ports.taken}`));

    await release(holder);
    // DNS64 has no upstream here, and keeps reporting that.
    await waitUntil('the port is open', () => !problem().includes(`:${ports.taken}`), {
      timeoutMs: PATIENCE_MS,
    });
    assert.ok(await (protocol === 'tcp' ? accepts : answersUdp)('127.0.0.1', ports.taken));
    assert.ok(await others(ports));
    const reported = notices.map(({ severity, text }) => `${severity} ${english(text)}`);
    assert.deepEqual(reported, [
      `ok ${protocol.toUpperCase()} 127.0.0.1:${ports.taken} was not available before and is open now.`,
    ]);
  });
}

test('a listening socket that was closed from outside (ss --kill) is opened again', async () => {
  await using cleanup = new Cleanup();
  const [a, b] = [await freePort(), await freePort()];
  const proxy = await startProxy(proxyOptions({ a, b }), cleanup.context);
  cleanup.use(proxy);
  assert.ok((await accepts('127.0.0.1', a)) && (await accepts('127.0.0.1', b)));
  // As the kernel does with a destroyed listener: it is in the state CLOSE, and accept4 fails with EINVAL.
  shutdown(descriptorOf(a), 2);
  await waitUntil('it listens again', () => accepts('127.0.0.1', a), { timeoutMs: PATIENCE_MS });
  assert.ok(await accepts('127.0.0.1', b));
  assert.equal(proxy.status().state, 'running');
});

/** This process's descriptor of the socket that listens on 127.0.0.1 and a port. */
function descriptorOf(port: number): number {
  const probe = (fd: number) => {
    const address = new Uint8Array(16);
    const bytes = new Uint8Array([16, 0, 0, 0]);
    return (
      getsockname(fd, address, bytes) === 0 && address[0] === 2 && (address[2] << 8) + address[3] === port
    );
  };
  for (let fd = 3; fd < 4096; fd++) if (probe(fd)) return fd;
  return assert.fail(`no socket on port ${port}`);
}
