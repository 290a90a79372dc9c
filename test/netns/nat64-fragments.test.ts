/**
 * Fragments between real stacks, on the topology of nat64/topology.ts:
 *
 *   island ----------- appliance --------------- router ------------------ internet
 *   2001:db8:1::10     2001:db8:1::1             198.51.100.254            203.0.113.9
 *                      198.51.100.1              203.0.113.254
 *
 * The island and the router mark fragments: the first one ECN-capable, the others CE, with their own hop limit. (A stack drops
 * a datagram in which only some fragments say that congestion was experienced and others are not ECN-capable, RFC 3168 section
 * 5.3.)
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { UDP_ECHO, node, ping, reaches, startServer, succeeds, udpExchange } from './nat64/programs.ts';
import {
  type Appliance,
  type Host,
  INTERNET6,
  ISLAND,
  POOL4,
  type Topology,
  createTopology,
} from './nat64/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

const script = (name: string) => join(import.meta.dirname, 'nat64', name);
const OWN4 = '192.0.2.9';
const ECT0 = 2;
const CE = 3;
const MARKED_HOPS = 33;
/** How many bytes of a datagram its first fragment may contain. */
const FIRST_BYTES = 1448;
const MARK_ON_ISLAND = `
  add table netdev marks
  add chain netdev marks egress { type filter hook egress device "eth0" priority 0; }
  add rule netdev marks egress ip6 nexthdr 44 ip6 ecn set ect0
  add rule netdev marks egress ip6 nexthdr 44 frag frag-off != 0 ip6 ecn set ce ip6 hoplimit set ${MARKED_HOPS}`;
const MARK_ON_ROUTER = `
  add table ip marks
  add chain ip marks forward { type filter hook forward priority 0; }
  add rule ip marks forward ip frag-off & 0x3fff != 0 ip ecn set ect0
  add rule ip marks forward ip frag-off & 0x1fff != 0 ip ecn set ce ip ttl set ${MARKED_HOPS}`;
/** Hops between the mark and the capture: the kernel to the TUN, the translator, the kernel from the TUN; routers come on top. */
const HOPS_OF_APPLIANCE = 3;

interface Seen {
  readonly offset: number;
  readonly ecn: number;
  readonly hops: number;
}

function readFragment(hex: string): Seen {
  const packet = Buffer.from(hex, 'hex');
  return packet[0] >> 4 === 4
    ? { offset: (packet.readUInt16BE(6) & 0x1fff) * 8, ecn: packet[1] & 3, hops: packet[8] }
    : { offset: packet.readUInt16BE(42) & 0xfff8, ecn: (packet[1] >> 4) & 3, hops: packet[7] };
}

/** The fragments that arrive at a host while `task` runs: exactly `count`. */
async function captured(
  net: Topology,
  host: Host,
  count: number,
  task: () => Promise<unknown>,
): Promise<Seen[]> {
  const child = net.start(host, process.execPath, script('capture.ts'), 'eth0', `${count}`);
  const lines = createInterface({ input: child.stdout as Readable });
  const seen: Seen[] = [];
  await once(lines, 'line');
  lines.on('line', (line) => seen.push(readFragment(line)));
  const ended = once(lines, 'close');
  await task();
  await ended;
  return seen.sort((a, b) => a.offset - b.offset);
}

const isPing = (net: Topology, host: Host, to: string) =>
  succeeds(net.run(host, 'ping', '-n', '-c', '1', '-W', '2', '-s', '4000', to));

for (const offload of [true, false]) {
  describe(`fragments ${offload ? 'with' : 'without'} offload`, () => {
    let net: Topology;
    let appliance: Appliance;
    before(async () => {
      net = await createTopology();
      await net.run('router', 'ip', 'route', 'add', OWN4, 'via', POOL4);
      appliance = await net.startAppliance({
        offload,
        eam: [{ ipv4: `${OWN4}/32`, ipv6: '2001:db8:3::10/128' }],
      });
      await waitUntil('the island reaches the internet', () => reaches(net));
      await startServer(net, UDP_ECHO);
      await net.run('island', 'nft', MARK_ON_ISLAND);
      await net.run('router', 'nft', MARK_ON_ROUTER);
    });
    after(() => net[Symbol.asyncDispose]());

    /** Later fragments have the mark; the first one, and the pieces cut from it, have the values of their sender. */
    function assertMarked(seen: Seen[], markedHops: number, firstHops: number): void {
      const first = seen.filter(({ offset }) => offset < FIRST_BYTES);
      const later = seen.filter(({ offset }) => offset >= FIRST_BYTES);
      for (const { ecn, hops } of first) assert.deepEqual({ ecn, hops }, { ecn: ECT0, hops: firstHops });
      assert.ok(first.length > 0 && later.length > 0);
      for (const { ecn, hops } of later) assert.deepEqual({ ecn, hops }, { ecn: CE, hops: markedHops });
    }

    const text = 'sand'.repeat(1000);
    const exchange = async () =>
      assert.equal((await node(net, udpExchange(INTERNET6, text))).trim(), `${POOL4} ${text}`);

    test('ECN and hop limit of each fragment arrive on the IPv4 side', async () => {
      await net.run('router', 'nft', 'flush chain ip marks forward');
      try {
        const lost = HOPS_OF_APPLIANCE + 1;
        assertMarked(await captured(net, 'internet', 3, exchange), MARKED_HOPS - lost, 64 - lost);
      } finally {
        await net.run('router', 'nft', 'delete table ip marks');
        await net.run('router', 'nft', MARK_ON_ROUTER);
      }
    });

    test('TTL and ECN of each fragment arrive on the IPv6 side', async () => {
      const seen = await captured(net, 'island', 5, exchange);
      assertMarked(seen, MARKED_HOPS - HOPS_OF_APPLIANCE, 64 - 1 - HOPS_OF_APPLIANCE);
    });

    test('ping in fragments, in both directions, with marks', async () => {
      await ping(net, 'island', '-s', '4000', INTERNET6);
      await waitUntil('the internet reaches the neighbour', () => isPing(net, 'internet', OWN4));
    });

    test("lone fragments from many addresses: the island's datagrams pass", async () => {
      const flood = net.start('appliance', process.execPath, script('flood-fragments.ts'), 'nat64', POOL4);
      try {
        await waitUntil(
          'more fragments arrive than there is room for',
          async () => (await appliance.counters())['datagrams-given-up'] > 1000,
          { timeoutMs: 60_000 },
        );
        await waitUntil('a datagram in fragments is answered', () => succeeds(exchange()), {
          timeoutMs: 60_000,
        });
        await waitUntil('a ping in fragments is answered', () => isPing(net, 'island', INTERNET6), {
          timeoutMs: 60_000,
        });
      } finally {
        flood.kill('SIGKILL');
        await once(flood, 'exit');
      }
      assert.ok((await appliance.counters())['drop-fragment-memory'] > 1000, ISLAND);
    });
  });
}
