/** What the forwarder does with a connection: the port leads to a server, by the same allotment as in the data plane. */
import { addressesOf } from '../../config/host-services.ts';
import { dialledAddress, endsAtOurselves, listensFor, severalAddresses } from '../../net/listening.ts';
import { trustedProxySteps } from '../../net/trusted-proxy-step.ts';
import { attachedPrefixes } from '../../os/interfaces.ts';
import type { Ourselves } from '../../os/ourselves.ts';
import { type Flow, type Leg, type WayStep, arrives, endsRefused } from '../../runtime/explain.ts';
import { parseIpAddress } from '../../wire/ip-address.ts';
import { compileAccess, mayReach } from '../host-access.ts';
import { isMappedSsh, whatServerSees } from '../mapped.ts';
import type { Allotments } from './allot-ports.ts';
import { type ForwardOptions, planForward } from './service.ts';
import { listOf, reasonOf, say } from '../../texts/text.ts';

/** `previous` is the current allotment. undefined when the connection does not use a forwarded port. */
export function explainForward(
  options: ForwardOptions,
  previous: Allotments,
  ourselves: Ourselves,
  flow: Flow,
): Leg | undefined {
  if (!flow.isLocal || flow.protocol !== 'tcp' || flow.port === undefined) return undefined;
  let ports: Readonly<Record<string, number>>;
  try {
    ({ ports } = planForward(options, previous, []));
  } catch (error) {
    // The error's message says which server cannot have which port.
    const isOurs = options.hosts.some(({ ssh }) => ssh !== false && ssh.port === flow.port);
    return isOurs
      ? endsRefused([], listOf([reasonOf(error), '.'], ''), { configPath: '/forward/sshPorts' })
      : undefined;
  }
  const position = options.hosts.findIndex((host) => ports[host.name] === flow.port);
  if (position === -1) return undefined;
  const host = options.hosts[position];
  const { name, ssh, enabled, maintenance, allow, balance } = host;
  const address = dialledAddress(ourselves, addressesOf(host));
  if (ssh === false) return undefined;
  const configPath = `/hosts/${position}/ssh`;
  if (!enabled) {
    const text = say('Port {port} is the SSH port of {name}, which is switched off.', {
      port: flow.port,
      name,
    });
    return endsRefused([], text, { configPath: `/hosts/${position}/enabled` });
  }
  if (!listensFor(options.forward.listen, flow)) {
    const text = say('Port {port} is the SSH port of {name}, but listens only on {addresses}.', {
      port: flow.port,
      name,
      addresses: options.forward.listen.join(', '),
    });
    return endsRefused([], text, { configPath: '/forward/listen' });
  }
  const trusted = trustedProxySteps(options.trustedProxies ?? [], ourselves, flow.from);
  const access = compileAccess(allow, attachedPrefixes());
  if (!mayReach(access, parseIpAddress(flow.from))) {
    const values = { server: name, client: flow.from };
    return endsRefused(trusted, say('The access list of {server} does not have {client}.', values), {
      counter: 'refused-not-allowed',
      configPath: `/hosts/${position}/allow`,
    });
  }
  if (maintenance)
    return endsRefused(trusted, say('{server} is in maintenance.', { server: name }), {
      counter: 'refused-maintenance',
      configPath: `/hosts/${position}/maintenance`,
    });
  const refused = endsAtOurselves(ourselves, { name, address }, position, trusted);
  if (refused !== undefined) return refused;
  const arrived = say('Port {port} is the SSH port of {name}: it leads to [{address}]:{targetPort}.', {
    port: flow.port,
    name,
    address,
    targetPort: ssh.targetPort,
  });
  const { mapped } = options;
  const seen: WayStep[] =
    mapped !== undefined && isMappedSsh(host)
      ? [
          {
            isOk: true,
            text: whatServerSees(mapped, flow.from),
            configPath: `/hosts/${position}/clientAddress`,
          },
        ]
      : [];
  return {
    steps: [
      ...trusted,
      { isOk: true, text: arrived, counter: 'accepted', configPath },
      ...severalAddresses(addressesOf(host), balance === 'round-robin', position),
      ...seen,
    ],
    outcome: arrives(address, ssh.targetPort, arrived, name),
  };
}
