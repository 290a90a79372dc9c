/**
 * The check for coalesced connections (RFC 9113 section 9.1.1). All names have one IPv4 address here. So a browser with an HTTP/2
 * connection to one server sends requests for another one over it, if the certificate of the first covers the name of the second.
 * The server must answer them with 421; then the browser opens a connection of its own.
 */
import { addressesOf, isHttps, serviceAt } from '../../config/host-services.ts';
import type { Config, HostConfig, ListenerConfig } from '../../config/schema.ts';
import { type Text, say } from '../../texts/text.ts';
import { type Check, type CheckBasis, type Finding, type ProbeTarget, ok, unknown, warn } from '../check.ts';
import { type HostTable, buildHostTable, findBackend, splitPattern } from './host-table.ts';

const MISDIRECTED = 421;
/** Names of one server that are asked for: each may have a certificate of its own. */
const MAX_NAMES = 20;
/** Names of others in one sentence. */
const SHOWN_NAMES = 3;

export const coalescing: Check = {
  id: 'coalescing',
  area: 'servers',
  title: say('Certificates with names of other servers'),
  why: say(
    'All names lead to one IPv4 address. Browsers then send requests for every name of a certificate over one HTTP/2 connection, and they reach the wrong server, unless that answers 421.',
  ),
  needs: ['server'],
  async run(deps) {
    const served = deps.config.proxy.listeners.filter(isHttps).flatMap((listener) => {
      const table = buildHostTable(deps.config.hosts, listener, { listeners: [], attached: [] });
      const names = namesAt(deps.config, listener);
      return new Set(names.map(({ server }) => server)).size < 2 ? [] : [{ listener, table, names }];
    });
    const findings = await Promise.all(
      served.flatMap(({ listener, table, names }) =>
        deps.config.hosts.map((host) => judgeServer(deps, host, listener, table, names)),
      ),
    );
    return findings.flat();
  },
};

interface NameOf {
  readonly server: string;
  /** As configured. */
  readonly pattern: string;
  /** A name that the pattern matches. */
  readonly example: string;
}

/** The host names at a listener, each with a name to ask for. */
const namesAt = ({ hosts }: Config, listener: ListenerConfig): NameOf[] =>
  hosts.flatMap((host) =>
    host.enabled && serviceAt(host, listener) !== undefined
      ? host.hostnames.map((pattern): NameOf => {
          const [stars, name] = splitPattern(pattern);
          return { server: host.name, pattern, example: stars === '' ? name : `tombolo-check.${name}` };
        })
      : [],
  );

async function judgeServer(
  deps: CheckBasis,
  host: HostConfig,
  listener: ListenerConfig,
  table: HostTable,
  names: readonly NameOf[],
): Promise<Finding[]> {
  const use = serviceAt(host, listener);
  const own = names.filter(({ server, pattern }) => server === host.name && !pattern.startsWith('*'));
  if (use === undefined || own.length === 0 || host.maintenance) return [];
  const target: ProbeTarget = {
    service: listener.name,
    address: addressesOf(host)[0],
    port: use.port,
    expects: 'https',
    hostnames: own.map(({ example }) => example),
    clientAddress: use.clientAddress,
  };
  const finding = await askServer(deps, host.name, target, table, names);
  const title = say('Certificates of {name} and the names of others', { name: host.name });
  return [{ ...finding, key: host.name, server: host.name, title }];
}

async function askServer(
  { askHttps }: CheckBasis,
  server: string,
  target: ProbeTarget,
  table: HostTable,
  names: readonly NameOf[],
): Promise<Finding> {
  let isAnswered = false;
  let refuses: Text | undefined;
  for (const hostname of target.hostnames.slice(0, MAX_NAMES)) {
    const seen = await askHttps(target, hostname, undefined);
    if (seen === undefined) continue;
    isAnswered = true;
    // Browsers share only HTTP/2 connections.
    if (!seen.isHttp2) continue;
    const others = names.filter(({ example }) => {
      const owner = findBackend(table, example)?.name;
      return owner !== undefined && owner !== server && seen.names.some((name) => covers(name, example));
    });
    if (others.length === 0) continue;
    // Each name for itself: servers answer 421 for the names that they know of, and take another name for their own.
    for (const { example, pattern } of others.slice(0, MAX_NAMES)) {
      const values = { server, hostname, names: pattern, other: findBackend(table, example)!.name };
      const answer = await askHttps(target, hostname, example);
      if (answer?.status === undefined)
        return unknown(
          say(
            'The certificate of {server} for {hostname} also covers {names} of {other}. What it answers to requests for them could not be measured.',
            values,
          ),
          REMEDY,
        );
      if (answer.status !== MISDIRECTED)
        return warn(
          say(
            'The certificate of {server} for {hostname} also covers {names} of {other}. A request for that name over an HTTP/2 connection to {server} is answered with {status}, not 421: visitors of {other} get pages of {server}.',
            { ...values, status: answer.status },
          ),
          REMEDY,
        );
    }
    const shown = others.slice(0, SHOWN_NAMES);
    refuses = say(
      'Its certificate also covers {names} of {other}, but it answers 421 to requests for them.',
      {
        names: shown.map(({ pattern }) => pattern).join(', '),
        other: [...new Set(shown.map(({ example }) => findBackend(table, example)!.name))].join(', '),
      },
    );
  }
  if (!isAnswered) return unknown(say('It does not answer at the moment; the check of the server says why.'));
  return ok(refuses ?? say('Its certificates cover no name of another server, or it does not speak HTTP/2.'));
}

const REMEDY = say(
  'Give each server a certificate with its own names only. Or let the server answer 421 to all other names: Apache does, and in nginx it takes a server block "listen [::]:443 ssl default_server; return 421;". Or switch HTTP/2 off there.',
);

/** Whether a name of a certificate is valid for a host (RFC 9525 section 6.3). */
export function covers(name: string, host: string): boolean {
  const lower = name.toLowerCase();
  if (!lower.startsWith('*.')) return lower === host;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot + 1) === lower.slice(2);
}
