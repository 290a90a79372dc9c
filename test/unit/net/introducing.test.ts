/** The phase in which a trusted proxy says who the client is: whose connection it is meanwhile, and after that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '../../../lab/wait.ts';
import { heldBy } from '../../../src/net/shares.ts';
import { clientAt } from '../../../src/net/client.ts';
import { Phase } from '../../../src/net/connection.ts';
import { dispatch } from '../../../src/net/connections.ts';
import { MORE } from '../../../src/net/gate.ts';
import { compileTrusted, isTrusted } from '../../../src/net/trusted-proxies.ts';
import { EPOLLIN } from '../../../src/os/libc.ts';
import { compileOurselves } from '../../../src/os/ourselves.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import { createTestLoop, judging } from './loop.ts';

const trustedOf = (...texts: string[]) => compileTrusted(texts.map((text) => parseIpPrefix(text)!));
const client = (text: string) => clientAt(parseIpAddress(text)!);
const NOBODY = { own: [], rows: new Int32Array() };

for (const [prefixes, from, expected] of [
  [['192.0.2.1'], '192.0.2.1', true],
  [['192.0.2.1'], '192.0.2.2', false],
  [['192.0.2.0/24'], '192.0.2.255', true],
  [['192.0.2.0/24'], '192.0.3.0', false],
  [['192.0.2.0/24'], '::ffff:192.0.2.7', true],
  [['192.0.2.0/24'], '2001:db8::c000:201', false],
  [['198.51.100.0/24', '2001:db8::/33'], '2001:db8:7fff::1', true],
  [['198.51.100.0/24', '2001:db8::/33'], '2001:db8:8000::1', false],
  [['::/64'], '192.0.2.1', false],
  [['::/64'], '::2', true],
  [['2001:db8::1'], '2001:db8::1', true],
  [['2001:db8::1'], '2001:db8::2', false],
] as const) {
  test(`${from} in ${prefixes.join(', ')}: ${expected}`, () =>
    assert.equal(isTrusted(trustedOf(...prefixes)!, client(from), NOBODY), expected));
}

test('nobody is trusted by an empty list, and no own address by any', () => {
  assert.equal(trustedOf(), undefined);
  const ourselves = compileOurselves([parseIpPrefix('192.0.2.10')!], []);
  const trusted = trustedOf('192.0.2.0/24', '127.0.0.0/8')!;
  const of = (text: string) => isTrusted(trusted, client(text), ourselves);
  assert.deepEqual(['192.0.2.9', '192.0.2.10', '127.0.0.1', '127.1.2.3'].map(of), [
    true,
    false,
    false,
    false,
  ]);
});

test('the connection is counted for the proxy, and from the header on for its client', async () => {
  using world = await createTestLoop();
  const { loop } = world;
  const held = (text: string) => {
    const { word0, word1, word2, word3 } = client(text);
    return [loop.admission.memory.all, loop.admission.memory.openings].map((shares) =>
      heldBy(shares, word0, word1, word2, word3),
    );
  };
  const gate = judging(() => MORE, { trusted: trustedOf('192.0.2.1') });
  const { peer, connection } = world.arrive(gate, '192.0.2.1');
  assert.equal(connection!.phase, Phase.introducing);
  assert.deepEqual(
    [held('192.0.2.1'), held('203.0.113.9')],
    [
      [1, 1],
      [0, 0],
    ],
  );
  world.say(peer, 'PROXY TCP4 203.0.113.9 192.0.2.80 40000 443\r\n');
  await waitUntil('the header is read', () => {
    dispatch(loop, connection!.up.from, EPOLLIN);
    return connection!.phase === Phase.opening;
  });
  assert.deepEqual(
    [held('192.0.2.1'), held('203.0.113.9')],
    [
      [0, 0],
      [1, 1],
    ],
  );
  assert.deepEqual([loop.open, loop.openings], [1, 1]);
  assert.deepEqual(world.counted(), { 'proxy-header': 1 });
});

test('at the limit the greediest client behind the proxy gives way, not the proxy, nor another client', async () => {
  using world = await createTestLoop(4);
  const { loop } = world;
  const gate = judging(() => MORE, { trusted: trustedOf('192.0.2.1') });
  const introduced = async (from: string) => {
    const { peer, connection } = world.arrive(gate, '192.0.2.1');
    world.say(peer, `PROXY TCP4 ${from} 192.0.2.80 40000 443\r\n`);
    await waitUntil('the header is read', () => {
      dispatch(loop, connection!.up.from, EPOLLIN);
      return connection!.phase === Phase.opening;
    });
    return connection!;
  };
  const quiet = await introduced('203.0.113.1');
  const greedy = [];
  for (let i = 0; i < 6; i++) greedy.push(await introduced('203.0.113.2'));
  assert.deepEqual([quiet.phase, loop.open], [Phase.opening, 4]);
  assert.equal(greedy.filter(({ phase }) => phase === Phase.closed).length, 3);
  assert.equal(world.counted()['displaced'], 3);
});
