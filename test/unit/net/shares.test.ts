/**
 * Shares of limited resources, compared with a naive model: a client below its fair share never loses anything to a client with
 * more.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRateShares, takeOfRate } from '../../../src/net/rate-shares.ts';
import { MAPPED_WORD2 } from '../../../src/net/client.ts';
import {
  CLIENT_SHARE,
  HOST_SHARE,
  createSlotShares,
  greediestSlot,
  growSlot,
  heldBy,
  isHeldBy,
  isWithinShare,
  nextInAge,
  nextOfClient,
  releaseSlot,
  takeSlot,
  touchSlot,
  victimFor,
} from '../../../src/net/shares.ts';

type Words = readonly [number, number, number, number];

const ipv4 = (address: number): Words => [0, 0, MAPPED_WORD2, address | 0];
const ipv6 = (network: number, host: number): Words => [0x2001_0db8, network | 0, host | 0, (host * 7) | 0];
/** A few clients, each with a few addresses. */
const someone = fc.oneof(
  fc.integer({ min: 1, max: 5 }).map(ipv4),
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 3 }))
    .map(([net, host]) => ipv6(net, host)),
);
const clientOf = ([word0, word1, word2, word3]: Words): string =>
  word2 === MAPPED_WORD2 && word1 === 0 && word0 === 0 ? `4 ${word3}` : `6 ${word0} ${word1}`;

const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      who: someone,
      units: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('touch' as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('grow' as const),
      which: fc.nat(),
      units: fc.integer({ min: 1, max: 3 }),
    }),
  },
);

interface Held {
  readonly slot: number;
  readonly who: Words;
  units: number;
}

