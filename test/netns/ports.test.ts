/** Local ports: those of closed connections are used again, and those that the appliance listens on are never used. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Appliance, CONFIGURATION, startAppliance, WEB1_SSH_PORT } from '../../lab/appliance.ts';
import { waitUntil } from '../../lab/wait.ts';
import { type World, buildWorld } from '../../lab/world.ts';
import { ADDRESSES } from '../../lab/zone.ts';

/** The number of ports that the appliance has towards one server. */
const PORTS = 40;

/** Connects, reads the server's greeting, ends first, and waits for the server's end; prints how many greetings came. */
const shortConnections = (count: number) => `
  let left = ${count}, heard = 0;
  const next = () => {
    if (left-- === 0) { console.log(heard); return; }
    const socket = require('net').connect({ port: ${WEB1_SSH_PORT}, host: '${ADDRESSES.appliance4}', allowHalfOpen: true });
    socket.once('data', () => { heard++; socket.end(); });
    socket.resume();
    socket.on('error', () => {});
    socket.on('close', next);
  };
  next();`;

describe('local ports', { concurrency: false }, () => {
  let world: World;
  let appliance: Appliance;
  before(async () => {
    world = await buildWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  it('a client that opens and ends connections leaves ports towards its server for the others', async () => {
    await world.hosts.appliance.run('sysctl', [
      '-qw',
      `net.ipv4.ip_local_port_range=40000 ${40_000 + PORTS - 1}`,
    ]);
    const reuse = () =>
      world.hosts.appliance
        .run('sysctl', ['-n', 'net.ipv4.tcp_tw_reuse'])
        .then(({ stdout }) => stdout.trim());
    const original = await reuse();
    appliance = await startAppliance(world, {
      configuration: { ...CONFIGURATION, nat64: { enabled: false } },
      await: ['forward', 'admin'],
    });
    try {
      await world.hosts.client.run(process.execPath, ['-e', shortConnections(2 * PORTS)], {
        timeoutMs: 30_000,
      });
      // Ports rest for a minute (TIME_WAIT): ssh-keyscan does not wait so long.
      await waitUntil('a connection of another client', async () => {
        const { stdout } = await world.hosts.mainland.attempt('ssh-keyscan', [
          '-T',
          '2',
          '-t',
          'ed25519',
          '-p',
          `${WEB1_SSH_PORT}`,
          ADDRESSES.appliance4,
        ]);
        return stdout.includes('ssh-ed25519');
      });
    } finally {
      await appliance.stop();
    }
    assert.equal(await reuse(), original);
  });

  it('a listening port is not given to a connection, even if the pool of NAT64 has moved the port range', async () => {
    appliance = await startAppliance(world, { await: ['nat64', 'admin'] });
    try {
      const { stdout } = await world.hosts.appliance.run('sysctl', [
        '-n',
        'net.ipv4.ip_local_reserved_ports',
      ]);
      assert.equal(stdout.trim(), '8064,22001-22999');
    } finally {
      const { leftBehind } = await appliance.stop();
      assert.deepEqual(leftBehind, []);
    }
  });
});
