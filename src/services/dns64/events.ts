/** The events of the query log: the worker records the queries that it answers alone, the main thread reports the others. */
import { decodeSocketAddress, SOCKADDR_BYTES } from '../../os/socket-address.ts';
import {
  createEventRing,
  createEventWriter,
  type EventRecord,
  type EventRing,
} from '../../runtime/event-ring.ts';
import type { Dns64Config } from '../../config/schema.ts';
import { type EventSink, eventLimit } from '../../runtime/events.ts';
import { HEADER_BYTES, Rcode, uint16At } from '../../wire/dns-message.ts';
import { formatName, MAX_NAME_BYTES } from '../../wire/dns-name.ts';
import type { DnsQuery } from '../../wire/dns-query.ts';
import { formatIpAddress } from '../../wire/ip-address.ts';
import type { DnsFound } from './contract.ts';

export const DnsEventKind = { cached: 0, refused: 1, malformed: 2 } as const;
const ANSWERS = ['cached', 'refused', 'malformed'] as const;

/** Per kind: as many as a person can use. */
const EVENTS_PER_SECOND = 100;

// The record, after its head of 12 bytes. Offsets in bytes.
const TYPE_AND_RCODE = 12;
const CLIENT = 16;
const NAME_BYTES = CLIENT + SOCKADDR_BYTES;
const NAME = NAME_BYTES + 1;
const RECORD_BYTES = (NAME + MAX_NAME_BYTES + 7) & ~7;
const RECORDS = 256;

/** The names of common query types (IANA's registry of DNS parameters). */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  13: 'HINFO',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  29: 'LOC',
  33: 'SRV',
  35: 'NAPTR',
  37: 'CERT',
  39: 'DNAME',
  43: 'DS',
  44: 'SSHFP',
  46: 'RRSIG',
  47: 'NSEC',
  48: 'DNSKEY',
  50: 'NSEC3',
  51: 'NSEC3PARAM',
  52: 'TLSA',
  53: 'SMIMEA',
  59: 'CDS',
  60: 'CDNSKEY',
  61: 'OPENPGPKEY',
  62: 'CSYNC',
  64: 'SVCB',
  65: 'HTTPS',
  99: 'SPF',
  251: 'IXFR',
  252: 'AXFR',
  255: 'ANY',
  256: 'URI',
  257: 'CAA',
};

const RCODE_NAMES = new Map<number, string>(Object.entries(Rcode).map(([name, code]) => [code, name]));

/** "AAAA"; a type without a name in this list is written as in RFC 3597 section 5. */
export const typeName = (type: number): string => TYPE_NAMES[type] ?? `TYPE${type}`;

