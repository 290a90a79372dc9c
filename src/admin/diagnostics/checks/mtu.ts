import { parseIpAddress } from '../../../wire/ip-address.ts';
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
    const links = (await machine.interfaces()).filter(
      ({ name, isUp }) => isUp && name !== config.nat64.device,
    );
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
    const problems = config.nat64.enabled ? checkNat64(deps) : [];
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

/** Whether NAT64 takes a side for wider than it is. */
function checkNat64({ machine, config: { nat64, hosts } }: CheckDeps): Finding[] {
  const findings: Finding[] = [];
  const [gateway] = machine.gateways(4);
  const path4 = mtuTo(machine, gateway?.address);
  if (path4 !== undefined && nat64.mtu4Bytes > path4) {
    findings.push(
      warn(
        say(
          'NAT64 sends IPv4 packets of up to {bytes} bytes, but the way to the Internet carries only {most}.',
          { bytes: nat64.mtu4Bytes, most: path4 },
        ),
        say('Set nat64.mtu4Bytes to {bytes}.', { bytes: path4 }),
      ),
    );
  }
  const paths6 = hosts.flatMap(({ address }) => mtuTo(machine, address) ?? []);
  const path6 = paths6.length === 0 ? undefined : Math.min(...paths6);
  if (path6 !== undefined && nat64.mtu6Bytes > path6) {
    findings.push(
      warn(
        say('NAT64 sends IPv6 packets of up to {bytes} bytes, but the way to a server carries only {most}.', {
          bytes: nat64.mtu6Bytes,
          most: path6,
        }),
        say('Set nat64.mtu6Bytes to {bytes}.', { bytes: path6 }),
      ),
    );
  }
  return findings;
}

function mtuTo(machine: CheckDeps['machine'], address: string | undefined): number | undefined {
  const bytes = parseIpAddress(address ?? '');
  const path = bytes === undefined ? undefined : machine.pathTo(bytes);
  return path === undefined || 'problem' in path ? undefined : path.mtuBytes;
}
