/**
 * What BIB, sessions and pool would do to a packet from the IPv6 side: the order of `filterFrom6`, and of `filterFrom4`
 * where the packet comes back in. The worker's indices are not shared, so the records are walked. What cannot be seen
 * from here: ports that rest, and so are not free although nobody has them.
 */
import type {
  Arrival,
  ExplainRequest,
  ExplainStep,
  PoolUse,
  SessionRow,
} from '../../runtime/nat64-queries.ts';
import { formatIpv4, parseIpv6 } from '../../wire/ip-address.ts';
import { isWithinShares, networkBits } from './clients.ts';
import type { Nat64Counter } from './counters.ts';
import {
  type HostWords,
  type Mapping,
  type TablesView,
  findSessionRow,
  formatHost,
  isSameHost,
  poolsOf,
  walkBib,
} from './inspect.ts';
import { type Packet, TRANSPORT } from './packet.ts';
import { findEam4 } from './eam.ts';
import { portBlockOf } from './port-blocks.ts';
import { portsOf } from './port-use.ts';
import { type PortPool, type Settings, compileAccessList, isAllowed, isInPool, slotOf } from './settings.ts';
import { CONTROL } from './tables.ts';
import { poolUse } from './usage.ts';
import { type Text, either, say, sentences } from '../../texts/text.ts';

const NAMES = { tcp: 'TCP', udp: 'UDP', icmp: 'ICMP' } as const;

/** RFC 5382 section 4.3: how long an unanswered SYN waits. */
export const SYN_KEPT: Text = say('The SYN is kept for 6 seconds, then refused.');

export const passed = (text: Text, arrival?: Arrival): ExplainStep => ({
  isOk: true,
  text,
  counter: null,
  ...(arrival !== undefined && { arrival }),
});
export const refused = (counter: Nat64Counter, text: Text): ExplainStep => ({ isOk: false, text, counter });

/** What the tables hold that concerns the packet. */
interface Found {
  /** Of the client's port, when that is known and has one. */
  mapping: Mapping | undefined;
  session: SessionRow | undefined;
  /** BIB entries of the client for this protocol. */
  entries: number;
  /** What counts for the limits of the client, which may be a prefix; static entries do not. */
  clientMappings: number;
  clientSessions: number;
  /** For the shares: of this protocol, and of the network that the client is in. */
  clientPorts: number;
  networkPorts: number;
  networkSessions: number;
  /** The client's own ports, where clients have blocks, and BIB entries that have some of them. */
  block: PortPool | undefined;
  blockEntries: number;
  /** Who has the destination, when that is a pool4 address. */
  target: Mapping | undefined;
  use: PoolUse;
}

async function lookUp(
  view: TablesView,
  packet: Packet,
  request: ExplainRequest,
  nowSeconds: number,
): Promise<Found> {
  const { settings } = view;
  const { protocol, remoteAddress, remotePort } = packet;
  const host: HostWords = {
    word0: packet.host0,
    word1: packet.host1,
    word2: packet.host2,
    word3: packet.host3,
  };
  const address = parseIpv6(request.client) as Uint8Array;
  const { clientPrefixBits } = settings;
  const client = compileAccessList([{ address, prefixBits: clientPrefixBits }]);
  const network = compileAccessList([{ address, prefixBits: networkBits(clientPrefixBits) }]);
  const { clientPort, destinationPort } = request;
  const block = portBlockOf(settings.portBlocks, protocol, host.word0, host.word1, host.word2, host.word3);
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
    const { word0, word1, word2, word3 } = mapping;
    const isOfProtocol = mapping.protocol === protocol ? 1 : 0;
    if (!mapping.isStatic && isAllowed(network, word0, word1, word2, word3)) {
      found.networkPorts += isOfProtocol;
      found.networkSessions += mapping.sessions;
    }
    if (!mapping.isStatic && isAllowed(client, word0, word1, word2, word3)) {
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
    if (isSameHost(mapping, host)) {
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

/** The steps up to the one that refuses. */
export async function stepsOfTables(
  view: TablesView,
  packet: Packet,
  request: ExplainRequest,
  nowSeconds: number,
): Promise<ExplainStep[]> {
  const { settings } = view;
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
    const text = say('{client} stands for no IPv4 address, and nat64.mode "stateless" shares none.', {
      client: request.client,
    });
    return [refused('drop-untranslatable', text)];
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

/** Without sessions nothing here can refuse it: whether it comes back in, its destination decides. */
function explainStatelessWayOut(settings: Settings, { remoteAddress }: Packet): ExplainStep {
  const remote = formatIpv4(remoteAddress);
  const isOurs = slotOf(settings.poolAddresses, remoteAddress) !== -1;
  if (!isOurs && findEam4(settings.eam, remoteAddress) === undefined)
    return passed(say('It leaves the translator for {remote}.', { remote }), {
      kind: 'internet',
      address: remote,
    });
  return passed(
    say('It leaves the translator for {remote}, which this appliance translates too (hairpinning).', {
      remote,
    }),
    {
      kind: 'translator',
      address: remote,
    },
  );
}

/** RFC 6146 section 3.5.1: the BIB entry, or whether there could be a new one. */
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
      say('The client has {count} sessions: all it may have.', { count: clientSessions }),
    );
  const tooManySessions = explainSessionShare(found);
  if (tooManySessions !== undefined) return tooManySessions;
  if (clientMappings >= settings.maxMappingsPerClient)
    return refused(
      'drop-client-limit',
      say('The client has {count} BIB entries: all it may have.', { count: clientMappings }),
    );
  const which =
    request.clientPort === undefined
      ? say('A packet from any other {what}', { what })
      : say("The client's {what} {number}", { what, number: request.clientPort });
  const rest =
    settings.portRestSeconds === 0
      ? undefined
      : say('What was used in the last {seconds} s rests.', { seconds: settings.portRestSeconds });
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
      say('{which} gets a new one, at random out of {ranges}.', { which, ranges: either(ranges) }),
      rest,
    ),
  );
}

