/** One step of the hash of a key of 32-bit words; begin with a seed that clients cannot know. */
export function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85eb_ca6b);
  return mixed ^ (mixed >>> 15);
}
