/** `tombolo`: the API for scripts and the command line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { RequestError, createClient, fingerprintOf } from './client.ts';
import { COMMANDS } from './commands.ts';
import { EXIT, OPTIONS, USAGE, UsageError } from './usage.ts';

const environment = process.env;

const LOOPBACK = /^(localhost|127\.[0-9.]+|\[::1\])$/;

/** The content of a file; undefined when it is missing or not readable. */
function readIfPossible(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

async function firstLineOf(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stream })) return line;
  return '';
}

interface Access {
  readonly url?: string | undefined;
  readonly 'token-file'?: string | undefined;
  readonly 'token-stdin'?: boolean | undefined;
  readonly fingerprint?: string | undefined;
  readonly state?: string | undefined;
  readonly 'insecure-http'?: boolean | undefined;
}

async function tokenOf(options: Access, stateDirectory: string): Promise<string | undefined> {
  const file = options['token-file'];
  if (file !== undefined) {
    const token = readIfPossible(file);
    if (token === undefined) throw new UsageError(`--token-file ${file}: cannot be read`);
    return token.trim();
  }
  if (options['token-stdin']) return (await firstLineOf(process.stdin)).trim();
  return environment['TOMBOLO_TOKEN'] ?? readIfPossible(join(stateDirectory, 'admin-token'))?.trim();
}

const urlOf = (options: Access): string | undefined => options.url ?? environment['TOMBOLO_URL'];

const stateDirectoryOf = (options: Access): string =>
  options.state ?? environment['TOMBOLO_STATE'] ?? '/var/lib/tombolo';

async function targetOf(options: Access) {
  const text = urlOf(options) ?? 'http://127.0.0.1:8064';
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(`--url ${text}: expected a URL such as https://tombolo.local:8064`);
  }
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && options['insecure-http'] !== true) {
    throw new UsageError(
      `--url ${text}: the token would be readable on its way; use https://, or --insecure-http`,
    );
  }
  const stateDirectory = stateDirectoryOf(options);
  const given = (options.fingerprint ?? environment['TOMBOLO_FINGERPRINT'])?.toUpperCase();
  if (given !== undefined && !/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/.test(given)) {
    throw new UsageError(
      `--fingerprint ${given}: expected 32 bytes of hexadecimal with colons, as the console shows`,
    );
  }
  const pem =
    url.protocol === 'https:' ? readIfPossible(join(stateDirectory, 'admin-certificate.pem')) : undefined;
  return {
    url,
    token: await tokenOf(options, stateDirectory),
    fingerprint: given ?? (pem === undefined ? undefined : fingerprintOf(pem)),
  };
}

function exitCodeOf(error: RequestError): number {
  if (error.status === 401 || error.status === 403) return EXIT.denied;
  return error.status >= 400 && error.status < 500 ? EXIT.refused : EXIT.failed;
}

async function main(): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values: options, positionals } = parsed;
  if (options.help) {
    process.stdout.write(USAGE);
    return EXIT.ok;
  }
  if (options.version) {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    process.stdout.write(`tombolo ${version}\n`);
    return EXIT.ok;
  }
  const [name = '', ...operands] = positionals;
  if (!Object.hasOwn(COMMANDS, name)) {
    throw new UsageError(name === '' ? 'the command is missing' : `unknown command "${name}"`);
  }
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  const target = await targetOf(options);
  return COMMANDS[name]({
    client: createClient(target),
    stateDirectory: urlOf(options) === undefined ? stateDirectoryOf(options) : undefined,
    operands,
    options,
    environment,
    stdin: process.stdin,
    say: options.json ? () => {} : print,
    json: options.json ? (answer) => print(JSON.stringify(answer)) : () => {},
    signal: interrupted.signal,
  });
}

const parse = () => parseArgs({ options: OPTIONS, allowPositionals: true });

try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode =
    error instanceof UsageError
      ? EXIT.usage
      : error instanceof RequestError
        ? exitCodeOf(error)
        : EXIT.failed;
  const problems =
    error instanceof RequestError
      ? (error.answer as { problems?: { message: string }[] })?.problems
      : undefined;
  const lines = [
    `tombolo: ${(error as Error).message}`,
    ...(problems ?? []).map(({ message }) => `  ${message}`),
  ];
  if (error instanceof UsageError) lines.push('"tombolo --help" tells what is possible.');
  process.stderr.write(`${lines.join('\n')}\n`);
}
