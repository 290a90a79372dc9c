/** Our own contender: the whole process, as the appliance runs it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child, Host } from '../../lab/host.ts';
import { pinned } from './subject.ts';

export interface TomboloOptions {
  /** The program: src/main.ts of this checkout or of another. */
  readonly main: string;
  /** For its configuration and its state. */
  readonly directory: string;
  /** Settings that are absent have the schema's default. */
  readonly configuration: object;
  readonly cpu?: number | undefined;
}

/** Starts it on a host; the caller waits for the service that it will measure. */
export function startTombolo(host: Host, { main, directory, configuration, cpu }: TomboloOptions): Child {
  const state = join(directory, 'tombolo');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const file = join(directory, 'tombolo.json');
  writeFileSync(file, JSON.stringify(configuration, undefined, 2));
  const [command, args] = pinned(cpu, process.execPath, main, '--config', file, '--state', state);
  // Set from outside, as the unit does; deleted together with the directory.
  return host.spawn(command, args, { env: { NODE_COMPILE_CACHE: join(state, 'compile-cache') } });
}
