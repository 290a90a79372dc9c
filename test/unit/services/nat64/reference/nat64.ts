/**
 * A NAT64 written for clarity: what the optimised translator is compared with, byte for byte. Sessions are objects in a
 * map, packets are made anew from their fields, and every rule stands where the RFC has it. It chooses no ports and no
 * identifications: it takes those that the optimised translator chose, and checks that it might.
 */
import { from4 } from './from4.ts';
import { from6 } from './from6.ts';
import { cutUp, reassemble } from './fragments.ts';
import { type Came, type Choices, type ReferenceConfig, type Result, type State, WHOLE } from './types.ts';

export class ReferenceNat64 {
  readonly #state: State;

  constructor(config: ReferenceConfig) {
    this.#state = { config, byHost: new Map(), byPort: new Map(), sessions: new Set(), datagrams: new Map() };
  }

  translate(packet: Uint8Array, choices: Choices): Result {
    const state = this.#state;
    const version = packet.length > 0 ? packet[0] >> 4 : 0;
    if (version !== 4 && version !== 6) return { drops: ['drop-not-ip'], outs: [] };
    const pass = (bytes: Uint8Array, came: Came, isHairpinned = false) =>
      bytes[0] >> 4 === 6 ? from6(state, bytes, choices, came) : from4(state, bytes, came, isHairpinned);
    let outcome = pass(packet, WHOLE);
    let came = WHOLE;
    if (outcome.fragment !== undefined) {
      const whole = reassemble(state.datagrams, outcome.fragment);
      if ('packet' in whole) {
        came = whole.came;
        outcome = pass(whole.packet, came);
      } else {
        outcome = whole;
      }
    }
    const drops = outcome.drop === undefined ? [] : [outcome.drop];
    if (outcome.isHairpin === true && outcome.out !== undefined) {
      outcome = pass(outcome.out, came, true);
      if (outcome.drop !== undefined) {
        drops.push(outcome.drop);
        if (outcome.out === undefined) return { drops, outs: [] };
        outcome = pass(outcome.out, WHOLE, true);
        if (outcome.drop !== undefined) drops.push(outcome.drop);
      }
    }
    const { out, cut } = outcome;
    if (out === undefined) return { drops, outs: [] };
    return { drops, outs: cut === undefined ? [out] : cutUp(out, cut.limitBytes, cut.came) };
  }
}
