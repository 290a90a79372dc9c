/** Rulesets as `nft -j list ruleset` prints them, and their effect on packets from and to the device nat64. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type ForwardChain,
  forwardChains,
  legacyForwardDrops,
} from '../../../../src/services/nat64/checks/forward-chains.ts';

const meta = (key: string, right: unknown, op = '==') => ({ match: { op, left: { meta: { key } }, right } });
const ctState = (...states: string[]) => ({
  match: { op: 'in', left: { ct: { key: 'state' } }, right: states },
});
const accept = { accept: null };
const drop = { drop: null };
const jump = (target: string) => ({ jump: { target } });
const counter = { counter: { packets: 1, bytes: 60 } };

/** Chains by name with their rules; FORWARD is the base chain. */
function ruleset(
  chains: Record<string, object[][]>,
  { family = 'ip', table = 'filter', policy = 'drop', hook = 'forward' } = {},
): string {
  const items = Object.entries(chains).flatMap(([name, rules]) => [
    {
      chain: {
        family,
        table,
        name,
        ...(name === 'FORWARD' ? { type: 'filter', hook, prio: 0, policy } : {}),
      },
    },
    ...rules.map((expr) => ({ rule: { family, table, chain: name, expr } })),
  ]);
  return JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6' } }, ...items] });
}

const DOCKER = {
  'DOCKER-USER': [[counter, { return: null }]],
  DOCKER: [[meta('iifname', 'docker0', '!='), meta('oifname', 'docker0'), counter, drop]],
  'DOCKER-FORWARD': [
    [ctState('established', 'related'), counter, accept],
    [jump('DOCKER')],
    [meta('iifname', 'docker0'), counter, accept],
  ],
  FORWARD: [
    [counter, jump('DOCKER-USER')],
    [counter, jump('DOCKER-FORWARD')],
  ],
};
const OURS = [
  [meta('iifname', 'nat64'), accept],
  [meta('oifname', 'nat64'), accept],
];

