/**
 * What would happen to a packet of a client, step by step. The verdict on the packet itself is the data plane's own: such
 * a packet is made and given to `determineTuple6`. What the tables would do to it is read from them, as inspect.ts does.
 */
import type { ExplainRequest, ExplainStep, Explanation, Nat64Protocol } from '../../runtime/nat64-queries.ts';
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../../wire/ip-address.ts';
import { ICMP, ICMP6, ICMP_HEADER_BYTES } from '../../wire/icmp.ts';
import { IP_PROTOCOL } from '../../wire/ipv4.ts';
import { IPV6, IPV6_HEADER_BYTES, writeIpv6Start } from '../../wire/ipv6.ts';
import { extractIpv4, writeEmbeddedIpv4 } from '../../wire/nat64-prefix.ts';
import { TCP, TCP_FLAG, TCP_HEADER_BYTES, UDP, UDP_HEADER_BYTES } from '../../wire/tcp-udp.ts';
import { COUNTER, CONTINUE, NAT64_COUNTERS, type Nat64Counter, type Verdict } from './counters.ts';
import { determineTuple6 } from './incoming-tuple-6.ts';
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
import { HEADROOM_BYTES, type Packet, TRANSPORT, createPacket, loadPacket } from './packet.ts';
import type { Settings } from './settings.ts';
import { poolUse } from './usage.ts';

const HOP_LIMIT = 64;
const NAMES = { tcp: 'TCP', udp: 'UDP', icmp: 'ICMP' } as const satisfies Record<Nat64Protocol, string>;

/** What is known when a sentence is made. */
interface Facts {
  readonly request: ExplainRequest;
  readonly destination: string;
  readonly prefix: string;
  readonly remote: string;
}

interface Check {
  readonly counter: Nat64Counter;
  readonly ok: (facts: Facts) => string;
  readonly refused: (facts: Facts) => string;
}

/** What `determineTuple6` asks of the addresses, in its order. */
const CHECKS: readonly Check[] = [
  {
    counter: 'drop-destination',
    ok: ({ destination, prefix, remote }) =>
      `${destination} is inside the NAT64 prefix ${prefix} and stands for ${remote}.`,
    refused: ({ destination, prefix }) =>
      `${destination} is outside the NAT64 prefix ${prefix}: it is no address for NAT64, but one to be routed.`,
  },
  {
    counter: 'drop-source-in-prefix',
    ok: ({ request }) => `${request.client} is outside that prefix, as a client must be.`,
    refused: ({ request }) => `${request.client} is itself inside the NAT64 prefix: the packet would loop.`,
  },
  {
    counter: 'drop-source-invalid',
    ok: ({ request }) => `${request.client} is a unicast address that answers can be sent to.`,
    refused: ({ request }) =>
      `${request.client} is no unicast address of a host on another link, so no answer could be sent to it.`,
  },
  {
    counter: 'drop-not-allowed',
    ok: ({ request }) => `nat64.allow lists ${request.client}.`,
    refused: ({ request }) => `nat64.allow does not list ${request.client}.`,
  },
  {
    counter: 'drop-non-global',
    ok: ({ remote }) => `${remote} may be reached through this prefix.`,
    refused: ({ remote, prefix }) =>
      `${remote} is private or reserved; ${prefix} must not stand for it (RFC 6052 section 3.1).`,
  },
];

const COUNTER_NAMES = Object.keys(NAT64_COUNTERS) as Nat64Counter[];

/** Explains what would happen to the packet now; nothing is changed by it. */
export async function explain(
  view: TablesView,
  request: ExplainRequest,
  nowSeconds: number,
): Promise<Explanation> {
  const { settings } = view;
  const packet = probe(settings, request);
  const { start } = packet;
  const destination = formatIpv6(packet.bytes.slice(start + IPV6.DESTINATION, start + IPV6_HEADER_BYTES));
  const verdict = determineTuple6(settings, packet);
  const { prefixBits, word0, word1, word2 } = settings.prefix;
  const steps = stepsOfVerdict(verdict, {
    request,
    destination,
    prefix: `${formatHost({ word0, word1, word2, word3: 0 })}/${prefixBits}`,
    // The packet's own is set only when all is well.
    remote: formatIpv4(extractIpv4(prefixBits, packet.view, start + IPV6.DESTINATION)),
  });
  if (verdict === CONTINUE) {
    for (const look of [explainMapping, explainSession, explainHairpin]) {
      const step = await look(view, packet, request, nowSeconds);
      if (step === undefined) continue;
      steps.push(step);
      if (!step.isOk) break;
    }
  }
  return { isTranslated: steps.every(({ isOk }) => isOk), steps };
}

