/**
 * The log of mappings (RFC 6888 section 4): which client has which port of pool4 from when to when, and, if configured, which
 * sessions it has. The translator's thread writes records into a ring. The main thread makes a structured log line of each, and
 * an event for the panel. Records that find no room in the ring are dropped and counted.
 */
import type { Nat64Config } from '../../../config/schema.ts';
import {
  type EventRecord,
  type EventRing,
  type EventWriter,
  createEventRing,
  createEventWriter,
} from '../../../runtime/event-ring.ts';
import type { EventSink } from '../../../runtime/events.ts';
import type { Logger } from '../../../runtime/log.ts';
import { formatIpv4, formatIpv6 } from '../../../wire/ip-address.ts';
import { writeWords } from '../../../wire/ipv6.ts';
import type { Nat64Found } from '../contract.ts';
import { COUNTER } from '../counters.ts';
import { PROTOCOLS } from '../packet/packet.ts';
import {
  BIB,
  BIB_KIND,
  CONTROL,
  type MappingLog,
  RECORD_WORDS,
  SESSION,
  type SharedTables,
} from './tables.ts';

/** Kinds of records in the ring. */
export const LOGGED = {
  mappingCreated: 0,
  mappingRemoved: 1,
  sessionCreated: 2,
  sessionRemoved: 3,
} as const;

const NAMES = ['mapping-created', 'mapping-removed', 'session-created', 'session-removed'] as const;
const MAPPINGS = (1 << LOGGED.mappingCreated) | (1 << LOGGED.mappingRemoved);
const SESSIONS = (1 << LOGGED.sessionCreated) | (1 << LOGGED.sessionRemoved);
const WANTED: Readonly<Record<Nat64Config['log'], number>> = {
  none: 0,
  mappings: MAPPINGS,
  sessions: MAPPINGS | SESSIONS,
};

/** Words of a record, after its head of three words. */
const PROTOCOL = 3;
const POOL_ADDRESS = 4;
/** host port << 16 | pool port */
const PORTS = 5;
const HOST = 6;
const REMOTE_ADDRESS = 10;
const REMOTE_PORT = 11;
const RECORD_BYTES = 48;
/** Room for the records of one second with very many new mappings; memory is only taken as it is used. */
const RECORDS = 16_384;

export const createMappingRing = (): EventRing =>
  createEventRing({ recordBytes: RECORD_BYTES, records: RECORDS });

/** Attaches to the ring; dropped records are added to the counters. */
export function createMappingLog(buffer: SharedArrayBuffer, counters: Float64Array): MappingLog {
  const events = createEventWriter(buffer);
  return {
    tick: events.tick,
    mapping(tables, bib, kind) {
      if ((tables.bib[bib * RECORD_WORDS + BIB.KIND] & BIB_KIND.STATIC) !== 0) return;
      const at = beginRecord(events, counters, tables, bib, kind);
      if (at < 0) return;
      events.words[at + REMOTE_ADDRESS] = events.words[at + REMOTE_PORT] = 0;
      events.commit();
    },
    session({ sessions, ...tables }, session, kind) {
      const sessionAt = session * RECORD_WORDS;
      const at = beginRecord(events, counters, tables, sessions[sessionAt + SESSION.BIB], kind);
      if (at < 0) return;
      events.words[at + REMOTE_ADDRESS] = sessions[sessionAt + SESSION.REMOTE_ADDRESS];
      events.words[at + REMOTE_PORT] = sessions[sessionAt + SESSION.REMOTE_PORT_AND_STATE] >>> 16;
      events.commit();
    },
  };
}

/** Begins a record with the data of a BIB entry; returns its position in words, or -1. */
function beginRecord(
  events: EventWriter,
  counters: Float64Array,
  { bib, control }: Pick<SharedTables, 'bib' | 'control'>,
  index: number,
  kind: number,
): number {
  const offset = events.begin(kind);
  if (offset < 0) {
    if (events.wants(kind)) counters[COUNTER['log-records-lost']]++;
    return -1;
  }
  const { words } = events;
  const at = offset >> 2;
  const bibAt = index * RECORD_WORDS;
  const bibKind = bib[bibAt + BIB.KIND];
  words[at + PROTOCOL] = (bibKind & BIB_KIND.TRANSPORT) - 1;
  words[at + POOL_ADDRESS] = control[CONTROL.ADDRESSES + (bibKind >> BIB_KIND.SLOT_SHIFT)];
  words[at + PORTS] = bib[bibAt + BIB.PORTS];
  for (let word = 0; word < 4; word++) words[at + HOST + word] = bib[bibAt + word];
  return at;
}

/** The main thread's side. It reads until it is disposed. */
export interface MappingLogReader extends Disposable {
  /** Sets what is logged from now on. */
  setLevel(level: Nat64Config['log']): void;
}

/** How often the ring is read if there is no event sink to read it. */
const DRAIN_MS = 500;

/** Writes a log line for each record, and passes it to the event sink as well, if there is one. */
export function readMappingLog(
  ring: EventRing,
  log: Pick<Logger, 'info'>,
  sink: EventSink | undefined,
): MappingLogReader {
  const decode = (record: EventRecord): Nat64Found | undefined => {
    const event = eventOf(record);
    const { kind: _kind, what, ...fields } = event;
    log.info({ event: what, at: new Date(record.timeMs).toISOString(), ...fields }, 'nat64: mapping log');
    return event;
  };
  const draining = sink?.drainRing(ring, decode) ?? drainAlone(ring, decode);
  return {
    setLevel: (level) => ring.want(WANTED[level]),
    [Symbol.dispose]: () => draining[Symbol.dispose](),
  };
}

function drainAlone(ring: EventRing, decode: (record: EventRecord) => unknown): Disposable {
  const drain = () => void ring.drain(decode);
  const timer = setInterval(drain, DRAIN_MS);
  timer.unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      drain();
    },
  };
}

/** Decodes a record into readable fields. */
export function eventOf({ words, at: offset, kind }: EventRecord): Nat64Found {
  const at = offset >> 2;
  const host = new DataView(new ArrayBuffer(16));
  writeWords(host, 0, words, at + HOST);
  const isSession = kind >= LOGGED.sessionCreated;
  return {
    kind: 'nat64',
    what: NAMES[kind],
    protocol: PROTOCOLS[words[at + PROTOCOL]],
    client: formatIpv6(new Uint8Array(host.buffer)),
    clientPort: words[at + PORTS] >>> 16,
    poolAddress: formatIpv4(words[at + POOL_ADDRESS]),
    poolPort: words[at + PORTS] & 0xffff,
    remote: isSession ? formatIpv4(words[at + REMOTE_ADDRESS]) : null,
    remotePort: isSession ? words[at + REMOTE_PORT] : null,
  };
}
