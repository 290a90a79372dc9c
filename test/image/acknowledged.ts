/** Configurations that the appliance has acknowledged, and which of them still exist after a power cut. */
import assert from 'node:assert/strict';
import { type Bench, configuration } from './bench.ts';

/** The written configurations, by number. */
export interface Written {
  /** The last one that was answered with success. */
  acknowledged: number;
  /** The last one that was sent. */
  attempted: number;
}

const roundOf = (document: unknown): number => {
  const { hosts } = document as { hosts: { hostnames: string[] }[] };
  return Number(/^round-(\d+)\./.exec(hosts[0].hostnames[0])?.[1] ?? 0);
};

const bearer = (token: string) => ['-f', '-m', '30', '-H', `Authorization: Bearer ${token}`];

/** Writes one configuration after another through the API until `signal` aborts or the appliance does not answer. */
export async function writeConfigurations(
  { page }: Bench,
  token: string,
  written: Written,
  signal: AbortSignal,
): Promise<void> {
  let { stdout, code } = await page('/api/config', bearer(token));
  while (code === 0 && !signal.aborted) {
    const { revision } = JSON.parse(stdout) as { revision: string };
    written.attempted++;
    const document = configuration(written.attempted);
    const body = JSON.stringify({ document, revision, confirmSeconds: 0 });
    ({ stdout, code } = await page('/api/config/apply', [
      ...bearer(token),
      ...['-H', 'Content-Type: application/json', '-d', body],
    ]));
    if (code === 0) written.acknowledged = written.attempted;
  }
}

/** The active configuration and the one on the card are the same: the last acknowledged one, or the one in progress. */
export async function assertLastAcknowledged(
  { page, shell }: Bench,
  token: string,
  written: Written,
): Promise<void> {
  const { stdout } = await page('/api/config', bearer(token));
  const { document } = JSON.parse(stdout) as { document: unknown };
  assert.deepEqual(JSON.parse(await shell('cat /data/tombolo/config.json')), document);
  const round = roundOf(document);
  assert.ok(
    round >= written.acknowledged && round <= written.attempted,
    `configuration ${round}: expected ${written.acknowledged} (acknowledged) to ${written.attempted} (sent)`,
  );
  assert.deepEqual(document, configuration(round === 0 ? undefined : round));
  written.attempted = round;
  written.acknowledged = round;
}
