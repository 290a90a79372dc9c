/** The pure parts: what to probe, ports, DNS records, the public address, snippets, certificates. */
import assert from 'node:assert/strict';
import { asIs, english } from '../../../../src/texts/text.ts';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type CertificateFacts,
  judgeCertificate,
  namesOf,
} from '../../../../src/admin/diagnostics/certificate.ts';
import { keyOf } from '../../../../src/admin/diagnostics/check.ts';
import { compareRecord, nameToAsk, recordsToPublish } from '../../../../src/admin/diagnostics/dns-records.ts';
import { createPublicIpv4Finder } from '../../../../src/admin/diagnostics/network.ts';
import { ownResolver } from '../../../../src/config/resolvers.ts';
import { statesOfPorts, wantedPorts } from '../../../../src/admin/diagnostics/ports.ts';
import { lastSeenFromOutside } from '../../../../src/admin/diagnostics/outside.ts';
import { planProbes } from '../../../../src/admin/diagnostics/of-services.ts';
import { publicIpv4 } from '../../../../src/admin/diagnostics/public-ipv4.ts';
import { nginxSnippets } from '../../../../src/services/proxy/snippets.ts';
import { parseIpv4 } from '../../../../src/wire/ip-address.ts';
import { NOW, configOf, fakeMachine, socketOf } from './machine.ts';

const hostOf = (more: object) => {
  const config = configOf({ hosts: [{ name: 'web1', address: '2001:db8:1::10', ...more }] });
  return { config, host: config.hosts[0] };
};

const PLANS: readonly [string, object, string[]][] = [
  ['no names: only SSH', {}, ['ssh 22 ssh  none']],
  [
    'names, no SSH',
    { hostnames: ['a.example'], ssh: false },
    ['http 80 http a.example none', 'https 443 https a.example none'],
  ],
  [
    'wildcards are not requested',
    { hostnames: ['*.a.example'], ssh: false, services: ['https'] },
    ['https 443 https  none'],
  ],
  ['switched off: nothing', { hostnames: ['a.example'], enabled: false }, []],
  [
    'another port and no PROXY header on one listener',
    {
      hostnames: ['**.b.example', 'a.example'],
      ssh: false,
      services: ['https', { listener: 'http', targetPort: 8080, clientAddress: 'none' }],
      clientAddress: 'proxy-v2',
    },
    ['http 8080 http a.example none', 'https 443 https a.example proxy-v2'],
  ],
  [
    'every address',
    {
      address: undefined,
      addresses: ['2001:db8:1::10', '2001:db8:1::11'],
      hostnames: ['a.example'],
      services: ['https'],
      ssh: false,
    },
    ['https 443 https a.example none', 'https 443 https a.example none'],
  ],
  [
    'mail names first for mail; the PROXY header for all but SSH',
    {
      hostnames: ['a.example', 'mail.a.example'],
      services: ['smtps', 'imaps'],
      clientAddress: 'proxy-v2',
      ssh: { targetPort: 2222 },
    },
    [
      'smtps 465 smtps mail.a.example,a.example proxy-v2',
      'imaps 993 tls mail.a.example,a.example proxy-v2',
      'ssh 2222 ssh  none',
    ],
  ],
];
for (const [title, more, expected] of PLANS) {
  test(`probes: ${title}`, () => {
    const { config, host } = hostOf(more);
    const plan = planProbes(config, host).map(
      ({ service, port, expects, hostnames, clientAddress }) =>
        `${service} ${port} ${expects} ${hostnames.join()} ${clientAddress}`,
    );
    assert.deepEqual(plan, expected);
  });
}

