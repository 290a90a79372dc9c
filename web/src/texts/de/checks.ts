/** Checks. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';

export const checks: Dictionary = {
  'check my setup problems repair': 'Einrichtung prüfen Probleme',
  'Checks the whole setup from inside and, as far as possible, from outside. Each open check says what is wrong, why it matters and how to fix it.':
    'Prüft die ganze Einrichtung von innen und, soweit möglich, von außen. Jede offene Prüfung sagt, was nicht stimmt, warum es wichtig ist und wie es zu beheben ist.',
  'Check everything again': 'Alles noch einmal prüfen',
  'Why it matters': 'Warum es wichtig ist',
  'How to fix it': 'So wird es behoben',
  '1 to fix': '1 zu beheben',
  '{count} to fix': '{count} zu beheben',
  'No open checks': 'Keine offene Prüfung',
  'Everything that could be checked is fine.': 'Alles, was sich prüfen ließ, ist in Ordnung.',
  'Not known yet': 'Noch nicht bekannt',
  'Not checked yet, or not visible from here.': 'Noch nicht geprüft, oder von hier aus nicht zu sehen.',
  '{count} are fine': '{count} sind in Ordnung',
  'Checking…': 'Wird geprüft …',
  'Checked again.': 'Noch einmal geprüft.',
  'Nothing has been checked yet': 'Noch ist nichts geprüft',
  'The checks run by themselves shortly after the start.':
    'Die Prüfungen laufen kurz nach dem Start von selbst.',
  Network: 'Netz',
  Names: 'Namen',
};
