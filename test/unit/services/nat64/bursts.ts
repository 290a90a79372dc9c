/** Sends like the worker: consecutive datagrams of a flow leave as one packet. */
import {
  BURST_FRAME_START,
  begin,
  createUdpBurst,
  finish,
  join,
} from '../../../../src/services/nat64/packet/udp-burst.ts';
import type { Harness } from './harness.ts';
import type { Bytes } from './packets.ts';

/** The outgoing packets, with virtio headers, after these frames have arrived one after the other. */
export function sendInBursts(harness: Harness, frames: readonly Uint8Array[]): Bytes[] {
  const burst = createUdpBurst();
  const { packet } = harness.translator;
  const sent: Bytes[] = [];
  const flush = () => {
    if (burst.count === 0) return;
    finish(burst, packet.view);
    sent.push(packet.bytes.slice(BURST_FRAME_START, burst.end));
  };
  for (const frame of frames) {
    harness.sendWithOffload(frame, (out) => {
      if (join(burst, packet)) return;
      flush();
      if (!begin(burst, packet)) sent.push(out);
    });
  }
  flush();
  return sent;
}