const PUBLIC: readonly [string, string | undefined, string[], string, string | null, string?][] = [
  ['own', '192.0.2.1', ['192.0.2.1'], 'own', '192.0.2.1'],
  [
    'the address of the default route first',
    '203.0.113.1',
    ['192.0.2.1', '203.0.113.1'],
    'own',
    '203.0.113.1',
  ],
  ['a public address beside a private default', '10.0.0.2', ['10.0.0.2', '192.0.2.1'], 'own', '192.0.2.1'],
  ['private', '192.168.1.2', ['192.168.1.2'], 'nat', null],
  ['carrier-grade NAT', '100.64.0.2', ['100.64.0.2'], 'nat', null],
  ['link-local only', undefined, ['169.254.1.1'], 'none', null],
  ['none', undefined, [], 'none', null],
  [
    'private, the router reports a public address',
    '192.168.1.2',
    ['192.168.1.2'],
    'nat',
    '203.0.113.7',
    '203.0.113.7',
  ],
  [
    'private, the router has a shared address too',
    '192.168.1.2',
    ['192.168.1.2'],
    'cgnat',
    null,
    '100.64.3.4',
  ],
  ['own, whatever a router reports', '192.0.2.1', ['192.0.2.1'], 'own', '192.0.2.1', '203.0.113.7'],
];
for (const [title, source, addresses, kind, address, router] of PUBLIC) {
  test(`public IPv4 address: ${title}`, () => {
    const toNumber = (text: string | undefined) => (text === undefined ? undefined : parseIpv4(text));
    const found = publicIpv4(toNumber(source), addresses, toNumber(router));
    assert.deepEqual([found.kind, found.address], [kind, address]);
  });
}

test('the router is queried if no own address is public, at intervals', async () => {
  let nowMs = 0;
  const asked: string[] = [];
  const machine = fakeMachine({
    sourceIpv4: () => parseIpv4('192.168.1.2'),
    interfaces: async () => [],
    askRouter: async (gateway) => {
      asked.push(gateway);
      return parseIpv4('203.0.113.7');
    },
  });
  const find = createPublicIpv4Finder(machine, () => nowMs);
  const { kind, address, text } = await find(configOf());
  assert.deepEqual([kind, address], ['nat', '203.0.113.7']);
  assert.match(english(text), /which says 203\.0\.113\.7/);
  await find(configOf());
  assert.deepEqual(asked, ['192.0.2.254']);
  // The old result is used until the router has answered again.
  nowMs += 600_000;
  assert.equal((await find(configOf())).address, '203.0.113.7');
  assert.equal(asked.length, 2);
  await createPublicIpv4Finder(fakeMachine({ askRouter: machine.askRouter }), () => 0)(configOf());
  assert.equal(asked.length, 2);
});

test('records to publish: A to the appliance, AAAA to the server', () => {
  // The DNS has one wildcard for both.
  const { host } = hostOf({ hostnames: ['example.com', '*.example.com', '**.example.com'] });
  const own = publicIpv4(parseIpv4('192.0.2.1'), [], undefined);
  assert.deepEqual(
    recordsToPublish(host, own).map(({ zoneLine }) => zoneLine),
    [
      'example.com. A 192.0.2.1',
      'example.com. AAAA 2001:db8:1::10',
      '*.example.com. A 192.0.2.1',
      '*.example.com. AAAA 2001:db8:1::10',
    ],
  );
  // The names of a server that is chosen by protocol lead IPv6 clients to the server of all others.
  const services = [{ listener: 'https', alpn: ['acme-tls/1'] }];
  assert.deepEqual(
    recordsToPublish({ ...host, services }, own).map(({ type }) => type),
    ['A', 'A'],
  );
  const [a] = recordsToPublish(host, publicIpv4(parseIpv4('10.0.0.1'), [], undefined));
  assert.deepEqual([a.value, a.zoneLine], [null, null]);
  assert.match(english(a.note), /router/);
  assert.equal(nameToAsk('*.example.com'), 'tombolo-check.example.com');
});

const ARRIVED: readonly [string, string | null, string[], string, RegExp][] = [
  ['arrived', '192.0.2.1', ['192.0.2.1'], 'ok', /Has arrived/],
  ['in another notation', '2001:db8::1', ['2001:0db8:0:0::1'], 'ok', /Has arrived/],
  ['another', '192.0.2.1', ['192.0.2.9'], 'fail', /leads to 192\.0\.2\.9, not to 192\.0\.2\.1/],
  ['among others', '192.0.2.1', ['192.0.2.9', '192.0.2.1'], 'warn', /some clients go elsewhere/],
  ['behind NAT, public', null, ['203.0.113.7'], 'unknown', /must be the public address of your router/],
  ['behind NAT, private', null, ['192.168.1.2'], 'fail', /nobody on the Internet can reach/],
];
for (const [title, value, values, state, detail] of ARRIVED) {
  test(`a record: ${title}`, () => {
    const record = { name: 'example.com', type: 'A', value, zoneLine: null, note: asIs('') } as const;
    const live = compareRecord(record, { kind: 'found', values }, 'udp://192.0.2.53');
    assert.equal(live.state, state);
    assert.match(english(live.detail), detail);
    assert.deepEqual(live.found, values);
  });
}

