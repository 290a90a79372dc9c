/**
 * A server that accepts connections and sends nothing: what its clients leave behind when they give up, and which of them still
 * wait.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Appliance, CONFIGURATION, answers, startAppliance } from '../../lab/appliance.ts';
import type { Child } from '../../lab/host.ts';
import { waitUntil } from '../../lab/wait.ts';
import { type World, buildWorld } from '../../lab/world.ts';
import { ADDRESSES } from '../../lab/zone.ts';

const SICK = '2001:db8:1::99';
const NAME = 'sick.example.org';
const CLIENTS = 20;

/** Accepts requests, never answers and never closes; on SIGUSR2 it answers the clients that are still connected. */
const SILENT_SERVER = `
  const open = new Set();
  require('net').createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.resume();
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
  }).listen(80, '${SICK}', () => console.log('ready'));
  process.on('SIGUSR2', () => {
    for (const socket of open) socket.end('HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nlate');
  });`;

const ASK = `const { connect } = require('net');
  const ask = () => connect({ port: 80, host: '${ADDRESSES.appliance4}', allowHalfOpen: true })
    .on('error', () => {}).setEncoding('latin1');
  const request = 'GET / HTTP/1.1\\r\\nHost: ${NAME}\\r\\n\\r\\n';`;
/** Clients that send a request and disappear: their kernel sends a FIN for them. */
const IMPATIENT = `${ASK}
  for (let i = 0; i < ${CLIENTS}; i++) { const socket = ask(); socket.write(request, () => socket.destroy()); }`;
/** A client that has sent its whole request and end of stream, and waits. */
const PATIENT = `${ASK}
  const socket = ask().on('data', (text) => console.log(text.split('\\r\\n').at(-1))).on('close', () => console.log('closed'));
  socket.end(request, () => console.log('asked'));`;

describe('a server that sends nothing', { concurrency: false }, () => {
  let world: World;
  let appliance: Appliance;
  let server: Child;
  before(async () => {
    world = await buildWorld();
    const { web3, client } = world.hosts;
    await web3.run('ip', ['addr', 'add', `${SICK}/64`, 'dev', 'eth0', 'nodad']);
    server = web3.spawn(process.execPath, ['-e', SILENT_SERVER]);
    await server.waitForLine(/^ready$/);
    // How long the client's kernel remembers a closed connection: usually a minute.
    await client.run('sysctl', ['-qw', 'net.ipv4.tcp_fin_timeout=1']);
    const sick = { name: 'sick', address: SICK, hostnames: [NAME], services: ['http'], ssh: false };
    appliance = await startAppliance(world, {
      configuration: { ...CONFIGURATION, hosts: [...CONFIGURATION.hosts, sick] },
      await: ['proxy', 'admin'],
    });
  });
  after(async () => {
    await appliance?.stop();
    await world[Symbol.asyncDispose]();
  });

  it('no connection of a disconnected client is kept; a half-closed client is answered', async () => {
    const { client } = world.hosts;
    const held = async () => {
      const { services } = (await appliance.api('/api/status')) as {
        services: { name: string; figures: Record<string, number> }[];
      };
      return services.find(({ name }) => name === 'proxy')!.figures['connections'];
    };
    const patient = client.spawn(process.execPath, ['-e', PATIENT]);
    await patient.waitForLine(/^asked$/);
    await client.run(process.execPath, ['-e', IMPATIENT]);
    await waitUntil('all of them to be open', async () => (await held()) === CLIENTS + 1);
    assert.ok(await answers(world, 'proxy'), 'another server is served');
    // The idle timeout is an hour.
    await waitUntil(
      'the connections of disconnected clients to be closed',
      async () => (await held()) === 1,
      {
        timeoutMs: 90_000,
        intervalMs: 500,
      },
    );
    server.process.kill('SIGUSR2');
    await patient.waitForLine(/^late$/);
  });
});
