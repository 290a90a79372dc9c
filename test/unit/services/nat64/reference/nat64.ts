/**
 * The reference: a NAT64 written for clarity. The optimised translator is compared with it, byte for byte. Sessions are objects
 * in a map, packets are rebuilt from their fields, and the rules are in the order of the RFC. It does not choose ports or
 * identifications: it uses those that the optimised translator chose, and checks that they are allowed.
 */
import type { Bytes } from '../packets.ts';
import { from4 } from './from4.ts';
import { from6 } from './from6.ts';
import { cutUp, isComplete, laterFragment, takeFragment } from './fragments.ts';
import type { Choices, Datagram, Fragment, Outcome, ReferenceConfig, Result, State } from './types.ts';

/** The result of a packet, collected step by step. */
interface Results {
  readonly drops: string[];
  readonly outs: Bytes[];
}

export class ReferenceNat64 {
  readonly #state: State;

  constructor(config: ReferenceConfig) {
    this.#state = { config, byHost: new Map(), byPort: new Map(), sessions: new Set(), datagrams: new Map() };
  }

  translate(packet: Uint8Array, choices: Choices): Result {
    const results: Results = { drops: [], outs: [] };
    const version = packet.length > 0 ? packet[0] >> 4 : 0;
    if (version === 4) this.#pass(from4(this.#state, packet, false), choices, results, false);
    else if (version === 6) this.#pass(from6(this.#state, packet, choices), choices, results, false);
    else results.drops.push('drop-not-ip');
    return results;
  }

  /** `isBack`: the packet came from one of our hosts, which therefore also gets the error about a drop (RFC 6146 section 3.8). */
  #pass(outcome: Outcome, choices: Choices, results: Results, isBack: boolean): void {
    const { drop, out, cut, fragment } = outcome;
    if (fragment !== undefined) {
      this.#takeFragment(fragment, choices, results, isBack);
      return;
    }
    if (drop !== undefined) results.drops.push(drop);
    if (out === undefined) return;
    const comesBack = outcome.isHairpin === true || (isBack && drop !== undefined);
    if (comesBack) this.#pass(from4(this.#state, out, true), choices, results, outcome.isHairpin === true);
    else results.outs.push(...(cut === undefined ? [out] : cutUp(out, cut)));
  }

  #takeFragment(fragment: Fragment, choices: Choices, results: Results, isBack: boolean): void {
    const { drops, passing, datagram } = takeFragment(this.#state, fragment);
    results.drops.push(...drops);
    if (datagram === undefined) return;
    for (const each of passing) {
      if (isRefused(datagram)) break;
      each.hasPassed = true;
      this.#pass(this.#translated(each, datagram, choices, isBack), choices, results, isBack);
      if (!isRefused(datagram)) continue;
      const lost = datagram.fragments.filter(({ hasPassed }) => !hasPassed);
      results.drops.push(...lost.map(() => 'drop-fragment-refused'));
    }
    const isOver = datagram.state === 'passing' || datagram.state === 'kernel';
    if (isOver && isComplete(datagram)) this.#state.datagrams.delete(fragment.key);
  }

  #translated(fragment: Fragment, datagram: Datagram, choices: Choices, isBack: boolean): Outcome {
    if (datagram.state === 'kernel') return { out: fragment.packet, isReturned: true };
    const { version, packet, offset, needsAll } = fragment;
    const all = needsAll ? Buffer.concat(datagram.fragments.map(({ data }) => data)) : undefined;
    if (offset === 0) {
      const came = { all: all === undefined ? undefined : Uint8Array.from(all) };
      const outcome =
        version === 6 ? from6(this.#state, packet, choices, came) : from4(this.#state, packet, isBack, came);
      const isTranslated = outcome.out !== undefined && outcome.drop === undefined;
      datagram.state = isTranslated ? 'passing' : 'refused';
      if (isTranslated) datagram.first = outcome;
      return outcome;
    }
    if (version === 4) {
      // Fragments that might have been the kernel's are checked only now; for others this changes nothing.
      const own = from4(this.#state, packet, isBack, { all: undefined });
      if (own.drop !== undefined) return own;
    }
    const later = laterFragment(this.#state.config, fragment, datagram.first as Outcome);
    const cut = version === 4 ? limitOf(fragment, this.#state.config) : undefined;
    return cut === undefined ? later : { ...later, cut };
  }
}

const isRefused = ({ state }: Datagram) => state === 'refused';

function limitOf({ packet, offset, hasMore, identification }: Fragment, config: ReferenceConfig) {
  const mayFragment = (packet[6] & 0x40) === 0;
  const limitBytes = mayFragment ? config.lowestIpv6MtuBytes : config.mtuBytes;
  return { limitBytes, offset, hasMore, identification };
}