/** RFC 7422: a new BIB entry out of the client's own ports. */
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

const SHARE_OF_PORTS = say(
  'Few ports are left, and the client or its network has far more than that: it gets no more until some end.',
);
const SHARE_OF_SESSIONS = say(
  'Few sessions are left, and the client or its network has far more than that: it gets no more until some end.',
);

/** The refusal where the client has more sessions than its share. */
function explainSessionShare({ clientSessions, networkSessions, use }: Found): ExplainStep | undefined {
  const left = use.maxSessions - use.sessions;
  return left <= 0 || isWithinShares(clientSessions, networkSessions, left)
    ? undefined
    : refused('drop-client-share', SHARE_OF_SESSIONS);
}

/** RFC 6146 section 3.5: the session, or whether there could be a new one. */
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
      say('The client has {count} sessions: all it may have.', { count: clientSessions }),
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

function isOfClient({ settings }: TablesView, target: Mapping, packet: Packet): boolean {
  const address = parseIpv6(formatHost(target)) as Uint8Array;
  const client = compileAccessList([{ address, prefixBits: settings.clientPrefixBits }]);
  return !target.isStatic && isAllowed(client, packet.host0, packet.host1, packet.host2, packet.host3);
}

/** What counts when the IPv4 side opens a session: those of the mapping when it is static, else those of its client. */
async function sessionsFor(view: TablesView, target: Mapping): Promise<number> {
  if (target.isStatic) return target.sessions;
  const address = parseIpv6(formatHost(target)) as Uint8Array;
  const client = compileAccessList([{ address, prefixBits: view.settings.clientPrefixBits }]);
  let sessions = 0;
  await walkBib(view, ({ isStatic, word0, word1, word2, word3, sessions: ofMapping }) => {
    if (!isStatic && isAllowed(client, word0, word1, word2, word3)) sessions += ofMapping;
    return true;
  });
  return sessions;
}

/** RFC 6146 section 3.8: what is for a mapping of ours comes back in; all else leaves. */
async function explainWayOut(
  view: TablesView,
  packet: Packet,
  { destinationPort }: ExplainRequest,
  found: Found,
  nowSeconds: number,
): Promise<ExplainStep> {
  const { protocol, remoteAddress } = packet;
  const { settings } = view;
  const remote = formatIpv4(remoteAddress);
  const slot = slotOf(settings.poolAddresses, remoteAddress);
  if (slot === -1) {
    const isOurs = findEam4(settings.eam, remoteAddress) !== undefined;
    const kind = isOurs ? 'translator' : 'internet';
    return passed(
      isOurs
        ? say(
            'It leaves the appliance for {remote}, which an address mapping gives to a server of ours (hairpinning).',
            { remote },
          )
        : say('It leaves the appliance for {remote}.', { remote }),
      { kind, address: remote },
    );
  }
  const isOwn = settings.isOwnAddress[slot];
  const owner = isOwn ? say('the packet is for the appliance itself') : say('nobody has it');
  const arrival: Arrival = { kind: isOwn ? 'appliance' : 'nobody', address: remote };
  if (protocol === TRANSPORT.ICMP)
    return passed(say('{remote} is a pool4 address, and {owner}.', { remote, owner }), arrival);
  if (destinationPort === undefined)
    return passed(
      say('{remote} is a pool4 address: who gets the packet depends on the destination port.', { remote }),
    );
  const there = say('{address} port {port}', { address: remote, port: destinationPort });
  const wait = protocol === TRANSPORT.TCP && settings.storesSyns ? SYN_KEPT : undefined;
  const { target, mapping, session, use } = found;
  if (target === undefined) {
    return isInPool(settings, slot, protocol, destinationPort)
      ? refused('drop-no-bib-entry', sentences(say('Nobody has {address}.', { address: there }), wait))
      : passed(say('{there} is outside the pool, and {owner}.', { there, owner }), arrival);
  }
  const host = say('{address} port {port}', { address: formatHost(target), port: target.hostPort });
  // A client without a mapping will get an address of the pool: this one, as far as anybody can tell.
  const from = mapping?.mappedAddress ?? remoteAddress;
  const back = mapping && (await findSessionRow(view, target, from, mapping.mappedPort, nowSeconds));
  if (back === undefined && settings.isAddressDependent) {
    const hasSent = await findSessionRow(view, target, from, undefined, nowSeconds);
    if (hasSent === undefined)
      return refused(
        'drop-filtered',
        sentences(
          say('{there} is that of {host}, which has not sent to {address}.', {
            there,
            host,
            address: formatIpv4(from),
          }),
          wait,
        ),
      );
  }
  const needed = (session === undefined ? 1 : 0) + (back === undefined ? 1 : 0);
  if (use.sessions + needed > use.maxSessions)
    return refused(
      'drop-sessions-full',
      say('There is no room for the session of {host}, which has {there}.', { host, there }),
    );
  const left = use.maxSessions - use.sessions - (needed - 1);
  // The packet's own session may be one of the same client.
  const own = session === undefined && isOfClient(view, target, packet) ? 1 : 0;
  if (back === undefined && (await sessionsFor(view, target)) + own >= left)
    return refused('drop-client-share', SHARE_OF_SESSIONS);
  return passed(
    say('{there} is the mapping of {host}: the packet comes back in and goes there (hairpinning).', {
      there,
      host,
    }),
    {
      kind: 'host',
      address: formatHost(target),
      port: target.hostPort,
    },
  );
}
