/** A worker for tests: writes `count` records as fast as it can; every word of a record is its number. */
import { workerData } from 'node:worker_threads';
import { createEventWriter } from '../../../src/runtime/event-ring.ts';

const { buffer, count, words } = workerData as { buffer: SharedArrayBuffer; count: number; words: number };
const writer = createEventWriter(buffer);
for (let number = 0; number < count; number++) {
  writer.tick(number);
  const at = writer.begin(3);
  if (at < 0) continue;
  for (let word = 3; word < words; word++) writer.words[(at >> 2) + word] = number;
  writer.commit();
}
