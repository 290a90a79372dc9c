/** Tests of the kernel's program, packet by packet, for any compiled object. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { Settings } from '../../../src/services/nat64/settings/settings.ts';
import { seededRandom } from '../../random.ts';
import { TCP_FLAGS, assertWellFormed, concat, readU16, tcp, udp } from '../../unit/services/nat64/packets.ts';
import { MTU4, createPair, run } from './program-pair.ts';
import { agrees } from './program-agrees.ts';
import { LEFT_ALONE } from './program-left-alone.ts';
import { WRITING, withFailing, dropsOf } from './program-failures.ts';

export function testProgram(objectFile: string): void {
  const CLASSES: readonly [string, Partial<Settings>][] = [
    ['traffic classes copied', {}],
    ['traffic classes ignored', { copiedClassTo6: 0, copiedClassTo4: 0, setClassTo4: 0xb9 }],
  ];
  for (const [title, classes] of CLASSES)
    test(`translates every packet as our thread does, ${title}`, (t) => agrees(t, objectFile, classes));

  for (const [title, alone, passes] of LEFT_ALONE) {
    test(`leaves alone: ${title}`, () => {
      using pair = createPair(objectFile);
      assert.equal(run(pair.program, alone(pair)), undefined);
      assert.notEqual(run(pair.program, passes(pair)), undefined);
    });
  }

  test('several segments in one packet: the size of each segment counts', () => {
    using pair = createPair(objectFile);
    const packet = tcp({ ...pair.out, data: new Uint8Array(3000) });
    assert.notEqual(run(pair.program, packet, MTU4 - 40), undefined);
    assert.equal(run(pair.program, packet, MTU4 - 39), undefined);
  });

  for (const [name, helper] of Object.entries(WRITING)) {
    test(`a packet is dropped and counted when any call of ${name} fails`, () => {
      const results = [];
      for (const file of withFailing(objectFile, helper)) results.push(dropsOf(file));
      // The other half is the program for devices without link header.
      assert.equal(results.filter(({ out, back }) => out || back).length, results.length / 2);
      for (const way of ['out', 'back'] as const)
        assert(
          results.some((result) => result[way]),
          `${name} is used in direction ${way}`,
        );
    });
  }

  test('the rights that the image gives the process are enough to load it', () => {
    const load = `
      const { loadFastPath } = await import('${new URL('../../../src/services/nat64/kernel/fast-path.ts', import.meta.url)}');
      const { maps } = loadFastPath({ maxFlows: 1024, tunIndex: 1, objectFile: ${JSON.stringify(objectFile)} });
      console.log(Object.values(maps).every((fd) => fd > 2) ? 'loaded' : maps);`;
    // In addition to the rights of tombolo.service: reading the checkout. Without CAP_PERFMON the verifier is stricter.
    const rights = '-all,+bpf,+net_admin,+net_raw,+net_bind_service,+dac_override';
    const args = ['--no-new-privs', `--bounding-set=${rights}`, `--inh-caps=${rights}`, process.execPath];
    const printed = execFileSync('setpriv', [...args, '--input-type=module', '--eval', load], {
      encoding: 'utf8',
    });
    assert.equal(printed.trim(), 'loaded');
  });

  test('padding behind a short packet does not count in its length', () => {
    using pair = createPair(objectFile);
    const packet = udp({ ...pair.out, data: Uint8Array.of(1, 2) });
    const padding = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const fast = run(pair.program, concat(packet, padding));
    assert(fast !== undefined);
    assertWellFormed(fast.subarray(0, fast.length - padding.length));
  });

  test('random bytes: every packet that passes is well-formed', (t) => {
    using pair = createPair(objectFile);
    const random = seededRandom(64);
    const seeds = [
      tcp({ ...pair.out, data: new Uint8Array(100) }),
      udp({ ...pair.back, destinationPort: pair.mapped.udp, data: new Uint8Array(100) }),
    ];
    let passed = 0;
    for (let i = 0; i < 4000; i++) {
      const packet = seeds[i & 1].slice(0, random() % 4 === 0 ? 40 + (random() % 100) : undefined);
      for (let changes = random() % 4; changes > 0; changes--)
        packet[random() % Math.min(packet.length, 64)] = random() & 255;
      if (packet[0] >> 4 !== 6 && packet[0] >> 4 !== 4) continue;
      const fast = run(pair.program, packet, random() % 4 === 0 ? random() % 2000 : 0);
      if (fast !== undefined) {
        passed++;
        const totalBytes = fast[0] >> 4 === 6 ? readU16(fast, 4) + 40 : readU16(fast, 2);
        assertWellFormed(fast.subarray(0, totalBytes), { transportChecksum: false });
      }
    }
    t.diagnostic(`${passed} of 4000 packets`);
    assert(passed > 500);
  });

  test('a session stays alive while the kernel translates its packets', () => {
    using pair = createPair(objectFile);
    const { harness, flows, out, program } = pair;
    const { lifetimes } = harness.translator.settings;
    // The kernel has just seen a packet, at second 0 of this clock.
    assert(run(program, udp(out)) !== undefined);
    const aged = lifetimes.udpSeconds - 5;
    assert.equal(flows.lastUsedSeconds(harness.translator.tables, 2, aged), aged);
    harness.setTime(lifetimes.udpSeconds + 1);
    assert.equal(harness.counters()['sessions-removed-udp'], 0, 'used a moment ago');
    assert(run(program, udp(out)) !== undefined);
  });

  test('a reset makes the translator take the flow back', () => {
    using pair = createPair(objectFile);
    const { harness, out, program } = pair;
    assert(run(program, tcp(out)) !== undefined);
    harness.send(tcp({ ...out, flags: TCP_FLAGS.RST }));
    assert.equal(harness.counters()['flows-taken-back'], 1);
    assert.equal(run(program, tcp(out)), undefined);
  });
}
