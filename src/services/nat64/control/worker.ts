/** The translator's thread: reads packets from the TUN device, translates and writes them until none waits, and then sleeps. */
import { E, POLLIN, errno, errnoName, pinned, poll, read, write } from '../../../os/libc.ts';
import { fillRandom } from '../../../os/random.ts';
import type { Tun } from '../../../os/tun.ts';
import { createCounters } from '../../../runtime/counters.ts';
import { MAX_WAIT_MS, workerThread } from '../../../runtime/worker-thread.ts';
import { VIRTIO_NET_HEADER_BYTES } from '../../../wire/virtio-net.ts';
import { applySettings } from './apply-settings.ts';
import { attachTables } from '../tables/attach-tables.ts';
import { COUNTER, NAT64_COUNTERS } from '../counters.ts';
import { SWEEP_STEPS_PER_TURN, expire } from '../steps/expiry.ts';
import { type FlowMaps, Flows } from '../kernel/fast-path-flows.ts';
import {
  HEADROOM_BYTES,
  LONGEST_PACKET_BYTES,
  clearOffload,
  loadPacket,
  storeOffloadHeader,
} from '../packet/packet.ts';
import { createMappingLog } from '../tables/mapping-log.ts';
import { type RestoreOrder, restoreSessions } from './restore.ts';
import type { Settings } from '../settings/settings.ts';
import { applyStaticEntries } from '../tables/static-entries.ts';
import { CONTROL, type SharedTables, tableClockSeconds } from '../tables/tables.ts';
import { createTranslator } from '../steps/translator.ts';
import {
  BURST_FRAME_START,
  type UdpBurst,
  begin,
  createUdpBurst,
  finish,
  join,
} from '../packet/udp-burst.ts';
import { prolongFromKernel } from '../steps/hand-over.ts';
import { nextToSend, translate } from '../steps/pipeline.ts';

export interface Nat64Init {
  readonly tun: Tun;
  /** Whether packets on the TUN have a virtio header. */
  readonly offload: boolean;
  readonly settings: Settings;
  readonly tables: SharedTables;
  readonly counters: SharedArrayBuffer;
  /** The ring of the mapping log. */
  readonly log: SharedArrayBuffer;
  /** Undefined if the kernel translates nothing itself. */
  readonly flowMaps: FlowMaps | undefined;
}

/** New settings, effective from the next packet on; or sessions to restore. */
export type Nat64Message = { readonly settings: Settings } | { readonly restore: RestoreOrder };

/** How many packets are translated before the loop checks its messages and timers again. */
const PACKETS_PER_TURN = 256;
/** The limit per turn of packets that are sent because of a timeout. */
const TIMED_PACKETS_PER_TURN = 64;
const PREMADE_VIEWS = HEADROOM_BYTES * 2;

/** Unsigned 32-bit random numbers from the system's generator, fetched many at a time. */
function secureRandom(): () => number {
  const pool = new Uint32Array(1024);
  let next = pool.length;
  return () => {
    if (next === pool.length) {
      fillRandom(pool);
      next = 0;
    }
    return pool[next++];
  };
}

/** An array of two pollfd; poll waits until one of them can be read. */
function pollSetOf(first: number, second: number): ReturnType<typeof pinned> {
  const pollFds = pinned(16);
  const view = new DataView(pollFds.buffer);
  view.setInt32(0, first, true);
  view.setInt16(4, POLLIN, true);
  view.setInt32(8, second, true);
  view.setInt16(12, POLLIN, true);
  return pollFds;
}

