/**
 * How long a client waits for its answers beside one that does no good, and alone: the same network, clients and servers as in
 * test/netns/http-hostile.test.ts, which judges all but the time.
 */
import { join } from 'node:path';
import { waitUntil } from '../../lab/wait.ts';
import { type Network, startNetwork } from '../netns/http/network.ts';
import { startServers } from '../netns/http/servers.ts';
import { OURS, type RowPlan, type Sample, type Scenario } from './measure.ts';
import { type Subject, type SubjectOptions, openSubject } from './subject.ts';

const CLIENTS = join(import.meta.dirname, '../netns/http/clients');
/** About as many as a busy machine answers. */
const REQUESTS_A_SECOND = 250;
const PATIENCE_MS = 300_000;

const HABITS = {
  idle: ['idle=10000'],
  hellos: ['half-hellos=5000'],
  resets: ['resets=50'],
  reader: ['slow-reader=200'],
  dead: ['dead=500'],
  all: ['idle=10000', 'half-heads=1000', 'half-hellos=1000', 'resets=20', 'slow-reader=100', 'dead=500'],
} as const;

export const openBeside = (options: SubjectOptions): Promise<Subject> =>
  openSubject(async (stack) => {
    const network = stack.use(
      await startNetwork({ main: options.main, host: { services: ['http', 'https'] } }),
    );
    await startServers(network, ['nginx', 'node']);
    return Object.entries(HABITS).map(([id, habits]) => scenario(network, id, habits));
  });

function scenario(network: Network, id: string, habits: readonly string[]): Scenario {
  const title = `Answers beside a client with ${habits.join(', ')}`;
  const row = (metric: string, of: string, more: Partial<RowPlan>): RowPlan => ({
    id: `beside-${id}-${metric}`,
    title: `${title}: ${of}`,
    metric,
    unit: 'ms',
    better: 'less',
    targets: [],
    ...more,
  });
  return {
    contenders: [{ name: OURS, run: (seconds) => sample(network, habits, seconds) }],
    rows: [
      row('p99', '99 % within', {}),
      row('ratio', '99 %, of that alone', { unit: 'times', targets: [{ bound: 'at most', value: 2 }] }),
    ],
  };
}

/** Alone, and then beside the other client. */
async function sample(network: Network, habits: readonly string[], seconds: number): Promise<Sample> {
  const alone = await p99(network, seconds);
  // It shares the processors with the client that is measured, and must not take its time there.
  const script = [process.execPath, join(CLIENTS, 'hostile.ts'), ...habits];
  await using hostile = network.outside.spawn('nice', ['-n', '19', ...script]);
  await hostile.waitForLine(/^ready$/, { timeoutMs: PATIENCE_MS });
  const beside = await p99(network, seconds);
  await hostile.stop();
  await waitUntil('the end of its connections', async () => (await network.figures())['connections'] === 0, {
    timeoutMs: PATIENCE_MS,
    intervalMs: 200,
  });
  return { p99: beside, ratio: beside / alone };
}

/** In milliseconds. Any failure rejects. */
async function p99(network: Network, seconds: number): Promise<number> {
  const args = [join(CLIENTS, 'good.ts'), String(seconds * REQUESTS_A_SECOND)];
  const { stdout } = await network.outside.run(process.execPath, args, { timeoutMs: PATIENCE_MS });
  const told = /^ok .* p99 ([0-9.]+) ms/.exec(stdout)?.[1];
  if (told === undefined) throw new Error(`good.ts: ${stdout}`);
  return Number(told);
}
