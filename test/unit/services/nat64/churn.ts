/** A worker that makes and removes sessions as fast as it can, until it is stopped; each of its records is consistent in itself. */
import { workerData } from 'node:worker_threads';
import { attachTables } from '../../../../src/services/nat64/tables/attach-tables.ts';
import { addBib } from '../../../../src/services/nat64/tables/bib.ts';
import { addSession, removeSession } from '../../../../src/services/nat64/tables/sessions.ts';
import type { Settings } from '../../../../src/services/nat64/settings/settings.ts';
import type { SharedTables } from '../../../../src/services/nat64/tables/tables.ts';
import { seededRandom } from '../../../random.ts';

export interface Churn {
  readonly shared: SharedTables;
  readonly settings: Settings;
  /** [stop, rounds] */
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly permanent: number;
}

const { shared, settings, control, permanent } = workerData as Churn;
const tables = attachTables(shared, 0, settings);
const random = seededRandom(5);

/** Host, ports and remote end are all derived from `id`. */
function add(id: number): number {
  const endpoint = { protocol: id % 3, host: Int32Array.of(0x2001_0db8, 0, id, id), hostPort: id };
  const bib = addBib(tables, endpoint, id);
  return addSession(tables, bib, id, id, 0, 0, 1000);
}

for (let id = 1; id <= permanent; id++) add(id);
const live: number[] = [];
let id = permanent;
while (Atomics.load(control, 0) === 0) {
  if (live.length > 200 || (live.length > 0 && random() % 2 === 0)) {
    const [index] = live.splice(random() % live.length, 1);
    removeSession(tables, index, 0);
  } else {
    id = id >= 60_000 ? permanent + 1 : id + 1;
    live.push(add(id));
  }
  Atomics.add(control, 1, 1);
}
