/**
 * Filtering, and updating of BIB and sessions (RFC 6146 section 3.5). Mapping and filtering are independent of the
 * endpoint (N8, N20), unless filtering is set to depend on the address. ICMP errors only look sessions up; they never create, refresh
 * or end one (N6, N37). What is found or made is noted in the packet: `bib` and `session`.
 */
import { CONTINUE, RETURN_TO_KERNEL, type Verdict } from '../counters.ts';
import { filterFrom4 } from './filter-from4.ts';
import { filterFrom6 } from './filter-from6.ts';
import { isForKernel } from './hairpin.ts';
import { mayPass4 } from './incoming-tuple-4.ts';
import type { Translator } from './translator.ts';

/** For a packet whose tuple is known. */
export function filterAndUpdate(translator: Translator, isIpv6: boolean): Verdict {
  if (isIpv6) return filterFrom6(translator);
  const { settings, packet } = translator;
  if (!packet.isError) {
    // What is for the appliance's own programs is no matter of ours, whatever it is like.
    if (isForKernel(translator)) return RETURN_TO_KERNEL;
    const mayPass = mayPass4(settings, packet);
    if (mayPass !== CONTINUE) return mayPass;
  }
  return filterFrom4(translator);
}