const passed = (text: string): ExplainStep => ({ isOk: true, text, counter: null });
const refused = (counter: Nat64Counter, text: string): ExplainStep => ({ isOk: false, text, counter });

/** The checks up to the one that refused. */
function stepsOfVerdict(verdict: Verdict, facts: Facts): ExplainStep[] {
  const steps: ExplainStep[] = [];
  for (const { counter, ok, refused: text } of CHECKS) {
    if (verdict === COUNTER[counter]) return [...steps, refused(counter, text(facts))];
    steps.push(passed(ok(facts)));
  }
  if (verdict !== CONTINUE) {
    const counter = COUNTER_NAMES[verdict];
    steps.push(refused(counter, `${NAT64_COUNTERS[counter]}.`));
  }
  return steps;
}

const clientOf = ({ host0, host1, host2, host3 }: Packet): HostWords => ({
  word0: host0,
  word1: host1,
  word2: host2,
  word3: host3,
});

const portName = (protocol: number) => (protocol === TRANSPORT.ICMP ? 'identifier' : 'port');

/** RFC 6146 section 3.5.1: the BIB entry, or whether there could be a new one. */
async function explainMapping(view: TablesView, packet: Packet, request: ExplainRequest) {
  const pools = poolsOf(view);
  if (pools.length === 0)
    return refused('drop-no-pool4', 'The appliance has no IPv4 address to translate to.');
  const { protocol } = packet;
  const client = clientOf(packet);
  const own: { count: number; exact?: Mapping } = { count: 0 };
  await walkBib(view, (mapping) => {
    if (mapping.protocol !== protocol || !isSameHost(mapping, client)) return true;
    own.count++;
    if (mapping.hostPort === request.clientPort) own.exact = mapping;
    return own.exact === undefined;
  });
  const name = portName(protocol);
  if (own.exact !== undefined) {
    const { hostPort, mappedAddress, mappedPort } = own.exact;
    return passed(
      `BIB: the client's ${name} ${hostPort} has ${formatIpv4(mappedAddress)} ${name} ${mappedPort}, and keeps it.`,
    );
  }
  const entries = own.count === 1 ? '1 BIB entry' : `${own.count} BIB entries`;
  const has = `The client has ${entries} for ${NAMES[request.protocol]}`;
  const use = await poolUse(view);
  const free = use.pools.filter(({ size, used }) => used[request.protocol] < size);
  if (free.length === 0)
    return refused('drop-pool4-exhausted', `${has}, and pool4 has no free ${name} for another.`);
  const ranges = free.map(
    ({ address, firstPort, lastPort }) => `${address} ${name} ${firstPort}-${lastPort}`,
  );
  const which =
    request.clientPort === undefined ? 'A packet from any other' : `${name} ${request.clientPort}`;
  const gets = request.clientPort === undefined ? `${which} ${name} gets` : `The client's ${which} gets`;
  return passed(`${has}. ${gets} a new one, at random out of ${ranges.join(' or ')}.`);
}

/** RFC 6146 section 3.5: the session, or whether there could be a new one. */
async function explainSession(
  view: TablesView,
  packet: Packet,
  { clientPort, destinationPort }: ExplainRequest,
  nowSeconds: number,
) {
  const { protocol, remoteAddress } = packet;
  const knowsPorts = protocol === TRANSPORT.ICMP || destinationPort !== undefined;
  if (clientPort !== undefined && knowsPorts) {
    const mapping = { protocol, hostPort: clientPort, ...clientOf(packet) };
    const session = await findSessionRow(view, mapping, remoteAddress, packet.remotePort, nowSeconds);
    if (session !== undefined) {
      const state = session.state === null ? '' : `, ${session.state}`;
      return passed(
        `There is a session with ${session.remote}${state}; it ends in ${session.endsInSeconds} s if nothing is sent.`,
      );
    }
  }
  const { sessions, maxSessions } = await poolUse(view);
  const counts = `${sessions} of ${maxSessions} sessions are in use`;
  if (sessions >= maxSessions)
    return refused('drop-sessions-full', `${counts}: there is no room for another.`);
  return passed(`${counts}: there is room for a new one.`);
}

