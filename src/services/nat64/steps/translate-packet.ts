/** Translates the current packet, whose tuples are complete, in place (RFC 6146 section 3.7, RFC 7915). */
import { translateError4to6, translateError6to4 } from './translate-error.ts';
import { translate4to6 } from './translate-4to6.ts';
import { translate6to4 } from './translate-6to4.ts';
import type { Translator } from './translator.ts';

export function translatePacket(translator: Translator, isIpv6: boolean): void {
  const { isError } = translator.packet;
  if (isIpv6) {
    if (isError) translateError6to4(translator);
    else translate6to4(translator);
  } else if (isError) translateError4to6(translator);
  else translate4to6(translator);
}
