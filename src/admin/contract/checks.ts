/**
 * Servers and their health, the DNS records to publish, "check my setup", the network as found, neighbours.
 *
 *     GET  hosts                     -> HostsAnswer
 *     POST hosts/:name/check         -> HostAnswer          probes this server now
 *     GET  hosts/:name/dns-records   -> DnsRecordsAnswer    looks each record up now
 *     GET  checks                    -> ChecksAnswer        what was found last; starts nothing that takes long
 *     POST checks/run {id?}          -> ChecksAnswer        does all again, or one
 *     GET  network                   -> NetworkAnswer
 *     GET  neighbours                -> NeighboursAnswer    as the kernel knows them
 *     POST neighbours/probe          -> NeighboursAnswer    asks the LAN who is there, and which ports answer
 */
import { type Static, Type } from '../../config/json-schema.ts';
import { AddressHealth } from '../../runtime/address-health.ts';
import { FindingState, ProbeName } from '../../runtime/own-events.ts';
import { Nullable, strict } from './common.ts';
import { HostTraffic } from './status.ts';

export const ProbeReport = Type.Object({
  name: ProbeName,
  /** The user of the port: the name of a listener of the proxy, or "ssh". */
  service: Type.String(),
  /** The address of the server that was probed. */
  address: Type.String(),
  port: Type.Integer(),
  /** The host name that was requested (SNI or Host); null if the protocol has none. */
  hostname: Nullable(Type.String()),
  state: FindingState,
  /** From the connection attempt to the answer. */
  latencyMs: Nullable(Type.Number()),
  /** The result, or the problem, in plain words. */
  detail: Type.String(),
  certificate: Nullable(
    Type.Object({
      names: Type.Array(Type.String()),
      issuer: Type.String(),
      expiresAt: Type.String(),
      /** Whether it is valid for `hostname`. */
      matches: Type.Boolean(),
      trust: Type.Union([Type.Literal('trusted'), Type.Literal('self-signed'), Type.Literal('untrusted')]),
    }),
  ),
});

export const HostHealth = Type.Object({
  /** The worst of the probes and of the health checks. One of several addresses that fails is "warn". */
  state: FindingState,
  checkedAt: Nullable(Type.String()),
  probes: Type.Array(ProbeReport),
});

const dnsRecord = {
  /** The owner name of the record: "example.com", "*.example.com". */
  name: Type.String(),
  type: Type.Union([Type.Literal('A'), Type.Literal('AAAA')]),
  /** The value that it must have; null while that is unknown (A: the public IPv4 address). */
  value: Nullable(Type.String()),
  /** Ready for a zone file; null without a value. */
  zoneLine: Nullable(Type.String()),
  /** The purpose of the record, or why its value is unknown. */
  note: Type.String(),
};

export const DnsRecord = Type.Object(dnsRecord);

export const LiveDnsRecord = Type.Object({
  ...dnsRecord,
  /** ok: published; fail: absent or another value; warn: present among others; unknown: no resolver could be queried, or no value. */
  state: FindingState,
  found: Type.Array(Type.String()),
  detail: Type.String(),
});

export const PublicIpv4 = Type.Object({
  /** null if it cannot be found out from here. */
  address: Nullable(Type.String()),
  /**
   * own: an address of the appliance; nat: behind a router, the address is known if the router reports it; cgnat: behind a
   * router whose own address is private too, so nobody can connect from outside; none: no IPv4 at all.
   */
  kind: Type.Union([Type.Literal('own'), Type.Literal('nat'), Type.Literal('cgnat'), Type.Literal('none')]),
  text: Type.String(),
});

export const DnsRecordsAnswer = Type.Object({
  checkedAt: Type.String(),
  publicIpv4: PublicIpv4,
  /** The resolver that was queried. */
  resolver: Type.String(),
  records: Type.Array(LiveDnsRecord),
});

export const HostAnswer = Type.Object({
  name: Type.String(),
  address: Type.String(),
  /** All its addresses, in their order; `address` is the first. */
  addresses: Type.Array(Type.String()),
  /** false: nothing leads to it. */
  enabled: Type.Boolean(),
  /** Clients are turned away. */
  maintenance: Type.Boolean(),
  hostnames: Type.Array(Type.String()),
  clientAddress: Type.String(),
  health: HostHealth,
  /** Each address at the port of each listener, if health checks decide where clients are led. */
  healthChecks: Type.Array(AddressHealth),
  /** Through the proxy and the forwarded port; null while neither runs. */
  traffic: Nullable(HostTraffic),
  /** The port on the IPv4 side that leads to the server's sshd. */
  sshPort: Nullable(Type.Integer()),
  /** For ~/.ssh/config. */
  sshConfig: Nullable(Type.String()),
  /** The records to publish; `hosts/:name/dns-records` looks each one up. */
  dnsRecords: Type.Array(DnsRecord),
  /** The configuration that the server needs to see the client's address in its configured mode. */
  snippets: Type.Array(
    Type.Object({ title: Type.String(), text: Type.String(), explanation: Type.String() }),
  ),
});

