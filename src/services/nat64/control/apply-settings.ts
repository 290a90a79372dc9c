/** Applies a changed configuration to the running translator. */
import { attachTables } from '../tables/attach-tables.ts';
import { bibProtocol, bibSlot, isStaticBib } from '../tables/bib.ts';
import { removeSessionsUnless } from '../tables/sessions.ts';
import { mayKeepMapping } from '../settings/keep-mapping.ts';
import type { Settings } from '../settings/settings.ts';
import { applyStaticEntries } from '../tables/static-entries.ts';
import { BIB, RECORD_WORDS } from '../tables/tables.ts';
import type { Translator } from '../steps/translator.ts';
import { isAllowed } from '../settings/address-list.ts';
import { clearFragments } from '../tables/fragment-sides.ts';

/** Applies new settings. Ends sessions whose mapping no longer exists on the IPv4 side, or whose host is no longer allowed. */
export function applySettings(translator: Translator, settings: Settings): void {
  const { nowSeconds } = translator;
  translator.flows?.clear();
  translator.settings = settings;
  clearFragments(translator.fragments);
  // Changes are rare, and rebuilding all indices takes milliseconds: so they are correct whatever changed.
  const tables = attachTables(translator.tables, nowSeconds, settings, translator.tables.log);
  translator.tables = tables;
  applyStaticEntries(tables, settings.staticEntries, nowSeconds);
  const { bib } = tables;
  removeSessionsUnless(
    tables,
    (bibAt) => {
      const index = bibAt / RECORD_WORDS;
      if (isStaticBib(tables, index)) return isAllowed(settings.allow, bib, bibAt);
      const port = bib[bibAt + BIB.PORTS] & 0xffff;
      return mayKeepMapping(settings, bib, bibAt, bibProtocol(tables, index), bibSlot(tables, index), port);
    },
    nowSeconds,
  );
}
