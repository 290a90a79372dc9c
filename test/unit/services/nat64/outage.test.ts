/** The addresses that an outage removes from the machine, and how long they still count. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OUTAGE_MS, followSeen } from '../../../../src/os/seen.ts';
import { type AutomaticAddress, followAutomatic } from '../../../../src/services/nat64/settings/outage.ts';

const [A, B] = [0xc0000201, 0xc6336401];
const byRoute: AutomaticAddress = { address: A, isByRoute: true, isThere: true, seenMs: 0 };
const only: AutomaticAddress = { ...byRoute, isByRoute: false };
const none = undefined;

const ROWS: readonly {
  readonly title: string;
  /** The address that the default route uses, the only address, the previous result, and the time. */
  readonly given: Parameters<typeof followAutomatic>;
  readonly address: number | undefined;
  readonly isThere?: boolean;
}[] = [
  { title: 'never an address', given: [none, none, none, 0], address: none },
  { title: 'the default route', given: [A, A, none, 0], address: A, isThere: true },
  { title: 'the only address', given: [none, A, none, 0], address: A, isThere: true },
  { title: 'no address left', given: [none, none, byRoute, 1], address: A, isThere: false },
  {
    title: 'no address left, at the end of an outage',
    given: [none, none, byRoute, OUTAGE_MS],
    address: A,
    isThere: false,
  },
  { title: 'gone for longer', given: [none, none, byRoute, OUTAGE_MS + 1], address: none },
  { title: 'no route, the address left', given: [none, A, byRoute, 1], address: A, isThere: true },
  {
    title: 'only an address without a route is left',
    given: [none, B, byRoute, 1],
    address: A,
    isThere: false,
  },
  { title: 'the same for longer', given: [none, B, byRoute, OUTAGE_MS + 1], address: B, isThere: true },
  { title: 'another provider', given: [B, none, byRoute, 1], address: B, isThere: true },
  { title: 'another only address', given: [none, B, only, 1], address: B, isThere: true },
  { title: 'the only address removed', given: [none, none, only, 1], address: A, isThere: false },
];
for (const { title, given, address, isThere } of ROWS) {
  test(`the automatic address: ${title}`, () => {
    const found = followAutomatic(...given);
    assert.deepEqual([found?.address, found?.isThere], [address, isThere]);
  });
}

test('an outage is measured from the last time that the address existed', () => {
  let found: AutomaticAddress | undefined = byRoute;
  for (let nowMs = 0; nowMs <= OUTAGE_MS; nowMs += 60_000) found = followAutomatic(none, none, found, nowMs);
  assert.equal(found?.address, A);
  assert.equal(followAutomatic(none, none, found, OUTAGE_MS + 1), none);
});

test('networks: present ones come first, removed ones stay for the length of an outage', () => {
  const first = followSeen(['a', 'b'], new Map(), 0);
  const second = followSeen(['c', 'b'], first, OUTAGE_MS);
  assert.deepEqual([...second.keys()], ['c', 'b', 'a']);
  assert.deepEqual([...followSeen(['c'], second, OUTAGE_MS + 1).keys()], ['c', 'b']);
});
