/** What the loop of a worker does for the other workers of its service, and they for it (handover.ts, admission.ts). */
import { pinned, read } from '../os/libc.ts';
import { type Admission, nextDisplaced, wasForMemory } from './admission.ts';
import { WORKER, WORKER_WORDS } from './admission-memory.ts';
import { admit } from './admit.ts';
import { createClient, readClient } from './client.ts';
import { abort } from './ending.ts';
import type { Gate } from './gate.ts';
import { createLetter, passOn as pass, takeOver } from './handover.ts';
import type { Loop } from './loop.ts';

const rings = pinned(8);
const letter = createLetter();
const client = createClient();

/** The eventfd that other workers write to; 0 if there is none. */
export const bellOf = ({ memory: { workers }, worker }: Admission): number =>
  workers[worker * WORKER_WORDS + WORKER.BELL];

/** Passes a connection on that was just accepted, if another worker has clearly fewer. False if it stays. */
export function passOn(
  { admission, ledger, isDraining }: Loop,
  fd: number,
  listenerFd: number,
  peer: Uint8Array,
): boolean {
  if (isDraining) return false;
  ledger.forget(fd); // before another thread owns it
  if (pass(admission, fd, listenerFd, peer)) return true;
  ledger.add(fd);
  return false;
}

/** Admits the connections that others have passed on, and closes those whose slots others have taken away. */
export function answerBell(
  loop: Loop,
  bellFd: number,
  gateOf: (listenerFd: number) => Gate | undefined,
): void {
  const { admission, ledger, events, index } = loop;
  if (bellFd > 0) read(bellFd, rings, 8);
  while (takeOver(admission, letter)) {
    const fd = ledger.add(letter.fd);
    const gate = gateOf(letter.listenerFd);
    if (gate === undefined) {
      loop.values[index['accept-failed']]++;
      loop.closer.reset(fd, loop.nowMs);
      continue;
    }
    events.keepPeer(fd, letter.peer);
    readClient(client, letter.peer);
    admit(loop, fd, gate, client);
  }
  for (;;) {
    const displaced = nextDisplaced(admission);
    if (displaced === undefined) return;
    abort(
      loop,
      displaced,
      wasForMemory(admission, displaced.slot) ? index['refused-memory'] : index.displaced,
    );
  }
}