const ROWS: readonly [string, string, Pick<ForwardChain, 'owner' | 'verdict'> | undefined][] = [
  ['nothing', '{"nftables": []}', undefined],
  ['no JSON', 'nft: command not found', undefined],
  [
    'a policy of accept',
    ruleset({ FORWARD: [] }, { policy: 'accept' }),
    { owner: undefined, verdict: 'accept' },
  ],
  ['a policy of drop', ruleset({ FORWARD: [] }), { owner: undefined, verdict: 'drop' }],
  ['another hook', ruleset({ FORWARD: [] }, { hook: 'input' }), undefined],
  ['a family other than IP', ruleset({ FORWARD: [] }, { family: 'bridge' }), undefined],
  [
    "the image's own firewall",
    ruleset({ FORWARD: OURS }, { family: 'inet' }),
    { owner: undefined, verdict: 'accept' },
  ],
  ['one direction only', ruleset({ FORWARD: [OURS[0]] }), { owner: undefined, verdict: 'drop' }],
  ['Docker', ruleset(DOCKER), { owner: 'docker', verdict: 'drop' }],
  [
    'Docker, with our rule in time',
    ruleset({ ...DOCKER, 'DOCKER-USER': OURS }),
    { owner: 'docker', verdict: 'accept' },
  ],
  [
    'Docker, with our rule too late',
    ruleset({ ...DOCKER, FORWARD: [[drop], ...OURS] }),
    { owner: 'docker', verdict: 'drop' },
  ],
  [
    'ufw',
    ruleset({
      'ufw-before-forward': [[ctState('established'), accept]],
      FORWARD: [[jump('ufw-before-forward')]],
    }),
    { owner: 'ufw', verdict: 'drop' },
  ],
  [
    'firewalld rejects at the end',
    ruleset(
      {
        FORWARD: [
          [
            {
              match: { op: '==', left: { ct: { key: 'state' } }, right: { set: ['established', 'related'] } },
            },
            accept,
          ],
          [{ match: { op: 'in', left: { ct: { key: 'status' } }, right: 'dnat' } }, accept],
          [meta('iifname', 'lo'), accept],
          [{ vmap: { key: { ct: { key: 'state' } }, data: { set: [['invalid', drop]] } } }],
          [{ reject: { type: 'icmpx', expr: 'admin-prohibited' } }],
        ],
      },
      { family: 'inet', table: 'firewalld', policy: 'accept' },
    ),
    { owner: 'firewalld', verdict: 'drop' },
  ],
  [
    'a set of devices, and a prefix of names',
    ruleset({
      FORWARD: [
        [meta('iifname', { set: ['wg0', 'nat64'] }), accept],
        [meta('oifname', 'nat*'), accept],
      ],
    }),
    { owner: undefined, verdict: 'accept' },
  ],
  [
    'a verdict map of devices',
    ruleset({
      own: [[accept]],
      FORWARD: [
        [
          {
            vmap: {
              key: { meta: { key: 'iifname' } },
              data: {
                set: [
                  ['nat64', jump('own')],
                  ['eth0', drop],
                ],
              },
            },
          },
        ],
        [{ vmap: { key: { meta: { key: 'oifname' } }, data: { set: [['nat64', accept]] } } }],
      ],
    }),
    { owner: undefined, verdict: 'accept' },
  ],
  [
    'it depends on addresses',
    ruleset({
      FORWARD: [
        [
          { match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: '192.0.2.1' } },
          accept,
        ],
      ],
    }),
    { owner: undefined, verdict: 'unknown' },
  ],
  [
    'a match of iptables',
    ruleset({ FORWARD: [[{ xt: null }, accept]] }),
    { owner: undefined, verdict: 'unknown' },
  ],
  [
    'untracked packets',
    ruleset({ FORWARD: [[ctState('untracked'), accept]] }),
    { owner: undefined, verdict: 'accept' },
  ],
  [
    'one of two families',
    ruleset({ FORWARD: [[meta('nfproto', 'ipv4'), accept]] }, { family: 'inet' }),
    { owner: undefined, verdict: 'drop' },
  ],
  [
    'a goto does not return',
    ruleset({ other: [], FORWARD: [[{ goto: { target: 'other' } }], ...OURS] }),
    { owner: undefined, verdict: 'drop' },
  ],
  [
    'more paths than can be followed',
    ruleset({ FORWARD: Array.from({ length: 50 }, () => [jump('FORWARD')]) }),
    { owner: undefined, verdict: 'unknown' },
  ],
  ['a loop', ruleset({ FORWARD: [[jump('FORWARD')]] }), { owner: undefined, verdict: 'unknown' }],
];

for (const [title, text, expected] of ROWS) {
  test(`${title}: ${expected?.verdict ?? 'none'}`, () => {
    const [chain] = forwardChains(text, 'nat64');
    assert.deepEqual(chain && { owner: chain.owner, verdict: chain.verdict }, expected);
  });
}

test('an incomplete statement is not an error', () => {
  for (const name of ['match', 'vmap', 'jump', 'goto', 'xt'])
    for (const value of [null, 1, {}, [], { left: null }, { key: null }])
      forwardChains(ruleset({ FORWARD: [[{ [name]: value }, accept]] }), 'nat64');
});

test('any JSON: no error', () => {
  fc.assert(
    fc.property(fc.json(), fc.array(fc.jsonValue()), (text, rules) => {
      forwardChains(text, 'nat64');
      forwardChains(JSON.stringify({ nftables: rules }), 'nat64');
      forwardChains(ruleset({ FORWARD: [rules as object[]] }), 'nat64');
    }),
  );
});

const LEGACY: readonly [string, string, boolean][] = [
  ['accepts', '-P INPUT DROP\n-P FORWARD ACCEPT', false],
  ['drops', '-P INPUT ACCEPT\n-P FORWARD DROP\n-N DOCKER-USER\n-A FORWARD -j DOCKER-USER', true],
  ['one way', '-P FORWARD DROP\n-A FORWARD -i nat64 -j ACCEPT', true],
  ['both ways', '-P FORWARD DROP\n-A FORWARD -i nat64 -j ACCEPT\n-A DOCKER-USER -o nat64 -j ACCEPT', false],
];
for (const [title, rules, drops] of LEGACY)
  test(`iptables-legacy ${title}`, () => assert.equal(legacyForwardDrops(rules, 'nat64'), drops));