test('ports: required by the configuration', () => {
  const { config } = hostOf({ hostnames: ['example.com'], services: ['https'] });
  const wanted = wantedPorts(config, { web1: 22_001 }).map(
    ({ protocol, address, port, wantedBy, taker }) =>
      `${protocol} ${address} ${port} ${english(wantedBy)}${taker === undefined ? '' : `, ${taker}`}`,
  );
  assert.deepEqual(wanted, [
    'tcp 0.0.0.0 443 listener https, proxy https',
    'tcp 0.0.0.0 22001 SSH port of web1, forward web1',
    'udp :: 53 DNS64',
    'udp 0.0.0.0 53 DNS64',
    'tcp :: 53 DNS64',
    'tcp 0.0.0.0 53 DNS64',
    'tcp 127.0.0.1 8064 control panel',
    'tcp ::1 8064 control panel',
  ]);
});

const OWN = 1;
const OTHER = 2;
const PORTS: readonly [string, string, [string, number][], boolean, boolean][] = [
  ['ours', '0.0.0.0', [['0.0.0.0', OWN]], true, false],
  ['unused', '0.0.0.0', [], false, false],
  ['another program on all addresses', '0.0.0.0', [['0.0.0.0', OTHER]], false, true],
  ['another program on one address', '0.0.0.0', [['127.0.0.53', OTHER]], false, true],
  ['another program on all addresses of both families', '0.0.0.0', [['::', OTHER]], false, true],
  ['another program on one IPv6 address', '0.0.0.0', [['2001:db8::1', OTHER]], false, false],
  ['another program on another address', '192.0.2.1', [['192.0.2.2', OTHER]], false, false],
  [
    'ours beside another program',
    '127.0.0.1',
    [
      ['192.0.2.2', OTHER],
      ['127.0.0.1', OWN],
    ],
    true,
    false,
  ],
  ['another program on all IPv4 addresses, we need IPv6', '::', [['0.0.0.0', OTHER]], false, false],
];
for (const [title, address, sockets, isOpen, isTaken] of PORTS) {
  test(`a port: ${title}`, () => {
    const wanted = { protocol: 'tcp', address, port: 443, wantedBy: asIs('x'), taker: undefined } as const;
    const others = [socketOf(address, 444, OTHER), socketOf(address, 443, OTHER, 'udp')];
    const there = sockets.map(([at, inode]) => socketOf(at, 443, inode));
    const [state] = statesOfPorts([wanted], [...others, ...there], new Set([OWN]));
    assert.deepEqual([state.isOpen, state.obstacle !== undefined], [isOpen, isTaken]);
  });
}

test('clients of the Internet: public IPv4 addresses outside our own networks, the last one of each port', async () => {
  const seen = (client: string, listener: string, at: string) =>
    ({ service: 'proxy', listener, client, at }) as const;
  const links = await fakeMachine().interfaces();
  const found = lastSeenFromOutside(
    [
      seen('203.0.113.10', 'https', '3'),
      seen('198.51.100.4', 'https', '2'),
      seen('192.0.2.77', 'http', '1'),
      seen('192.168.1.5', 'http', '1'),
      seen('127.0.0.1', 'http', '1'),
      seen('2001:db8:9::1', 'http', '1'),
      { ...seen('203.0.113.10', 'web1', '0'), service: 'forward' },
    ],
    links,
  );
  assert.deepEqual(
    [...found],
    [
      ['proxy https', '3'],
      ['forward web1', '0'],
    ],
  );
});

