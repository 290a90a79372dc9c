/** The firewall service in the namespace of this process. Prints its state, and a line for each notice. */
import { compileOurselves } from '../../../src/os/ourselves.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import type { NoticeFound } from '../../../src/runtime/own-events.ts';
import { startFirewall } from '../../../src/services/firewall/service.ts';
import { english } from '../../../src/texts/text.ts';

const [file] = process.argv.slice(2);
const nobody = { current: compileOurselves([], []), onChange: () => ({ [Symbol.dispose]() {} }) };
const service = await startFirewall(
  { file, controlGroup: undefined },
  {
    log: silentLog,
    stateDirectory: '/nonexistent',
    ourselves: nobody,
    events: {
      put: (event) =>
        console.log(event.kind === 'notice' ? english((event as NoticeFound).text) : event.kind),
      forget() {},
      drainRing: () => ({ [Symbol.dispose]() {} }),
      drainRingLater: () => ({ [Symbol.dispose]() {} }),
    },
  },
);
console.log(service.status().state);
setInterval(() => {}, 60_000);
