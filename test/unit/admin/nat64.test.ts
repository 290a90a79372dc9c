/** NAT64's part of the API, with queries that record their parameters. */
import assert from 'node:assert/strict';
import { asIs, translate } from '../../../src/texts/text.ts';
import { type TestContext, test } from 'node:test';
import type {
  BibRow,
  Explanation,
  Nat64Queries,
  PoolUse,
  PortBlockRow,
  SessionRow,
  TopClients,
} from '../../../src/services/nat64/questions.ts';
import { assertError, testAdmin } from './fixture.ts';

const mapping = {
  protocol: 'tcp',
  client: '2001:db8:1::10',
  clientPort: 5000,
  poolAddress: '198.51.100.1',
  poolPort: 40_000,
} as const;
const session: SessionRow = {
  ...mapping,
  remote: '203.0.113.9',
  remotePort: 443,
  state: 'ESTABLISHED',
  endsInSeconds: 7000,
};
const bib: BibRow = { ...mapping, isStatic: false, sessions: 1 };
const clients: TopClients = {
  rows: [{ client: mapping.client, sessions: 3, mappings: 2 }],
  clients: 1,
  isComplete: true,
};
const used = { tcp: 1, udp: 0, icmp: 0 };
const pool: PoolUse = {
  sessions: 3,
  maxSessions: 65_536,
  pools: [
    {
      address: '198.51.100.1',
      firstPort: 32_768,
      lastPort: 65_535,
      size: 32_768,
      protocols: ['tcp', 'udp', 'icmp'],
      used,
    },
  ],
  portBlocks: { size: 256, clients: 16, blocks: { tcp: 128, udp: 128, icmp: 128 } },
};
const block: PortBlockRow = {
  protocol: 'udp',
  client: '2001:db8::/64',
  poolAddress: '198.51.100.1',
  firstPort: 32_768,
  lastPort: 33_023,
};
const explanation: Explanation = {
  isTranslated: false,
  steps: [
    { isOk: true, text: asIs('Yes.'), counter: null },
    { isOk: false, text: asIs('No.'), counter: 'drop-not-allowed' },
  ],
};

async function testNat64(t: TestContext) {
  const asked: unknown[] = [];
  const keep = <Result>(result: Result) => {
    return async (...question: unknown[]) => {
      // Without undefined fields, as in a request.
      asked.push(JSON.parse(JSON.stringify(question)));
      return result;
    };
  };
  const queries: Nat64Queries = {
    sessions: keep({ rows: [session], nextCursor: 7 }),
    bib: keep({ rows: [bib], nextCursor: null }),
    topClients: keep(clients),
    poolUse: keep(pool),
    async portBlocks(question) {
      asked.push([question]);
      return [block];
    },
    explain: keep(explanation),
  };
  const { request } = await testAdmin(t, {
    queries: (service) => (service === 'nat64' ? queries : undefined),
  });
  return { asked, get: (path: string) => request('GET', `/api/nat64/${path}`) };
}

const first = { cursor: 0, limit: 100 };
const EXPLAIN = 'client=2001:db8::1&destination=64:ff9b::203.0.113.9&protocol=udp';

