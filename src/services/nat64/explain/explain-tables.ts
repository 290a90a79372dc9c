/**
 * What BIB, sessions and pool would do with a packet from the IPv6 side, in the order of `filterFrom6`, and of `filterFrom4`
 * if the packet is hairpinned. The worker's indices are not shared, so the records are walked. Resting ports are not visible
 * here: they are unused, but not free.
 */
import type { ExplainRequest, ExplainStep } from '../questions.ts';
import { formatIpv4, parseIpv6 } from '../../../wire/ip-address.ts';
import { isWithinShares, networkBits } from '../tables/clients.ts';
import { type TablesView, findSessionRow, isSameHost, poolsOf, walkBib } from '../tables/inspect.ts';
import { type Packet, TRANSPORT } from '../packet/packet.ts';
import { portBlockOf } from '../settings/port-blocks.ts';
import { portsOf } from '../tables/port-use.ts';
import type { Settings } from '../settings/settings.ts';
import { CONTROL } from '../tables/tables.ts';
import { poolUse } from '../tables/usage.ts';
import { type Text, either, say, sentences } from '../../../texts/text.ts';
import { type Found, passed, refused } from './explain-parts.ts';
import { SHARE_OF_PORTS, explainSessionShare } from './explain-shares.ts';
import { explainOwnAddress, explainStatelessWayOut, explainWayOut } from './explain-way-out.ts';
import { compileAccessList, isAllowed } from '../settings/address-list.ts';

const NAMES = { tcp: 'TCP', udp: 'UDP', icmp: 'ICMP' } as const;

async function lookUp(
  view: TablesView,
  packet: Packet,
  request: ExplainRequest,
  nowSeconds: number,
): Promise<Found> {
  const { settings } = view;
  const { protocol, host, remoteAddress, remotePort } = packet;
  const address = parseIpv6(request.client) as Uint8Array;
  const { clientPrefixBits } = settings;
  const client = compileAccessList([{ address, prefixBits: clientPrefixBits }]);
  const network = compileAccessList([{ address, prefixBits: networkBits(clientPrefixBits) }]);
  const { clientPort, destinationPort } = request;
  const block = portBlockOf(settings.portBlocks, protocol, host);
  const found: Found = {
    mapping: undefined,
    session: undefined,
    entries: 0,
    clientMappings: 0,
    clientSessions: 0,
    clientPorts: 0,
    networkPorts: 0,
    networkSessions: 0,
    block,
    blockEntries: 0,
    target: undefined,
    use: await poolUse(view),
  };
  await walkBib(view, (mapping) => {
    const isOfProtocol = mapping.protocol === protocol ? 1 : 0;
    if (!mapping.isStatic && isAllowed(network, mapping.host)) {
      found.networkPorts += isOfProtocol;
      found.networkSessions += mapping.sessions;
    }
    if (!mapping.isStatic && isAllowed(client, mapping.host)) {
      found.clientMappings++;
      found.clientSessions += mapping.sessions;
      found.clientPorts += isOfProtocol;
    }
    if (mapping.protocol !== protocol) return true;
    const isInBlock =
      block !== undefined &&
      mapping.mappedAddress === settings.poolAddresses[block.slot] &&
      mapping.mappedPort >= block.firstPort &&
      mapping.mappedPort <= block.lastPort;
    if (isInBlock) found.blockEntries++;
    if (isSameHost(mapping.host, host)) {
      found.entries++;
      if (mapping.hostPort === clientPort) found.mapping = mapping;
    }
    const isTarget = mapping.mappedAddress === remoteAddress && mapping.mappedPort === destinationPort;
    if (isTarget && protocol !== TRANSPORT.ICMP) found.target = mapping;
    return true;
  });
  const { mapping } = found;
  if (mapping !== undefined && (protocol === TRANSPORT.ICMP || destinationPort !== undefined))
    found.session = await findSessionRow(view, mapping, remoteAddress, remotePort, nowSeconds);
  return found;
}

/** The steps, up to the first one that refuses. */
export async function stepsOfTables(
  view: TablesView,
  packet: Packet,
  request: ExplainRequest,
  nowSeconds: number,
): Promise<ExplainStep[]> {
  const { settings } = view;
  const refusal = await explainOwnAddress(view, packet, request);
  if (refusal !== undefined) return [refusal];
  if (packet.isStateless) {
    const own = formatIpv4(packet.mappedAddress);
    return [
      passed(
        say('{client} has the IPv4 address {own} for itself (RFC 7757, 7915): no session is needed.', {
          client: request.client,
          own,
        }),
      ),
      explainStatelessWayOut(settings, packet),
    ];
  }
  if (settings.isStateless) {
    const text = say(
      '{client} represents no IPv4 address, and with nat64.mode "stateless" no address is shared.',
      {
        client: request.client,
      },
    );
    return [refused('drop-untranslatable', text)];
  }
  if (packet.remoteHasEam) {
    const text = say('{client} shares its IPv4 address: it reaches {remote} through the NAT64 prefix only.', {
      client: request.client,
      remote: formatIpv4(packet.remoteAddress),
    });
    return [refused('drop-destination', text)];
  }
  const pools = poolsOf(view);
  if (pools.length === 0)
    return [refused('drop-no-pool4', say('The appliance has no IPv4 address to translate to.'))];
  const found = await lookUp(view, packet, request, nowSeconds);
  const mapping = explainMapping(view, packet, request, found);
  if (!mapping.isOk) return [mapping];
  const session = explainSession(view, found);
  if (!session.isOk) return [mapping, session];
  return [mapping, session, await explainWayOut(view, packet, request, found, nowSeconds)];
}

