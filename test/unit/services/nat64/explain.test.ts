/** An explanation must agree with the translator: each row is explained, then sent. */
import assert from 'node:assert/strict';
import { english } from '../../../../src/texts/text.ts';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ExplainRequest, Explanation } from '../../../../src/services/nat64/questions.ts';
import { NAT64_COUNTERS } from '../../../../src/services/nat64/counters.ts';
import { compileEam } from '../../../../src/services/nat64/settings/eam.ts';
import { explain } from '../../../../src/services/nat64/explain/explain.ts';
import { listBib } from '../../../../src/services/nat64/tables/inspect.ts';
import { TRANSPORT } from '../../../../src/services/nat64/packet/packet.ts';
import { compilePortBlocks } from '../../../../src/services/nat64/settings/port-blocks.ts';
import type { Settings } from '../../../../src/services/nat64/settings/settings.ts';
import {
  type Harness,
  type HarnessOptions,
  HOST,
  OWN4_BESIDE,
  POOL4,
  REMOTE,
  createHarness,
  eamOf,
  pool,
  prefixOf,
} from './harness.ts';
import { type Bytes, TCP_FLAGS, icmp, tcp, udp } from './packets.ts';
import { compileList4 } from '../../../../src/services/nat64/settings/address-list.ts';

const REMOTE6 = `64:ff9b::${REMOTE}`;

/** The packet that the request describes. */
function packetOf({
  client,
  destination,
  protocol,
  clientPort = 1,
  destinationPort = 1,
}: ExplainRequest): Bytes {
  const ends = { source: client, destination };
  if (protocol === 'icmp') return icmp({ ...ends, type: 128, rest: clientPort * 65_536 });
  const ports = { ...ends, sourcePort: clientPort, destinationPort };
  return protocol === 'udp' ? udp(ports) : tcp({ ...ports, flags: TCP_FLAGS.SYN });
}

const explained = ({ translator }: Harness, request: ExplainRequest): Promise<Explanation> =>
  explain(translator, request, translator.nowSeconds);

/** The counter of the last step; undefined if the packet passes. */
const refusal = ({ steps }: Explanation) => steps.at(-1)?.counter ?? undefined;

/** The drop that is counted when the packet is sent; undefined if it is translated. */
function dropOf(harness: Harness, request: ExplainRequest): string | undefined {
  harness.counted();
  harness.send(packetOf(request));
  return Object.keys(harness.counted()).find((name) => name.startsWith('drop-'));
}

const ask = (changes: Partial<ExplainRequest> = {}): ExplainRequest => ({
  client: HOST,
  destination: REMOTE6,
  protocol: 'tcp',
  clientPort: 5000,
  destinationPort: 443,
  ...changes,
});

const denied = (...texts: string[]) => compileList4(texts.map(prefixOf));
const blocksOf = (size: number, bits: number, ...texts: string[]) =>
  compilePortBlocks(size, bits, texts.map(prefixOf), [pool(0, 32_768, 65_535)]);

