/**
 * Whether a firewall accepts the packets that NAT64 forwards: follows them through the base chains of the hook "forward", in the
 * output of `nft -j list ruleset` (libnftables-json(5)). A match that depends on more than the devices is undecided.
 */

/** A packet of NAT64: it comes from the TUN device or goes to it; the other device is unknown. */
export interface ForwardedPacket {
  readonly family: 4 | 6;
  readonly way: 'from' | 'to';
}

export type Verdict = 'accept' | 'drop' | 'unknown';

export interface ForwardChain {
  /** "ip filter". */
  readonly table: string;
  readonly chain: string;
  /** The program that made it, as far as its names show. */
  readonly owner: FirewallOwner;
  readonly verdict: Verdict;
}

export type FirewallOwner = 'docker' | 'ufw' | 'firewalld' | undefined;

type Json = Readonly<Record<string, unknown>>;

interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
  readonly rules: Json[][];
}

const PACKETS: readonly ForwardedPacket[] = [
  { family: 6, way: 'to' },
  { family: 4, way: 'from' },
  { family: 4, way: 'to' },
  { family: 6, way: 'from' },
];
/** Which packets the tables of a family see. */
const FAMILIES: Readonly<Record<string, readonly number[]>> = { ip: [4], ip6: [6], inet: [4, 6] };
const MOST_JUMPS = 16;
/** The limit of rules for a packet in a base chain: chains with very many jumps to each other are not followed to the end. */
const MOST_RULES = 100_000;

/** The base chains of the hook "forward", each with its worst verdict on a packet of NAT64; empty if the text is no ruleset. */
export function forwardChains(rulesetJson: string, device: string): ForwardChain[] {
  const chains = parseChains(rulesetJson);
  return [...chains.values()]
    .filter(({ hook, family }) => hook === 'forward' && FAMILIES[family] !== undefined)
    .map((base) => {
      const verdicts = PACKETS.filter(({ family }) => FAMILIES[base.family].includes(family)).map((packet) =>
        passes(base, { chains, device, packet, rulesLeft: MOST_RULES }),
      );
      const verdict = (['drop', 'unknown'] as const).find((each) => verdicts.includes(each)) ?? 'accept';
      const table = `${base.family} ${base.table}`;
      return { table, chain: base.name, owner: ownerOf(base, chains), verdict };
    });
}

function parseChains(text: string): Map<string, Chain> {
  const chains = new Map<string, Chain>();
  let items: unknown;
  try {
    items = (JSON.parse(text) as { nftables?: unknown } | null)?.nftables;
  } catch {
    return chains;
  }
  for (const item of objectsOf(items)) {
    const [chain] = objectsOf([item['chain']]) as unknown as Chain[];
    const [rule] = objectsOf([item['rule']]);
    if (chain !== undefined)
      chains.set(keyOf(chain.family, chain.table, chain.name), { ...chain, rules: [] });
    if (rule === undefined) continue;
    const own = chains.get(keyOf(rule['family'], rule['table'], rule['chain']));
    own?.rules.push(objectsOf(rule['expr']));
  }
  return chains;
}

/** The elements of a list that are objects. The input comes from another program, so it is checked. */
const objectsOf = (list: unknown): Json[] =>
  (Array.isArray(list) ? list : []).filter((each) => typeof each === 'object' && each !== null);

const keyOf = (...parts: readonly unknown[]): string => parts.join(' ');

const ownerOf = ({ family, table }: Chain, chains: ReadonlyMap<string, Chain>): FirewallOwner => {
  if (table === 'firewalld') return 'firewalld';
  const names = [...chains.values()]
    .filter((each) => each.family === family && each.table === table)
    .map(({ name }) => String(name));
  if (names.some((name) => name.startsWith('DOCKER'))) return 'docker';
  return names.some((name) => name.startsWith('ufw')) ? 'ufw' : undefined;
};

interface Walk {
  readonly chains: ReadonlyMap<string, Chain>;
  readonly device: string;
  readonly packet: ForwardedPacket;
  rulesLeft: number;
}

/** The result of rules: a verdict or none, and whether an undecided rule would have accepted. */
interface Outcome {
  readonly verdict: 'accept' | 'drop' | 'return' | undefined;
  readonly mayAccept: boolean;
}

function passes(base: Chain, walk: Walk): Verdict {
  const { verdict, mayAccept } = follow(base, walk, 0);
  const isDropped = verdict === 'drop' || (verdict !== 'accept' && base.policy === 'drop');
  if (!isDropped) return 'accept';
  return mayAccept ? 'unknown' : 'drop';
}

function follow(chain: Chain, walk: Walk, depth: number): Outcome {
  let mayAccept = false;
  if (depth > MOST_JUMPS) return { verdict: undefined, mayAccept: true };
  for (const rule of chain.rules) {
    if (walk.rulesLeft-- <= 0) return { verdict: undefined, mayAccept: true };
    const matches = matchesRule(rule, walk);
    if (matches === false) continue;
    const outcome = perform(rule, chain, walk, depth);
    mayAccept ||= outcome.mayAccept || (matches === undefined && outcome.verdict === 'accept');
    if (matches === true && outcome.verdict !== undefined) return { verdict: outcome.verdict, mayAccept };
  }
  return { verdict: undefined, mayAccept };
}

