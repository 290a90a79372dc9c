/** DNS64's own shapes in the API: the event of a query. */
import { type Found, eventKind, eventShape } from '../../runtime/event-kind.ts';
import { Nullable, type Static, Type } from '../../runtime/shape.ts';

export const DnsEvent = eventShape('dns', {
  /** null with dns64.queryLog "names". */
  client: Nullable(Type.String()),
  /** Without a final dot; "." for the root. */
  name: Type.String(),
  /** "A", "AAAA", "TYPE65280", ... */
  type: Type.String(),
  transport: Type.Union([Type.Literal('udp'), Type.Literal('tcp')]),
  /**
   * cached: from the cache, synthesised or not. forwarded: unchanged from an upstream. synthesized: AAAA made from A. local:
   * answered by this resolver. refused: the client may not ask. failed: no upstream answered. malformed: not a query that we
   * answer.
   */
  answer: Type.Union([
    Type.Literal('cached'),
    Type.Literal('forwarded'),
    Type.Literal('synthesized'),
    Type.Literal('local'),
    Type.Literal('refused'),
    Type.Literal('failed'),
    Type.Literal('malformed'),
  ]),
  /** "NOERROR", "NXDOMAIN", ... */
  rcode: Type.String(),
  /** 0 for answers from the cache. */
  durationMs: Type.Integer(),
});
export type DnsEvent = Static<typeof DnsEvent>;
export type DnsFound = Found<DnsEvent>;

export const dnsKind = eventKind<DnsEvent>({
  name: 'dns',
  shape: DnsEvent,
  kept: 1000,
  serverBy: 'client',
  line: ({ client, name, type, answer, rcode }) => `dns ${client ?? '-'} ${name} ${type} ${answer} ${rcode}`,
});
