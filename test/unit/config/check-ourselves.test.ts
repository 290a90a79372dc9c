/** Servers and upstreams at an address of this appliance itself: rejected with path, value and expectation. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkOurselves } from '../../../src/config/check-ourselves.ts';
import { loadDocument } from '../../../src/config/load.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import { openConfigChanges } from '../../../src/config/changes.ts';
import { openConfigStore } from '../../../src/config/store.ts';
import { compileOurselves, type Ourselves } from '../../../src/os/ourselves.ts';
import { createConditions } from '../../../src/runtime/conditions.ts';
import { openStorage } from '../../../src/runtime/storage.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { watchOwnAddresses } from '../../../src/state/own-address-watch.ts';
import { english } from '../../../src/texts/text.ts';
import { type IpPrefix, parseIpPrefix } from '../../../src/wire/ip-prefix.ts';

const prefix = (text: string) => parseIpPrefix(text) as IpPrefix;
const OWN = ['192.0.2.1/32', '2001:db8:1::1/128', '2001:db8:2::/128'].map(prefix);

const server = (address: string) => ({ hosts: [{ name: 'web1', address }] });
const upstream = (url: string, dns64: object = {}) => ({ dns64: { upstreams: [url], ...dns64 } });

/** The problem as "path: value sentence", or undefined if there is none. */
const TABLE: readonly (readonly [what: string, document: object, problem: string | undefined])[] = [
  [
    'an address of an interface',
    server('2001:db8:1::1'),
    '/hosts/0/address: "2001:db8:1::1" is an address of this appliance itself; expected the address of another machine',
  ],
  [
    'the same, written in another way',
    server('2001:DB8:1:0:0:0:0:1'),
    '/hosts/0/address: "2001:DB8:1:0:0:0:0:1" is an address of this appliance itself; expected the address of another machine',
  ],
  ['the neighbour', server('2001:db8:1::2'), undefined],
  [
    'the anycast address of a router (RFC 4291 section 2.6.1)',
    server('2001:db8:2::'),
    '/hosts/0/address: "2001:db8:2::" is an address of this appliance itself; expected the address of another machine',
  ],
  [
    'an address that the appliance will get',
    { ...server('2001:db8:3::1'), admin: { listen: ['2001:db8:3::1'] } },
    '/hosts/0/address: "2001:db8:3::1" is an address of this appliance itself; expected the address of another machine',
  ],
  [
    'mapped addresses in a network of the appliance',
    {
      hosts: [{ name: 'web1', address: '2001:db8:9::1', clientAddress: 'mapped' }],
      proxy: { mappedPrefix: '2001:db8:1::/96' },
    },
    '/proxy/mappedPrefix: "2001:db8:1::/96" is in a network that the appliance is attached to; expected an unused prefix of 96 bits such as 64:ff9b:1:fffe::/96',
  ],
  [
    'the same prefix while no server uses it',
    { ...server('2001:db8:9::1'), proxy: { mappedPrefix: '2001:db8:1::/96' } },
    undefined,
  ],
  [
    'the well-known prefix, which is not configured here',
    {
      ...server('64:ff9b::c000:201'),
      nat64: { prefix: '2001:db8:64::/96' },
      dns64: { prefixes: ['2001:db8:64::/96'] },
    },
    '/hosts/0/address: "64:ff9b::c000:201" is an address of this appliance itself; expected the address of another machine',
  ],
  [
    'a prefix of a NAT64 that is off',
    { ...server('2001:db8:64::c000:201'), nat64: { enabled: false, prefix: '2001:db8:64::/96' } },
    '/hosts/0/address: "2001:db8:64::c000:201" is an address of this appliance itself; expected the address of another machine',
  ],
  [
    'a static mapping of NAT64',
    { nat64: { static: [{ protocol: 'tcp', ipv4: 'auto#8443', ipv6: '2001:db8:1::1#8064' }] } },
    '/nat64/static/0/ipv6: "2001:db8:1::1#8064" is an address of this appliance itself; expected the address of another machine',
  ],
  [
    'an upstream: own address, own port',
    upstream('udp://192.0.2.1'),
    '/dns64/upstreams/0: "udp://192.0.2.1" is this resolver itself: it would ask itself for ever; expected another resolver, or another port',
  ],
  [
    'an upstream: IPv6',
    upstream('udp://[2001:db8:1::1]:53'),
    '/dns64/upstreams/0: "udp://[2001:db8:1::1]:53" is this resolver itself: it would ask itself for ever; expected another resolver, or another port',
  ],
  [
    'an upstream: loopback',
    upstream('udp://127.0.0.1'),
    '/dns64/upstreams/0: "udp://127.0.0.1" is this resolver itself: it would ask itself for ever; expected another resolver, or another port',
  ],
  [
    'an upstream: unspecified',
    upstream('udp://0.0.0.0'),
    '/dns64/upstreams/0: "udp://0.0.0.0" is this resolver itself: it would ask itself for ever; expected another resolver, or another port',
  ],
  [
    'an upstream: IPv4-mapped',
    upstream('udp://[::ffff:192.0.2.1]'),
    '/dns64/upstreams/0: "udp://[::ffff:192.0.2.1]" is this resolver itself: it would ask itself for ever; expected another resolver, or another port',
  ],
  [
    'an upstream: through NAT64',
    upstream('udp://[64:ff9b::192.0.2.1]'),
    '/dns64/upstreams/0: "udp://[64:ff9b::192.0.2.1]" is this resolver itself: it would ask itself for ever; expected another resolver, or another port',
  ],
  ['a local resolver at another port', upstream('udp://127.0.0.1:5353'), undefined],
  [
    'a local resolver at an address that we do not listen on',
    upstream('udp://[::1]', { listen: ['2001:db8:1::1'] }),
    undefined,
  ],
  ['a resolver of the other family', upstream('udp://127.0.0.1', { listen: ['::'] }), undefined],
  [
    'our own address with another port, on which we listen',
    upstream('udp://[2001:db8:1::1]:5353', { port: 5353 }),
    '/dns64/upstreams/0: "udp://[2001:db8:1::1]:5353" is this resolver itself: it would ask itself for ever; expected another resolver, or another port',
  ],
  [
    'a trusted proxy',
    { proxy: { trustedProxies: ['192.0.2.2', '192.0.2.1'] } },
    '/proxy/trustedProxies/1: "192.0.2.1" is an address of this appliance itself; expected the address of another machine',
  ],
  [
    'loopback as a trusted proxy',
    { proxy: { trustedProxies: ['127.0.0.0/8'] } },
    '/proxy/trustedProxies/0: "127.0.0.0/8" is an address of this appliance itself; expected the address of another machine',
  ],
  ['trusted proxies in a network that we are in', { proxy: { trustedProxies: ['192.0.2.0/24'] } }, undefined],
  ['DNS64 is off: no query is sent', upstream('udp://127.0.0.1', { enabled: false }), undefined],
  ['a resolver elsewhere', upstream('udp://192.0.2.53'), undefined],
];