/** RFC 6146 section 3.8: what is for a pool4 address comes back in, when its port is one of ours. */
async function explainHairpin(
  view: TablesView,
  packet: Packet,
  { destinationPort }: ExplainRequest,
  nowSeconds: number,
): Promise<ExplainStep | undefined> {
  const { settings } = view;
  const { protocol, remoteAddress } = packet;
  const pools = poolsOf(view).filter(({ address }) => address === remoteAddress);
  const remote = formatIpv4(remoteAddress);
  if (pools.length === 0) return passed(`It leaves the appliance for ${remote}.`);
  if (protocol === TRANSPORT.ICMP)
    return passed(`${remote} is a pool4 address: the appliance itself answers.`);
  if (destinationPort === undefined)
    return passed(`${remote} is a pool4 address: who gets the packet depends on the destination port.`);
  const isOurs = pools.some(
    ({ firstPort, lastPort }) => destinationPort >= firstPort && destinationPort <= lastPort,
  );
  const there = `${remote} port ${destinationPort}`;
  if (!isOurs) return passed(`${there} is outside the pool: the packet is for the appliance itself.`);
  const found: { target?: Mapping } = {};
  await walkBib(view, (mapping) => {
    const isIt =
      mapping.protocol === protocol &&
      mapping.mappedAddress === remoteAddress &&
      mapping.mappedPort === destinationPort;
    if (isIt) found.target = mapping;
    return !isIt;
  });
  const { target } = found;
  const wait =
    protocol === TRANSPORT.TCP && settings.storesSyns ? ' The SYN is kept for 6 seconds, then refused.' : '';
  if (target === undefined) return refused('drop-no-bib-entry', `Nobody has ${there}.${wait}`);
  const host = `${formatHost(target)} port ${target.hostPort}`;
  if (settings.isAddressDependent) {
    const hasSent = await findSessionRow(view, target, remoteAddress, undefined, nowSeconds);
    if (hasSent === undefined)
      return refused(
        'drop-filtered',
        `${there} is the mapping of ${host}, which has not sent to ${remote}.${wait}`,
      );
  }
  return passed(`${there} is the mapping of ${host}: the packet comes back in and goes there (hairpinning).`);
}

/** Any port, where the client did not say. */
const SOME_PORT = 50_000;

/** The packet in question, as it would be read from the TUN device. */
function probe(settings: Settings, request: ExplainRequest): Packet {
  const packet = createPacket();
  const { view, bytes } = packet;
  const at = HEADROOM_BYTES;
  const transport = at + IPV6_HEADER_BYTES;
  const clientPort = request.clientPort ?? SOME_PORT;
  const { nextHeader, headerBytes } = TRANSPORT_HEADERS[request.protocol];
  writeIpv6Start(view, at, 0, headerBytes, nextHeader, HOP_LIMIT);
  bytes.set(parsed(parseIpv6(request.client), request.client), at + IPV6.SOURCE);
  const ipv4 = parseIpv4(request.destination);
  if (ipv4 !== undefined) writeEmbeddedIpv4(settings.prefix, ipv4, view, at + IPV6.DESTINATION);
  else bytes.set(parsed(parseIpv6(request.destination), request.destination), at + IPV6.DESTINATION);
  if (request.protocol === 'icmp') {
    view.setUint8(transport + ICMP.TYPE, ICMP6.ECHO_REQUEST);
    view.setUint16(transport + ICMP.IDENTIFIER, clientPort);
  } else {
    view.setUint16(transport + TCP.SOURCE_PORT, clientPort);
    view.setUint16(transport + TCP.DESTINATION_PORT, request.destinationPort ?? SOME_PORT);
  }
  if (request.protocol === 'tcp')
    view.setUint16(transport + TCP.DATA_OFFSET, ((TCP_HEADER_BYTES >> 2) << 12) | TCP_FLAG.SYN);
  if (request.protocol === 'udp') {
    view.setUint16(transport + UDP.LENGTH, UDP_HEADER_BYTES);
    // Not looked at, but must be there (RFC 8200 section 8.1).
    view.setUint16(transport + UDP.CHECKSUM, 1);
  }
  loadPacket(packet, IPV6_HEADER_BYTES + headerBytes);
  return packet;
}

const TRANSPORT_HEADERS = {
  tcp: { nextHeader: IP_PROTOCOL.TCP, headerBytes: TCP_HEADER_BYTES },
  udp: { nextHeader: IP_PROTOCOL.UDP, headerBytes: UDP_HEADER_BYTES },
  icmp: { nextHeader: IP_PROTOCOL.ICMPV6, headerBytes: ICMP_HEADER_BYTES },
} as const satisfies Record<Nat64Protocol, object>;

function parsed(address: Uint8Array | undefined, text: string): Uint8Array {
  if (address === undefined) throw new Error(`"${text}" is no IP address`);
  return address;
}
