/**
 * The flows that the translator's thread has handed over to the kernel. It enters a flow when its session has had enough packets,
 * removes it when packets must pass through the translator again, and reads the time of its last packet from the kernel before
 * the session expires.
 */
import { createMapDrain, mapOperation } from '../../../os/bpf.ts';
import { int32, pinned } from '../../../os/libc.ts';
import { complement, foldSum, sumOfIpv6Address, sumOfWord } from '../../../wire/checksum.ts';
import { IPV4, IP_PROTOCOL } from '../../../wire/ipv4.ts';
import { IPV6, IPV6_HEADER_BYTES } from '../../../wire/ipv6.ts';
import { COUNTER } from '../counters.ts';
import type { Packet } from '../packet/packet.ts';
import type { Settings } from '../settings/settings.ts';
import { BIB, BIB_KIND, CONTROL, RECORD_WORDS, SESSION, type Tables } from '../tables/tables.ts';
import { TCP_STATE } from '../tables/tcp-state.ts';
import { FLOW, FLOW_BYTES, KEY4, KEY4_BYTES, KEY6, KEY6_BYTES } from './fast-path-record.ts';
import { type Tallies, createTallies } from './fast-path-tallies.ts';
import { protocolNumber4 } from '../packet/transport.ts';

/** Descriptors of the maps of the kernel's programs. They belong to the main thread. */
export interface FlowMaps {
  readonly flows6: number;
  readonly flows4: number;
  readonly tally: number;
  readonly paused: number;
}

/**
 * With which packet of a session its flow is handed over to the kernel, or with the first one after it that comes from the IPv6
 * side. Most sessions never have this many packets.
 */
export const HANDED_OVER_WITH = 8;
/** In `progress`: the kernel has the flow. */
const HANDED_OVER = 255;
/** Lifetimes of handed-over sessions are updated in steps of at most this many records and, below, this many lookups. */
const RECORDS_PER_STEP = 4096;
const QUESTIONS_PER_STEP = 256;

/** By TRANSPORT. */
const PROTOCOLS: readonly number[] = [IP_PROTOCOL.TCP, IP_PROTOCOL.UDP];

export class Flows {
  readonly #key6 = pinned(KEY6_BYTES);
  readonly #key4 = pinned(KEY4_BYTES);
  readonly #value6 = pinned(FLOW_BYTES);
  readonly #value4 = pinned(FLOW_BYTES);
  readonly #key6View = new DataView(this.#key6.buffer);
  readonly #key4View = new DataView(this.#key4.buffer);
  readonly #value6View = new DataView(this.#value6.buffer);
  readonly #value4View = new DataView(this.#value4.buffer);
  readonly #enter6: () => boolean;
  readonly #enter4: () => boolean;
  readonly #find6: () => boolean;
  readonly #find4: () => boolean;
  readonly #remove6: () => boolean;
  readonly #remove4: () => boolean;
  readonly #drain6: () => boolean;
  readonly #drain4: () => boolean;
  readonly #pause: () => boolean;
  readonly #resume: () => boolean;
  readonly #tallies: Tallies;
  readonly #counters: Float64Array;
  /** By session: the number of its packets in this thread, up to HANDED_OVER_WITH; or HANDED_OVER. */
  readonly #progress: Uint8Array;
  #handedOver = 0;
  /** Flows that were taken back are still in the maps. Meanwhile the kernel translates nothing. */
  #isDraining = true;
  /** Where the next step of `refresh` continues. */
  #cursor = 1;

  /** Empties the maps and uses them. Flows that a dead worker had entered will be entered again. */
  constructor(maps: FlowMaps, maxSessions: number, counters: Float64Array) {
    this.#counters = counters;
    this.#drain6 = createMapDrain(maps.flows6, KEY6_BYTES, FLOW_BYTES);
    this.#drain4 = createMapDrain(maps.flows4, KEY4_BYTES, FLOW_BYTES);
    this.#pause = mapOperation('update', maps.paused, pinned(4), int32(1));
    this.#resume = mapOperation('update', maps.paused, pinned(4), int32(0));
    while (this.drain());
    this.#enter6 = mapOperation('update', maps.flows6, this.#key6, this.#value6);
    this.#enter4 = mapOperation('update', maps.flows4, this.#key4, this.#value4);
    this.#find6 = mapOperation('lookup', maps.flows6, this.#key6, this.#value6);
    this.#find4 = mapOperation('lookup', maps.flows4, this.#key4, this.#value4);
    this.#remove6 = mapOperation('delete', maps.flows6, this.#key6);
    this.#remove4 = mapOperation('delete', maps.flows4, this.#key4);
    this.#tallies = createTallies(maps.tally);
    this.#progress = new Uint8Array(maxSessions + 1);
    // What was counted before is already in the counters.
    this.#tallies.reportNew(() => {});
  }

