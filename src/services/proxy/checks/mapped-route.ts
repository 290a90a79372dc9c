/** Whether servers with clientAddress "mapped" send their answers to mapped addresses to this appliance: tried by a connection. */
import { addressesOf, waysAt } from '../../../config/host-services.ts';
import type { Config, HostConfig } from '../../../config/schema.ts';
import type { ConnectResult } from '../../../os/connect-from.ts';
import type { Machine } from '../../../os/machine.ts';
import { type Text, asIs, say } from '../../../texts/text.ts';
import { formatIpAddress, parseIpv6 } from '../../../wire/ip-address.ts';
import { maskAddress } from '../../../wire/ip-prefix.ts';
import { type Check, type Finding, fail, ok, unknown, warn } from '../../check.ts';
import { isMapped, probeAddress, routeLine, routePrefix, usesMapped } from '../../mapped.ts';

const TIMEOUT_MS = 3000;

export const mappedRoute: Check = {
  id: 'mapped-route',
  area: 'servers',
  title: say('Route for mapped addresses'),
  why: say(
    'A server with clientAddress "mapped" sees clients as addresses of proxy.mappedPrefix. Its answers to them come back only if it routes this prefix to the appliance.',
  ),
  isCheap: ({ hosts }) => usesMapped(hosts),
  needs: ['default-route-6', 'kernel-state'],
  run: ({ config, machine }) =>
    Promise.all(
      config.hosts.filter(isMapped).map(async (host) => ({
        ...(await judge(config, host, machine)),
        key: host.name,
        server: host.name,
        title: say('Route for mapped addresses: {name}', { name: host.name }),
      })),
    ),
};

async function judge({ proxy }: Config, host: HostConfig, machine: Machine): Promise<Finding> {
  const port = mappedPort(proxy, host);
  if (port === undefined) return unknown(say('No listener leads to {name}.', { name: host.name }));
  const findings = await Promise.all(
    addressesOf(host).map((address) => judgeAddress(proxy, host, parseIpv6(address)!, port, machine)),
  );
  return findings.find(({ state }) => state !== 'ok') ?? findings[0];
}

/** A port of the server to which connections come from mapped addresses. */
function mappedPort(proxy: Config['proxy'], host: HostConfig): number | undefined {
  const uses = proxy.listeners.flatMap((listener) => waysAt(host, listener));
  const use = uses.find(({ clientAddress }) => clientAddress === 'mapped');
  return use?.port ?? (host.ssh === false ? undefined : host.ssh.targetPort);
}

async function judgeAddress(
  proxy: Config['proxy'],
  host: HostConfig,
  address: Uint8Array,
  port: number,
  machine: Machine,
): Promise<Finding> {
  const mapped = probeAddress(proxy);
  const attempt = { address, port, timeoutMs: TIMEOUT_MS };
  const [fromMapped, fromOwn] = await Promise.all([
    machine.connectFrom({ ...attempt, source: mapped }),
    machine.connectFrom({ ...attempt, source: undefined }),
  ]);
  const prefix = routePrefix(proxy);
  if (isAnswer(fromMapped))
    return ok(
      say('An answer from port {port} to {address} came back: the server routes {prefix} to the appliance.', {
        port,
        address: formatIpAddress(mapped),
        prefix,
      }),
    );
  if (!isAnswer(fromOwn))
    return unknown(
      say('The server does not answer at port {port}, also not to the address of the appliance.', { port }),
    );
  const what = say(
    'The server answers to the address of the appliance, but an answer from port {port} to {address} did not come back. {effect}',
    { port, address: formatIpAddress(mapped), effect: EFFECTS[proxy.mappedFallback] },
  );
  const remedy = await howToFix({ prefix, proxy, host, address, machine });
  return proxy.mappedFallback === 'none' ? warn(what, remedy) : fail(what, remedy);
}

const EFFECTS: Readonly<Record<Config['proxy']['mappedFallback'], Text>> = {
  none: say('Meanwhile the server sees the address of the appliance as the client.'),
  refuse: say('Its clients are refused (proxy.mappedFallback).'),
};

const isAnswer = (result: ConnectResult): boolean => result === 'accepted' || result === 'refused';

interface Missing {
  readonly prefix: string;
  readonly proxy: Config['proxy'];
  readonly host: HostConfig;
  readonly address: Uint8Array;
  readonly machine: Machine;
}

async function howToFix({ prefix, proxy, host, address, machine }: Missing): Promise<Text> {
  const path = machine.pathTo(address);
  const own = 'problem' in path ? undefined : path.source;
  if (own !== undefined && (await isOnLink(machine, address)))
    return say(
      'Run this on {name}, and make the route permanent there (the page of the server has the settings): {line}',
      { name: host.name, line: routeLine(proxy, own) },
    );
  return say(
    'Add a route for {prefix} to the appliance ({own}), on {name} and on each router between the two. Their filters must let packets with such addresses pass.',
    { prefix, own: own ?? asIs('?'), name: host.name },
  );
}

/** Whether the server is on a network that the appliance is attached to. */
async function isOnLink(machine: Machine, server: Uint8Array): Promise<boolean> {
  const interfaces = await machine.interfaces();
  return interfaces.some(({ addresses }) =>
    addresses.some(({ address, prefixBits }) => {
      const own = parseIpv6(address.split('%')[0]);
      if (own === undefined) return false;
      return Buffer.compare(maskAddress(own, prefixBits), maskAddress(server, prefixBits)) === 0;
    }),
  );
}
