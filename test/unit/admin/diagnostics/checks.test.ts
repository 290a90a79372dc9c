/** Each check on machines that differ in one thing: (title, check, what differs, state, words). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FindingState } from '../../../../src/admin/contract/checks.ts';
import type { CheckDeps, Finding } from '../../../../src/admin/diagnostics/check.ts';
import { CHECKS } from '../../../../src/admin/diagnostics/checks/table.ts';
import type { ProbeFound } from '../../../../src/admin/diagnostics/found.ts';
import { type Lookup, type Machine, REFUSED } from '../../../../src/admin/diagnostics/machine.ts';
import type { Nat64Queries, PoolUse } from '../../../../src/runtime/nat64-queries.ts';
import { asIs, english } from '../../../../src/texts/text.ts';
import type { ServiceReport } from '../../../../src/runtime/service-slot.ts';
import { FILES, checkDeps, configOf, fakeMachine, socketOf } from './machine.ts';

const WEB1 = { name: 'web1', address: '2001:db8:1::10', hostnames: ['example.com'], ssh: false };
const withHost = configOf({ hosts: [WEB1] });

const report = (
  name: string,
  status: Partial<ServiceReport['status']>,
  counters: Record<string, number> = {},
): ServiceReport => ({
  name,
  status: { state: 'running', restarts: 0, figures: {}, ...status },
  counterTable: { 'drop-pool4-exhausted': 'No port of pool4 is left' },
  counters,
});

const probe = (more: Partial<ProbeFound>): ProbeFound => ({
  name: 'tcp',
  service: 'https',
  port: 443,
  hostname: null,
  state: 'ok',
  latencyMs: 3,
  detail: asIs('Takes connections.'),
  certificate: null,
  ...more,
});
const certificate = (state: FindingState, detail: string) =>
  probe({
    name: 'tls',
    hostname: 'example.com',
    state,
    detail: asIs(detail),
    certificate: {
      names: ['example.com'],
      issuer: 'CN=CA',
      expiresAt: '2026-09-01T00:00:00.000Z',
      matches: true,
      trust: 'trusted',
    },
  });
const probing = (...probes: ProbeFound[]): Partial<CheckDeps> => ({
  config: withHost,
  probe: async () => ({ state: 'ok', checkedAt: null, probes }),
});

const pool = (used: number, sessions = 0): Partial<CheckDeps> => {
  const use: PoolUse = {
    sessions,
    maxSessions: 1000,
    portBlocks: null,
    pools: [
      {
        address: '192.0.2.1',
        firstPort: 1,
        lastPort: 100,
        size: 100,
        protocols: ['tcp', 'udp', 'icmp'],
        used: { tcp: used, udp: 0, icmp: 0 },
      },
    ],
  };
  return { nat64: { poolUse: async () => use } as unknown as Nat64Queries };
};

const found = (...values: string[]): Lookup => ({ kind: 'found', values });
const silent: Lookup = { kind: 'failed', reason: asIs('it does not answer') };
/** What is answered by whom. */
const dns = (answer: (server: string, name: string, type: string) => Lookup): Partial<Machine> => ({
  lookUp: async ([server], name, type) => answer(server, name, type),
});
const isThroughNat64 = (server: string) => server.startsWith('[64:ff9b::');
const without = (file: string) => Object.fromEntries(Object.entries(FILES).filter(([name]) => name !== file));
const link = (mtuBytes: number, ...addresses: string[]): Partial<Machine> => ({
  interfaces: async () => [
    {
      name: 'eth0',
      index: 2,
      isUp: true,
      mac: undefined,
      mtuBytes,
      addresses: addresses.map((address) => ({ address, prefixBits: 64 })),
    },
  ],
});
const TAKEN = [socketOf('0.0.0.0', 443, 2)];
const OPEN = [socketOf('0.0.0.0', 80, 1), socketOf('0.0.0.0', 443, 1)];
const ours = { ownSockets: () => new Set([1]) };
const behindNat: Partial<CheckDeps> = {
  publicIpv4: async () => ({ address: null, kind: 'nat', text: asIs('Behind NAT: 192.168.1.2 is private.') }),
};

