/** For explanations: what would become of a name that no configured server has, by its AAAA records (proxy.allowedPrefixes). */
import { AccessLevel } from '../../net/access-record.ts';
import type { Ourselves } from '../../os/ourselves.ts';
import { createCounters } from '../../runtime/counters.ts';
import { type Leg, type WayStep, endsRefused, endsUnknown } from '../../runtime/explain.ts';
import { say } from '../../texts/text.ts';
import { formatIpAddress } from '../../wire/ip-address.ts';
import { parseIpPrefix } from '../../wire/ip-prefix.ts';
import { isPublicName, mayDial } from './allowed.ts';
import { type ProxyCounterIndex, proxyCounterTable } from './counters.ts';
import type { Backend, NameServers, NotLearned } from './host-table.ts';
import { backendOf } from './learned.ts';
import { lookUp, upstreamsFor } from './look-ups.ts';
import type { NameOptions } from './service.ts';

const DEADLINE_MS = 4000;
const CONFIG_PATH = '/proxy/allowedPrefixes';

/** What the resolvers say now. */
export interface NameNow {
  readonly found: Backend | NotLearned;
  /** All that the name has in DNS, as text. */
  readonly addresses: readonly string[];
  /** Those that may be dialled. */
  readonly allowed: readonly string[];
}

/** Asks the resolvers of this configuration; undefined for a name that is not looked up. */
export async function lookUpNow(
  { names, prefixes }: { readonly names: NameOptions | undefined; readonly prefixes: readonly string[] },
  ourselves: Ourselves,
  name: string,
  port: number,
): Promise<NameNow | undefined> {
  if (names === undefined || !isPublicName(name)) return undefined;
  const aborter = new AbortController();
  const counters = createCounters(proxyCounterTable);
  const upstreams = upstreamsFor(names, counters, aborter.signal, () => ourselves);
  const answer = await lookUp(upstreams, name, DEADLINE_MS).finally(() => aborter.abort());
  if (answer === undefined) return { found: 'no-lookup', addresses: [], allowed: [] };
  const parse = (texts: readonly string[]) => texts.map((text) => parseIpPrefix(text)!);
  const settings = { prefixes: parse(prefixes), embedding: parse(names.embedding) };
  const allowed = answer.addresses.filter((address) => mayDial(settings, ourselves, address));
  return {
    found:
      allowed.length === 0
        ? 'no-address'
        : backendOf({ addresses: allowed, origin: { isForgotten: false } }, port, AccessLevel.off),
    addresses: answer.addresses.map((address) => formatIpAddress(address)),
    allowed: allowed.map((address) => formatIpAddress(address)),
  };
}

/** The servers of one answer, for a table in which only this name is asked for. */
export const onlyThis = ({ found }: NameNow): NameServers => ({ find: () => found, ask: () => undefined });

/** The name leads to its address in DNS. */
export function explainLearned(
  steps: readonly WayStep[],
  { allowed }: NameNow,
  values: { readonly name: string; readonly port: number },
  told: WayStep,
): Leg {
  const [address] = allowed;
  const text = say(
    'No server has the name {name}. Its address in DNS, {address}, lies in proxy.allowedPrefixes: the client is led to [{address}]:{port}.',
    { ...values, address },
  );
  const several = {
    isOk: true,
    text: say('The first of its {count} addresses that answers is used.', { count: allowed.length }),
    configPath: CONFIG_PATH,
  };
  return {
    steps: [
      ...steps,
      { isOk: true, text, counter: 'aaaa-routed', configPath: CONFIG_PATH },
      ...(allowed.length > 1 ? [several] : []),
      told,
    ],
    outcome: { kind: 'server', server: null, address, port: values.port, text },
  };
}

/** The name leads nowhere. */
export function explainNotLearned(
  steps: readonly WayStep[],
  { addresses }: NameNow,
  name: string,
  refused: 'no-address' | 'no-lookup',
  counter: keyof ProxyCounterIndex,
): Leg {
  const why = { counter, configPath: CONFIG_PATH };
  if (refused === 'no-lookup') {
    const text = say('No server has the name {name}, and no resolver answers for it now.', { name });
    return endsUnknown(steps, text, why);
  }
  const text =
    addresses.length === 0
      ? say('No server has the name {name}, and in DNS it has no AAAA record.', { name })
      : say(
          'No server has the name {name}, and none of its addresses in DNS may be dialled: {addresses}. They must lie in proxy.allowedPrefixes, and belong neither to this appliance nor to NAT64.',
          { name, addresses: addresses.join(', ') },
        );
  return endsRefused(steps, text, why);
}