  /** Notes a session that a packet has just opened. */
  begin(session: number): void {
    this.#progress[session] = 1;
  }

  /**
   * Notes a further packet of a session in this thread; `state` is the TCP state after it, 0 for other protocols. True if the flow
   * may be handed over to the kernel now. If the kernel has the flow, but the new state does not allow that, it is taken back.
   */
  isDue(tables: Tables, session: number, state: number): boolean {
    const progress = this.#progress[session];
    const mayBeHandedOver = state === 0 || isSteady(state);
    if (progress === HANDED_OVER) {
      // After the FIN of one side, the kernel may continue with the rest of the connection.
      if (!mayBeHandedOver) this.forget(tables, session);
      return false;
    }
    const packets = Math.min(progress + 1, HANDED_OVER_WITH);
    this.#progress[session] = packets;
    return packets === HANDED_OVER_WITH && mayBeHandedOver && !this.#isDraining;
  }

  /** Hands the flow of a session over to the kernel; `packet` is a packet from the IPv6 side that is not translated yet. */
  enter(session: number, packet: Packet, settings: Settings): void {
    if (!this.#enter(packet, settings)) return;
    this.#progress[session] = HANDED_OVER;
    this.#handedOver++;
    this.#counters[COUNTER['flows-handed-over']]++;
  }

  /** Whether the kernel has the flow of a session. */
  has = (session: number): boolean => this.#progress[session] === HANDED_OVER;

  /** Takes a flow back from the kernel, and resets its progress: its session ends, or the next packets must pass here. */
  forget(tables: Tables, session: number): void {
    if (this.has(session)) {
      this.#handedOver--;
      this.#counters[COUNTER['flows-taken-back']]++;
      if (this.#loadKeys(tables, session)) this.#remove6();
      this.#remove4();
    }
    this.#progress[session] = 0;
  }

  /** The second of the tables' clock in which the kernel last had a packet of the session; -1 if it has had none. */
  lastUsedSeconds(tables: Tables, session: number, nowSeconds: number): number {
    if (!this.has(session) || !this.#loadKeys(tables, session)) return -1;
    const from4 = this.#value4View.getBigUint64(FLOW.LAST_USED, true);
    const from6 = this.#find6() ? this.#value6View.getBigUint64(FLOW.LAST_USED, true) : 0n;
    const last = from4 > from6 ? from4 : from6;
    if (last === 0n) return -1;
    const ageSeconds = Number((process.hrtime.bigint() - last) / 1_000_000_000n);
    return nowSeconds - Math.max(ageSeconds, 0);
  }

  /**
   * Takes all flows back, because something has changed that their entries depend on. This is one system call, however many flows
   * there are; `drain` does the rest.
   */
  clear(): void {
    this.#progress.fill(0);
    if (this.#handedOver === 0) return;
    this.#pause();
    this.#isDraining = true;
    this.#counters[COUNTER['flows-taken-back']] += this.#handedOver;
    this.#handedOver = 0;
  }

  /** Removes some entries of flows that `clear` has taken back; true if there may be more. */
  drain(): boolean {
    if (!this.#isDraining) return false;
    if (this.#drain6() || this.#drain4()) return true;
    this.#resume();
    this.#isDraining = false;
    return false;
  }

  /** Adds what the kernel has translated to the counters. Called about once per second. */
  count(counters: Float64Array): void {
    this.#tallies.reportNew((name, added) => {
      counters[COUNTER[name]] += added;
      if (name === 'packets-6to4' || name === 'packets-4to6') counters[COUNTER['packets-fast-path']] += added;
    });
  }

  /** Calls `prolong` for some of the handed-over sessions, so that all lifetimes are updated in time. Called once per second. */
  refresh(used: number, prolong: (session: number) => void): void {
    let questions = 0;
    for (let step = 0; step < RECORDS_PER_STEP && this.#handedOver > 0; step++) {
      if (this.#cursor >= used) this.#cursor = 1;
      const session = this.#cursor++;
      if (!this.has(session)) continue;
      prolong(session);
      if (++questions === QUESTIONS_PER_STEP) return;
    }
  }

  /** Enters both directions; false if there is no room. */
  #enter(packet: Packet, settings: Settings): boolean {
    const { bytes, start, mappedAddress, mappedPort, remoteAddress, remotePort, hostPort } = packet;
    const protocol = protocolNumber4(packet);
    this.#key6.set(bytes.subarray(start + IPV6.SOURCE, start + IPV6_HEADER_BYTES));
    const key6 = this.#key6View;
    key6.setUint16(KEY6.SOURCE_PORT, hostPort);
    key6.setUint16(KEY6.DESTINATION_PORT, remotePort);
    key6.setUint32(KEY6.PROTOCOL, protocol, true);
    this.#writeKey4(remoteAddress, mappedAddress, remotePort, mappedPort, protocol);

    const addresses6 =
      sumOfIpv6Address(packet.view, start + IPV6.SOURCE) +
      sumOfIpv6Address(packet.view, start + IPV6.DESTINATION);
    const addresses4 = sumOfWord(mappedAddress) + sumOfWord(remoteAddress);
    this.#value6.fill(0);
    const value6 = this.#value6View;
    value6.setUint8(0, 0x45);
    value6.setUint8(IPV4.TOS, settings.setClassTo4);
    value6.setUint8(IPV4.PROTOCOL, protocol);
    value6.setInt32(IPV4.SOURCE, mappedAddress);
    value6.setInt32(IPV4.DESTINATION, remoteAddress);
    value6.setUint16(FLOW.HEADER_SUM, foldSum(0x4500 + protocol + addresses4), true);
    value6.setUint8(FLOW.COPIED_CLASS, settings.copiedClassTo4);
    // The words in the byte order in which they are in memory.
    value6.setUint32(FLOW.ADDRESS_DELTA, swapped(foldSum(complement(addresses6) + addresses4)), true);
    value6.setUint16(FLOW.PORTS, mappedPort);
    value6.setUint16(FLOW.PORTS + 2, remotePort);
    value6.setUint16(FLOW.MTU_BYTES, settings.mtu4Bytes, true);

    this.#value4.fill(0);
    const value4 = this.#value4View;
    value4.setUint8(0, 0x60);
    value4.setUint8(FLOW.COPIED_CLASS, settings.copiedClassTo6);
    value4.setUint8(IPV6.NEXT_HEADER, protocol);
    this.#value4.set(this.#key6.subarray(KEY6.DESTINATION, KEY6.DESTINATION + 16), IPV6.SOURCE);
    this.#value4.set(this.#key6.subarray(KEY6.SOURCE, KEY6.SOURCE + 16), IPV6.DESTINATION);
    value4.setUint32(FLOW.ADDRESS_DELTA, swapped(foldSum(complement(addresses4) + addresses6)), true);
    value4.setUint16(FLOW.PORTS, remotePort);
    value4.setUint16(FLOW.PORTS + 2, hostPort);
    value4.setUint16(FLOW.MTU_BYTES, settings.mtu6Bytes, true);
    value4.setUint16(FLOW.FRAGMENTABLE_MTU_BYTES, settings.lowestIpv6MtuBytes, true);
    if (!this.#enter4()) return false;
    if (this.#enter6()) return true;
    this.#remove4();
    return false;
  }

  #writeKey4(remote: number, mapped: number, remotePort: number, mappedPort: number, protocol: number): void {
    const key4 = this.#key4View;
    key4.setInt32(KEY4.SOURCE, remote);
    key4.setInt32(KEY4.DESTINATION, mapped);
    key4.setUint16(KEY4.SOURCE_PORT, remotePort);
    key4.setUint16(KEY4.DESTINATION_PORT, mappedPort);
    key4.setUint32(KEY4.PROTOCOL, protocol, true);
  }

  /** Loads both keys of a session. The second comes from the entry of the first; false if there is no such entry. */
  #loadKeys({ bib, sessions, control }: Tables, session: number): boolean {
    const at = session * RECORD_WORDS;
    const bibAt = sessions[at + SESSION.BIB] * RECORD_WORDS;
    const remotePort = sessions[at + SESSION.REMOTE_PORT_AND_STATE] >>> 16;
    const ports = bib[bibAt + BIB.PORTS];
    const kind = bib[bibAt + BIB.KIND];
    const protocol = PROTOCOLS[(kind & BIB_KIND.TRANSPORT) - 1];
    const mapped = control[CONTROL.ADDRESSES + (kind >> BIB_KIND.SLOT_SHIFT)];
    this.#writeKey4(sessions[at + SESSION.REMOTE_ADDRESS], mapped, remotePort, ports & 0xffff, protocol);
    if (!this.#find4()) return false;
    this.#key6.set(this.#value4.subarray(IPV6.DESTINATION, IPV6_HEADER_BYTES), KEY6.SOURCE);
    this.#key6.set(this.#value4.subarray(IPV6.SOURCE, IPV6.DESTINATION), KEY6.DESTINATION);
    this.#key6View.setUint16(KEY6.SOURCE_PORT, ports >>> 16);
    this.#key6View.setUint16(KEY6.DESTINATION_PORT, remotePort);
    this.#key6View.setUint32(KEY6.PROTOCOL, protocol, true);
    return true;
  }
}

/** States in which ordinary segments do not change the state, and give the session the lifetime of an established connection. */
const isSteady = (state: number): boolean =>
  state === TCP_STATE.ESTABLISHED || state === TCP_STATE.V4_FIN || state === TCP_STATE.V6_FIN;

const swapped = (word: number): number => ((word & 0xff) << 8) | (word >>> 8);
