/** The services, the servers and their names: see check-rows.ts. */
import { type Machine, REFUSED } from '../../../../src/os/machine.ts';
import type { Nat64Queries } from '../../../../src/services/nat64/questions.ts';
import { asIs } from '../../../../src/texts/text.ts';
import { configOf } from './machine.ts';
import {
  certificate,
  dns,
  found,
  isThroughNat64,
  pool,
  probe,
  probing,
  report,
  type Row,
  WEB1,
  silent,
  withHost,
} from './check-rows.ts';

const hostWith = (fields: object) => configOf({ hosts: [{ ...WEB1, ...fields }] });

/** NAT64 with one contested item in the kernel. */
const contested = (times: number, isMissing: boolean) => ({
  ...report('nat64', {}),
  kernelContests: [{ what: asIs('the nftables table inet t'), who: asIs('firewalld'), times, isMissing }],
});

/** A firewall that drops forwarded packets, with another chain. */
const firewall = (chain: string, table = 'filter') => {
  const chains = [
    { chain: { family: 'ip', table, name: chain } },
    { chain: { family: 'ip', table, name: 'FORWARD', hook: 'forward', policy: 'drop' } },
  ];
  return { firewall: async () => ({ nftables: JSON.stringify({ nftables: chains }), legacy: [] }) };
};

/** A server that is to see mapped addresses. */
const mapped = (proxy: object = {}, address = '2001:db8:1::10') =>
  configOf({
    hosts: [{ name: 'web1', address, hostnames: ['example.com'], clientAddress: 'mapped' }],
    proxy,
  });

/** The server has no route for mapped addresses. */
const answersOnlyOwn: Partial<Machine> = {
  connectFrom: async ({ source }) => (source === undefined ? 'accepted' : 'silent'),
};

