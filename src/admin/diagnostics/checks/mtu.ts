import { parseIpAddress } from '../../../wire/ip-address.ts';
import { type Check, type CheckDeps, type Finding, fail, ok, warn } from '../check.ts';

/** RFC 8200 section 5. */
const LEAST_IPV6_MTU_BYTES = 1280;

export const mtu: Check = {
  id: 'mtu',
  area: 'network',
  title: 'Packet sizes (MTU)',
  why: 'Packets that are too large for a link are lost where nobody reports it: small pages load, large ones hang.',
  async run(deps) {
    const { machine, config } = deps;
    const links = (await machine.interfaces()).filter(
      ({ name, isUp }) => isUp && name !== config.nat64.device,
    );
    const small = links.filter(({ mtuBytes }) => mtuBytes < LEAST_IPV6_MTU_BYTES);
    if (small.length > 0) {
      const list = small.map(({ name, mtuBytes }) => `${name} (${mtuBytes} bytes)`).join(', ');
      return fail(
        `IPv6 does not work over ${list}: it needs ${LEAST_IPV6_MTU_BYTES} bytes.`,
        `Raise the MTU of ${small.map(({ name }) => name).join(', ')} to 1500, or to what the link can do.`,
      );
    }
    const problems = config.nat64.enabled ? checkNat64(deps) : [];
    if (problems.length > 0) return problems[0];
    return ok(`Links: ${links.map(({ name, mtuBytes }) => `${name} ${mtuBytes} bytes`).join(', ')}.`);
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
        `NAT64 sends IPv4 packets of up to ${nat64.mtu4Bytes} bytes, but the way to the Internet carries only ${path4}.`,
        `Set nat64.mtu4Bytes to ${path4}.`,
      ),
    );
  }
  const paths6 = hosts.flatMap(({ address }) => mtuTo(machine, address) ?? []);
  const path6 = paths6.length === 0 ? undefined : Math.min(...paths6);
  if (path6 !== undefined && nat64.mtu6Bytes > path6) {
    findings.push(
      warn(
        `NAT64 sends IPv6 packets of up to ${nat64.mtu6Bytes} bytes, but the way to a server carries only ${path6}.`,
        `Set nat64.mtu6Bytes to ${path6}.`,
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