const rcodeName = (rcode: number): string => RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`;

/** The worker's ring; no kind is wanted yet. */
function createDnsEventRing(): EventRing {
  const ring = createEventRing({ recordBytes: RECORD_BYTES, records: RECORDS });
  for (const kind of Object.values(DnsEventKind)) ring.limit(kind, EVENTS_PER_SECOND);
  return ring;
}

export interface DnsEventWriter {
  /** Call once per turn of the loop. */
  tick(): void;
  /** `slots`: the memory with the query, from `at` on; `sources`: the memory with the client's sockaddr, at `source`. */
  record(
    kind: number,
    query: DnsQuery,
    slots: Uint8Array,
    at: number,
    sources: Uint8Array,
    source: number,
    rcode: number,
  ): void;
}

export function createDnsEventWriter(buffer: SharedArrayBuffer): DnsEventWriter {
  const writer = createEventWriter(buffer);
  const { bytes, words } = writer;
  return {
    tick: () => writer.tick(Date.now()),
    record(kind, query, slots, at, sources, source, rcode) {
      const to = writer.begin(kind);
      if (to < 0) return;
      // A question that could not be read has no name or type; the end of a readable question is always known.
      const nameBytes = Math.max(query.questionEnd - HEADER_BYTES - 4, 0);
      const name = at + HEADER_BYTES;
      const type = nameBytes === 0 ? 0 : uint16At(slots, name + nameBytes);
      words[(to + TYPE_AND_RCODE) >> 2] = (type << 16) | rcode;
      for (let i = 0; i < SOCKADDR_BYTES; i++) bytes[to + CLIENT + i] = sources[source + i];
      bytes[to + NAME_BYTES] = nameBytes;
      for (let i = 0; i < nameBytes; i++) bytes[to + NAME + i] = slots[name + i];
      writer.commit();
    },
  };
}

/** The event of one of the worker's records. */
function readDnsEvent({ kind, bytes, words, at }: EventRecord): DnsFound {
  const both = words[(at + TYPE_AND_RCODE) >> 2];
  const nameBytes = bytes[at + NAME_BYTES];
  return {
    kind: 'dns',
    client: clientOf(bytes.slice(at + CLIENT, at + CLIENT + SOCKADDR_BYTES)),
    name: nameBytes === 0 ? '' : formatName(bytes.slice(at + NAME, at + NAME + nameBytes)),
    type: nameBytes === 0 ? '' : typeName(both >>> 16),
    transport: 'udp',
    answer: ANSWERS[kind],
    rcode: rcodeName(both & 0xffff),
    durationMs: 0,
  };
}

const clientOf = (sockaddr: Uint8Array): string => formatIpAddress(decodeSocketAddress(sockaddr).address);

/** A query answered in the main thread. */
export interface AnsweredQuery {
  /** As a sockaddr, or as text. */
  readonly client: Uint8Array | string;
  /** In wire form; undefined when the question could not be read. */
  readonly name: Uint8Array | undefined;
  readonly type: number;
  readonly transport: DnsFound['transport'];
  readonly answer: DnsFound['answer'];
  readonly rcode: number;
  readonly durationMs: number;
}

/** The levels of the query log, from the least to the most detailed. */
type QueryLogLevel = Dns64Config['queryLog'];
const LEVELS: readonly QueryLogLevel[] = ['off', 'names', 'full'];
const ALL_KINDS = 0b111;

export interface QueryLog extends Disposable {
  /** Pass it to the worker, which attaches with `createDnsEventWriter`. */
  readonly buffer: SharedArrayBuffer;
  /** Reports an answer of the main thread, within the limits of rate and level. */
  record(query: AnsweredQuery): void;
  /** Takes effect at once. With a lower level, earlier events are removed. */
  setLevel(level: QueryLogLevel): void;
}

/** Reports the queries of worker and main thread; does nothing without `events`. */
export function createQueryLog(events: EventSink | undefined, initial: QueryLogLevel): QueryLog {
  const ring = createDnsEventRing();
  const mayTell = eventLimit(EVENTS_PER_SECOND);
  let level: QueryLogLevel = 'off';
  const shown = (event: DnsFound): DnsFound => (level === 'names' ? { ...event, client: null } : event);
  const drained = events?.drainRing(ring, (record) =>
    level === 'off' ? undefined : shown(readDnsEvent(record)),
  );
  function setLevel(next: QueryLogLevel): void {
    if (LEVELS.indexOf(next) < LEVELS.indexOf(level)) events?.forget('dns');
    level = next;
    ring.want(next === 'off' || events === undefined ? 0 : ALL_KINDS);
  }
  setLevel(initial);
  return {
    buffer: ring.buffer,
    setLevel,
    record({ client, name, type, transport, answer, rcode, durationMs }) {
      const nowMs = Date.now();
      if (events === undefined || level === 'off' || !mayTell(nowMs)) return;
      const event: DnsFound = {
        kind: 'dns',
        client: typeof client === 'string' ? client : clientOf(client),
        name: name === undefined ? '' : formatName(name),
        type: name === undefined ? '' : typeName(type),
        transport,
        answer,
        rcode: rcodeName(rcode),
        durationMs: Math.round(durationMs),
      };
      events.put(shown(event), nowMs);
    },
    [Symbol.dispose]: () => drained?.[Symbol.dispose](),
  };
}
