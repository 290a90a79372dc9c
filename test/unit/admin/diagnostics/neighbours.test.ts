import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Machine } from '../../../../src/os/machine.ts';
import {
  avahiName,
  listNeighbours,
  pickNeighbours,
  probeNeighbours,
  reverseName,
} from '../../../../src/admin/diagnostics/neighbours.ts';
import type { Neighbour } from '../../../../src/os/neighbours.ts';
import { formatIpAddress } from '../../../../src/wire/ip-address.ts';
import { configOf, fakeMachine } from './machine.ts';

const neighbour = (address: string, mac: string | undefined, more: Partial<Neighbour> = {}): Neighbour => ({
  address,
  interface: 'eth0',
  mac,
  isRouter: false,
  states: ['STALE'],
  ...more,
});

const THERE = [
  neighbour('2001:db8:1::20', '02:20'),
  neighbour('2001:db8:1::10', '02:10'),
  neighbour('fe80::10', '02:10'),
  neighbour('fe80::99', '02:99', { isRouter: true }),
  neighbour('2001:db8:1::30', undefined, { states: ['INCOMPLETE'] }),
  neighbour('2001:db8:1::40', '02:40', { states: ['FAILED'] }),
  neighbour('2001:db8:64::1', '02:64', { interface: 'nat64' }),
];

const config = configOf({ hosts: [{ name: 'web1', address: '2001:db8:1:0::10' }] });
const depsOf = (changes: Partial<Machine>, open: readonly string[] = []) => ({
  machine: fakeMachine({ neighbours: async () => THERE, ...changes }),
  config,
  mdnsName: async (address: string) => (address === '2001:db8:1::10' ? 'pi.local' : undefined),
  isOpen: async (address: string, port: number) => open.includes(`${address} ${port}`),
});

test('the list of neighbours, each machine once', () => {
  assert.deepEqual(
    pickNeighbours(THERE).map(({ address }) => address),
    ['2001:db8:1::10', '2001:db8:1::20', '2001:db8:64::1', 'fe80::99'],
  );
});

test('neighbours have names from multicast DNS, the hosts file or the resolver', async () => {
  const asked: string[] = [];
  const lookUp: Machine['lookUp'] = async ([server], name, type) => {
    asked.push(`${server} ${type} ${name}`);
    return { kind: 'none' };
  };
  const { neighbours } = await listNeighbours(depsOf({ lookUp }));
  assert.deepEqual(
    neighbours.map(({ address, name, server, isRouter, openPorts }) => ({
      address,
      name,
      server,
      isRouter,
      openPorts,
    })),
    [
      { address: '2001:db8:1::10', name: 'pi.local', server: 'web1', isRouter: false, openPorts: null },
      { address: '2001:db8:1::20', name: 'web2.example.org', server: null, isRouter: false, openPorts: null },
      { address: 'fe80::99', name: null, server: null, isRouter: true, openPorts: null },
    ],
  );
  // Link-local addresses are not in the DNS.
  assert.deepEqual(asked, []);
  const unnamed = depsOf({ lookUp, neighbours: async () => [neighbour('2001:db8:1::50', '02:50')] });
  await listNeighbours(unnamed);
  assert.deepEqual(asked, [`[::1]:53 PTR ${reverseName('2001:db8:1::50')}`]);
});

test('probing: all nodes of each link, from each own global address, then the ports of servers', async () => {
  const pings: string[] = [];
  const ping: Machine['ping'] = async ({ target, source, scopeId, isMulticast = false }) => {
    const from = source === undefined ? '' : ` from ${formatIpAddress(source)}`;
    pings.push(`${formatIpAddress(target)}%${scopeId}${from}`);
    return isMulticast ? [{ address: '2001:db8:1::20', afterMs: 1 }] : [];
  };
  const deps = depsOf({ ping }, ['2001:db8:1::10 22', '2001:db8:1::10 443', '2001:db8:1::20 80']);
  const { neighbours } = await probeNeighbours(deps);
  assert.deepEqual(
    neighbours.map(({ openPorts }) => openPorts),
    [[22, 443], [80], null],
  );
  assert.deepEqual(pings, ['ff02::1%2 from 2001:db8:1::1', '2001:db8:1::20%2']);
});

test('a machine that may not ping lists the neighbours that it knows', async () => {
  const ping = async () => {
    throw new Error('EPERM');
  };
  assert.equal((await probeNeighbours(depsOf({ ping }))).neighbours.length, 3);
});

test('the name under ip6.arpa', () => {
  assert.equal(
    reverseName('2001:db8::567:89ab'),
    'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
  );
});

test('avahi is queried over its socket; it may know nothing, or may not run', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tombolo-avahi-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'socket');
  const server = createServer((socket) => {
    socket.on('data', (bytes) => {
      const known = bytes.toString() === 'RESOLVE-ADDRESS 2001:db8:1::10\n';
      socket.end(known ? '+ 2 1 2001:db8:1::10 pi.local\n' : '-15 Timeout reached\n');
    });
  }).listen(path);
  await once(server, 'listening');
  t.after(() => server.close());
  assert.equal(await avahiName('2001:db8:1::10', path), 'pi.local');
  assert.equal(await avahiName('2001:db8:1::11', path), undefined);
  assert.equal(await avahiName('2001:db8:1::10', join(directory, 'nothing')), undefined);
});
