/** A worker for tests: opens and ends connections as fast as it can, and closes what others take away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import {
  createAdmission,
  enter,
  leave,
  leaveOpenings,
  nextDisplaced,
  openingInTheWay,
  reenterOpenings,
} from '../../../src/net/admission.ts';
import { type AdmissionSeed, attachAdmission } from '../../../src/net/admission-memory.ts';
import { MAPPED_WORD2 } from '../../../src/net/client.ts';
import type { Connection } from '../../../src/net/connection.ts';
import { someConnection } from './shared-admission.ts';

const { seed, worker, rounds } = workerData as { seed: AdmissionSeed; worker: number; rounds: number };
const admission = createAdmission(attachAdmission(seed), worker, true);
const CLIENTS = 12;
const open: Connection[] = [];
let state = worker;
const random = (below: number) => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1) % below;
let displaced = 0;

function end(connection: Connection): void {
  leaveOpenings(admission, connection);
  leave(admission, connection);
  open.splice(open.indexOf(connection), 1);
}

function act(): void {
  const chosen = open[random(Math.max(open.length, 1))];
  switch (random(5)) {
    case 0:
    case 1: {
      const connection = someConnection(0);
      const client = { word0: 0, word1: 0, word2: MAPPED_WORD2, word3: random(CLIENTS) };
      if (!enter(admission, connection, client, 0)) return;
      open.push(connection);
      if (admission.displaced === undefined) return;
      displaced++;
      return end(admission.displaced);
    }
    case 2:
      return chosen && end(chosen);
    case 3:
      if (chosen === undefined) return;
      if (chosen.openingSlot !== 0) return leaveOpenings(admission, chosen);
      reenterOpenings(admission, chosen);
      return;
    default: {
      if (chosen === undefined || chosen.openingSlot === 0) return;
      chosen.openingBytes += 20_000;
      for (;;) {
        const other = openingInTheWay(admission, chosen);
        if (other === undefined) return;
        end(other);
        if (other === chosen) return;
      }
    }
  }
}

for (let round = 0; round < rounds; round++) {
  act();
  for (;;) {
    const taken = nextDisplaced(admission);
    if (taken === undefined) break;
    displaced++;
    end(taken);
  }
  if (round % 1000 === 0) await sleep(0); // the main thread can take the lock, or end this thread
}
while (open.length > 0) end(open[0]);
parentPort!.postMessage(displaced);
