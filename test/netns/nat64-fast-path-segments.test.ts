/**
 * Packets that stand for several, as network cards and other stacks pass them on (GSO). The output is the same with and without
 * the kernel's part of NAT64, datagram by datagram and with a correct checksum, and each was translated by the expected part. The
 * topology is that of nat64/topology.ts; neither end takes part in the connection.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { HANDED_OVER_WITH } from '../../src/services/nat64/kernel/fast-path-flows.ts';
import { GSO } from '../../src/wire/virtio-net.ts';
import { partial } from '../unit/services/nat64/frames.ts';
import {
  type Bytes,
  TCP_FLAGS,
  assertWellFormed,
  checksum,
  concat,
  readU16,
  tcp,
  u16,
  udp,
} from '../unit/services/nat64/packets.ts';
import { reaches } from './nat64/programs.ts';
import {
  type Appliance,
  type Host,
  INTERNET,
  INTERNET6,
  ISLAND,
  POOL4,
  type Topology,
  createTopology,
} from './nat64/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

const HOST_PORT = 40_001;
const REMOTE_PORT = 8443;
/** Keeps both stacks from answering packets that they did not ask for. The capture sees the packets before that. */
const SILENCE = `
  add table inet silence
  add chain inet silence input { type filter hook input priority 0; }
  add rule inet silence input th dport { ${HOST_PORT}, ${REMOTE_PORT} } drop
  add rule inet silence input th sport { ${HOST_PORT}, ${REMOTE_PORT} } drop`;
const SEGMENT_BYTES = 1000;
const SEGMENTS = 5;

const DIRECTIONS = [
  { from: 'island', to: 'internet', nextHop: ['appliance', 'lan'], leaves: ['appliance', 'wan'] },
  { from: 'internet', to: 'island', nextHop: ['router', 'core'], leaves: ['appliance', 'lan'] },
] as const;
type Direction = (typeof DIRECTIONS)[number];
/** The sender to the appliance's device: its offloads decide whether the appliance gets one packet or several. */
const SENDERS = {
  island: { sender: ['island', 'eth0'], receiver: ['appliance', 'lan'] },
  internet: { sender: ['router', 'customer'], receiver: ['appliance', 'wan'] },
} as const;

const script = (name: string) => join(import.meta.dirname, 'nat64', name);
const payload = Uint8Array.from({ length: SEGMENT_BYTES * SEGMENTS - 100 }, (_, i) => (i * 7) & 255);

