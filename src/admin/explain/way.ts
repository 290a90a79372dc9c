/** Follows traffic through the services, one after another, from where it comes to where it ends. */
import { addressesOf } from '../../config/host-services.ts';
import type { Config } from '../../config/schema.ts';
import { listensFor } from '../../net/listening.ts';
import { resolveAccessList } from '../../os/interfaces.ts';
import { readOwn } from '../../os/follow-ourselves.ts';
import { isDeliveredHere } from '../../os/ourselves.ts';
import {
  type ExplainProtocol,
  type Explainer,
  type Flow,
  type Leg,
  type Way,
  type WayOutcome,
  arrives,
  endsHere,
  endsRefused,
  listStep,
} from '../../runtime/explain.ts';
import { formatIpAddress, isSameAddress, parseIpAddress } from '../../wire/ip-address.ts';
import { admitsSource } from '../access.ts';
import { say } from '../../texts/text.ts';

/** Where traffic comes from, and where it is sent. `from` is an address, `to` a host name or an address. */
export interface WayRequest {
  readonly from: string;
  readonly protocol: ExplainProtocol;
  readonly to: string;
  readonly port?: number | undefined;
  /** The protocols that a TLS client offers. */
  readonly alpn?: readonly string[] | undefined;
}

/** DNS64, out through NAT64, in again through the proxy: only a loop is longer. */
const MAX_LEGS = 6;

type Step = Way['steps'][number];

/** Never rejects because of the request, which has been validated. */
export async function findWay(
  explainers: readonly Explainer[],
  config: Config,
  request: WayRequest,
): Promise<Way> {
  const steps: Step[] = [];
  const add = (service: string, more: Leg['steps']) =>
    steps.push(...more.map((step) => ({ ...step, service })));
  const all = [
    ...explainers,
    { service: 'admin', isBeforeSockets: false, explain: async (flow: Flow) => explainAdmin(config, flow) },
  ];
  let flow = startOf(request);
  if (!flow.from.includes(':') && flow.to?.includes(':') === true) {
    const leg = endsRefused(
      [],
      say('{from} cannot reach the IPv6 address {to}.', { from: flow.from, to: flow.to }),
    );
    add('network', leg.steps);
    return { steps, outcome: leg.outcome };
  }
  for (let legs = 0; legs < MAX_LEGS; legs++) {
    const asked = await ask(all, flow);
    // Added once, and only where it matters: for sockets it makes no difference which router passed a port on.
    if (legs === 0 && asked?.isBeforeSockets !== true) add('network', routerStep(flow));
    const { service, leg } = asked ?? { service: 'network', leg: endOfWay(config, flow) };
    add(service, leg.steps);
    if ('outcome' in leg) return { steps, outcome: leg.outcome };
    flow = leg.next;
  }
  const leg = endsRefused([], say('The traffic would loop.'));
  add('network', leg.steps);
  return { steps, outcome: leg.outcome };
}

async function ask(
  explainers: readonly Explainer[],
  flow: Flow,
): Promise<{ service: string; isBeforeSockets: boolean; leg: Leg } | undefined> {
  for (const { service, isBeforeSockets, explain } of explainers) {
    const leg = await explain(flow);
    if (leg !== undefined) return { service, isBeforeSockets, leg };
  }
  return undefined;
}

/** Addresses in the form of RFC 5952, names in lower case. */
function startOf({ from, protocol, to, port, alpn }: WayRequest): Flow {
  const canonical = (text: string) => formatIpAddress(parseIpAddress(text) as Uint8Array);
  const isAddress = parseIpAddress(to) !== undefined;
  const source = canonical(from);
  const target = isAddress ? canonical(to) : undefined;
  return {
    protocol,
    from: source,
    name: isAddress ? undefined : to.toLowerCase().replace(/\.$/, ''),
    to: target,
    port: protocol === 'icmp' ? undefined : port,
    alpn,
    // Traffic of an IPv4 client always comes here, whatever its name or address; otherwise the question would not be asked.
    isLocal: !source.includes(':') || (target !== undefined && isDeliveredHere(readOwn(), target)),
  };
}

function routerStep({ from, name, to }: Flow): Leg['steps'] {
  if (from.includes(':')) return [];
  if (name !== undefined) {
    return [
      {
        isOk: true,
        text: say(
          'Assumption: the A record of {name} has the address of this appliance, or of a router that forwards the port to it.',
          { name },
        ),
      },
    ];
  }
  if (to === undefined || isDeliveredHere(readOwn(), to)) return [];
  return [
    {
      isOk: true,
      text: say(
        'Assumption: {to} is not an address of this appliance, but of a router that forwards the port to it.',
        {
          to,
        },
      ),
    },
  ];
}

/** For traffic that no service handles. */
function endOfWay(config: Config, flow: Flow): Leg {
  const { to = '', port, protocol, isLocal } = flow;
  if (isLocal) {
    if (protocol === 'icmp') return endsHere([], say('The appliance itself answers.'));
    return endsRefused(
      [],
      say('Nothing here listens on {protocol} port {port}.', {
        protocol: protocol.toUpperCase(),
        port: port ?? 0,
      }),
    );
  }
  const text = say('{to} is reached over IPv6, without this appliance translating anything.', { to });
  const server = config.hosts.find((host) => addressesOf(host).some((address) => isSameAddress(address, to)));
  const outcome: WayOutcome =
    server === undefined
      ? { kind: 'direct', server: null, address: to, port: port ?? null, text }
      : arrives(to, port ?? null, text, server.name);
  return { steps: [{ isOk: true, text }], outcome };
}

/** The admin page itself. */
function explainAdmin({ admin }: Config, flow: Flow): Leg | undefined {
  const isForUs = flow.isLocal && flow.protocol === 'tcp' && flow.port === admin.port;
  if (!isForUs || !listensFor(admin.listen, flow)) return undefined;
  const isListed = admitsSource(resolveAccessList(admin.allow), flow.from);
  const access = listStep('admin.allow', flow.from, isListed, 'refused-source');
  if (!access.isOk) return endsRefused([], access.text, access);
  return endsHere([access], say('The admin page answers on port {port}.', { port: admin.port }));
}
