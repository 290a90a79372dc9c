/**
 * Checks whether nftables tables are still as we set them. The kernel numbers the changes of its ruleset ("generation"), so a
 * check costs one query if nothing has changed. After a change, a fingerprint of the table decides: a digest of the kernel's
 * listing (linux/netfilter/nf_tables.h). The listing contains handles, so a rule that was deleted and added again is detected
 * too.
 */
import { createHash } from 'node:crypto';
import {
  type NetlinkMessage,
  NLM_F_DUMP,
  attributeText,
  attributeU32,
  buildNetlinkAttribute,
  netlinkText,
  parseNetlinkAttributes,
} from '../../wire/netlink.ts';
import { E, SystemCallError } from '../libc.ts';
import { NETLINK_NETFILTER, type NetlinkSocket, openNetlink } from '../netlink.ts';
import { replaceNftTable } from '../nft.ts';

const NFNL_SUBSYS_NFTABLES = 10 << 8;
const GET = { TABLE: 1, CHAIN: 4, RULE: 7, SET: 10, SET_ELEMENT: 13, GENERATION: 16 } as const;
/** struct nfgenmsg: family at 0; in the last two bytes of an answer, the generation. */
const HEADER_BYTES = 4;
/** NFTA_TABLE_NAME, CHAIN_TABLE, RULE_TABLE, SET_TABLE, SET_ELEM_LIST_TABLE. */
const TABLE_NAME = 1;
/** NFTA_SET_NAME, SET_ELEM_LIST_SET. */
const SET_NAME = 2;
const NFTA_GEN_ID = 1;
const FAMILIES: Readonly<Record<string, number>> = { inet: 1, ip: 2, ip6: 10 };
/** How often a table is set again when another program changed the ruleset at the same moment. */
const TRIES = 3;

export interface NftState extends Disposable {
  /** "isAsApplied": nobody has changed it since `replace`. `table`: family and name. */
  look(table: string): 'missing' | 'changed' | { readonly body: string };
  /** Sets a table, and replaces any earlier version. */
  replace(table: string, body: string): Promise<void>;
  /** A digest of a table's chains, rules and the sets that are named here; undefined when there is no such table. */
  fingerprint(table: string, sets: readonly string[]): string | undefined;
}

interface Applied {
  readonly body: string;
  readonly fingerprint: string;
  /** The generation at which it was last seen in place. */
  generation: number;
}

/** In the network namespace of the process. */
export function openNftState(): NftState {
  const socket = openNetlink(NETLINK_NETFILTER);
  const known = new Map<string, Applied>();
  return {
    look(table) {
      const applied = known.get(table);
      const generation = readGeneration(socket);
      if (applied?.generation === generation) return { body: applied.body };
      const fingerprint = fingerprintOf(socket, table);
      if (fingerprint === undefined) return 'missing';
      if (fingerprint !== applied?.fingerprint) return 'changed';
      applied.generation = generation;
      return { body: applied.body };
    },
    async replace(table, body) {
      known.delete(table);
      for (let i = 0; i < TRIES; i++) {
        const before = readGeneration(socket);
        await replaceNftTable(table, body);
        const fingerprint = fingerprintOf(socket, table);
        const generation = readGeneration(socket);
        // Only our own change lies between, so the listing shows what we set.
        if (fingerprint === undefined || generation !== nextGeneration(before)) continue;
        known.set(table, { body, fingerprint, generation });
        return;
      }
    },
    fingerprint: (table, sets) => fingerprintOf(socket, table, (name) => sets.includes(name)),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}

/** Zero is not a valid generation. */
const nextGeneration = (generation: number): number => (generation + 1) >>> 0 || 1;

function ask(
  socket: NetlinkSocket,
  what: (typeof GET)[keyof typeof GET],
  flags: number,
  family: number,
  attributes: readonly (readonly [number, string])[],
): NetlinkMessage[] {
  const parts = attributes.map(([type, text]) => buildNetlinkAttribute(type, netlinkText(text)));
  return socket.ask('read the nftables ruleset', NFNL_SUBSYS_NFTABLES | what, flags, [
    Uint8Array.of(family, 0, 0, 0),
    ...parts,
  ]);
}

function readGeneration(socket: NetlinkSocket): number {
  const [{ body }] = ask(socket, GET.GENERATION, 0, 0, []);
  const attributes = parseNetlinkAttributes(body, HEADER_BYTES);
  // These are the only numbers here in network order.
  const value = attributeU32(attributes, NFTA_GEN_ID, 0);
  return new DataView(Uint32Array.of(value).buffer).getUint32(0, false);
}

/** Undefined when there is no such table. */
function fingerprintOf(
  socket: NetlinkSocket,
  table: string,
  isCounted: (set: string) => boolean = () => true,
): string | undefined {
  const [familyText, name] = table.split(' ');
  const family = FAMILIES[familyText];
  const ofTable = [[TABLE_NAME, name]] as const;
  const isOfTable = ({ body }: NetlinkMessage) =>
    attributeText(parseNetlinkAttributes(body, HEADER_BYTES), TABLE_NAME) === name;
  try {
    const nameOf = ({ body }: NetlinkMessage) =>
      attributeText(parseNetlinkAttributes(body, HEADER_BYTES), SET_NAME);
    const sets = ask(socket, GET.SET, NLM_F_DUMP, family, ofTable)
      .filter(isOfTable)
      .filter((message) => isCounted(nameOf(message)));
    const messages = [
      ...ask(socket, GET.TABLE, 0, family, ofTable),
      ...ask(socket, GET.CHAIN, NLM_F_DUMP, family, []).filter(isOfTable),
      ...ask(socket, GET.RULE, NLM_F_DUMP, family, ofTable).filter(isOfTable),
      ...sets,
      ...sets.flatMap((message) =>
        ask(socket, GET.SET_ELEMENT, NLM_F_DUMP, family, [...ofTable, [SET_NAME, nameOf(message)]]),
      ),
    ];
    const hash = createHash('sha256');
    for (const { body } of messages) hash.update(body.subarray(HEADER_BYTES));
    return hash.digest('base64');
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === E.ENOENT) return undefined;
    throw error;
  }
}
