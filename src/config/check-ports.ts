/** The ports that the configuration uses, and conflicts between them. */
import { portUses } from '../services/configured.ts';
import type { PortUse } from '../services/description.ts';
import { say } from '../texts/text.ts';
import { mappedIpv4, parseIpAddress } from '../wire/ip-address.ts';
import { type ConfigProblem, quoteValue } from './problem.ts';
import type { Config } from './schema.ts';
import type { PortRange } from './values.ts';

/**
 * Conflicts between sockets, between sockets and the ranges from which ports are chosen, and between either of these and ports
 * whose packets no socket sees.
 */
export function checkPorts(config: Config): ConfigProblem[] {
  const uses = portUses(config).filter(({ isOff }) => isOff !== true);
  const of = (...kinds: PortUse['use'][]) => uses.filter(({ use }) => kinds.includes(use));
  const sockets = of('listens');
  const chosen = of('chooses');
  return [
    ...sockets.flatMap((use, i) => collisions(use, sockets.slice(0, i))),
    // The service that owns the range may have a socket in it.
    ...chosen.flatMap((use) =>
      collisions(
        use,
        sockets.filter(({ service }) => service !== use.service),
      ),
    ),
    ...of('steers').flatMap((use) => collisions(use, notLoopback([...sockets, ...chosen]))),
  ];
}

/** At most one problem for `use`: the first earlier use with which it conflicts. */
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

/** Packets to a loopback address do not arrive through a device. */
const notLoopback = (uses: readonly PortUse[]): PortUse[] =>
  uses.map((use) => ({ ...use, addresses: use.addresses.filter((text) => !text.startsWith('127.')) }));

const protocolsMeet = (a: PortUse, b: PortUse): boolean =>
  a.protocols.some((protocol) => b.protocols.includes(protocol));

const rangesMeet = (a: PortRange, b: PortRange): boolean => a.first <= b.last && b.first <= a.last;

/** Whether two sockets, one on each list, would contend for a port. */
const addressesMeet = (a: PortUse, b: PortUse): boolean =>
  a.addresses.some((left) => b.addresses.some((right) => bindingsMeet(left, right)));

/** The families are separate (IPV6_V6ONLY); within a family, "all addresses" conflicts with every address. */
function bindingsMeet(left: string, right: string): boolean {
  const a = parseIpAddress(left) as Uint8Array;
  const b = parseIpAddress(right) as Uint8Array;
  const isIpv4 = mappedIpv4(a) !== undefined;
  if (isIpv4 !== (mappedIpv4(b) !== undefined)) return false;
  const isAll = (bytes: Uint8Array) => bytes.subarray(isIpv4 ? 12 : 0).every((byte) => byte === 0);
  return isAll(a) || isAll(b) || a.every((byte, i) => byte === b[i]);
}
