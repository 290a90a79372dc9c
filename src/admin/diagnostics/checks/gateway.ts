/** The two checks of the default routes: is there one, and does its gateway answer? */
import { parseIpAddress } from '../../../wire/ip-address.ts';
import { type CheckDeps, type Finding, ok, unknown, warn } from '../check.ts';
import { say } from '../../../texts/text.ts';

const PING_TIMEOUT_MS = 1500;

/** Whether the gateway of the best default route answers; undefined if no route has a gateway. */
export async function checkGateway({ machine }: CheckDeps, family: 4 | 6): Promise<Finding | undefined> {
  const [gateway] = machine.gateways(family);
  if (gateway === undefined) return undefined;
  const where = say('The gateway {address} ({link})', { address: gateway.address, link: gateway.interface });
  const target = parseIpAddress(gateway.address);
  if (target === undefined) return unknown(say('{where} has an address of an unknown form.', { where }));
  const links = await machine.interfaces();
  const scopeId = links.find(({ name }) => name === gateway.interface)?.index ?? 0;
  try {
    const [reply] = await machine.ping({ target, scopeId, timeoutMs: PING_TIMEOUT_MS });
    if (reply !== undefined)
      return ok(
        say('{where} answers in {milliseconds} ms.', {
          where,
          milliseconds: Math.round(reply.afterMs * 10) / 10,
        }),
      );
  } catch (error) {
    return unknown(say('{where} could not be asked: {reason}.', { where, reason: (error as Error).message }));
  }
  return warn(
    say('{where} does not answer pings.', { where }),
    say(
      'If other checks are green, the router only ignores pings. Otherwise check that it is on, and that the cable is in the right port.',
    ),
  );
}
