/** Which ports the configuration takes, and where two things would take the same. */
import { portUses } from '../services/configured.ts';
import type { PortUse } from '../services/description.ts';
import { say } from '../texts/text.ts';
import { mappedIpv4, parseIpAddress } from '../wire/ip-address.ts';
import { type ConfigProblem, quoteValue } from './problem.ts';
import type { Config } from './schema.ts';
import type { PortRange } from './values.ts';

/**
 * Collisions between sockets, of sockets with the ranges that others are chosen from, and of either with ports whose packets no
 * socket sees.
 */
export function checkPorts(config: Config): ConfigProblem[] {
  const uses = portUses(config).filter(({ isOff }) => isOff !== true);
  const of = (...kinds: PortUse['use'][]) => uses.filter(({ use }) => kinds.includes(use));
  const sockets = of('listens');
  const chosen = of('chooses');
  return [
    ...sockets.flatMap((use, i) => collisions(use, sockets.slice(0, i))),
    // A socket of the range's own may be in it.
    ...chosen.flatMap((use) =>
      collisions(
        use,
        sockets.filter(({ service }) => service !== use.service),
      ),
    ),
    ...of('steers').flatMap((use) => collisions(use, notLoopback([...sockets, ...chosen]))),
  ];
}

/** At most one problem for `use`: the first of the earlier ones that it collides with. */
function collisions(use: PortUse, earlier: readonly PortUse[]): ConfigProblem[] {
  const other = earlier.find(
    (each) => protocolsMeet(each, use) && rangesMeet(each.range, use.range) && addressesMeet(each, use),
  );
  if (other === undefined) return [];
  const expected = say('ports that nothing else uses');
  const message = say('{value} is for {what}, but {other} is for {otherWhat} ({path}); expected {expected}', {
    value: use.value,
    what: use.what,
    other: other.value,
    otherWhat: other.what,
    path: other.path,
    expected,
  });
  return [{ path: use.path, value: quoteValue(use.value), expected, message }];
}

/** A packet to a loopback address comes through no device. */
const notLoopback = (uses: readonly PortUse[]): PortUse[] =>
  uses.map((use) => ({ ...use, addresses: use.addresses.filter((text) => !text.startsWith('127.')) }));

const protocolsMeet = (a: PortUse, b: PortUse): boolean =>
  a.protocols.some((protocol) => b.protocols.includes(protocol));

const rangesMeet = (a: PortRange, b: PortRange): boolean => a.first <= b.last && b.first <= a.last;

/** Whether two sockets, one on each list, would contend for a port. */
const addressesMeet = (a: PortUse, b: PortUse): boolean =>
  a.addresses.some((left) => b.addresses.some((right) => bindingsMeet(left, right)));

/** The families are apart (IPV6_V6ONLY); within one, "all addresses" meets every address. */
function bindingsMeet(left: string, right: string): boolean {
  const a = parseIpAddress(left) as Uint8Array;
  const b = parseIpAddress(right) as Uint8Array;
  const isIpv4 = mappedIpv4(a) !== undefined;
  if (isIpv4 !== (mappedIpv4(b) !== undefined)) return false;
  const isAll = (bytes: Uint8Array) => bytes.subarray(isIpv4 ? 12 : 0).every((byte) => byte === 0);
  return isAll(a) || isAll(b) || a.every((byte, i) => byte === b[i]);
}
