/** The kernel's program when one of its calls fails: a packet that is only partly written is dropped and counted. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runClassifier } from '../../../src/os/bpf.ts';
import { type Bytes, tcp, udp } from '../../unit/services/nat64/packets.ts';
import { REDIRECTED, DROPPED, ethernet, createPair, COUNTED, TRAFFIC, fastCounted } from './program-pair.ts';

/** The kernel functions that change a packet, with their numbers. */
export const WRITING = { bpf_skb_change_proto: 31, bpf_skb_store_bytes: 9, bpf_l4_csum_replace: 11 } as const;
/** An instruction that calls such a function, and one that behaves as if the call had run out of memory (r0 = -ENOMEM). */
const callOf = (helper: number) => Uint8Array.of(0x85, 0, 0, 0, helper, 0, 0, 0);
const FAILED = Uint8Array.of(0xb7, 0, 0, 0, 0xf4, 0xff, 0xff, 0xff);

/** Copies of the object; in each, one of the calls of a function fails. */
export function* withFailing(objectFile: string, helper: number): Generator<string> {
  const object = readFileSync(objectFile);
  const directory = mkdtempSync(join(tmpdir(), 'tombolo-bpf-'));
  try {
    for (let at = -8; (at = object.indexOf(callOf(helper), at + 8)) !== -1; ) {
      const copy = Buffer.from(object);
      copy.set(FAILED, at);
      const file = join(directory, `${at}.o`);
      writeFileSync(file, copy);
      yield file;
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Sends a packet each way: was it dropped? A dropped packet is counted as dropped, and in no other counter. */
export function dropsOf(objectFile: string): Record<'out' | 'back', boolean> {
  using pair = createPair(objectFile);
  const isDropped = (packet: Bytes): boolean => {
    fastCounted(pair.flows);
    const { verdict } = runClassifier(pair.program, ethernet(packet));
    const counted = fastCounted(pair.flows, COUNTED);
    const traffic = TRAFFIC.map((name) => counted[name] > 0).filter(Boolean).length;
    const expected = verdict === DROPPED ? [DROPPED, 1, 0] : [REDIRECTED, 0, 2];
    assert.deepEqual([verdict, counted['drop-fast-path'], traffic], expected);
    return verdict === DROPPED;
  };
  return {
    out: isDropped(udp(pair.out)),
    back: isDropped(tcp({ ...pair.back, destinationPort: pair.mapped.tcp })),
  };
}
