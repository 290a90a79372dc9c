/** A worker for tests: waits on its eventfd, answers every message, and opens one descriptor that it never closes. */
import { POLLIN, O_CLOEXEC, open, pinned, poll } from '../../../src/os/libc.ts';
import { MAX_WAIT_MS, workerThread } from '../../../src/runtime/worker-thread.ts';

type Message = 'ping' | 'hang';
const thread = workerThread<{ greeting: string; failAtStart: boolean }, Message, string>();
if (thread.init.failAtStart) throw new Error('configured to fail at start');

const fd = thread.ledger.add(open('/dev/null', O_CLOEXEC, 0));
const pollFds = pinned(8);
const view = new DataView(pollFds.buffer);
view.setInt32(0, thread.wakeFd, true);
view.setInt16(4, POLLIN, true);

thread.ready();
let running = true;
while (running) {
  thread.beat();
  if (poll(pollFds, 1, MAX_WAIT_MS) <= 0) continue;
  running = thread.receive((message) => {
    if (message === 'hang') for (;;);
    thread.post(`${thread.init.greeting} ${message} ${fd}`);
  });
}
