/** A server with two addresses, of which one is silent: nothing answers there, not even with a refusal. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Appliance, CONFIGURATION, startAppliance } from '../../lab/appliance.ts';
import { type World, buildWorld } from '../../lab/world.ts';
import { ADDRESSES } from '../../lab/zone.ts';

const SILENT = '2001:db8:1::98';
const WELL = '2001:db8:1::99';
const NAME = 'two.example.org';

/** Of the server with two good addresses, of which one vanishes while its connections are kept. */
const VANISHING = '2001:db8:1::96';
const STAYING = '2001:db8:1::97';
const KEEPS = 'keeps.example.org';

const KEEPING_SERVER = `
  for (const address of ['${VANISHING}', '${STAYING}'])
    require('http').createServer((_, response) => response.end(address)).listen(80, address, () => console.log('ready', address));`;

const SERVER = `
  require('net').createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\nwell'));
  }).listen(80, '${WELL}', () => console.log('ready'));`;

describe('a server with a silent address', { concurrency: false }, () => {
  let world: World;
  let appliance: Appliance;
  before(async () => {
    world = await buildWorld();
    const { web3 } = world.hosts;
    await web3.run('ip', ['addr', 'add', `${WELL}/64`, 'dev', 'eth0', 'nodad']);
    await web3.run('ip', ['addr', 'add', `${SILENT}/64`, 'dev', 'eth0', 'nodad']);
    await web3.run('nft', [
      `add table ip6 silent; add chain ip6 silent in { type filter hook input priority 0; }; add rule ip6 silent in ip6 daddr ${SILENT} tcp dport 80 drop`,
    ]);
    const server = web3.spawn(process.execPath, ['-e', SERVER]);
    await server.waitForLine(/^ready$/);
    for (const address of [VANISHING, STAYING])
      await web3.run('ip', ['addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad']);
    const keeping = web3.spawn(process.execPath, ['-e', KEEPING_SERVER]);
    for (const address of [VANISHING, STAYING]) await keeping.waitForLine(new RegExp(`^ready ${address}$`));
    const keeps = {
      name: 'keeps',
      addresses: [VANISHING, STAYING],
      hostnames: [KEEPS],
      services: ['http'],
      ssh: false,
    };
    const two = { name: 'two', addresses: [SILENT, WELL], hostnames: [NAME], services: ['http'], ssh: false };
    appliance = await startAppliance(world, {
      configuration: { ...CONFIGURATION, hosts: [...CONFIGURATION.hosts, two, keeps] },
      await: ['proxy', 'admin'],
    });
  });
  after(async () => {
    await appliance?.stop();
    await world[Symbol.asyncDispose]();
  });

  const ask = async (name = NAME) => {
    const url = `http://${ADDRESSES.appliance4}/`;
    return (await world.hosts.client.run('curl', ['-sS', '-H', `Host: ${name}`, url])).stdout;
  };
  const moved = async () => {
    const { services } = (await appliance.api('/api/counters')) as {
      services: { name: string; counters: { name: string; value: number }[] }[];
    };
    const { counters } = services.find(({ name }) => name === 'proxy')!;
    return counters.find(({ name }) => name === 'server-next-address')!.value;
  };

  it('answers from its other one; who comes then goes there at once', async () => {
    assert.equal(await ask(), 'well');
    assert.equal(await moved(), 1);
    for (let i = 0; i < 5; i++) assert.equal(await ask(), 'well');
    // Unless the machine was so slow that the address was tried again meanwhile.
    assert.ok((await moved()) <= 2);
  });

  it('an address that vanishes under a kept connection costs no request: it is repeated at the other one', async () => {
    assert.equal(await ask(KEEPS), VANISHING);
    // Nothing answers any more, not even with a reset, as after a power cut.
    await world.hosts.web3.run('nft', [`add rule ip6 silent in ip6 daddr ${VANISHING} drop`]);
    assert.equal(await ask(KEEPS), STAYING);
  });
});
