/** The flows that are handed over to the kernel: when they are handed over and taken back, and with how many system calls. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENTRIES_PER_CALL, bpfCalls, runClassifier } from '../../src/os/bpf.ts';
import { E, addressOf, errno, pinned, syscall } from '../../src/os/libc.ts';
import { applySettings } from '../../src/services/nat64/control/apply-settings.ts';
import { type FlowMaps, Flows, HANDED_OVER_WITH } from '../../src/services/nat64/kernel/fast-path-flows.ts';
import { KEY6_BYTES } from '../../src/services/nat64/kernel/fast-path-record.ts';
import { loadFastPath } from '../../src/services/nat64/kernel/fast-path.ts';
import { HOST, POOL4, REMOTE, createHarness } from '../unit/services/nat64/harness.ts';
import { type Bytes, TCP_FLAGS, concat, readU16, tcp, udp } from '../unit/services/nat64/packets.ts';

const REMOTE6 = `64:ff9b::${REMOTE}`;
const OUT = { source: HOST, destination: REMOTE6, sourcePort: 5000, destinationPort: 443 };
const MAX_FLOWS = 65_536;
const ETHERNET_BYTES = 14;
const NEXT = -1;

const ethernet = (packet: Bytes): Bytes => concat(new Uint8Array(12), Uint8Array.of(0x86, 0xdd), packet);

/** A translator with the kernel's maps and program. */
function createFlows(maxSessions: number) {
  const harness = createHarness({ maxSessions });
  const loaded = loadFastPath({ maxFlows: maxSessions, tunIndex: 1 });
  const { maps, programs } = loaded;
  const flows = new Flows(maps, maxSessions, harness.translator.counters);
  harness.translator.flows = flows;
  const program = programs.get(ETHERNET_BYTES)!;
  return { harness, flows, maps, program, [Symbol.dispose]: () => loaded[Symbol.dispose]() };
}

const SYS_BPF = process.arch === 'x64' ? 321 : 280;
const MAP_GET_NEXT_KEY = 4;

/** The maps have no first key. */
function assertEmpty({ flows6, flows4 }: FlowMaps): void {
  for (const map of [flows6, flows4]) {
    const request = pinned(72);
    const view = new DataView(request.buffer);
    const key = pinned(KEY6_BYTES);
    view.setUint32(0, map, true);
    view.setBigUint64(16, addressOf(key), true);
    assert.equal(syscall(SYS_BPF, MAP_GET_NEXT_KEY, request, request.length), -1);
    assert.equal(errno(), E.ENOENT);
  }
}

test('a flow is handed over to the kernel with the eighth packet of its session', () => {
  assert.equal(HANDED_OVER_WITH, 8);
  using flows = createFlows(16);
  const { harness } = flows;
  const handedOver = () => harness.counters()['flows-handed-over'];
  for (let packet = 1; packet < 8; packet++) harness.send(udp(OUT));
  assert.equal(handedOver(), 0);
  harness.send(udp(OUT));
  assert.equal(handedOver(), 1);

  // The three packets of the handshake count as well.
  const [port] = [readU16(harness.send(tcp({ ...OUT, flags: TCP_FLAGS.SYN })) as Bytes, 20)];
  const back = { source: REMOTE, destination: POOL4, sourcePort: 443, destinationPort: port };
  harness.send(tcp({ ...back, flags: TCP_FLAGS.SYN | TCP_FLAGS.ACK }));
  for (let packet = 3; packet < 8; packet++) harness.send(tcp(OUT));
  assert.equal(handedOver(), 1);
  harness.send(tcp(OUT));
  assert.equal(handedOver(), 2);
});

test('or with the first later packet that comes from IPv6', () => {
  using flows = createFlows(16);
  const { harness } = flows;
  const port = readU16(harness.send(udp(OUT)) as Bytes, 20);
  const back = { source: REMOTE, destination: POOL4, sourcePort: 443, destinationPort: port };
  for (let packet = 2; packet < 20; packet++) harness.send(udp(back));
  assert.equal(harness.counters()['flows-handed-over'], 0);
  harness.send(udp(OUT));
  assert.equal(harness.counters()['flows-handed-over'], 1);
});

test('with any number of flows a changed setting takes one system call, and the clean-up is done in small steps', () => {
  using pair = createFlows(MAX_FLOWS);
  const { harness, flows, maps, program } = pair;
  const { translator } = harness;
  const packetOf = (host: number, port: number) =>
    udp({ ...OUT, source: `2001:db8:1::1:${host.toString(16)}`, sourcePort: 2000 + port });
  /** From many hosts, as one host may not have so many sessions; returns how many flows were handed over. */
  const fill = () => {
    const before = harness.counters()['flows-handed-over'];
    for (let host = 0; host < 100; host++)
      for (let port = 0; port < 40; port++)
        for (let sent = 0; sent < HANDED_OVER_WITH; sent++) harness.send(packetOf(host, port));
    return harness.counters()['flows-handed-over'] - before;
  };
  /** Calls `task` until it returns false; returns the number of system calls of each call. */
  const callsOf = (task: () => boolean) => {
    const calls: number[] = [];
    for (let isMore = true; isMore; ) {
      const before = bpfCalls();
      isMore = task();
      calls.push(bpfCalls() - before);
    }
    return calls;
  };
  const isTranslated = () => runClassifier(program, ethernet(packetOf(7, 7))).verdict !== NEXT;
  const handedOver = fill();
  assert.equal(handedOver, 4000);
  assert(isTranslated());

  const changes = callsOf(() => {
    applySettings(translator, { ...translator.settings });
    return false;
  });
  assert.deepEqual(changes, [1]);
  assert(!isTranslated(), 'none of them is used any more');
  assert.equal(harness.counters()['flows-taken-back'], handedOver);
  const turns = callsOf(() => flows.drain());
  assert(Math.max(...turns) <= 3, `in one step: ${Math.max(...turns)}`);
  assert(turns.length <= 2 * (Math.ceil(handedOver / ENTRIES_PER_CALL) + 1), `${turns.length} turns`);
  assertEmpty(maps);

  // If the kernel has no flows, no system call is made.
  const idle = callsOf(() => {
    applySettings(translator, { ...translator.settings });
    return flows.drain();
  });
  assert.deepEqual(idle, [0]);
  // The flows are handed over again.
  assert(!isTranslated());
  assert.equal(fill(), handedOver);
  assert(isTranslated());
});

test('no flow is handed over while others are being taken back', () => {
  using pair = createFlows(16);
  const { harness, flows } = pair;
  const send = () => {
    for (let sent = 0; sent < HANDED_OVER_WITH; sent++) harness.send(udp(OUT));
    return harness.counters()['flows-handed-over'];
  };
  assert.equal(send(), 1);
  applySettings(harness.translator, { ...harness.translator.settings });
  assert.equal(send(), 1);
  while (flows.drain());
  assert.equal(send(), 2);
});

test('a translator that takes over the maps finds them empty, and can hand over flows', () => {
  using pair = createFlows(16);
  const { harness, flows, maps, program } = pair;
  const send = () => {
    for (let packet = 0; packet < HANDED_OVER_WITH; packet++) harness.send(udp(OUT));
  };
  const isTranslated = () => runClassifier(program, ethernet(udp(OUT))).verdict !== NEXT;
  send();
  assert(isTranslated());
  // As if the previous worker had died in the middle of clearing them.
  flows.clear();
  harness.translator.flows = new Flows(maps, 16, harness.translator.counters);
  assertEmpty(maps);
  send();
  assert(isTranslated());
});
