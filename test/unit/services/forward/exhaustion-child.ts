/** A forwarder in a process with few descriptors: "exhaust" uses them up, "relieve" frees them again. */
import { closeSync, openSync } from 'node:fs';
import { silentLog } from '../../../../src/runtime/log.ts';
import { startForward } from '../../../../src/services/forward/service.ts';
import { LIMITS, NOBODY, hostAt } from '../../net/support.ts';

const [port, target, stateDirectory] = process.argv.slice(2);
const forward = await startForward(
  {
    forward: { listen: ['127.0.0.1'], sshPorts: port, limits: LIMITS },
    hosts: [hostAt('a', { ssh: { targetPort: Number(target) } })],
    reservedPorts: [],
  },
  { log: silentLog, stateDirectory, ourselves: NOBODY },
);
const hoard: number[] = [];

function exhaust(): void {
  try {
    for (;;) hoard.push(openSync('/dev/null', 'r'));
  } catch {
    // EMFILE: no descriptor is left.
  }
}

process.on('message', (what) => {
  if (what === 'exhaust') exhaust();
  if (what === 'relieve') hoard.splice(0).forEach((fd) => closeSync(fd));
  process.send!({ counters: forward.counters() });
});
process.on('disconnect', () => process.exit());
process.send!('ready');
