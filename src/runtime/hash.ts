/** One step of the hash over a key of 32-bit words. Start with a seed that clients cannot know. */
export function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85eb_ca6b);
  return mixed ^ (mixed >>> 15);
}