function main(): void {
  const thread = workerThread<Nat64Init, Nat64Message>();
  const { tun, offload, settings, tables, flowMaps } = thread.init;
  const counters = createCounters(NAT64_COUNTERS, thread.init.counters);
  const log = createMappingLog(thread.init.log, counters.values);
  log.tick(Date.now());
  const translator = createTranslator(
    settings,
    attachTables(tables, tableClockSeconds(), settings, log),
    counters,
    secureRandom(),
  );
  applyStaticEntries(translator.tables, settings.staticEntries, tableClockSeconds());
  const flows = flowMaps && new Flows(flowMaps, tables.maxSessions, translator.counters);
  translator.flows = flows;
  const { packet } = translator;
  const { fd: tunFd } = tun;
  const burst = tun.hasUdpSegments ? createUdpBurst() : undefined;
  const burstFrame = packet.bytes.subarray(BURST_FRAME_START);
  const headerBytes = offload ? VIRTIO_NET_HEADER_BYTES : 0;
  const readAt = HEADROOM_BYTES - headerBytes;
  const readInto = packet.bytes.subarray(readAt);
  const readBytes = headerBytes + LONGEST_PACKET_BYTES;
  const views = Array.from({ length: PREMADE_VIEWS }, (_, at) => packet.bytes.subarray(at));

  const pollFds = pollSetOf(tunFd, thread.wakeFd);
  const pollView = new DataView(pollFds.buffer);

  /** Reads one packet and sends the results of its translation; false if none was waiting. */
  function forwardOne(): boolean {
    const got = read(tunFd, readInto, readBytes);
    if (got < 0) {
      const code = errno();
      if (code === E.EAGAIN || code === E.EINTR) return false;
      throw new Error(`nat64: reading the TUN device: ${errnoName(code)}`);
    }
    if (got < headerBytes) {
      translator.counters[COUNTER['drop-truncated']]++;
      return true;
    }
    loadPacket(packet, got - headerBytes);
    if (!offload) clearOffload(packet);
    if (!translate(translator)) return true;
    send();
    while (nextToSend(translator)) send();
    return true;
  }

  function send(): void {
    if (burst !== undefined) {
      if (join(burst, packet)) return;
      sendBurst(burst);
      if (begin(burst, packet)) return;
    }
    if (offload) storeOffloadHeader(packet);
    const from = packet.start - headerBytes;
    const view = from < PREMADE_VIEWS ? views[from] : packet.bytes.subarray(from);
    if (write(tunFd, view, packet.end - from) < 0) translator.counters[COUNTER['drop-write-failed']]++;
  }

  function handleMessage(message: Nat64Message): void {
    if ('settings' in message) applySettings(translator, message.settings);
    else restoreSessions(translator, message.restore);
  }

  function sendBurst(burst: UdpBurst): void {
    if (burst.count === 0) return;
    finish(burst, packet.view);
    if (write(tunFd, burstFrame, burst.end - BURST_FRAME_START) < 0)
      translator.counters[COUNTER['drop-write-failed']]++;
  }

  thread.ready();
  let isIdle = false;
  let lastSecond = 0;
  for (;;) {
    poll(pollFds, 2, isIdle ? MAX_WAIT_MS : 0);
    thread.beat();
    log.tick(Date.now());
    translator.nowSeconds = tableClockSeconds();
    if (pollView.getInt16(14, true) !== 0 && !thread.receive(handleMessage)) return;
    const isDraining = flows?.drain() ?? false;
    if (flows !== undefined && translator.nowSeconds !== lastSecond) {
      lastSecond = translator.nowSeconds;
      flows.count(translator.counters);
      flows.refresh(tables.control[CONTROL.SESSIONS_USED], (session) =>
        prolongFromKernel(translator, session),
      );
    }
    for (let sent = 0; sent < TIMED_PACKETS_PER_TURN && expire(translator, SWEEP_STEPS_PER_TURN); sent++)
      send();
    let budget = PACKETS_PER_TURN;
    while (budget > 0 && forwardOne()) budget--;
    if (burst !== undefined) sendBurst(burst);
    // Idle: no packets, expired sessions or flows are left for the next turn.
    isIdle =
      budget > 0 && !isDraining && translator.tables.control[CONTROL.SWEPT_UNTIL] >= translator.nowSeconds;
  }
}

main();
