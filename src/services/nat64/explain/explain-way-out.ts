/** Where a packet from the IPv6 side goes: to the IPv4 side, or hairpinned (RFC 6146 section 3.8, RFC 7757 section 4). */
import type { ExplainRequest, ExplainStep } from '../questions.ts';
import { formatIpv4 } from '../../../wire/ip-address.ts';
import { type TablesView, findSessionRow, formatHost, walkBib } from '../tables/inspect.ts';
import { type Packet, TRANSPORT } from '../packet/packet.ts';
import { type Settings, isOurs4 } from '../settings/settings.ts';
import { say, sentences } from '../../../texts/text.ts';
import { explainTargetShare } from './explain-shares.ts';
import { type Found, SYN_KEPT, passed, refused } from './explain-parts.ts';
import { findOwnEam4 } from '../settings/stateless.ts';
import { isInPool, slotOf } from '../settings/pool.ts';

/** A packet to the appliance itself is refused, unless its port belongs to pool4 or has a mapping: then it is hairpinned. */
export async function explainOwnAddress(
  view: TablesView,
  { protocol, remoteAddress, remoteHasEam }: Packet,
  { destinationPort }: ExplainRequest,
): Promise<ExplainStep | undefined> {
  const { settings } = view;
  if (!isOurs4(settings, remoteAddress)) return undefined;
  const address = formatIpv4(remoteAddress);
  const comesBackIn =
    settings.eamHairpinning === 'intrinsic' &&
    !remoteHasEam &&
    findOwnEam4(settings, remoteAddress) !== undefined;
  if (comesBackIn) return undefined;
  const refusal = refused(
    'drop-own-address',
    say(
      '{address} belongs to the appliance: through NAT64, only its pool4 ports can be reached. Use the IPv6 address of the appliance.',
      { address },
    ),
  );
  const slot = slotOf(settings.poolAddresses, remoteAddress);
  if (slot === -1 || protocol === TRANSPORT.ICMP) return refusal;
  // Either the port is not given, or it belongs to pool4.
  if (destinationPort === undefined || isInPool(settings, slot, protocol, destinationPort)) return undefined;
  let hasMapping = false;
  await walkBib(view, (mapping) => {
    if (mapping.protocol !== protocol || mapping.mappedPort !== destinationPort) return true;
    hasMapping ||= mapping.mappedAddress === remoteAddress;
    return !hasMapping;
  });
  return hasMapping ? undefined : refusal;
}

/** Without sessions, nothing here can refuse the packet. Its destination decides whether it is hairpinned. */
export function explainStatelessWayOut(
  settings: Settings,
  { remoteAddress, remoteHasEam }: Packet,
): ExplainStep {
  const remote = formatIpv4(remoteAddress);
  const isOurs = slotOf(settings.poolAddresses, remoteAddress) !== -1;
  if (remoteHasEam || (!isOurs && findOwnEam4(settings, remoteAddress) === undefined))
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

/** RFC 6146 section 3.8: packets for a mapping of ours are hairpinned; all others leave. */
export async function explainWayOut(
  view: TablesView,
  packet: Packet,
  { destinationPort }: ExplainRequest,
  found: Found,
  nowSeconds: number,
): Promise<ExplainStep> {
  const { settings } = view;
  const { protocol, remoteAddress } = packet;
  const remote = formatIpv4(remoteAddress);
  const slot = slotOf(settings.poolAddresses, remoteAddress);
  if (slot === -1) {
    const isOurs = findOwnEam4(settings, remoteAddress) !== undefined;
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
  if (destinationPort === undefined)
    return passed(
      say('{remote} is a pool4 address: who gets the packet depends on the destination port.', { remote }),
    );
  const there = say('{address} port {port}', { address: remote, port: destinationPort });
  const wait = protocol === TRANSPORT.TCP && settings.storesSyns ? SYN_KEPT : undefined;
  const { target, mapping, session, use } = found;
  if (target === undefined)
    return refused('drop-no-bib-entry', sentences(say('No host has {address}.', { address: there }), wait));
  const host = say('{address} port {port}', { address: formatHost(target.host), port: target.hostPort });
  // A client without a mapping will get an address of the pool. Which one is not known, so this one is assumed.
  const from = mapping?.mappedAddress ?? remoteAddress;
  const back = mapping && (await findSessionRow(view, target, from, mapping.mappedPort, nowSeconds));
  // A client that sends to its own mapping has sent to that address with this very packet.
  const isToItself = mapping?.mappedPort === destinationPort && from === remoteAddress;
  if (back === undefined && settings.isAddressDependent && !isToItself) {
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
  const tooMany = back === undefined ? await explainTargetShare(view, packet, target, found) : undefined;
  if (tooMany !== undefined) return tooMany;
  return passed(
    say('{there} is the mapping of {host}: the packet comes back in and goes there (hairpinning).', {
      there,
      host,
    }),
    {
      kind: 'host',
      address: formatHost(target.host),
      port: target.hostPort,
    },
  );
}
