/** What a changed configuration means for what is there. */
import { attachTables } from './attach-tables.ts';
import { bibSlot, isStaticBib } from './bib.ts';
import { removeSessionsUnless } from './sessions.ts';
import { type Settings, isAllowed, isInPool } from './settings.ts';
import { applyStaticEntries } from './static-entries.ts';
import { BIB, RECORD_WORDS } from './tables.ts';
import type { Translator } from './translator.ts';

/** Sessions end whose mapping no longer exists on the IPv4 side, or whose host may no longer be translated. */
export function applySettings(translator: Translator, settings: Settings): void {
  const { nowSeconds } = translator;
  translator.flows?.clear(translator);
  translator.settings = settings;
  // Changes are rare, and linking all records anew takes milliseconds: whatever changed, the indices are right.
  const tables = attachTables(translator.tables, nowSeconds, settings);
  translator.tables = tables;
  applyStaticEntries(tables, settings.staticEntries, nowSeconds);
  const { bib } = tables;
  removeSessionsUnless(
    tables,
    (bibAt) => {
      const index = bibAt / RECORD_WORDS;
      if (!isAllowed(settings.allow, bib[bibAt], bib[bibAt + 1], bib[bibAt + 2], bib[bibAt + 3]))
        return false;
      return (
        isStaticBib(tables, index) ||
        isInPool(settings, bibSlot(tables, index), bib[bibAt + BIB.PORTS] & 0xffff)
      );
    },
    nowSeconds,
  );
}
