/**
 * Filtering, and updating of BIB and sessions (RFC 6146 section 3.5). Mapping and filtering are endpoint-independent (N8,
 * N20), unless filtering is configured to be address-dependent. ICMP errors only look sessions up; they never create, refresh
 * or end one (N6, N37). The BIB entry and the session that were found or made are noted in the packet: `bib` and `session`.
 */
import { CONTINUE, RETURN_TO_KERNEL, type Verdict } from '../counters.ts';
import { filterFrom4 } from './filter-from4.ts';
import { filterFrom6 } from './filter-from6.ts';
import { isForKernel } from './hairpin.ts';
import { mayPass4 } from './incoming-tuple-4.ts';
import type { Translator } from './translator.ts';

/** Filters a packet whose tuple is known. */
export function filterAndUpdate(translator: Translator, isIpv6: boolean): Verdict {
  if (isIpv6) return filterFrom6(translator);
  const { settings, packet } = translator;
  if (!packet.isError) {
    // A packet to the appliance's own programs goes to the kernel unchecked, so this comes before `mayPass4`.
    if (isForKernel(translator)) return RETURN_TO_KERNEL;
    const mayPass = mayPass4(settings, packet);
    if (mayPass !== CONTINUE) return mayPass;
  }
  return filterFrom4(translator);
}