test('slots agree with a naive model: never more than exist, the greediest client loses first, in order of use', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 4, max: 20 }),
      fc.integer(),
      fc.array(command, { maxLength: 120 }),
      (slots, units, seed, commands) => {
        const shares = createSlotShares({ slots, units, seed });
        /** In order of use. */
        let model: Held[] = [];
        const held = (client: string) =>
          model.reduce((sum, each) => sum + (clientOf(each.who) === client ? each.units : 0), 0);
        const clients = () => [...new Set(model.map(({ who }) => clientOf(who)))];
        const total = () => model.reduce((sum, each) => sum + each.units, 0);
        const forget = (slot: number) => {
          model = model.filter((each) => each.slot !== slot);
        };

        for (const step of commands) {
          if (step.do === 'take') {
            const { who } = step;
            const client = clientOf(who);
            while (model.length === slots || total() + step.units > units) {
              assert.equal(takeSlot(shares, step.units, ...who), 0, 'no room');
              const taken = victimFor(shares, step.units, ...who);
              const victim: Held = model.find(({ slot }) => slot === taken)!;
              const loser = clientOf(victim.who);
              if (loser !== client) {
                const parts = new Set([...clients(), client]).size;
                // No client holds more than the loser, and the loser held more than a fair share of all.
                assert.equal(held(loser), Math.max(...clients().map(held)));
                if (step.units === 1 && held(client) > 0 && slots === units)
                  assert.ok(held(loser) > total() / parts, 'a fair share is not taken away');
                assert.ok(held(client) === 0 || held(client) + step.units < held(loser));
              }
              const [first] = model.filter((each) => clientOf(each.who) === loser);
              assert.equal(victim, first, 'the slot that was unused for longest');
              releaseSlot(shares, victim.slot);
              forget(victim.slot);
            }
            const slot = takeSlot(shares, step.units, ...who);
            assert.ok(slot > 0 && slot <= slots && model.every((each) => each.slot !== slot));
            model.push({ slot, who, units: step.units });
          } else if (model.length > 0) {
            const chosen = model[step.which % model.length];
            if (step.do === 'release') {
              releaseSlot(shares, chosen.slot);
              forget(chosen.slot);
            } else if (step.do === 'touch') {
              touchSlot(shares, chosen.slot);
              forget(chosen.slot);
              model.push(chosen);
            } else {
              const fits = total() + step.units <= units;
              assert.equal(growSlot(shares, chosen.slot, step.units), fits);
              if (fits) chosen.units += step.units;
            }
          }
          assert.equal(shares.usedSlots, model.length);
          assert.equal(shares.usedUnits, total());
          assert.ok(shares.usedSlots <= slots && shares.usedUnits <= units);
          assert.equal(shares.most, Math.max(0, ...clients().map(held)));
          for (const { who, slot } of model) {
            assert.equal(heldBy(shares, ...who), held(clientOf(who)));
            assert.ok(isHeldBy(shares, slot, ...who));
          }
          const inAge: number[] = [];
          for (let slot = shares.oldest; slot !== 0; slot = nextInAge(shares, slot)) inAge.push(slot);
          assert.deepEqual(
            inAge,
            model.map(({ slot }) => slot),
          );
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('one client with everything: each newcomer gets a slot, and keeps it', () => {
  const shares = createSlotShares({ slots: 256, seed: 7 });
  const attacker = ipv4(1);
  const take = (who: Words) => {
    const free = takeSlot(shares, 1, ...who);
    if (free !== 0) return free;
    releaseSlot(shares, victimFor(shares, 1, ...who));
    return takeSlot(shares, 1, ...who);
  };
  for (let i = 0; i < 300; i++) take(attacker);
  const good = Array.from({ length: 100 }, (_, i) => [take(ipv6(i, 1)), ipv6(i, 1)] as const);
  for (let i = 0; i < 1000; i++) take(attacker);
  for (const [slot, who] of good) assert.ok(isHeldBy(shares, slot, ...who));
  assert.equal(heldBy(shares, ...attacker), 156);
  assert.ok(isHeldBy(shares, greediestSlot(shares), ...attacker));
});

test('the slots of one client, starting with the one unused for longest', () => {
  const shares = createSlotShares({ slots: 8, seed: 1 });
  const [a, b, c] = [1, 2, 3].map(() => takeSlot(shares, 1, ...ipv4(1)));
  takeSlot(shares, 1, ...ipv4(2));
  touchSlot(shares, a);
  const found: number[] = [];
  for (let slot = greediestSlot(shares); slot !== 0; slot = nextOfClient(shares, slot)) found.push(slot);
  assert.deepEqual(found, [b, c, a]);
});

test('a threshold on the rest: whatever hosts request, one client leaves a part to others', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 5000 }),
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 40 }),
      (size, order) => {
        const hosts = new Map<number, number>();
        let used = 0;
        for (let i = 0; i < size * 2; i++) {
          const host = order[i % order.length];
          const held = hosts.get(host) ?? 0;
          if (!isWithinShare(held, size - used, HOST_SHARE)) continue;
          if (!isWithinShare(used, size - used, CLIENT_SHARE)) continue;
          hosts.set(host, held + 1);
          used++;
        }
        assert.ok(used < size, 'a rest is left');
        assert.ok(size - used >= Math.floor(size / (CLIENT_SHARE + 1)));
        for (const held of hosts.values())
          assert.ok(held <= Math.ceil((size * HOST_SHARE) / (HOST_SHARE + 1)) + 1);
        // Another client arrives: it gets some.
        assert.ok(isWithinShare(0, size - used, HOST_SHARE));
      },
    ),
  );
});

test('a rate: a maximum per second, and one client cannot take all of it', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 0, max: 1e9 }),
      fc.array(someone, { minLength: 1, maxLength: 12 }),
      (seed, second, greedy) => {
        const shares = createRateShares(200, seed);
        for (let later = 0; later < 3; later++) {
          const [first] = greedy;
          let alone = 0;
          for (let i = 0; i < 1000; i++) if (takeOfRate(shares, second + later, ...first)) alone++;
          assert.equal(alone, 160);
          // Two clients collide once in some thousand seconds; a stranger that collides would be refused.
          const strangers = [1, 2, 3].filter((i) => takeOfRate(shares, second + later, ...ipv6(1000 + i, i)));
          assert.ok(strangers.length >= 2);
          let all = alone + strangers.length;
          for (let i = 0; i < 1000; i++)
            if (takeOfRate(shares, second + later, ...greedy[i % greedy.length])) all++;
          assert.ok(all <= 200);
        }
      },
    ),
    { seed: 1, numRuns: 100 },
  );
});

test('a rate: all addresses of a /64 together leave a part to others', () => {
  const shares = createRateShares(200, 3);
  let taken = 0;
  for (let i = 0; i < 10_000; i++) if (takeOfRate(shares, 5, ...ipv6(1, i))) taken++;
  assert.equal(taken, 189);
  assert.ok(takeOfRate(shares, 5, ...ipv6(2, 1)));
});
