/** The process under test: NAT64 in the network namespace that it is started in, controlled through its IPC channel. */
import { type Nat64Changes, defaultNat64 } from './configuration.ts';
import { createConditions } from '../../../src/runtime/conditions.ts';
import type { AppEvent, EventSink } from '../../../src/runtime/events.ts';
import { type Logger, silentLog } from '../../../src/runtime/log.ts';
import type { ExplainRequest, SessionFilter } from '../../../src/services/nat64/questions.ts';
import { startNat64 } from '../../../src/services/nat64/control/service.ts';
import { followOurselves } from '../../../src/os/follow-ourselves.ts';
import { prefixesOf } from '../../../src/services/configured.ts';
import { fillDefaults } from '../../../src/config/load.ts';

/** The requests that the test can send. */
export type Request =
  | { readonly ask: 'status' | 'counters' | 'contests' | 'conditions' | 'fail' | 'stop' | 'log' }
  | { readonly ask: 'sessions'; readonly filter: SessionFilter }
  | { readonly ask: 'explain'; readonly request: ExplainRequest }
  | { readonly ask: 'reconfigure'; readonly nat64: Nat64Changes };

const [stateDirectory, nat64Text] = process.argv.slice(2);
const print = (fields: object, message: string) => console.error(message, fields);
const printingLog: Logger = {
  debug: print,
  info: print,
  warn: print,
  error: print,
  child: () => printingLog,
};

/** The events that the panel's event log would get. */
const events: AppEvent[] = [];
const sink: EventSink = {
  put: (event) => void events.push(event),
  forget: () => {},
  drainRing(ring, decode) {
    const drain = () =>
      void ring.drain((record) => {
        const event = decode(record);
        if (event !== undefined) events.push(event);
      });
    const timer = setInterval(drain, 50);
    return {
      [Symbol.dispose]() {
        clearInterval(timer);
        drain();
      },
    };
  },
  drainRingLater: (ring, _kind, decode) => sink.drainRing(ring, decode),
};

const conditions = createConditions();
const nat64 = defaultNat64(JSON.parse(nat64Text) as Nat64Changes);
const service = await startNat64(
  { nat64, listenPorts: [] },
  {
    log: process.env['NAT64_LOG'] === undefined ? silentLog : printingLog,
    stateDirectory,
    ourselves: followOurselves(prefixesOf({ ...fillDefaults({}), nat64 })),
    events: sink,
    conditions,
  },
);
process.send?.({ ready: true });

async function perform(request: Request): Promise<unknown> {
  switch (request.ask) {
    case 'status':
      return service.status();
    case 'counters':
      return service.counters();
    case 'contests':
      return service.kernelContests?.();
    case 'conditions':
      return conditions.reports();
    case 'sessions':
      return service.queries?.sessions(request.filter, { cursor: 0, limit: 500 });
    case 'explain':
      return service.queries?.explain(request.request);
    case 'log':
      return events;
    case 'fail':
      return service.failWorker();
    case 'reconfigure':
      return service.reconfigure({ nat64: defaultNat64(request.nat64), listenPorts: [] });
    case 'stop':
      return service[Symbol.asyncDispose]();
  }
}

async function answer(request: Request): Promise<void> {
  try {
    const result = await perform(request);
    // Once stopped, only the channel keeps the process alive.
    if (request.ask === 'stop') process.disconnect?.();
    else process.send?.({ result: result ?? null });
  } catch (error) {
    process.send?.({ error: String(error) });
  }
}

process.on('message', (request: Request) => void answer(request));
