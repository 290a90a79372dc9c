/**
 * Under which name a language keeps what an English sentence is in it. The page has the sentence anyway; the build
 * (vite.config.ts) puts these short keys in the place of the sentences, which would be sent twice.
 */
export function keyOf(sentence: string): string {
  // FNV-1a
  let hash = 0x811c9dc5;
  for (let i = 0; i < sentence.length; i++) hash = Math.imul(hash ^ sentence.charCodeAt(i), 0x01000193);
  // 22 bits suffice: the build refuses two sentences with one key, and each bit costs 95 bytes of what a page loads.
  return (hash >>> 10).toString(36);
}