interface Row {
  readonly title: string;
  readonly check: string;
  readonly machine?: Partial<Machine>;
  readonly files?: Readonly<Record<string, string>>;
  readonly deps?: Partial<CheckDeps>;
  /** Of the finding, or "none". */
  readonly state: FindingState | 'none';
  readonly what?: RegExp;
  readonly mend?: RegExp;
}

const TABLE: readonly Row[] = [
  {
    title: 'gateway answers',
    check: 'default-route-4',
    state: 'ok',
    what: /192\.0\.2\.254 \(eth0\) answers in 0\.5 ms/,
  },
  {
    title: 'no default route',
    check: 'default-route-4',
    machine: { gateways: () => [], sourceIpv4: () => undefined },
    state: 'fail',
    what: /There is no IPv4 default route/,
    mend: /DHCP/,
  },
  {
    title: 'PPP',
    check: 'default-route-4',
    machine: { gateways: () => [] },
    state: 'ok',
    what: /point-to-point/,
  },
  {
    title: 'gateway is silent',
    check: 'default-route-4',
    machine: { ping: async () => [] },
    state: 'warn',
    what: /does not answer pings/,
    mend: /router/,
  },
  {
    title: 'may not ping',
    check: 'default-route-4',
    machine: {
      ping: async () => {
        throw new Error('ping 192.0.2.254: EPERM');
      },
    },
    state: 'unknown',
    what: /could not be asked: ping 192\.0\.2\.254: EPERM/,
  },
  { title: 'IPv6 gateway answers', check: 'default-route-6', state: 'ok', what: /fe80::fe \(eth0\) answers/ },
  {
    title: 'no IPv6 default route, but servers on the link',
    check: 'default-route-6',
    machine: { gateways: () => [] },
    deps: { config: withHost },
    state: 'ok',
    what: /none is needed/,
  },
  {
    title: 'no route to a server',
    check: 'default-route-6',
    machine: { gateways: () => [], pathTo: () => ({ problem: 'ENETUNREACH' }) },
    deps: { config: withHost },
    state: 'fail',
    what: /no IPv6 route to web1 \(2001:db8:1::10: ENETUNREACH\)/,
    mend: /Connect the appliance to the network of the servers/,
  },
  {
    title: 'both families',
    check: 'addresses',
    state: 'ok',
    what: /IPv4: 192\.0\.2\.1\. IPv6: 2001:db8:1::1\./,
  },
  {
    title: 'no IPv4',
    check: 'addresses',
    machine: link(1500, '2001:db8:1::1'),
    state: 'fail',
    what: /no IPv4 address/,
  },
  {
    title: 'no IPv6',
    check: 'addresses',
    machine: link(1500, '192.0.2.1', 'fe80::1'),
    state: 'fail',
    what: /no IPv6 address/,
    mend: /router advertisements/,
  },
  { title: 'own public address', check: 'public-ipv4', state: 'ok' },
  { title: 'behind NAT', check: 'public-ipv4', deps: behindNat, state: 'unknown', what: /Behind NAT/ },
  {
    title: 'behind NAT, and the router tells',
    check: 'public-ipv4',
    deps: {
      publicIpv4: async () => ({ address: '203.0.113.7', kind: 'nat', text: asIs('It says 203.0.113.7.') }),
    },
    state: 'ok',
  },
  {
    title: 'behind two NATs',
    check: 'public-ipv4',
    deps: { publicIpv4: async () => ({ address: null, kind: 'cgnat', text: asIs('Private, too.') }) },
    state: 'fail',
    mend: /CGNAT/,
  },
  { title: 'links are wide enough', check: 'mtu', state: 'ok', what: /eth0 1500 bytes/ },
  {
    title: 'too narrow for IPv6',
    check: 'mtu',
    machine: link(1200),
    state: 'fail',
    what: /eth0 \(1200 bytes\)/,
    mend: /1500/,
  },
  {
    title: 'PPPoE',
    check: 'mtu',
    machine: { pathTo: () => ({ source: '192.0.2.1', mtuBytes: 1492 }) },
    state: 'warn',
    what: /carries only 1492/,
    mend: /Set nat64\.mtu4Bytes to 1492/,
  },
  {
    title: 'narrow way to a server',
    check: 'mtu',
    machine: { gateways: () => [], pathTo: () => ({ source: '2001:db8:1::1', mtuBytes: 1400 }) },
    deps: { config: withHost },
    state: 'warn',
    mend: /Set nat64\.mtu6Bytes to 1400/,
  },
  { title: 'no conflict', check: 'port-conflicts', machine: { ...ours, sockets: () => OPEN }, state: 'ok' },
  {
    title: 'a port is taken',
    check: 'port-conflicts',
    machine: { sockets: () => TAKEN },
    deps: { config: withHost },
    state: 'fail',
    what: /TCP 443 \(listener https\) is taken by nginx \(process 812\)/,
    mend: /Stop nginx \(process 812\)/,
  },
  { title: 'no server, no port', check: 'open-ports', state: 'ok', what: /No server is configured/ },
  {
    title: 'all ports open',
    check: 'open-ports',
    machine: { ...ours, sockets: () => OPEN },
    deps: { config: withHost },
    state: 'ok',
    what: /TCP 80, 443 listen on 192\.0\.2\.1/,
  },
  {
    title: 'open behind NAT',
    check: 'open-ports',
    machine: { ...ours, sockets: () => OPEN },
    deps: { config: withHost, ...behindNat },
    state: 'unknown',
    what: /only known once somebody has come through/,
    mend: /forward TCP 80, 443 to the appliance/,
  },
  {
    title: 'behind NAT, and a client came through one port',
    check: 'open-ports',
    machine: { ...ours, sockets: () => OPEN },
    deps: { config: withHost, ...behindNat, seenFromOutside: async () => new Map([['proxy https', '']]) },
    state: 'unknown',
    what: /^Clients of the Internet have come through TCP 443\. TCP 80 listen/,
    mend: /forward TCP 80 to/,
  },
  {
    title: 'behind NAT, and clients came through all ports',
    check: 'open-ports',
    machine: { ...ours, sockets: () => OPEN },
    deps: {
      config: withHost,
      ...behindNat,
      seenFromOutside: async () =>
        new Map([
          ['proxy http', ''],
          ['proxy https', ''],
        ]),
    },
    state: 'ok',
    what: /come through TCP 80, 443\.$/,
  },
  {
    title: 'a port is closed',
    check: 'open-ports',
    machine: { ...ours, sockets: () => OPEN.slice(1) },
    deps: { config: withHost },
    state: 'fail',
    what: /Nothing listens on TCP 80 \(listener http\)\./,
  },
  {
    title: 'synthesis works',
    check: 'dns64-answers',
    machine: dns(() => found('64:ff9b::c000:aa', '64:ff9b::c000:ab')),
    state: 'ok',
  },
  {
    title: 'another prefix',
    check: 'dns64-answers',
    machine: dns(() => found('2001:db8:64::c000:aa')),
    state: 'fail',
    what: /says 2001:db8:64::c000:aa; 64:ff9b::c000:aa, 64:ff9b::c000:ab is missing/,
  },
  { title: 'no synthesis', check: 'dns64-answers', state: 'fail', what: /says nothing/ },
  {
    title: 'resolver is silent',
    check: 'dns64-answers',
    machine: dns(() => silent),
    state: 'fail',
    what: /at \[::1\]:53/,
  },
  {
    title: 'resolver refuses us',
    check: 'dns64-answers',
    machine: dns(() => ({ kind: 'failed', reason: REFUSED })),
    state: 'unknown',
    what: /dns64\.allow/,
  },
  {
    title: 'switched off',
    check: 'dns64-answers',
    deps: { config: configOf({ dns64: { enabled: false } }) },
    state: 'none',
  },
  { title: 'upstreams answer', check: 'dns64-upstreams', state: 'ok', what: /udp:\/\/9\.9\.9\.9 answers in/ },
  {
    title: 'one of two upstreams is dead',
    check: 'dns64-upstreams',
    machine: dns((server) => (server.startsWith('9.9.9.9') ? silent : found('a.root-servers.net'))),
    state: 'warn',
    what: /udp:\/\/9\.9\.9\.9 cannot be used: it does not answer/,
    mend: /dns64\.upstreams/,
  },
  { title: 'all upstreams are dead', check: 'dns64-upstreams', machine: dns(() => silent), state: 'fail' },
  {
    title: 'a packet comes back through NAT64',
    check: 'nat64-path',
    machine: dns(() => found('a.root-servers.net')),
    state: 'ok',
    what: /asked at 64:ff9b::909:909/,
  },
  {
    title: 'nothing comes back through NAT64',
    check: 'nat64-path',
    machine: dns((server) => (isThroughNat64(server) ? silent : found('a.root-servers.net'))),
    state: 'fail',
    what: /answers directly, but not through NAT64 \(asked at 64:ff9b::909:909 from 2001:db8:1::1\)\.$/,
    mend: /firewall/,
  },
  {
    title: 'NAT64 does not let the appliance',
    check: 'nat64-path',
    machine: dns((server) => (isThroughNat64(server) ? silent : found('a.root-servers.net'))),
    deps: {
      nat64: {
        explain: async () => ({
          isTranslated: false,
          steps: [{ isOk: false, text: 'Not in nat64.allow.', counter: 'drop-not-allowed' }],
        }),
      } as unknown as Nat64Queries,
    },
    state: 'unknown',
    what: /nat64\.allow does not list the appliance/,
  },
  {
    title: 'nobody to ask',
    check: 'nat64-path',
    machine: dns(() => silent),
    state: 'unknown',
    what: /without NAT64 either/,
  },
  {
    title: 'no IPv4 upstream',
    check: 'nat64-path',
    deps: { config: configOf({ dns64: { upstreams: ['udp://[2001:db8::53]'] } }) },
    state: 'unknown',
    what: /no IPv4 resolver/,
  },
  {
    title: 'no route to the prefix',
    check: 'nat64-path',
    machine: { pathTo: () => ({ problem: 'ENETUNREACH' }) },
    state: 'fail',
    what: /64:ff9b::909:909: ENETUNREACH/,
  },
  {
    title: 'NAT64 off',
    check: 'nat64-path',
    deps: { config: configOf({ nat64: { enabled: false } }) },
    state: 'none',
  },
  { title: 'not translating', check: 'nat64-pool', state: 'none' },
  {
    title: 'few ports in use',
    check: 'nat64-pool',
    deps: pool(10),
    state: 'ok',
    what: /10 % of the ports for TCP \(10 of 100\)/,
  },
  { title: 'many ports in use', check: 'nat64-pool', deps: pool(85), state: 'warn', mend: /pool4/ },
  { title: 'nearly no port left', check: 'nat64-pool', deps: pool(96), state: 'fail' },
  {
    title: 'nearly no session left',
    check: 'nat64-pool',
    deps: pool(0, 990),
    state: 'fail',
    what: /sessions \(990 of 1000\)/,
  },
  { title: 'first run', check: 'nat64-drops', deps: { services: [report('nat64', {})] }, state: 'unknown' },
  {
    title: 'drops, but before',
    check: 'nat64-drops',
    deps: {
      services: [report('nat64', {}, { 'drop-pool4-exhausted': 7 })],
      countersBefore: { nat64: { 'drop-pool4-exhausted': 7 } },
    },
    state: 'ok',
  },
  {
    title: 'drops since the run before',
    check: 'nat64-drops',
    deps: {
      services: [report('nat64', {}, { 'drop-pool4-exhausted': 9 })],
      countersBefore: { nat64: { 'drop-pool4-exhausted': 7 } },
    },
    state: 'warn',
    what: /2 \(No port of pool4 is left\)/,
    mend: /Add an address or more ports/,
  },
  {
    title: 'service runs',
    check: 'service',
    deps: { services: [report('proxy', {})] },
    state: 'ok',
    what: /^Runs\.$/,
  },
  {
    title: 'service was started again',
    check: 'service',
    deps: { services: [report('proxy', { restarts: 3 })] },
    state: 'ok',
    what: /started again 3 times/,
  },
  {
    title: 'service fails',
    check: 'service',
    deps: { services: [report('nat64', { state: 'failed', problem: asIs('no /dev/net/tun') })] },
    state: 'fail',
    what: /no \/dev\/net\/tun/,
  },
  {
    title: 'service does less',
    check: 'service',
    deps: { services: [report('dns64', { state: 'degraded', problem: asIs('half') })] },
    state: 'warn',
  },
  {
    title: 'server answers',
    check: 'server',
    deps: probing(probe({}), certificate('fail', 'Not for this line.')),
    state: 'ok',
    what: /https; the slowest answer took 3 ms/,
  },
  {
    title: 'server does not answer',
    check: 'server',
    deps: probing(probe({ state: 'fail', detail: asIs('Nothing takes connections.') })),
    state: 'fail',
    what: /https: Nothing takes connections\./,
    mend: /See on web1/,
  },
  {
    title: 'nothing leads to it',
    check: 'server',
    deps: probing(),
    state: 'unknown',
    what: /neither host names nor SSH/,
  },
  {
    title: 'certificate is right',
    check: 'certificate',
    deps: probing(certificate('ok', 'Fine.')),
    state: 'ok',
    what: /expires on 2026-09-01/,
  },
  {
    title: 'certificate expired',
    check: 'certificate',
    deps: probing(certificate('fail', 'The certificate expired.')),
    state: 'fail',
    what: /https, example\.com: The certificate expired\./,
    mend: /Renew or replace the certificate on web1/,
  },
  {
    title: 'no certificate to be had',
    check: 'certificate',
    deps: probing(probe({ state: 'fail' })),
    state: 'unknown',
  },
  {
    title: 'nothing with TLS',
    check: 'certificate',
    deps: probing(probe({ service: 'http' })),
    state: 'none',
  },
  {
    title: 'records have arrived',
    check: 'dns-records',
    machine: dns((_, __, type) => found(type === 'A' ? '192.0.2.1' : '2001:db8:1::10')),
    deps: { config: withHost },
    state: 'ok',
    what: /All 2 records/,
  },
  {
    title: 'records are missing',
    check: 'dns-records',
    deps: { config: withHost },
    state: 'fail',
    what: /example\.com, A: There is no A record for example\.com yet\./,
    mend: /^example\.com\. A 192\.0\.2\.1\nexample\.com\. AAAA 2001:db8:1::10$/m,
  },
  {
    title: 'nobody can be asked',
    check: 'dns-records',
    machine: dns(() => silent),
    deps: { config: withHost },
    state: 'unknown',
  },
  { title: 'clock is right', check: 'clock', state: 'ok', what: /off by 12 ms at most/ },
  {
    title: 'clock runs free',
    check: 'clock',
    machine: { clock: () => ({ isSynchronised: false }) },
    state: 'warn',
    mend: /UDP port 123/,
  },
  {
    title: 'clock is hidden',
    check: 'clock',
    machine: { clock: () => ({ isSynchronised: undefined }) },
    state: 'unknown',
  },
  {
    title: 'clock was never set',
    check: 'clock',
    deps: { now: new Date(0) },
    state: 'fail',
    what: /1970-01-01/,
  },
  { title: 'space is left', check: 'disk', state: 'ok', what: /18\.6 GiB of 29\.8 GiB/ },
  ...(
    [
      ['little space', { freeBytes: 300 * 2 ** 20 }, 'warn', /300 MiB/],
      ['no space', { freeBytes: 10 * 2 ** 20 }, 'fail', /10 MiB/],
      ['no files', { freeFiles: 100 }, 'warn', /100 more files/],
      ['read-only', { isWritable: false }, 'fail', /read-only/],
    ] as const
  ).map(
    ([title, more, state, what]): Row => ({
      title,
      check: 'disk',
      machine: { disk: async () => ({ ...(await fakeMachine().disk('')), ...more }) },
      state,
      what,
    }),
  ),
  { title: 'an SD card', check: 'disk-wear', state: 'unknown', what: /as SD cards never do/ },
  {
    title: 'a file system with errors',
    check: 'disk-wear',
    files: { '/sys/fs/ext4/mmcblk0p4/errors_count': '3' },
    state: 'fail',
    what: /mmcblk0p4 has seen 3 errors/,
    mend: /backup/,
  },
  ...(
    [
      ['a young eMMC', '0x01 0x02', 'ok', /10 to 20 %/],
      ['an old eMMC', '0x08 0x03', 'warn', /70 to 80 %/],
      ['a worn-out eMMC', '0x02 0x0b', 'fail', /used up/],
      ['an eMMC that does not tell', '0x00 0x00', 'unknown', /does not tell/],
    ] as const
  ).map(
    ([title, text, state, what]): Row => ({
      title,
      check: 'disk-wear',
      files: { '/sys/block/mmcblk0/device/life_time': text },
      state,
      what,
    }),
  ),
  { title: 'cool', check: 'temperature', state: 'ok', what: /48 °C/ },
  {
    title: 'warm',
    check: 'temperature',
    files: { '/sys/class/thermal/thermal_zone0/temp': '76000' },
    state: 'warn',
    mend: /air/,
  },
  {
    title: 'hot',
    check: 'temperature',
    files: { '/sys/class/thermal/thermal_zone0/temp': '84000' },
    state: 'fail',
  },
  { title: 'no sensor', check: 'temperature', files: {}, state: 'unknown' },
  { title: 'power is right', check: 'power', state: 'ok' },
  ...(
    [
      ['under-voltage now', '50001', 'fail'],
      ['under-voltage before', '50000', 'warn'],
      ['only hot', '20002', 'ok'],
    ] as const
  ).map(
    ([title, text, state]): Row => ({
      title,
      check: 'power',
      files: { '/sys/devices/platform/soc/soc:firmware/get_throttled': text },
      state,
    }),
  ),
  {
    title: 'under-voltage as hwmon says',
    check: 'power',
    files: { '/sys/class/hwmon/hwmon1/name': 'rpi_volt', '/sys/class/hwmon/hwmon1/in0_lcrit_alarm': '1' },
    state: 'fail',
  },
  {
    title: 'no Raspberry Pi',
    check: 'power',
    files: without('/sys/devices/platform/soc/soc:firmware/get_throttled'),
    state: 'unknown',
  },
];