/** The result of a rule that matches. */
function perform(rule: readonly Json[], chain: Chain, walk: Walk, depth: number): Outcome {
  for (const statement of rule) {
    if ('accept' in statement) return { verdict: 'accept', mayAccept: false };
    if ('drop' in statement || 'reject' in statement) return { verdict: 'drop', mayAccept: false };
    if ('return' in statement) return { verdict: 'return', mayAccept: false };
    if ('vmap' in statement) return dispatch((statement['vmap'] ?? {}) as Json, chain, walk, depth);
    const jump = (statement['jump'] ?? statement['goto']) as { target?: string } | null | undefined;
    const target = jump ? walk.chains.get(keyOf(chain.family, chain.table, jump.target)) : undefined;
    if (target === undefined) continue;
    const outcome = follow(target, walk, depth + 1);
    const isBack = outcome.verdict === 'return' || outcome.verdict === undefined;
    if (!isBack) return outcome;
    return { verdict: 'goto' in statement ? 'return' : undefined, mayAccept: outcome.mayAccept };
  }
  return { verdict: undefined, mayAccept: false };
}

/** A verdict map: the result is the verdict for the key of the packet. */
function dispatch({ key, data }: Json, chain: Chain, walk: Walk, depth: number): Outcome {
  const nothing = { verdict: undefined, mayAccept: false };
  const { ct, meta } = (key ?? {}) as { ct?: unknown; meta?: { key?: string } };
  // Packets of NAT64 are untracked.
  if (ct !== undefined) return nothing;
  const pairs = (data as { set?: unknown } | null)?.set;
  if (wayOf(meta?.key) !== walk.packet.way || !Array.isArray(pairs)) return { ...nothing, mayAccept: true };
  const own = pairs.find(
    (pair) => Array.isArray(pair) && typeof pair[0] === 'string' && isNameOf(pair[0], walk.device),
  ) as [string, unknown] | undefined;
  return own === undefined ? nothing : perform(objectsOf([own[1]]), chain, walk, depth);
}

/** Whether a rule matches; undefined if it depends on the packet. */
function matchesRule(rule: readonly Json[], walk: Walk): boolean | undefined {
  let result: boolean | undefined = true;
  for (const statement of rule) {
    // An iptables match or target that nftables does not have.
    if ('xt' in statement) result = undefined;
    if (!('match' in statement)) continue;
    const matches = matchesOne((statement['match'] ?? {}) as Json, walk);
    if (matches === false) return false;
    if (matches === undefined) result = undefined;
  }
  return result;
}

function matchesOne({ op, left, right }: Json, { device, packet }: Walk): boolean | undefined {
  const { ct, meta } = (left ?? {}) as { ct?: { key?: string }; meta?: { key?: string } };
  // Packets of NAT64 are untracked: they have no other state, and no other conntrack data.
  if (ct !== undefined && ct.key !== 'state') return false;
  const isEqual = op === '==' || op === 'in';
  if (!isEqual && op !== '!=') return undefined;
  const names = listOfValues(right);
  if (ct !== undefined) return names.includes('untracked') === isEqual;
  if (meta?.key === 'nfproto') return names.includes(packet.family === 4 ? 'ipv4' : 'ipv6') === isEqual;
  const way = wayOf(meta?.key);
  if (way === undefined || names.length === 0) return undefined;
  const hasDevice = names.some((name) => isNameOf(name, device));
  if (way === packet.way)
    return names.some((name) => name.startsWith('@')) ? undefined : hasDevice === isEqual;
  // The other device is any device except ours.
  return hasDevice && names.length === 1 ? !isEqual : undefined;
}

const wayOf = (key: string | undefined): ForwardedPacket['way'] | undefined =>
  key === 'iif' || key === 'iifname' ? 'from' : key === 'oif' || key === 'oifname' ? 'to' : undefined;

/** Whether a name such as "nat64" or "nat*" matches the device. */
const isNameOf = (name: string, device: string): boolean =>
  name === device || (name.endsWith('*') && device.startsWith(name.slice(0, -1)));

function listOfValues(right: unknown): string[] {
  const set = (right as { set?: unknown } | null)?.set ?? right;
  return (Array.isArray(set) ? set : [set]).filter((value) => typeof value === 'string');
}

/**
 * For the output of `iptables-legacy -S` or `ip6tables-legacy -S`: whether the policy of FORWARD is DROP, and no rule accepts the
 * packets that NAT64 forwards.
 */
export function legacyForwardDrops(rules: string, device: string): boolean {
  const lines = rules.split('\n').map((line) => line.trim());
  if (!lines.includes('-P FORWARD DROP')) return false;
  const accepts = (option: '-i' | '-o') =>
    lines.some((line) => line.startsWith('-A ') && line.endsWith(`${option} ${device} -j ACCEPT`));
  return !(accepts('-i') && accepts('-o'));
}
