/** The commands. Each sends requests to the API and prints the result as text for people; `--json` prints the response instead. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import type {
  ConfigApplyAnswer,
  ConfigCheckAnswer,
  ConfigRevisionDetail,
  ConfigRevisionsAnswer,
  DiffEntry,
} from '../admin/contract/apply.ts';
import type { ExplainAnswer } from '../admin/contract/explain.ts';
import type { ConsoleFile } from '../admin/contract/auth.ts';
import type { ChecksAnswer, HostsAnswer } from '../admin/contract/checks.ts';
import type { EventsAnswer, LiveEvent } from '../admin/contract/live.ts';
import type { HardwareAnswer, LogsAnswer } from '../admin/contract/system.ts';
import type { RestoreAnswer } from '../admin/contract/backup.ts';
import type { StatusAnswer } from '../admin/contract/status.ts';
import { type Client, RequestError } from './client.ts';
import { age, bytes, table } from './format.ts';
import { EXIT, UsageError } from './usage.ts';

/** The part of GET config that is used here. */
interface ConfigAnswer {
  readonly revision: string;
  readonly document: unknown;
}

export interface Invocation {
  readonly client: Client;
  /** The arguments after the command's name. */
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadableStream;
  /** The state directory of the appliance on this machine; undefined when a URL was given. */
  readonly stateDirectory: string | undefined;
  /** Prints text for people; does nothing with --json. */
  readonly say: (text: string) => void;
  /** Prints a response; does nothing without --json. */
  readonly json: (answer: unknown) => void;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

type Command = (invocation: Invocation) => Promise<number>;

const query = (parameters: Record<string, string | boolean | undefined>): string => {
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
};

const need = (operands: readonly string[], at: number, what: string): string => {
  const value = operands[at];
  if (value === undefined) throw new UsageError(`${what} is missing`);
  return value;
};

const STATUS_TIMEOUT_MS = 10_000;
/** More than the appliance takes to find it out at most. */
const HARDWARE_TIMEOUT_MS = 12_000;

/** The runtime directory of tombolo.service, if the state directory is the usual one. */
const RUNTIME_DIRECTORY = { '/var/lib/tombolo': '/run/tombolo-actions' };

/** What the appliance with this state directory shows on its screen; undefined when it does not run. */
async function readConsoleFile(stateDirectory: string): Promise<ConsoleFile | undefined> {
  for (const directory of [RUNTIME_DIRECTORY[stateDirectory as '/var/lib/tombolo'], stateDirectory]) {
    if (directory === undefined) continue;
    try {
      const screen = JSON.parse(await readFile(join(directory, 'console.json'), 'utf8')) as ConsoleFile;
      if (isRunning(screen.processId)) return screen;
    } catch {
      // The file is missing, or was half written by an older version.
    }
  }
  return undefined;
}

/** kill(2) with signal 0; EPERM means that the process exists and belongs to another user. */
function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const status: Command = async ({ client, say, json, stateDirectory }) => {
  let answer: StatusAnswer;
  try {
    answer = await client.call<StatusAnswer>('GET', '/api/status', undefined, STATUS_TIMEOUT_MS);
  } catch (error) {
    // The panel may be the problem: another program has its port, and may even answer. So use the process's screen file too.
    const screen =
      error instanceof RequestError && error.answer === undefined && stateDirectory !== undefined
        ? await readConsoleFile(stateDirectory)
        : undefined;
    if (screen === undefined) throw error;
    json(screen);
    say(
      `Tombolo: ${screen.status}. Its panel was not reached (${(error as Error).message}); this is what its screen shows.`,
    );
    say(table(screen.services.map(({ name, state, problem }) => [name, state, problem ?? ''])));
    return EXIT.trouble;
  }
  // An appliance of an older version, or one that is busy, does not tell: its status is what was asked for.
  const hardware = await client
    .call<HardwareAnswer>('GET', '/api/system/hardware', undefined, HARDWARE_TIMEOUT_MS)
    .catch(() => null);
  json({ ...answer, hardware });
  say(
    `Tombolo ${answer.version}: ${answer.status}, up ${age(answer.process.uptimeSeconds)}, ${bytes(answer.process.rssBytes)}`,
  );
  say(
    table(
      answer.services.map(({ name, state, problem, figures }) => [
        name,
        state,
        problem ??
          Object.entries(figures)
            .map(([figure, value]) => `${figure} ${value}`)
            .join(', '),
      ]),
    ),
  );
  if (hardware !== null) say(table(hardware.lines.map(({ title, text }) => [title, text])));
  return answer.status === 'ok' ? EXIT.ok : EXIT.trouble;
};

/** Whether an address fails its health checks at some port. */
const isFailing = ({ healthChecks }: Pick<HostsAnswer['hosts'][number], 'healthChecks'>, address: string) =>
  healthChecks.some((each) => each.address === address && each.state === 'fail');

const hosts: Command = async ({ client, say, json }) => {
  const answer = await client.call<HostsAnswer>('GET', '/api/hosts');
  json(answer);
  const rows = answer.hosts.map(({ name, addresses, health, traffic, sshPort, hostnames, ...host }) => [
    name,
    addresses.map((address) => `${address}${isFailing(host, address) ? ' (fails)' : ''}`).join(' '),
    !host.enabled ? 'off' : host.maintenance ? 'maintenance' : health.state,
    sshPort === null ? '-' : `ssh port ${sshPort}`,
    traffic === null
      ? '-'
      : `${bytes(traffic['bytes-up'])} in, ${bytes(traffic['bytes-down'])} out, ${traffic.connections} open`,
    hostnames.join(' '),
  ]);
  say(rows.length === 0 ? 'No server yet: add one to "hosts" of the configuration.' : table(rows));
  // Whoever is in maintenance may fail.
  return answer.hosts.some(({ health, maintenance }) => health.state === 'fail' && !maintenance)
    ? EXIT.trouble
    : EXIT.ok;
};

const check: Command = async ({ client, say, json, options }) => {
  const answer = options['cached']
    ? await client.call<ChecksAnswer>('GET', '/api/checks')
    : await client.call<ChecksAnswer>('POST', '/api/checks/run', {});
  json(answer);
  for (const { id, state, title, what, remedy } of answer.items) {
    say(
      `${state.padEnd(7)} ${id}: ${title}. ${what}${remedy === null || state === 'ok' ? '' : `\n        ${remedy}`}`,
    );
  }
  say(answer.open === 0 ? 'Nothing to fix.' : `${answer.open} to fix.`);
  return answer.open === 0 ? EXIT.ok : EXIT.trouble;
};

const explain: Command = async ({ client, operands, say, json }) => {
  const from = need(operands, 0, 'who connects (an address)');
  const protocol = need(operands, 1, 'the protocol (tcp, udp or icmp)');
  const to = need(operands, 2, 'where to (a name or an address)');
  const port = operands[3] === undefined ? {} : { port: Number(operands[3]) };
  const alpn = operands[4] === undefined ? {} : { alpn: operands[4].split(',') };
  const answer = await client.call<ExplainAnswer>('POST', '/api/explain', {
    from,
    protocol,
    to,
    ...port,
    ...alpn,
  });
  json(answer);
  for (const { isOk, service, text } of answer.steps) say(`${isOk ? 'ok ' : 'NO '} ${service}: ${text}`);
  say(answer.outcome.text);
  return ['refused', 'unknown'].includes(answer.outcome.kind) ? EXIT.trouble : EXIT.ok;
};

const describe = ({ kind, label, from, to }: DiffEntry): string => {
  const value = (each: unknown) => JSON.stringify(each);
  if (kind === 'added') return `+ ${label}: ${value(to)}`;
  if (kind === 'removed') return `- ${label}: ${value(from)}`;
  return `~ ${label}: ${value(from)} -> ${value(to)}`;
};

const apply: Command = async ({ client, operands, options, stdin, say, json }) => {
  const file = need(operands, 0, 'the file with the configuration ("-": standard input)');
  const document = file === '-' ? await readAll(stdin) : await readFile(file, 'utf8');
  const checked = await client.call<ConfigCheckAnswer>('POST', '/api/config/check', { document });
  for (const { path, message, line } of checked.problems)
    say(`${line === undefined ? path : `line ${line}`}: ${message}`);
  for (const each of checked.diff) say(describe(each));
  for (const { message } of checked.failedAssertions) say(`assertion failed: ${message}`);
  if (!checked.valid || options['dry-run']) {
    json(checked);
    return checked.valid ? EXIT.ok : EXIT.refused;
  }
  const { revision } = await client.call<ConfigAnswer>('GET', '/api/config');
  const confirmSeconds = Number(options['confirm-seconds'] ?? 60);
  const applied = await client.call<ConfigApplyAnswer>('POST', '/api/config/apply', {
    document,
    revision,
    confirmSeconds,
    ignoreAssertions: options['ignore-assertions'] === true,
  });
  json(applied);
  if (!applied.changed) say('Nothing changes: this is in force.');
  else if (applied.confirmBy === null) say('Applied.');
  else if (options['no-confirm']) say(`Applied until ${applied.confirmBy}: "tombolo confirm" keeps it.`);
  else {
    // This answer arrived, so the appliance can still be reached.
    await client.call('POST', '/api/config/confirm', {});
    say('Applied and confirmed.');
  }
  return EXIT.ok;
};

const confirm: Command = async ({ client, say, json }) => {
  json(await client.call('POST', '/api/config/confirm', {}));
  say('Confirmed.');
  return EXIT.ok;
};

const rollback: Command = async ({ client, say, json }) => {
  json(await client.call('POST', '/api/config/rollback', {}));
  say('Taken back.');
  return EXIT.ok;
};

const config: Command = async ({ client, say, json }) => {
  const { document } = await client.call<ConfigAnswer>('GET', '/api/config');
  json(document);
  say(JSON.stringify(document, undefined, 2));
  return EXIT.ok;
};

const revisions: Command = async ({ client, operands, say, json }) => {
  const id = operands[0];
  if (id !== undefined) {
    const detail = await client.call<ConfigRevisionDetail>(
      'GET',
      `/api/config/revisions/${encodeURIComponent(id)}`,
    );
    json(detail);
    say(`${detail.id}  ${detail.at}  ${detail.by}  ${detail.why} ${detail.reason}`);
    for (const each of detail.diff) say(describe(each));
    return EXIT.ok;
  }
  const answer = await client.call<ConfigRevisionsAnswer>('GET', '/api/config/revisions');
  json(answer);
  say(
    table(
      answer.rows.map((row) => [
        `${row.isCurrent ? '*' : ' '}${row.id}`,
        row.at,
        row.by,
        `${row.changes} changes`,
        `${row.why} ${row.reason}`.trim(),
      ]),
    ),
  );
  return EXIT.ok;
};

const revert: Command = async ({ client, operands, say, json }) => {
  const id = need(operands, 0, 'the number of the revision');
  const { revision } = await client.call<ConfigAnswer>('GET', '/api/config');
  const path = `/api/config/revisions/${encodeURIComponent(id)}/revert`;
  const applied = await client.call<ConfigApplyAnswer>('POST', path, { revision, confirmSeconds: 0 });
  json(applied);
  say(applied.changed ? `Back to revision ${id}.` : 'Nothing changes: this is in force.');
  return EXIT.ok;
};

/** Secrets come from the environment or standard input: every process may read the arguments. */
async function passphraseOf({ environment, stdin }: Invocation): Promise<string> {
  const passphrase = environment['TOMBOLO_PASSPHRASE'] ?? (await readAll(stdin)).replace(/\r?\n$/, '');
  if (passphrase === '')
    throw new UsageError('the passphrase is missing: set TOMBOLO_PASSPHRASE or write it to standard input');
  return passphrase;
}

const backup: Command = async (invocation) => {
  const { client, operands, say, json } = invocation;
  const file = need(operands, 0, 'the file to write');
  const content = await client.bytes('POST', '/api/backup', { passphrase: await passphraseOf(invocation) });
  await writeFile(file, content, { mode: 0o600, flag: 'wx' });
  json({ file, bytes: content.length });
  say(`${file}: ${bytes(content.length)}`);
  return EXIT.ok;
};

const restore: Command = async (invocation) => {
  const { client, operands, options, say, json } = invocation;
  const file = (await readFile(need(operands, 0, 'the backup file'))).toString('base64');
  const passphrase = await passphraseOf(invocation);
  const path = `/api/restore?dryRun=${options['dry-run'] === true}`;
  const answer = await client.call<RestoreAnswer>('POST', path, { file, passphrase });
  json(answer);
  say(`Backup of ${answer.hostname}, ${answer.createdAt}, version ${answer.version}`);
  say(table(answer.entries.map(({ title, change, bytes: size }) => [title, change, bytes(size)])));
  for (const each of answer.diff) say(describe(each));
  if (answer.isDryRun) say('Nothing has been changed.');
  else
    say(
      answer.restarts
        ? 'Restored; the appliance starts again.'
        : 'Restored at the next start: start it again now.',
    );
  return EXIT.ok;
};

const supportBundle: Command = async ({ client, operands, say, json }) => {
  const file = need(operands, 0, 'the file to write');
  const content = await client.bytes('GET', '/api/support-bundle');
  await writeFile(file, content, { mode: 0o600, flag: 'wx' });
  json({ file, bytes: content.length });
  say(`${file}: ${bytes(content.length)}, without secrets; look at it before you send it`);
  return EXIT.ok;
};

const logs: Command = async ({ client, options, say, json }) => {
  const { level, limit } = options;
  const answer = await client.call<LogsAnswer>('GET', `/api/logs${query({ level, limit })}`);
  json(answer);
  for (const { at, level: of, message, fields } of answer.lines.toReversed()) {
    const more = JSON.stringify(fields);
    say(`${at} ${of.padEnd(5)} ${message}${more === '{}' ? '' : ` ${more}`}`);
  }
  return EXIT.ok;
};

const events: Command = async ({ client, options, say, json, signal }) => {
  const { kind, client: from, server, text, limit } = options;
  const filter = { kind, client: from, server, text };
  const { eventLine } = await import('./event-line.ts');
  if (!options['follow']) {
    const answer = await client.call<EventsAnswer>('GET', `/api/events${query({ ...filter, limit })}`);
    json(answer);
    for (const event of answer.events.toReversed()) say(eventLine(event));
    return EXIT.ok;
  }
  let isSignedOut = false;
  const path = `/api/live${query({ ...filter, topics: 'events' })}`;
  await client.stream(
    path,
    (name, data) => {
      isSignedOut ||= name === 'end' && (data as { reason: string }).reason === 'signed-out';
      if (name !== 'events') return;
      for (const event of data as LiveEvent[]) {
        json(event);
        say(eventLine(event));
      }
    },
    signal,
  );
  if (isSignedOut) return EXIT.denied;
  return signal.aborted ? EXIT.ok : EXIT.failed;
};

export const COMMANDS: Readonly<Record<string, Command>> = {
  status,
  hosts,
  check,
  explain,
  config,
  apply,
  confirm,
  rollback,
  revisions,
  revert,
  backup,
  restore,
  'support-bundle': supportBundle,
  logs,
  events,
};