const QUESTIONS: readonly [path: string, asked: unknown[], answer: unknown][] = [
  ['sessions', [{}, first], { rows: [session], nextCursor: 7 }],
  [
    'sessions?protocol=tcp&client=2001:db8::/32&remote=203.0.113.0/24&poolPort=0&cursor=4194305&limit=500',
    [
      { protocol: 'tcp', client: '2001:db8::/32', remote: '203.0.113.0/24', poolPort: 0 },
      { cursor: 4_194_305, limit: 500 },
    ],
    { rows: [session], nextCursor: 7 },
  ],
  ['bib', [{}, first], { rows: [bib], nextCursor: null }],
  [
    'bib?protocol=icmp&client=2001:db8::1&poolPort=65535&limit=1',
    [
      { protocol: 'icmp', client: '2001:db8::1', poolPort: 65_535 },
      { cursor: 0, limit: 1 },
    ],
    { rows: [bib], nextCursor: null },
  ],
  ['clients', [10], clients],
  ['clients?limit=100', [100], clients],
  ['pool', [], pool],
  ['port-blocks?client=2001:db8::1', [{ client: '2001:db8::1' }], { rows: [block] }],
  [
    'port-blocks?poolAddress=198.51.100.1&poolPort=32800',
    [{ poolAddress: '198.51.100.1', poolPort: 32_800 }],
    { rows: [block] },
  ],
  [
    `explain?${EXPLAIN}`,
    [{ client: '2001:db8::1', destination: '64:ff9b::203.0.113.9', protocol: 'udp' }],
    explanation,
  ],
  [
    'explain?client=2001:db8::1&destination=203.0.113.9&protocol=tcp&clientPort=5000&destinationPort=443',
    [
      {
        client: '2001:db8::1',
        destination: '203.0.113.9',
        protocol: 'tcp',
        clientPort: 5000,
        destinationPort: 443,
      },
    ],
    explanation,
  ],
];

for (const [path, question, answer] of QUESTIONS) {
  test(`GET /api/nat64/${path}`, async (t) => {
    const { asked, get } = await testNat64(t);
    const response = await get(path);
    assert.equal(response.status, 200, response.body);
    assert.deepEqual(response.json(), translate(answer));
    assert.deepEqual(asked, [question]);
  });
}

const REFUSED: readonly [path: string, parameter: string][] = [
  ['sessions?protocol=sctp', '/protocol'],
  ['sessions?protocol=', '/protocol'],
  ['sessions?client=192.0.2.1', '/client'],
  ['sessions?client=2001:db8::1/64', '/client'],
  ['sessions?client=2001:db8::1&client=2001:db8::2', '/client'],
  ['sessions?remote=2001:db8::1', '/remote'],
  ['sessions?remote=203.0.113.256', '/remote'],
  ['sessions?poolPort=65536', '/poolPort'],
  ['sessions?poolPort=-1', '/poolPort'],
  ['sessions?limit=501', '/limit'],
  ['sessions?limit=0', '/limit'],
  ['sessions?cursor=x', '/cursor'],
  ['sessions?cursor=123456789', '/cursor'],
  ['sessions?port=1', '/port'],
  ['bib?remote=203.0.113.9', '/remote'],
  ['clients?limit=101', '/limit'],
  ['pool?x=1', '/x'],
  ['explain', '/client'],
  ['explain?client=2001:db8::1&protocol=tcp', '/destination'],
  ['explain?client=203.0.113.9&destination=203.0.113.9&protocol=tcp', '/client'],
  [`explain?${EXPLAIN}&clientPort=99999`, '/clientPort'],
];

for (const [path, parameter] of REFUSED) {
  test(`GET /api/nat64/${path}: 400`, async (t) => {
    const { asked, get } = await testNat64(t);
    const response = await get(path);
    assertError(response, 400, 'invalid-input');
    assert.equal(response.json()['problems'][0].path, parameter);
    assert.notEqual(response.json()['problems'][0].expected, '');
    assert.deepEqual(asked, []);
  });
}

for (const path of ['sessions', 'bib', 'clients', 'pool', `explain?${EXPLAIN}`]) {
  test(`GET /api/nat64/${path} while NAT64 does not run: 409 with the remedy`, async (t) => {
    const { request, apply } = await testAdmin(t);
    const failed = await request('GET', `/api/nat64/${path}`);
    assertError(failed, 409, 'nat64-not-running');
    await apply({ nat64: { enabled: false } });
    const disabled = await request('GET', `/api/nat64/${path}`);
    assertError(disabled, 409, 'nat64-disabled');
    assert.match(disabled.json()['message'], /nat64\.enabled/);
  });
}
