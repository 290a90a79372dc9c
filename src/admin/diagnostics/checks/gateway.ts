/** The two checks of the default routes: is there one, and does its gateway answer? */
import { parseIpAddress } from '../../../wire/ip-address.ts';
import { type CheckDeps, type Finding, ok, unknown, warn } from '../check.ts';

const PING_TIMEOUT_MS = 1500;

/** Whether the gateway of the best default route answers; undefined when there is no route with a gateway. */
export async function checkGateway({ machine }: CheckDeps, family: 4 | 6): Promise<Finding | undefined> {
  const [gateway] = machine.gateways(family);
  if (gateway === undefined) return undefined;
  const where = `The gateway ${gateway.address} (${gateway.interface})`;
  const target = parseIpAddress(gateway.address);
  if (target === undefined) return unknown(`${where} has an address of an unknown form.`);
  const links = await machine.interfaces();
  const scopeId = links.find(({ name }) => name === gateway.interface)?.index ?? 0;
  try {
    const [reply] = await machine.ping({ target, scopeId, timeoutMs: PING_TIMEOUT_MS });
    if (reply !== undefined) return ok(`${where} answers in ${reply.afterMs.toFixed(1)} ms.`);
  } catch (error) {
    return unknown(`${where} could not be asked: ${(error as Error).message}.`);
  }
  return warn(
    `${where} does not answer pings.`,
    'If other checks are green, the router only ignores pings. Otherwise see that it is on, and that the cable is in the right port.',
  );
}
