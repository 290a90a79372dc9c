/** The fragmented datagrams in progress, separate for each side. */
import { type FragmentMemory, createFragmentMemory } from './fragment-records.ts';

export interface Fragments {
  /** Made when the first fragment comes from that side. */
  from4: FragmentMemory | undefined;
  from6: FragmentMemory | undefined;
  /** Whether the current packet is a fragment that has waited. */
  isReleased: boolean;
}

export const createFragments = (): Fragments => ({ from4: undefined, from6: undefined, isReleased: false });

/** The memory of a side; `seed` is that of the tables. */
export function fragmentsOf(fragments: Fragments, isIpv6: boolean, seed: number): FragmentMemory {
  if (isIpv6) return (fragments.from6 ??= createFragmentMemory(seed));
  return (fragments.from4 ??= createFragmentMemory(seed));
}

/** Drops all datagrams, for example after a change of what may be translated. */
export function clearFragments(fragments: Fragments): void {
  fragments.from4 = fragments.from6 = undefined;
}