for (const { title, check: id, machine, files, deps, state, what, mend } of TABLE) {
  test(`${id}: ${title}: ${state}`, async () => {
    const check = CHECKS.find((each) => each.id === id) ?? assert.fail(`no check "${id}"`);
    const result = await check.run(checkDeps(fakeMachine(machine, files), deps));
    const [finding] = ([] as Finding[]).concat(result);
    assert.equal(finding?.state ?? 'none', state, english(finding?.what ?? ''));
    if (what !== undefined) assert.match(english(finding.what), what);
    if (mend !== undefined) assert.match(english(finding.mend ?? ''), mend);
    // Whoever is told of trouble is told what to do.
    if (state === 'warn' || state === 'fail') assert.ok(english(finding.mend ?? '').length > 0);
  });
}

test('every check has an id of its own, says why it matters, and needs only checks that exist', () => {
  const ids = CHECKS.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { id, why, title, needs = [] } of CHECKS) {
    assert.match(id, /^[a-z0-9-]+$/);
    assert.ok(english(why).length > 20 && english(title).length > 3);
    assert.deepEqual(
      needs.filter((need) => !ids.includes(need)),
      [],
    );
  }
  assert.deepEqual(
    ids.filter((id) => !TABLE.some(({ check }) => check === id)),
    [],
    'checks without a test',
  );
});