const ROWS: readonly [string, HarnessOptions, Partial<ExplainRequest>, RegExp][] = [
  ['a new connection', {}, {}, /203\.0\.113\.9\.$/],
  ['a ping', {}, { protocol: 'icmp' }, /203\.0\.113\.9\.$/],
  ['outside the prefix', {}, { destination: '2001:db8:2::1' }, /outside the NAT64 prefix 64:ff9b::\/96/],
  ['from inside the prefix', {}, { client: '64:ff9b::192.0.2.1' }, /would loop/],
  ['from a link-local address', { allow: ['::/0'] }, { client: 'fe80::1' }, /not a routable unicast address/],
  ['from a multicast address', { allow: ['::/0'] }, { client: 'ff02::1' }, /not a routable unicast address/],
  ['not in nat64.allow', {}, { client: '2001:db8:2::1' }, /nat64\.allow does not list 2001:db8:2::1/],
  ['a private address', {}, { destination: '64:ff9b::10.0.0.1' }, /10\.0\.0\.1 is private or reserved/],
  [
    'a private address behind our own prefix',
    { prefix: '2001:db8:64::/96' },
    { destination: '2001:db8:64::10.0.0.1' },
    /10\.0\.0\.1\.$/,
  ],
  [
    'behind the second of two prefixes',
    { extraPrefixes: ['2001:db8:64::/96'] },
    { destination: '2001:db8:64::10.0.0.1' },
    /10\.0\.0\.1\.$/,
  ],
  [
    'outside both prefixes',
    { extraPrefixes: ['2001:db8:64::/96'] },
    { destination: '2001:db8:65::10.0.0.1' },
    /outside the NAT64 prefix 64:ff9b::\/96 or 2001:db8:64::\/96/,
  ],
  [
    'on the deny list',
    { settings: { denied4: denied('203.0.113.0/24') } },
    {},
    /nat64\.denyIpv4 lists 203\.0\.113\.9/,
  ],
  [
    'a client with a block of ports',
    { settings: { portBlocks: blocksOf(16, 128, '2001:db8:1::/124', '2001:db8:1::10/124') } },
    {},
    /203\.0\.113\.9\.$/,
  ],
  [
    'a client without a block of ports',
    { settings: { portBlocks: blocksOf(16, 128, '2001:db8:1::/124') } },
    {},
    /nat64\.portBlocks gives 2001:db8:1::10 no ports/,
  ],
  [
    'a server with its own address, through the second prefix',
    { extraPrefixes: ['2001:db8:64::/96'], settings: { eam: eamOf(['192.0.2.9/32', `${HOST}/128`]) } },
    { destination: '2001:db8:64::203.0.113.9' },
    /translated through 64:ff9b::\/96 only/,
  ],
  ['loopback', {}, { destination: '64:ff9b::127.0.0.1' }, /private or reserved/],
  [
    'an own address of the appliance',
    {},
    { destination: `64:ff9b::${OWN4_BESIDE}` },
    /203\.0\.113\.14 belongs to the appliance: through NAT64, only its pool4 ports/,
  ],
  [
    'its pool4 address, outside the pool',
    {},
    { destination: `64:ff9b::${POOL4}`, destinationPort: 443 },
    /198\.51\.100\.1 belongs to the appliance/,
  ],
  [
    'a node on the IPv4 side, by its mapping',
    {
      settings: {
        eam: compileEam([
          { ipv4: prefixOf('192.0.2.9/32'), ipv6: prefixOf(`${HOST}/128`) },
          { ipv4: prefixOf('203.0.113.80/32'), ipv6: prefixOf('2001:db8:9::80/128'), isOnIpv4Side: true },
        ]),
      },
    },
    { destination: '2001:db8:9::80' },
    /It leaves the translator for 203\.0\.113\.80\.$/,
  ],
  [
    'the same, from a host that shares an address',
    {
      settings: {
        eam: compileEam([
          { ipv4: prefixOf('203.0.113.80/32'), ipv6: prefixOf('2001:db8:9::80/128'), isOnIpv4Side: true },
        ]),
      },
    },
    { destination: '2001:db8:9::80' },
    /it reaches 203\.0\.113\.80 through the NAT64 prefix only/,
  ],
  ['without pool4', { settings: { pools: [] } }, {}, /no IPv4 address/],
  [
    'a mapping that does not exist',
    {},
    { destination: `64:ff9b::${POOL4}`, destinationPort: 40_000, protocol: 'udp' },
    /No host has/,
  ],
];

