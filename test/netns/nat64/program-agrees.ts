/** Random packets: our thread translates each one in the same way as the kernel's program. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Settings } from '../../../src/services/nat64/settings/settings.ts';
import { seededRandom } from '../../random.ts';
import { TCP_FLAGS, assertWellFormed, tcp, udp } from '../../unit/services/nat64/packets.ts';
import {
  createPair,
  run,
  normalised,
  withFewerHops,
  translated,
  TRAFFIC,
  fastCounted,
} from './program-pair.ts';

export function agrees(t: TestContext, objectFile: string, classes: Partial<Settings>): void {
  using pair = createPair(objectFile, classes);
  const { harness, flows, program, out, back, mapped } = pair;
  const random = seededRandom(20_261_125);
  const below = (limit: number) => random() % limit;
  let single = 0;
  let segmented = 0;
  fastCounted(flows);
  for (let i = 0; i < 6000; i++) {
    const isTcp = below(2) === 0;
    const isOut = below(2) === 0;
    const gsoSizeBytes = below(3) === 0 ? 1 + below(1500) : 0;
    const bytes = gsoSizeBytes > 0 ? below(3000) : below(8) === 0 ? below(1600) : below(200);
    const data = Uint8Array.from({ length: bytes }, () => below(256));
    const ports = isOut ? out : { ...back, destinationPort: isTcp ? mapped.tcp : mapped.udp };
    const common = {
      ...ports,
      data,
      hopLimit: below(4) === 0 ? below(5) : 2 + below(254),
      trafficClass: below(256),
      flowLabel: below(1 << 20),
      ...(isOut ? {} : { fragment: below(3) === 0 ? 0 : 0x4000, identification: below(65_536) }),
    };
    const flags = below(10) === 0 ? below(64) : TCP_FLAGS.ACK | (below(2) * TCP_FLAGS.PSH);
    const options = new Uint8Array(4 * below(4)).fill(1);
    const packet = isTcp ? tcp({ ...common, flags, options, sequence: random() }) : udp(common);
    const fast = run(program, packet, gsoSizeBytes);
    if (fast === undefined) continue;
    if (gsoSizeBytes === 0) single++;
    else segmented++;
    assertWellFormed(fast);
    harness.counted();
    const slow = translated(harness, withFewerHops(packet), gsoSizeBytes);
    const hex = `${gsoSizeBytes} ${Buffer.from(packet).toString('hex')}`;
    assert(slow !== undefined, `our thread drops a packet that the kernel passes: ${hex}`);
    assert.deepEqual(normalised(fast), normalised(slow), hex);
    const counted = harness.counted();
    assert.deepEqual(
      fastCounted(flows),
      Object.fromEntries(TRAFFIC.map((name) => [name, counted[name] ?? 0])),
      hex,
    );
  }
  t.diagnostic(`${single} packets, ${segmented} that stand for several`);
  assert(single > 1500 && segmented > 700);
}