/** RFC 6146 section 3.5.1: the BIB entry, or whether a new one could be made. */
function explainMapping(
  { settings, tables }: TablesView,
  packet: Packet,
  request: ExplainRequest,
  found: Found,
): ExplainStep {
  const { mapping, entries, clientMappings, clientSessions, use } = found;
  const what = packet.protocol === TRANSPORT.ICMP ? say('identifier') : say('port');
  if (mapping !== undefined) {
    const values = {
      what,
      own: mapping.hostPort,
      address: formatIpv4(mapping.mappedAddress),
      mapped: mapping.mappedPort,
    };
    return passed(
      mapping.isStatic
        ? say("BIB: the client's {what} {own} has {address} {what} {mapped}, by nat64.static.", values)
        : say("BIB: the client's {what} {own} has {address} {what} {mapped}.", values),
    );
  }
  const protocol = NAMES[request.protocol];
  const has =
    entries === 1
      ? say('The client has 1 BIB entry for {protocol}.', { protocol })
      : say('The client has {entries} BIB entries for {protocol}.', { entries, protocol });
  if (clientSessions >= settings.maxSessionsPerClient)
    return refused(
      'drop-client-limit',
      say('The client has {count} sessions, which is its limit.', { count: clientSessions }),
    );
  const tooManySessions = explainSessionShare(found);
  if (tooManySessions !== undefined) return tooManySessions;
  if (clientMappings >= settings.maxMappingsPerClient)
    return refused(
      'drop-client-limit',
      say('The client has {count} BIB entries, which is its limit.', { count: clientMappings }),
    );
  const which =
    request.clientPort === undefined
      ? say('A packet from any other {what}', { what })
      : say("The client's {what} {number}", { what, number: request.clientPort });
  const rest =
    settings.portRestSeconds === 0
      ? undefined
      : say('Those used in the last {seconds} s are not reused yet.', { seconds: settings.portRestSeconds });
  if (settings.portBlocks !== undefined) return explainBlock(settings, request, found, which, rest);
  const left =
    portsOf(settings.pools, packet.protocol) -
    tables.control[CONTROL.PORTS_USED + packet.protocol] -
    tables.control[CONTROL.PORTS_RESTING + packet.protocol];
  if (left > 0 && !isWithinShares(found.clientPorts, found.networkPorts, left))
    return refused('drop-client-share', sentences(has, SHARE_OF_PORTS));
  const free = use.pools.filter(
    ({ size, used, protocols }) => protocols.includes(request.protocol) && used[request.protocol] < size,
  );
  if (free.length === 0)
    return refused(
      'drop-pool4-exhausted',
      sentences(has, say('There is no free {what} in pool4 for another.', { what })),
    );
  const ranges = free.map(({ address, firstPort, lastPort }) =>
    say('{address} {what} {range}', { address, what, range: `${firstPort}-${lastPort}` }),
  );
  return passed(
    sentences(
      has,
      say('{which} gets a new one, chosen at random from {ranges}.', { which, ranges: either(ranges) }),
      rest,
    ),
  );
}

/** RFC 7422: a new BIB entry with one of the client's own ports. */
function explainBlock(
  { poolAddresses }: Settings,
  { client, protocol }: ExplainRequest,
  { block, blockEntries }: Found,
  which: Text,
  rest: Text | undefined,
): ExplainStep {
  if (block === undefined)
    return refused('drop-no-port-block', say('nat64.portBlocks gives {client} no ports.', { client }));
  const { slot, firstPort, lastPort } = block;
  const ports = `${formatIpv4(poolAddresses[slot])} ${firstPort}-${lastPort}`;
  if (blockEntries > lastPort - firstPort)
    return refused(
      'drop-pool4-exhausted',
      say("All of the client's ports, {ports}, are in use for {protocol}.", {
        ports,
        protocol: NAMES[protocol],
      }),
    );
  return passed(
    sentences(
      say("{which} gets a new BIB entry out of the client's own ports, {ports}.", { which, ports }),
      rest,
    ),
  );
}

/** RFC 6146 section 3.5: the session, or whether a new one could be made. */
function explainSession({ settings }: TablesView, found: Found): ExplainStep {
  const { session, clientSessions, use } = found;
  if (session !== undefined) {
    const { remote, state, endsInSeconds } = session;
    return passed(
      state === null
        ? say('There is a session with {remote}; it ends in {seconds} s if nothing is sent.', {
            remote,
            seconds: endsInSeconds,
          })
        : say('There is a session with {remote}, {state}; it ends in {seconds} s if nothing is sent.', {
            remote,
            state,
            seconds: endsInSeconds,
          }),
    );
  }
  if (clientSessions >= settings.maxSessionsPerClient)
    return refused(
      'drop-client-limit',
      say('The client has {count} sessions, which is its limit.', { count: clientSessions }),
    );
  const tooMany = explainSessionShare(found);
  if (tooMany !== undefined) return tooMany;
  const counts = { used: use.sessions, most: use.maxSessions };
  if (use.sessions >= use.maxSessions)
    return refused(
      'drop-sessions-full',
      say('{used} of {most} sessions are in use: there is no room for another.', counts),
    );
  return passed(say('{used} of {most} sessions are in use: there is room for a new one.', counts));
}