export const HostsAnswer = Type.Object({ publicIpv4: PublicIpv4, hosts: Type.Array(HostAnswer) });

export const CheckItem = Type.Object({
  /** "default-route-4", or "server/web1" if a check has one item for each of several objects. */
  id: Type.String(),
  /** "network", "ports", "servers", "names", "system", or the name of a service. */
  area: Type.String(),
  state: FindingState,
  title: Type.String(),
  /** The result: what is wrong, that there is no problem, or why it is unknown. */
  what: Type.String(),
  /** Why it matters. */
  why: Type.String(),
  /** How to fix it; null if nothing needs fixing. */
  remedy: Nullable(Type.String()),
  /** The server concerned, if any. */
  server: Nullable(Type.String()),
  checkedAt: Nullable(Type.String()),
});

export const ChecksAnswer = Type.Object({
  /** For the badge: how many items are "warn" or "fail". */
  open: Type.Integer(),
  isRunning: Type.Boolean(),
  items: Type.Array(CheckItem),
});

/** `id` of an item; without it, all are run. */
export const RunChecksBody = Type.Object(
  {
    id: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9-]+(/[a-z0-9-]+)?$',
        title: 'The item to check again',
        expected: 'the id of an item of GET checks',
      }),
    ),
  },
  { ...strict, expected: 'an object with the optional property "id"' },
);

const Gateway = Type.Object({ address: Type.String(), interface: Type.String() });

export const NetworkAnswer = Type.Object({
  hostname: Type.String(),
  interfaces: Type.Array(
    Type.Object({
      name: Type.String(),
      isUp: Type.Boolean(),
      mac: Nullable(Type.String()),
      mtuBytes: Type.Integer(),
      /** With prefix length. */
      addresses: Type.Array(Type.String()),
    }),
  ),
  /** Every own address except loopback and link-local ones, IPv4 first. */
  addresses: Type.Array(Type.String()),
  gateway4: Nullable(Gateway),
  gateway6: Nullable(Gateway),
  /** Whether the LAN has IPv6 addresses other than link-local ones. */
  hasIpv6: Type.Boolean(),
  publicIpv4: PublicIpv4,
  /** Ports that the configuration needs and another program uses. */
  portConflicts: Type.Array(
    Type.Object({
      port: Type.Integer(),
      protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')]),
      address: Type.String(),
      /** What needs it: "proxy listener https", "dns64", ... */
      wantedBy: Type.String(),
      /** "nginx (process 812)", or that it is unknown. */
      owner: Type.String(),
    }),
  ),
  dns: Type.Object({
    /** From /etc/resolv.conf. */
    resolvers: Type.Array(Type.String()),
    /** From the configuration. */
    upstreams: Type.Array(Type.String()),
  }),
});

export const NeighboursAnswer = Type.Object({
  neighbours: Type.Array(
    Type.Object({
      address: Type.String(),
      interface: Type.String(),
      mac: Nullable(Type.String()),
      name: Nullable(Type.String()),
      isRouter: Type.Boolean(),
      /** The configured server that has this address. */
      server: Nullable(Type.String()),
      /** Which of 22, 80 and 443 accepted a connection; null until they have been probed. */
      openPorts: Nullable(Type.Array(Type.Integer())),
    }),
  ),
});

export type { FindingState } from '../../runtime/own-events.ts';
export type ProbeReport = Static<typeof ProbeReport>;
export type HostHealth = Static<typeof HostHealth>;
export type DnsRecord = Static<typeof DnsRecord>;
export type LiveDnsRecord = Static<typeof LiveDnsRecord>;
export type PublicIpv4 = Static<typeof PublicIpv4>;
export type DnsRecordsAnswer = Static<typeof DnsRecordsAnswer>;
export type HostAnswer = Static<typeof HostAnswer>;
export type HostsAnswer = Static<typeof HostsAnswer>;
export type CheckItem = Static<typeof CheckItem>;
export type ChecksAnswer = Static<typeof ChecksAnswer>;
export type RunChecksBody = Static<typeof RunChecksBody>;
export type NetworkAnswer = Static<typeof NetworkAnswer>;
export type NeighboursAnswer = Static<typeof NeighboursAnswer>;
