import { addressesOf } from '../../../config/host-services.ts';
import { parseIpAddress } from '../../../wire/ip-address.ts';
import { linksOf } from '../network.ts';
import { OF_SERVICES } from '../of-services.ts';
import { type Check, type CheckDeps, type Finding, fail, ok, warn } from '../check.ts';
import { listOf, say } from '../../../texts/text.ts';

/** RFC 8200 section 5. */
const LEAST_IPV6_MTU_BYTES = 1280;

export const mtu: Check = {
  id: 'mtu',
  area: 'network',
  title: say('Packet sizes (MTU)'),
  why: say(
    'Packets that are too large for a link are lost where nobody reports it: small pages load, large ones hang.',
  ),
  async run(deps) {
    const { machine, config } = deps;
    const links = (await linksOf(machine, config)).filter(({ isUp }) => isUp);
    const small = links.filter(({ mtuBytes }) => mtuBytes < LEAST_IPV6_MTU_BYTES);
    if (small.length > 0) {
      const list = small.map(({ name, mtuBytes }) =>
        say('{link} ({bytes} bytes)', { link: name, bytes: mtuBytes }),
      );
      return fail(
        say('IPv6 does not work over {links}: it needs {bytes} bytes.', {
          links: listOf(list),
          bytes: LEAST_IPV6_MTU_BYTES,
        }),
        say('Raise the MTU of {links} to 1500, or to what the link can do.', {
          links: small.map(({ name }) => name).join(', '),
        }),
      );
    }
    const problems = tooLarge(deps);
    if (problems.length > 0) return problems[0];
    return ok(
      say('Links: {links}.', {
        links: listOf(
          links.map(({ name, mtuBytes }) => say('{link} {bytes} bytes', { link: name, bytes: mtuBytes })),
        ),
      }),
    );
  },
};

/** Where a service is configured for a larger MTU than the side really has. */
function tooLarge({ machine, config }: CheckDeps): Finding[] {
  const [gateway] = machine.gateways(4);
  const carried = {
    4: mtuTo(machine, gateway?.address),
    6: smallest(config.hosts.flatMap(addressesOf).flatMap((address) => mtuTo(machine, address) ?? [])),
  };
  return OF_SERVICES.flatMap(({ packetSizes }) => packetSizes?.(config) ?? []).flatMap((size) => {
    const most = carried[size.family];
    if (most === undefined || size.bytes <= most) return [];
    const { what, remedy } = size.tooLarge(most);
    return [warn(what, remedy)];
  });
}

const smallest = (sizes: readonly number[]): number | undefined =>
  sizes.length === 0 ? undefined : Math.min(...sizes);

function mtuTo(machine: CheckDeps['machine'], address: string | undefined): number | undefined {
  const bytes = parseIpAddress(address ?? '');
  const path = bytes === undefined ? undefined : machine.pathTo(bytes);
  return path === undefined || 'problem' in path ? undefined : path.mtuBytes;
}