describe('explanations', () => {
  for (const [title, options, changes, last] of ROWS) {
    test(title, async () => {
      const harness = createHarness(options);
      const request = ask(changes);
      const answer = await explained(harness, request);
      assert.match(english(answer.steps.at(-1)?.text ?? ''), last);
      assert.equal(
        answer.isTranslated,
        answer.steps.every(({ isOk }) => isOk),
      );
      assert.equal(answer.isTranslated, refusal(answer) === undefined);
      assert.ok(answer.steps.slice(0, -1).every(({ isOk, counter }) => isOk && counter === null));
      assert.equal(refusal(answer), dropOf(harness, request));
    });
  }

  test('an existing mapping and session, and their remaining time', async () => {
    const harness = createHarness();
    harness.send(packetOf(ask({ protocol: 'udp' })));
    harness.setTime(20);
    const texts = async (changes: Partial<ExplainRequest>) =>
      (await explained(harness, ask({ protocol: 'udp', ...changes }))).steps
        .map(({ text }) => english(text))
        .join('\n');
    assert.match(await texts({}), /BIB: the client's port 5000 has 198\.51\.100\.1 port \d+\./);
    assert.match(await texts({}), /session with 203\.0\.113\.9; it ends in 280 s/);
    assert.match(await texts({ destinationPort: 53 }), /1 of 1024 sessions are in use: there is room/);
    assert.match(
      await texts({ clientPort: 5001 }),
      /The client has 1 BIB entry for UDP\. The client's port 5001 gets a new one, chosen at random from 198\.51\.100\.1 port 32768-65535\. Those used in the last 120 s are not reused yet\./,
    );
    assert.match(await texts({ clientPort: undefined }), /A packet from any other port gets a new one/);
  });

  test('an explanation changes nothing', async () => {
    const harness = createHarness();
    const before = harness.counters();
    await explained(harness, ask());
    assert.deepEqual(harness.counters(), before);
    assert.equal(harness.translator.tables.control[4], 0);
  });

  test('an IPv4 destination is explained with the address that represents it', async () => {
    for (const prefix of ['64:ff9b::/96', '2001:db8:64::/64', '2001:db8::/32']) {
      const allow = ['3fff::/20'];
      const answer = await explained(
        createHarness({ prefix, allow }),
        ask({ client: '3fff::1', destination: REMOTE }),
      );
      assert.equal(answer.isTranslated, true);
      assert.match(
        english(answer.steps[0].text),
        new RegExp(`is inside the NAT64 prefix ${prefix} and stands for ${REMOTE}`),
      );
    }
  });

  test('exhausted: no port, no session', async () => {
    const small = createHarness({ ports: [40_000, 40_001] });
    for (const clientPort of [1, 2]) small.send(packetOf(ask({ clientPort })));
    const third = ask({ clientPort: 3 });
    assert.equal(refusal(await explained(small, third)), 'drop-pool4-exhausted');
    assert.equal(dropOf(small, third), 'drop-pool4-exhausted');
    assert.equal((await explained(small, ask({ clientPort: 2 }))).isTranslated, true);

    const full = createHarness({ maxSessions: 2 });
    for (const clientPort of [1, 2]) full.send(packetOf(ask({ clientPort })));
    assert.equal(refusal(await explained(full, third)), 'drop-sessions-full');
    assert.equal(dropOf(full, third), 'drop-sessions-full');
    assert.equal((await explained(full, ask({ clientPort: 2 }))).isTranslated, true);
  });

  test('a host with its own IPv4 address needs no session; in stateless mode others are refused', async () => {
    const eam = eamOf(['192.0.2.7', HOST]);
    for (const isStateless of [false, true]) {
      const harness = createHarness({ settings: { eam, isStateless } });
      const own = await explained(harness, ask());
      assert.match(
        own.steps.map(({ text }) => english(text)).join(),
        /has the IPv4 address 192\.0\.2\.7 for itself/,
      );
      assert.equal(refusal(own), dropOf(harness, ask()));
      const other = ask({ client: '2001:db8:1::20' });
      assert.equal(refusal(await explained(harness, other)), isStateless ? 'drop-untranslatable' : undefined);
      assert.equal(dropOf(harness, other), isStateless ? 'drop-untranslatable' : undefined);
    }
  });

  test('a static mapping is reported as static, and others reach it', async () => {
    const host = Int32Array.of(0x2001_0db8, 0x0001_0000, 0, 0x10);
    const entry = { protocol: TRANSPORT.UDP, slot: 0, port: 8080, host, hostPort: 80 };
    const harness = createHarness({ settings: { staticEntries: [entry] } });
    const own = await explained(harness, ask({ protocol: 'udp', clientPort: 80 }));
    assert.match(
      own.steps.map(({ text }) => english(text)).join(),
      /198\.51\.100\.1 port 8080, by nat64\.static/,
    );
    const request = { client: '2001:db8:1::20', destination: `64:ff9b::${POOL4}`, destinationPort: 8080 };
    const other = await explained(harness, ask({ protocol: 'udp', ...request }));
    assert.match(english(other.steps.at(-1)?.text ?? ''), /is the mapping of 2001:db8:1::10 port 80/);
    const { rows } = await listBib(harness.translator, {}, { cursor: 0, limit: 9 });
    assert.deepEqual(
      rows.map(({ isStatic, poolPort, sessions }) => ({ isStatic, poolPort, sessions })),
      [{ isStatic: true, poolPort: 8080, sessions: 0 }],
    );
  });

  test('hairpin: the host behind a port of pool4, and whether filtering allows it', async () => {
    const neighbour = '2001:db8:1::20';
    for (const isAddressDependent of [false, true]) {
      const harness = createHarness({ ports: [40_000, 40_000], settings: { isAddressDependent } });
      harness.send(packetOf(ask({ client: neighbour, clientPort: 7000, protocol: 'udp' })));
      const wide = {
        ...harness.translator.settings,
        pools: [pool(0, 40_000, 40_010)],
      };
      harness.translator.settings = wide;
      const request = ask({ destination: `64:ff9b::${POOL4}`, destinationPort: 40_000, protocol: 'udp' });
      const answer = await explained(harness, request);
      assert.match(english(answer.steps.at(-1)?.text ?? ''), /of 2001:db8:1::20 port 7000/);
      assert.equal(refusal(answer), isAddressDependent ? 'drop-filtered' : undefined);
      assert.equal(dropOf(harness, request), refusal(answer));
    }
  });
  test('hairpin: filtering allows packets of a host to its own mapping', async () => {
    const harness = createHarness({ ports: [40_000, 40_000], settings: { isAddressDependent: true } });
    harness.send(packetOf(ask({ protocol: 'udp' })));
    const request = ask({ destination: `64:ff9b::${POOL4}`, destinationPort: 40_000, protocol: 'udp' });
    assert.equal(refusal(await explained(harness, request)), undefined);
    assert.equal(dropOf(harness, request), undefined);
  });
});

async function isToItself({ translator }: Harness, request: ExplainRequest): Promise<boolean> {
  const { protocol, client, clientPort, destinationPort: poolPort } = request;
  const { rows } = await listBib(translator, { protocol, client, poolPort }, { cursor: 0, limit: 1 });
  return rows.some((row) => row.clientPort === clientPort);
}

test('any sender, packet and destination: the explanation agrees with the translator', async () => {
  const client = fc.constantFrom(
    HOST,
    '2001:db8:1::20',
    '2001:db8:2::1',
    'fe80::1',
    '::1',
    '::',
    '64:ff9b::1',
    'ff02::1',
  );
  const destination = fc.oneof(
    fc.constantFrom(
      REMOTE6,
      `64:ff9b::${POOL4}`,
      `64:ff9b::${OWN4_BESIDE}`,
      '2001:db8:1::1',
      '64:ff9b:1::1',
      '::1',
    ),
    fc.ipV4().map((ipv4) => `64:ff9b::${ipv4}`),
  );
  const request = fc.record({
    client,
    destination,
    protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'icmp' as const),
    clientPort: fc.integer({ min: 1, max: 4 }),
    destinationPort: fc.constantFrom(53, 40_000, 40_001, 40_002, 40_003),
  });
  const shared: HarnessOptions = {
    allow: ['2001:db8:1::/64', 'fe80::/10', 'ff00::/8', '::/128', '::1/128'],
    ports: [40_000, 40_003],
    maxSessions: 12,
  };
  // A stored SYN is not a drop yet.
  const settings = fc.constantFrom<Partial<Settings>>(
    { storesSyns: false },
    { storesSyns: false, isAddressDependent: true },
    { storesSyns: false, maxSessionsPerClient: 3, maxMappingsPerClient: 2 },
    { storesSyns: false, maxSessionsPerClient: 5, maxMappingsPerClient: 4, clientPrefixBits: 64 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 25 }), settings, async (requests, changes) => {
      const harness = createHarness({ ...shared, settings: changes });
      for (const each of requests) {
        const answer = await explained(harness, each);
        const counter = refusal(answer);
        const drop = dropOf(harness, each);
        // The explanation cannot know that the new mapping of the packet gets exactly the port that the packet is sent to.
        if (counter !== drop && counter === 'drop-no-bib-entry' && (await isToItself(harness, each)))
          continue;
        assert.equal(counter, drop, JSON.stringify(each));
        assert.ok(counter === undefined || counter in NAT64_COUNTERS);
      }
    }),
    { numRuns: 200 },
  );
});