export const SERVICES_ROWS: readonly Row[] = [
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
    title: 'one of two addresses does not answer',
    check: 'server',
    deps: probing(probe({ state: 'fail', detail: asIs('Silent.') }), probe({ address: '2001:db8:1::11' })),
    state: 'warn',
    what: /https: Silent\./,
    remedy: /Check on web1/,
  },
  {
    title: 'neither of two addresses answers',
    check: 'server',
    deps: probing(
      probe({ state: 'fail', detail: asIs('Silent.') }),
      probe({ state: 'fail', address: '2001:db8:1::11', detail: asIs('Silent.') }),
    ),
    state: 'fail',
    remedy: /Check on web1/,
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
    remedy: /dns64\.upstreams/,
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
    remedy: /firewall/,
  },
  {
    title: 'NAT64 does not let the appliance',
    check: 'nat64-path',
    machine: dns((server) => (isThroughNat64(server) ? silent : found('a.root-servers.net'))),
    deps: {
      queries: () =>
        ({
          explain: async () => ({
            isTranslated: false,
            steps: [{ isOk: false, text: asIs('Not in nat64.allow.'), counter: 'drop-not-allowed' }],
          }),
        }) satisfies Partial<Nat64Queries>,
    },
    state: 'unknown',
    what: /nat64\.allow does not list the appliance/,
  },
  {
    title: 'no server to query',
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
    title: 'NAT64 is off',
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
  { title: 'many ports in use', check: 'nat64-pool', deps: pool(85), state: 'warn', remedy: /pool4/ },
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
    title: 'drops, but before the last run',
    check: 'nat64-drops',
    deps: {
      services: [report('nat64', {}, { 'drop-pool4-exhausted': 7 })],
      countersBefore: { nat64: { 'drop-pool4-exhausted': 7 } },
    },
    state: 'ok',
  },
  {
    title: 'drops since the last run',
    check: 'nat64-drops',
    deps: {
      services: [report('nat64', {}, { 'drop-pool4-exhausted': 9 })],
      countersBefore: { nat64: { 'drop-pool4-exhausted': 7 } },
    },
    state: 'warn',
    what: /2 \(No port of pool4 is left\)/,
    remedy: /Add an address or more ports/,
  },
  {
    title: 'service runs',
    check: 'service',
    deps: { services: [report('proxy', {})] },
    state: 'ok',
    what: /^Runs\.$/,
  },
  {
    title: 'service was restarted',
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
    title: 'service is degraded',
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
    remedy: /Check on web1/,
  },
  {
    title: 'in maintenance, whatever was measured',
    check: 'server',
    deps: { ...probing(probe({ state: 'fail' })), config: hostWith({ maintenance: true }) },
    state: 'warn',
    what: /web1 is in maintenance: clients are turned away/,
    remedy: /Switch maintenance off/,
  },
  {
    title: 'switched off',
    check: 'server',
    deps: { ...probing(probe({ state: 'fail' })), config: hostWith({ enabled: false }) },
    state: 'none',
  },
  {
    title: 'no port leads to it',
    check: 'server',
    deps: probing(),
    state: 'unknown',
    what: /neither host names nor SSH/,
  },
  {
    title: 'certificate is valid',
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
    remedy: /Renew or replace the certificate on web1/,
  },
  {
    title: 'no certificate can be read',
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
    remedy: /^example\.com\. A 192\.0\.2\.1\nexample\.com\. AAAA 2001:db8:1::10$/m,
  },
  {
    title: 'no server can be queried',
    check: 'dns-records',
    machine: dns(() => silent),
    deps: { config: withHost },
    state: 'unknown',
  },
  {
    title: 'nothing contested',
    check: 'kernel-state',
    deps: { services: [report('nat64', {})] },
    state: 'ok',
  },
  {
    title: 'put back often',
    check: 'kernel-state',
    deps: { services: [contested(7, false)] },
    state: 'warn',
    what: /the nftables table inet t was removed or changed 7 times, last by firewalld/,
    remedy: /Stop the program that does this \(firewalld\)/,
  },
  {
    title: 'not put back now',
    check: 'kernel-state',
    deps: { services: [contested(9, true)] },
    state: 'fail',
    what: /is missing: removed or changed 9 times, last by firewalld/,
  },
  {
    title: 'refused',
    check: 'kernel-state',
    deps: { services: [contested(0, true)] },
    state: 'fail',
    what: /the nftables table inet t is missing: the kernel refuses it/,
  },
  { title: 'no firewall', check: 'forward-policy', state: 'ok' },
  {
    title: 'Docker drops',
    check: 'forward-policy',
    machine: firewall('DOCKER-USER'),
    state: 'fail',
    what: /Docker drops what NAT64 forwards \(chain FORWARD of the nftables table ip filter\)/,
    remedy: /iptables -I DOCKER-USER -i nat64 -j ACCEPT/,
  },
  {
    title: 'ufw drops',
    check: 'forward-policy',
    machine: firewall('ufw-user-forward'),
    state: 'fail',
    what: /ufw drops/,
    remedy: /ufw route allow in on nat64/,
  },
  {
    title: 'firewalld drops',
    check: 'forward-policy',
    machine: firewall('x', 'firewalld'),
    state: 'fail',
    what: /firewalld drops/,
    remedy: /firewall-cmd --permanent/,
  },
  {
    title: 'an unknown program drops',
    check: 'forward-policy',
    machine: firewall('x'),
    state: 'fail',
    what: /chain FORWARD of the nftables table ip filter drops/,
    remedy: /iifname "nat64" accept/,
  },
  {
    title: 'iptables-legacy drops',
    check: 'forward-policy',
    machine: { firewall: async () => ({ nftables: '{}', legacy: ['-P FORWARD DROP'] }) },
    state: 'fail',
    what: /iptables-legacy/,
  },
  {
    title: 'unreadable rules',
    check: 'forward-policy',
    machine: { firewall: async () => ({ nftables: undefined, legacy: [] }) },
    state: 'unknown',
  },
  {
    title: 'NAT64 is off',
    check: 'forward-policy',
    machine: firewall('x'),
    deps: { config: configOf({ nat64: { enabled: false } }) },
    state: 'none',
  },
  {
    title: 'answers to mapped addresses come back',
    check: 'mapped-route',
    deps: { config: mapped() },
    state: 'ok',
    what: /port 80 to 64:ff9b:1:fffe::c000:201 came back: the server routes 64:ff9b:1:fffe::\/63/,
  },
  {
    title: 'they do not, and connections come from the appliance',
    check: 'mapped-route',
    machine: answersOnlyOwn,
    deps: { config: mapped() },
    state: 'warn',
    what: /did not come back\. Meanwhile the server sees the address of the appliance/,
    remedy: /Run this on web1, .*: ip -6 route add 64:ff9b:1:fffe::\/63 via 2001:db8:1::1$/,
  },
  {
    title: 'they do not, and clients are refused',
    check: 'mapped-route',
    machine: answersOnlyOwn,
    deps: { config: mapped({ mappedFallback: 'refuse', mappedPrefix: '2001:db8:64::/96' }) },
    state: 'fail',
    what: /Its clients are refused/,
    remedy: /ip -6 route add 2001:db8:64::\/96 via 2001:db8:1::1$/,
  },
  {
    title: 'they do not, and there are routers between',
    check: 'mapped-route',
    machine: answersOnlyOwn,
    deps: { config: mapped({}, '2001:db8:2::10') },
    state: 'warn',
    remedy: /to the appliance \(2001:db8:1::1\), on web1 and on each router between/,
  },
  {
    title: 'a refusal is an answer',
    check: 'mapped-route',
    machine: { connectFrom: async () => 'refused' },
    deps: { config: mapped() },
    state: 'ok',
  },
  {
    title: 'the server answers nobody',
    check: 'mapped-route',
    machine: { connectFrom: async () => 'silent' },
    deps: { config: mapped() },
    state: 'unknown',
  },
  {
    title: 'the resolvers that are asked for names answer',
    check: 'names',
    machine: dns(() => found('a.root-servers.net')),
    deps: { config: configOf({ proxy: { allowedPrefixes: ['2001:db8:1::/64'] } }) },
    state: 'ok',
  },
  {
    title: 'one of them does not',
    check: 'names',
    machine: dns((server) => (server.startsWith('9.9.9.9') ? silent : found('a.root-servers.net'))),
    deps: { config: configOf({ proxy: { allowedPrefixes: ['2001:db8:1::/64'] } }) },
    state: 'warn',
    what: /udp:\/\/9\.9\.9\.9 does not answer; another/,
  },
  {
    title: 'none of them does, also while DNS64 is off',
    check: 'names',
    machine: dns(() => silent),
    deps: {
      config: configOf({ proxy: { allowedPrefixes: ['2001:db8:1::/64'] }, dns64: { enabled: false } }),
    },
    state: 'fail',
    what: /No resolver answers: udp:\/\/9\.9\.9\.9, udp:\/\/149\.112\.112\.112\. Clients of names/,
    remedy: /dns64\.upstreams/,
  },
  { title: 'no name is looked up', check: 'names', state: 'none' },
  {
    title: 'no server uses mapped addresses',
    check: 'mapped-route',
    deps: { config: withHost },
    state: 'none',
  },
];