test('snippets: none, X-Forwarded-For, or the PROXY protocol', () => {
  const snippets = (more: object) => {
    const { config, host } = hostOf(more);
    return nginxSnippets(host, config.proxy.listeners, '2001:db8:1::1').map(({ text }) => text);
  };
  assert.deepEqual(snippets({}), []);
  assert.deepEqual(snippets({ hostnames: ['a.example'], services: ['imaps'] }), []);
  assert.deepEqual(snippets({ hostnames: ['a.example'] }), [
    'set_real_ip_from 2001:db8:1::1;\nreal_ip_header X-Forwarded-For;\n',
  ]);
  const oneWithout = { listener: 'http', targetPort: 8080, clientAddress: 'none' };
  assert.deepEqual(
    snippets({ hostnames: ['a.example'], services: ['https', oneWithout], clientAddress: 'proxy-v2' }),
    [
      'set_real_ip_from 2001:db8:1::1;\nreal_ip_header X-Forwarded-For;\n',
      'listen [2001:db8:1::10]:443 ssl proxy_protocol;\n' +
        'set_real_ip_from 2001:db8:1::1;\nreal_ip_header proxy_protocol;\n',
    ],
  );
  assert.deepEqual(snippets({ hostnames: ['a.example'], clientAddress: 'mapped' }), []);
  assert.deepEqual(snippets({ hostnames: ['a.example'], clientAddress: 'proxy-v1' }), [
    'listen [2001:db8:1::10]:80 proxy_protocol;\nlisten [2001:db8:1::10]:443 ssl proxy_protocol;\n' +
      'set_real_ip_from 2001:db8:1::1;\nreal_ip_header proxy_protocol;\n',
  ]);
});

const day = (offset: number) => new Date(NOW.getTime() + offset * 86_400_000);
const facts = (more: Partial<CertificateFacts> = {}): CertificateFacts => ({
  names: ['example.com'],
  issuer: 'CN=CA',
  validFrom: day(-30),
  expiresAt: day(60),
  trust: 'trusted',
  matching: ['example.com'],
  ...more,
});
const CERTIFICATES: readonly [string, Partial<CertificateFacts>, string[], string, RegExp][] = [
  ['right', {}, [], 'ok', /trusted and valid for another 60 days \(until 2026-07-31\)/],
  ['expired', { expiresAt: day(-2) }, [], 'fail', /expired 2 days ago \(2026-05-30\)/],
  ['just expired', { expiresAt: day(-0.1) }, [], 'fail', /expired 2 hours ago/],
  ['not yet valid', { validFrom: day(1) }, [], 'fail', /not valid before 2026-06-02/],
  [
    'of another',
    { names: ['x.example'], matching: [] },
    [],
    'fail',
    /not for example\.com: it names x\.example/,
  ],
  ['without names', { names: [], matching: [] }, [], 'fail', /it names no name/],
  ['of an alternative', { matching: ['mail.example.com'] }, ['mail.example.com'], 'ok', /trusted/],
  ['expires soon', { validFrom: day(-80), expiresAt: day(10) }, [], 'warn', /only valid for another 10 days/],
  ['short-lived, half used', { validFrom: day(-3), expiresAt: day(3) }, [], 'ok', /another 3 days/],
  ['short-lived, near its end', { validFrom: day(-5), expiresAt: day(1) }, [], 'warn', /another 1 day \(/],
  ['self-signed', { trust: 'self-signed' }, [], 'warn', /self-signed/],
  ['of a private authority', { trust: 'untrusted' }, [], 'warn', /issuer: CN=CA/],
];
for (const [title, more, alternatives, state, detail] of CERTIFICATES) {
  test(`a certificate: ${title}`, () => {
    const verdict = judgeCertificate(facts(more), 'example.com', alternatives, NOW);
    assert.equal(verdict.state, state);
    assert.match(english(verdict.detail), detail);
  });
}

test('names of a certificate, as Node formats them', () => {
  assert.deepEqual(namesOf('DNS:example.com, DNS:*.example.com, IP Address:192.0.2.1'), [
    'example.com',
    '*.example.com',
  ]);
  assert.deepEqual(namesOf(undefined), []);
});

test('a key is always a label', () => {
  assert.equal(keyOf('udp://[2001:db8::53]:53'), 'udp-2001-db8-53-53');
  fc.assert(fc.property(fc.string(), (text) => /^([a-z0-9]+(-[a-z0-9]+)*)?$/.test(keyOf(text))));
});

test('the address at which the own resolver is queried', () => {
  const asked = (...listen: string[]) => ownResolver(configOf({ dns64: { listen } }));
  assert.equal(asked('::', '0.0.0.0'), '[::1]:53');
  assert.equal(asked('0.0.0.0'), '127.0.0.1:53');
  assert.equal(asked('2001:db8:1::1'), '[2001:db8:1::1]:53');
  assert.equal(ownResolver(configOf({ dns64: { enabled: false } })), undefined);
});
