/** For explanations: whether traffic reaches a listening socket, and whether its server may be dialled. */
import { readOwn } from '../os/follow-ourselves.ts';
import { type Ourselves, isDeliveredHere, isOwnAddress } from '../os/ourselves.ts';
import { type Flow, type LastLeg, type WayStep, endsRefused } from '../runtime/explain.ts';
import { say } from '../texts/text.ts';
import { mappedIpv4, parseIpAddress } from '../wire/ip-address.ts';

const LOOPBACK4 = 127;

/**
 * Whether one of the addresses that are listened on receives what is sent to `to`. If `to` is not an address of this machine, it
 * belongs to a router that forwards the port to us. Undefined means any address of the sender's family that others can reach.
 */
export function listensFor(listening: readonly string[], { from, to }: Pick<Flow, 'from' | 'to'>): boolean {
  const family = from.includes(':') ? 6 : 4;
  const target = to !== undefined && isDeliveredHere(readOwn(), to) ? parseIpAddress(to) : undefined;
  return listening.some((text) => {
    const address = parseIpAddress(text);
    if (address === undefined || familyOf(address) !== family) return false;
    if (isUnspecified(address)) return true;
    return target === undefined ? !isLoopback(address) : address.every((byte, i) => byte === target[i]);
  });
}

const familyOf = (address: Uint8Array): 4 | 6 => (mappedIpv4(address) === undefined ? 6 : 4);

const isUnspecified = (address: Uint8Array): boolean =>
  address.subarray(familyOf(address) === 4 ? 12 : 0).every((byte) => byte === 0);

const isLoopback = (address: Uint8Array): boolean =>
  familyOf(address) === 4
    ? address[12] === LOOPBACK4
    : address.every((byte, i) => byte === (i === 15 ? 1 : 0));

/** The address of a server that a connection goes to if all are well: the first that is not ours, which is never dialled. */
export const dialledAddress = (ourselves: Ourselves, addresses: readonly string[]): string =>
  addresses.find((address) => !isOwnAddress(ourselves, address)) ?? addresses[0];

/** A step that says so, if there are several. */
export const severalAddresses = (
  addresses: readonly string[],
  isRoundRobin: boolean,
  position: number,
): WayStep[] =>
  addresses.length === 1
    ? []
    : [
        {
          isOk: true,
          text: isRoundRobin
            ? say(
                'Its {count} addresses take turns; one that does not answer is put aside for some seconds.',
                {
                  count: addresses.length,
                },
              )
            : say('The first of its {count} addresses that answers is used.', { count: addresses.length }),
          configPath: `/hosts/${position}/addresses`,
        },
      ];

/** The end of a way to a server whose address is ours, which the engine refuses to dial; undefined if the address is not ours. */
export function endsAtOurselves(
  ourselves: Ourselves,
  { name, address }: { readonly name: string; readonly address: string },
  position: number,
  steps: readonly WayStep[],
): LastLeg | undefined {
  if (!isOwnAddress(ourselves, address)) return undefined;
  const text = say(
    'The address of {server}, {address}, is one of this appliance itself: the appliance never connects to it.',
    {
      server: name,
      address,
    },
  );
  return endsRefused(steps, text, { counter: 'server-ourselves', configPath: `/hosts/${position}/address` });
}
