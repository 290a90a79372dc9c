import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../src/runtime/log.ts';
import type { Service } from '../../../src/runtime/service.ts';
import { ServiceSlot } from '../../../src/runtime/service-slot.ts';
import { english } from '../../../src/texts/text.ts';
import { NOBODY } from '../net/support.ts';

interface Options {
  readonly port: number;
}
interface Config {
  readonly mine: Options;
  readonly other: number;
}

const accept = ({ port }: Options) => {
  if (port > 9) throw new Error(`port ${port} is taken`);
};

/** A slot over a scripted service: `calls` records the calls; ports above 9 are refused. */
function makeSlot(port: number) {
  const calls: string[] = [];
  const start = async (options: Options): Promise<Service<Options>> => {
    accept(options);
    calls.push(`start ${options.port}`);
    return {
      name: 'fake',
      counterTable: {},
      async reconfigure(next) {
        accept(next);
        calls.push(`reconfigure ${next.port}`);
      },
      status: () => ({ state: 'running', restarts: 0, figures: {} }),
      counters: () => ({}),
      failWorker() {},
      async [Symbol.asyncDispose]() {
        calls.push('stop');
      },
    };
  };
  const context = { log: silentLog, stateDirectory: '/nonexistent', ourselves: NOBODY };
  const config: Config = { mine: { port }, other: 0 };
  return { calls, slot: new ServiceSlot('fake', (c: Config) => c.mine, start, config, context) };
}

test('a change elsewhere in the configuration does not reach the service', async () => {
  const { slot, calls } = makeSlot(1);
  await slot.start();
  await slot.reconfigure({ mine: { port: 1 }, other: 5 });
  await slot.reconfigure({ mine: { port: 2 }, other: 5 });
  await slot[Symbol.asyncDispose]();
  assert.deepEqual(calls, ['start 1', 'reconfigure 2', 'stop']);
});

test('a refused change rejects and leaves the old options active', async () => {
  const { slot, calls } = makeSlot(1);
  await slot.start();
  await assert.rejects(slot.reconfigure({ mine: { port: 10 }, other: 0 }), /port 10 is taken/);
  await slot.reconfigure({ mine: { port: 1 }, other: 0 });
  await slot[Symbol.asyncDispose]();
  assert.deepEqual(calls, ['start 1', 'stop']);
});

test('a service that cannot start is reported, and started by the change that fixes it', async () => {
  const { slot, calls } = makeSlot(10);
  await slot.start();
  assert.equal(slot.report().status.state, 'failed');
  assert.match(english(slot.report().status.problem ?? ''), /port 10 is taken/);
  await slot.reconfigure({ mine: { port: 3 }, other: 0 });
  assert.equal(slot.report().status.state, 'running');
  await slot[Symbol.asyncDispose]();
  assert.deepEqual(calls, ['start 3', 'stop']);
});
