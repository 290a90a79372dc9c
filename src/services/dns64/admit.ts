/** Decides which queries are answered at all. UDP and TCP share this decision. */
import type { Counters } from '../../runtime/counters.ts';
import { CLASS_IN, RD, Rcode, Type } from '../../wire/dns-message.ts';
import { type DnsQuery, QueryKind } from '../../wire/dns-query.ts';
import type { Dns64Counters } from './counters.ts';

/** Continue: look in the cache, or resolve. */
export const ADMIT = -1;
/** No reply. */
export const DROP = -2;

/** Types 128 to 255 are not record types: they request transfers, keys, ... (RFC 6895 section 3.1). */
const FIRST_META_TYPE = 128;

/**
 * The decision about a query that `readQuery` called `kind`: ADMIT, DROP, or the response code of the reply. Counts everything
 * that is not admitted.
 */
export function admitQuery(kind: number, query: DnsQuery, counters: Counters<Dns64Counters>): number {
  const { values, index } = counters;
  switch (kind) {
    case QueryKind.QUERY:
      break;
    case QueryKind.SHORT:
      values[index['drop-short']]++;
      return DROP;
    case QueryKind.RESPONSE:
      values[index['drop-response']]++;
      return DROP;
    case QueryKind.OPCODE:
      values[index['error-not-implemented']]++;
      return Rcode.NOTIMP;
    default:
      values[index['error-format']]++;
      return Rcode.FORMERR;
  }
  if (query.ednsVersion !== 0) {
    values[index['error-edns-version']]++;
    return Rcode.BADVERS;
  }
  const { type } = query;
  if (type === 0 || type === Type.OPT) {
    values[index['error-format']]++;
    return Rcode.FORMERR;
  }
  // RD=0 asks only for cached data, which would show one client what others have looked up. Unbound refuses it too.
  if (type === Type.AXFR || type === Type.IXFR || (query.flags & RD) === 0) {
    values[index['refused-query']]++;
    return Rcode.REFUSED;
  }
  if (query.class !== CLASS_IN || (type >= FIRST_META_TYPE && type < Type.ANY)) {
    values[index['error-not-implemented']]++;
    return Rcode.NOTIMP;
  }
  return ADMIT;
}
