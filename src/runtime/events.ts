/** What data planes tell of what passes: plain data, made in the main thread from the records of an event ring. */
import type { Text } from '../texts/text.ts';
import type { EventRecord, EventRing } from './event-ring.ts';
import type { ReportState } from './service.ts';

export interface ConnectionEvent {
  readonly kind: 'connection';
  /** opened: its server answered. closed: it had been opened. refused: it never reached a server. */
  readonly what: 'opened' | 'closed' | 'refused';
  readonly service: 'proxy' | 'forward';
  /** The same for a connection's opened and closed; of one service. */
  readonly connection: number;
  readonly listener: string;
  readonly client: string;
  readonly clientPort: number;
  /** What the client asked for; null when nothing was asked or understood. */
  readonly name: string | null;
  /** The server's name in the configuration. */
  readonly server: string | null;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly durationMs: number;
  /** The counter that counted the end, and what it means; null for opened, and for ends that are not counted. */
  readonly reason: string | null;
  readonly explanation: Text | null;
}

export interface DnsEvent {
  readonly kind: 'dns';
  /** null when the configuration keeps it out of the log. */
  readonly client: string | null;
  readonly name: string;
  readonly type: string;
  readonly transport: 'udp' | 'tcp';
  readonly answer: 'cached' | 'forwarded' | 'synthesized' | 'local' | 'refused' | 'failed' | 'malformed';
  readonly rcode: string;
  readonly durationMs: number;
}

export interface Nat64Event {
  readonly kind: 'nat64';
  readonly what: 'mapping-created' | 'mapping-removed' | 'session-created' | 'session-removed';
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly client: string;
  readonly clientPort: number;
  readonly poolAddress: string;
  readonly poolPort: number;
  /** The other end of a session; null for a mapping, which has many. */
  readonly remote: string | null;
  readonly remotePort: number | null;
}

export interface ServiceEvent {
  readonly kind: 'service';
  readonly service: string;
  readonly state: ReportState;
  readonly problem: Text | null;
  readonly restarts: number;
}

/** The measured health of a server has changed. What follows `before` is of the probe that decides the state: null when all is well. */
export interface HealthEvent {
  readonly kind: 'health';
  readonly server: string;
  readonly state: 'ok' | 'warn' | 'fail' | 'unknown';
  readonly before: HealthEvent['state'];
  readonly probe: 'tcp' | 'tls' | 'http' | 'ssh' | 'smtp' | null;
  /** What uses the port: the name of a listener of the proxy, or "ssh". */
  readonly service: string | null;
  readonly port: number | null;
  readonly hostname: string | null;
  readonly detail: Text | null;
  /** Probes that are not well. */
  readonly failing: number;
}

/** Something outside of our traffic that people should know: another program changed what we had set, a file was damaged. */
export interface NoticeEvent {
  readonly kind: 'notice';
  /** Whose report (`ServiceReport.name`) it belongs to. */
  readonly service: string;
  /** ok: it was put right. warn: something is less than it should be. fail: something does not work. */
  readonly severity: 'ok' | 'warn' | 'fail';
  readonly text: Text;
}

export type DataPlaneEvent =
  | ConnectionEvent
  | DnsEvent
  | Nat64Event
  | ServiceEvent
  | HealthEvent
  | NoticeEvent;

/** Where events go. */
export interface EventSink {
  /** One event of the main thread's own. `timeMs`: milliseconds since 1970. */
  put(event: DataPlaneEvent, timeMs: number): void;
  /** Everything of a kind, also what waits in the rings. */
  forget(kind: DataPlaneEvent['kind']): void;
  /** Drains a ring regularly until disposed; `decode` makes the event of a record, undefined to leave it out. */
  drainRing(ring: EventRing, decode: (record: EventRecord) => DataPlaneEvent | undefined): Disposable;
}

/** Whether another event of a kind may be told within this second: for events that come from no ring. */
export function eventLimit(perSecond: number): (nowMs: number) => boolean {
  let second = -1;
  let left = 0;
  return (nowMs) => {
    const nowSecond = Math.floor(nowMs / 1000);
    if (nowSecond !== second) {
      second = nowSecond;
      left = perSecond;
    }
    return left > 0 && left-- > 0;
  };
}
