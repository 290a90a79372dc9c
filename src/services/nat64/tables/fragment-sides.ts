/** What is under way in fragments, of each side by itself. */
import { type FragmentMemory, createFragmentMemory } from './fragment-records.ts';

export interface Fragments {
  /** Made with the first fragment of that side. */
  from4: FragmentMemory | undefined;
  from6: FragmentMemory | undefined;
  /** Whether the packet in work is one that waited. */
  isReleased: boolean;
}

export const createFragments = (): Fragments => ({ from4: undefined, from6: undefined, isReleased: false });

/** The memory of a side; `seed` is that of the tables. */
export function fragmentsOf(fragments: Fragments, isIpv6: boolean, seed: number): FragmentMemory {
  if (isIpv6) return (fragments.from6 ??= createFragmentMemory(seed));
  return (fragments.from4 ??= createFragmentMemory(seed));
}

/** Forgets all datagrams, as after a change of what may be translated. */
export function clearFragments(fragments: Fragments): void {
  fragments.from4 = fragments.from6 = undefined;
}