describe('packets that stand for several', () => {
  let net: Topology;
  let appliance: Appliance;
  const mapped = { tcp: 0, udp: 0 };
  before(async () => {
    net = await createTopology();
    for (const host of ['island', 'internet'] as const) await net.run(host, 'nft', SILENCE);
    // Packets that leave the appliance are segmented, and their checksum computed, by software.
    for (const { leaves } of DIRECTIONS) await offloads(leaves, 'off');
    appliance = await net.startAppliance();
    await waitUntil('the island reaches the internet', () => reaches(net));
    await establish();
  });
  after(() => net?.[Symbol.asyncDispose]());

  const offloads = ([host, device]: readonly [Host, string], state: 'on' | 'off') =>
    net.run(
      host,
      'ethtool',
      '-K',
      device,
      ...['tx', 'tso', 'gso', 'tx-udp-segmentation'].flatMap((name) => [name, state]),
    );
  const lists = ([host, device]: readonly [Host, string], state: 'on' | 'off') =>
    net.run(host, 'ethtool', '-K', device, 'gro', state, 'rx-gro-list', state);

  async function inject(direction: Direction, ...frames: Bytes[]): Promise<void> {
    const [host, device] = direction.nextHop;
    const mac = (await net.run(host, 'cat', `/sys/class/net/${device}/address`)).trim();
    const hex = frames.map((frame) => Buffer.from(frame).toString('hex'));
    await net.run(direction.from, process.execPath, script('inject-frames.ts'), 'eth0', mac, ...hex);
  }

  /** The packets of the flow that arrive while `task` runs: exactly `count`. */
  async function captured(host: Host, count: number, task: () => Promise<unknown>): Promise<Bytes[]> {
    const port = `${host === 'island' ? HOST_PORT : REMOTE_PORT}`;
    const child = net.start(host, process.execPath, script('capture.ts'), 'eth0', `${count}`, port);
    const lines = createInterface({ input: child.stdout as Readable });
    const seen: Bytes[] = [];
    await once(lines, 'line');
    lines.on('line', (line) => seen.push(Uint8Array.from(Buffer.from(line, 'hex'))));
    const ended = once(lines, 'close');
    await task();
    await ended;
    assert.equal(seen.length, count);
    return seen;
  }

  const outward = {
    source: ISLAND,
    destination: INTERNET6,
    sourcePort: HOST_PORT,
    destinationPort: REMOTE_PORT,
  };
  const inward = (protocol: 'tcp' | 'udp') => ({
    source: INTERNET,
    destination: POOL4,
    sourcePort: REMOTE_PORT,
    destinationPort: mapped[protocol],
  });
  const plain = (packet: Bytes): Bytes => concat(new Uint8Array(10), packet);
  const counter = async (name: string) => (await appliance.counters())[name];

  /** Opens a session of each protocol, and waits until the kernel has both flows. */
  async function establish(): Promise<void> {
    const [out, back] = DIRECTIONS;
    const syn = tcp({ ...outward, flags: TCP_FLAGS.SYN });
    const [first] = await captured('internet', 1, () => inject(out, plain(syn)));
    mapped.tcp = readU16(first, 20);
    const answer = tcp({ ...inward('tcp'), flags: TCP_FLAGS.SYN | TCP_FLAGS.ACK });
    await captured('island', 1, () => inject(back, plain(answer)));
    const [datagram] = await captured('internet', 1, () => inject(out, plain(udp(outward))));
    mapped.udp = readU16(datagram, 20);
    await handOver(HANDED_OVER_WITH - 2, HANDED_OVER_WITH - 1);
  }

  /** Sends as many packets of each protocol as needed. Our thread translates all of them. */
  async function handOver(ofTcp = HANDED_OVER_WITH, ofUdp = HANDED_OVER_WITH): Promise<void> {
    const before = await counter('flows-handed-over');
    const tcps = Array.from({ length: ofTcp }, () => plain(tcp(outward)));
    const udps = Array.from({ length: ofUdp }, () => plain(udp(outward)));
    await inject(DIRECTIONS[0], ...tcps, ...udps);
    await waitUntil('handed over', async () => (await counter('flows-handed-over')) === before + 2);
  }

  /** Sends one packet of `protocol` that stands for several. Returns what arrives, without fields chosen anew for each packet. */
  async function exchange(direction: Direction, protocol: 'tcp' | 'udp'): Promise<Seen> {
    const isOut = direction.from === 'island';
    const fields = { ...(isOut ? outward : inward(protocol)), data: payload, trafficClass: 0x28 };
    const frame =
      protocol === 'tcp'
        ? partial(tcp(fields), isOut ? GSO.TCPV6 : GSO.TCPV4, SEGMENT_BYTES)
        : partial(udp(fields), GSO.UDP, SEGMENT_BYTES);
    const seen = await captured(direction.to, SEGMENTS, () => inject(direction, frame));
    for (const packet of seen) assertWellFormed(packet);
    const transportBytes = protocol === 'tcp' ? 20 : 8;
    const headerBytes = (isOut ? 20 : 40) + transportBytes;
    const data = seen.map((packet) => packet.subarray(headerBytes));
    const headers = seen.map((packet) => {
      const normalised = isOut ? withoutIdentification(packet) : packet;
      return Buffer.from(normalised.subarray(0, headerBytes)).toString('hex');
    });
    return { headers, isInOrder: Buffer.concat(data).equals(payload) };
  }

  /** How many packets of an exchange the kernel and our thread have translated. The kernel's counters are read once a second. */
  async function counted(task: () => Promise<Seen>): Promise<{ fast: number; slow: number } & Seen> {
    const all = async () => {
      const counters = await appliance.counters();
      return {
        all: counters['packets-6to4'] + counters['packets-4to6'],
        fast: counters['packets-fast-path'],
      };
    };
    const before = await all();
    const seen = await task();
    await waitUntil('counted', async () => (await all()).all >= before.all + SEGMENTS);
    const now = await all();
    const fast = now.fast - before.fast;
    return { fast, slow: now.all - before.all - fast, ...seen };
  }

  for (const direction of DIRECTIONS) {
    for (const protocol of ['tcp', 'udp'] as const) {
      test(`${protocol} from ${direction.from}`, async () => {
        const { sender, receiver } = SENDERS[direction.from];
        const take = () => counted(() => exchange(direction, protocol));
        const whole = await take();
        assert.deepEqual([whole.fast, whole.slow], [SEGMENTS, 0], 'one packet that stands for several');

        await offloads(sender, 'off');
        const single = await take();
        assert.deepEqual([single.fast, single.slow], [SEGMENTS, 0], 'each by itself');
        await lists(receiver, 'on');
        const first = await take();
        assert(first.slow > 1, 'a list of packets is left to our thread');
        const list = await take();
        assert.deepEqual([list.fast, list.slow], [0, SEGMENTS], 'and so are the packets after it');
        await lists(receiver, 'off');
        await offloads(sender, 'on');

        await appliance.ask({ ask: 'reconfigure', nat64: { fastPath: false } });
        const slow = await take();
        assert.deepEqual([slow.fast, slow.slow], [0, SEGMENTS]);
        await appliance.ask({ ask: 'reconfigure', nat64: {} });
        await handOver();

        for (const { isInOrder } of [whole, single, list, slow]) assert(isInOrder);
        assert.deepEqual(whole.headers, slow.headers);
        assert.deepEqual(single.headers, slow.headers);
        assert.deepEqual(list.headers.map(withoutHops), slow.headers.map(withoutHops));
      });
    }
  }
});

/** What arrived: headers and payload. */
interface Seen {
  readonly headers: readonly string[];
  readonly isInOrder: boolean;
}

/** In a list, the kernel decrements the hop limit of the first packet only, on the way to our device. */
const withoutHops = (hex: string): string => (hex.startsWith('4') ? hex.slice(24) : hex.slice(16));

/** Clears the identification of an IPv4 packet. */
function withoutIdentification(packet: Bytes): Bytes {
  const copy = packet.slice();
  copy.set([0, 0], 4);
  copy.set([0, 0], 10);
  copy.set(u16(checksum(copy.subarray(0, 20))), 10);
  return copy;
}
