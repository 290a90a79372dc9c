/** The counters of the DNS64 resolver. Worker and main thread have a block each; readers see the sum. */
export const DNS64_COUNTERS = {
  'queries-udp': 'Messages received over UDP',
  'queries-tcp': 'Messages received over TCP',
  hits: 'Queries answered from the cache',
  misses: 'Queries that had to be resolved',
  truncated: 'Answers that did not fit into a datagram: the client was sent to TCP',
  synthesised: 'AAAA answers made from A records',
  'reverse-mapped': 'PTR answers for addresses inside a NAT64 prefix',
  local: 'Answers for special-use names, made here',
  'refused-access': 'Queries from outside the access list that were answered REFUSED',
  'refused-query': 'Queries refused for what they ask: zone transfers, RD=0',
  'error-format': 'Malformed queries answered FORMERR',
  'error-not-implemented': 'Queries answered NOTIMP: opcode, class or meta type',
  'error-edns-version': 'Queries answered BADVERS',
  'error-resolution': 'Queries answered SERVFAIL because no upstream gave an answer',
  'drop-access': 'Queries from outside the access list beyond the rate that is answered REFUSED',
  'drop-short': 'Messages shorter than a header',
  'drop-response': 'Messages that are responses, not queries',
  'drop-source': 'Datagrams with source port 0 or sent to a multicast address',
  'drop-overload': 'Queries dropped because too many were being resolved',
  'drop-share':
    'Queries dropped because their client, or its whole /64, had far more in progress than was left for all clients',
  'drop-send': 'Replies that the kernel did not take',
  'tcp-connections': 'TCP connections accepted',
  'tcp-refused': 'TCP connections closed at once: their client is not on the access list',
  'tcp-displaced': 'TCP connections closed at the limit for another client: their clients had the most',
  'tcp-idle': 'TCP connections closed because they were idle or too slow',
  'upstream-queries': 'Queries sent to upstreams',
  'upstream-tcp': 'Queries sent to upstreams over TCP',
  'upstream-timeouts': 'Queries that an upstream left unanswered',
  'upstream-errors': 'Queries that an upstream answered with an error, or that could not be sent',
  'upstream-ourselves': 'Times an upstream was not asked because its address is that of this resolver itself',
  'upstream-ignored':
    'Datagrams from an upstream that answer no query: malformed, wrong ID or wrong question',
} as const;

export type Dns64Counters = typeof DNS64_COUNTERS;
