/** The translator's counters, read as an operator would read them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../lab/host.ts';
import { waitUntil } from '../../lab/wait.ts';
import type { Nat64Counter } from '../../src/services/nat64/counters.ts';

export type Nat64Counters = Readonly<Record<Nat64Counter, number>>;

/** The part of the admin API's answer that is used here. */
interface CountersAnswer {
  readonly services: readonly {
    readonly name: string;
    readonly counters: readonly { readonly name: string; readonly value: number }[];
  }[];
}

/** Queries the process that `startTombolo` started on the host with this directory. */
export async function readNat64Counters(host: Host, directory: string): Promise<Nat64Counters> {
  const tokenFile = join(directory, 'tombolo', 'admin-token');
  // The admin page is started last.
  await waitUntil('the admin token', () => existsSync(tokenFile));
  const token = readFileSync(tokenFile, 'utf8').trim();
  const { stdout } = await host.run('curl', [
    '--silent',
    '--show-error',
    '--fail',
    '--retry-connrefused',
    '--retry',
    '5',
    '--header',
    `Authorization: Bearer ${token}`,
    'http://127.0.0.1:8064/api/counters',
  ]);
  const nat64 = (JSON.parse(stdout) as CountersAnswer).services.find(({ name }) => name === 'nat64');
  if (nat64 === undefined) throw new Error('the admin API has no counters of nat64');
  return Object.fromEntries(nat64.counters.map(({ name, value }) => [name, value])) as Nat64Counters;
}