for (const [what, document, expected] of TABLE) {
  test(`${expected === undefined ? 'accepted' : 'refused'}: ${what}`, () => {
    // A server in a configured prefix is refused by an earlier check. Only documents that pass it get to this check.
    const loaded = loadDocument(document);
    if ('problems' in loaded) {
      assert.ok(
        loaded.problems.some(({ path }) => expected?.startsWith(path)),
        JSON.stringify(loaded),
      );
      return;
    }
    const problems = checkOurselves(loaded.config, OWN).map((each) => formatProblem(each, '').slice(2));
    assert.deepEqual(problems, expected === undefined ? [] : [expected]);
  });
}

test('a change is refused, by API and by SIGHUP; a start with such a configuration succeeds', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tombolo-ourselves-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'config.json');
  const document = { ...server('2001:db8:3::1'), admin: { listen: ['2001:db8:3::1'] } };
  const store = openConfigStore(path, silentLog);
  const changes = await openConfigChanges({ store, storage: openStorage(directory), log: silentLog });
  t.after(() => changes[Symbol.dispose]());
  const asked = { document, confirmSeconds: 0, ignoreAssertions: false, by: 'test' };

  const checked = await changes.check(document);
  assert.deepEqual(
    checked.problems.map((each) => each.path),
    ['/hosts/0/address'],
  );
  const applied = await changes.apply(asked);
  assert.equal(applied.outcome, 'invalid');
  writeFileSync(path, JSON.stringify(document));
  assert.equal((await changes.reload()).outcome, 'invalid');
  assert.deepEqual(store.current.hosts, []);
  assert.equal(readFileSync(path, 'utf8'), JSON.stringify(document));

  const next = openConfigStore(path, silentLog);
  assert.equal(next.current.hosts.length, 1);
});

test('the configuration is reported as wrong while the address is ours, and not before and after', () => {
  const conditions = createConditions();
  let listener: (ourselves: Ourselves) => void = () => {};
  const nobody = compileOurselves([], []);
  let current = nobody;
  const ourselves = {
    get current() {
      return current;
    },
    onChange(heard: typeof listener) {
      listener = heard;
      return { [Symbol.dispose]: () => {} };
    },
  };
  const become = (next: Ourselves) => {
    current = next;
    listener(next);
  };
  const reported = () => {
    const { status } = conditions.reports().find(({ name }) => name === 'configuration')!;
    return status.problem === undefined ? status.state : english(status.problem);
  };
  const loaded = loadDocument(server('2001:db8:1::1'));
  assert.ok('config' in loaded);
  using _ = watchOwnAddresses({ ourselves, config: () => loaded.config, conditions, log: silentLog });
  assert.equal(reported(), 'running');
  become(compileOurselves(OWN, []));
  assert.equal(
    reported(),
    '/hosts/0/address: "2001:db8:1::1" is an address of this appliance itself; expected the address of another machine',
  );
  become(nobody);
  assert.equal(reported(), 'running');
});
