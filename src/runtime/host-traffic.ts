/** Traffic to and from each server of the configuration, as the TCP data planes count it. */

/** Names and explanations; metrics and the panel derive from them. `connections` and `dialling` are current numbers, the others are totals. */
export const hostCounterTable = {
  'bytes-up': 'Bytes passed from clients to the server, through the proxy and its forwarded ports',
  'bytes-down': 'Bytes passed from the server to clients, through the proxy and its forwarded ports',
  accepted: 'Connections that led to the server',
  connections: 'Connections to the server now open',
  dialling: 'Of these: connections that the server has not accepted yet',
} as const;

export type HostTraffic = { readonly [Name in keyof typeof hostCounterTable]: number };

export const HOST_COUNTERS = Object.keys(hostCounterTable) as (keyof HostTraffic)[];

/** By name of the server: the sum over services. */
export function sumHosts(
  reports: readonly { readonly hosts?: Readonly<Record<string, HostTraffic>> | undefined }[],
): Map<string, HostTraffic> {
  const sums = new Map<string, HostTraffic>();
  for (const { hosts } of reports) {
    for (const [name, traffic] of Object.entries(hosts ?? {})) {
      const sum = sums.get(name);
      sums.set(name, sum === undefined ? traffic : plus(sum, traffic));
    }
  }
  return sums;
}

const plus = (a: HostTraffic, b: HostTraffic): HostTraffic => ({
  'bytes-up': a['bytes-up'] + b['bytes-up'],
  'bytes-down': a['bytes-down'] + b['bytes-down'],
  accepted: a.accepted + b.accepted,
  connections: a.connections + b.connections,
  dialling: a.dialling + b.dialling,
});
