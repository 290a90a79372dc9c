/** Checks. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';

export const checks: Dictionary = {
  'check my setup problems repair': 'Einrichtung prüfen Probleme',
  'Looks at the whole setup from inside, and as far as it can from outside. Whatever is open says what is wrong, why it matters and how to mend it.':
    'Sieht sich die ganze Einrichtung von innen an, und so weit möglich von außen. Alles Offene sagt, was nicht stimmt, warum es zählt und wie es zu beheben ist.',
  'Check everything again': 'Alles noch einmal prüfen',
  'Why it matters': 'Warum es zählt',
  'How to mend it': 'So wird es behoben',
  '1 needs you': '1 braucht Sie',
  '{count} need you': '{count} brauchen Sie',
  'Nothing is open': 'Nichts ist offen',
  'Everything that could be checked is well.': 'Alles, was sich prüfen ließ, ist in Ordnung.',
  'Not known yet': 'Noch nicht bekannt',
  'What has not been looked at, or cannot be told from here.':
    'Was noch nicht geprüft wurde oder sich von hier aus nicht sagen lässt.',
  '{count} are well': '{count} sind in Ordnung',
  'Checking…': 'Wird geprüft …',
  'Checked again.': 'Noch einmal geprüft.',
  'Nothing has been checked yet': 'Noch ist nichts geprüft',
  'The first round runs by itself shortly after the start.':
    'Die erste Runde läuft kurz nach dem Start von selbst.',
  Network: 'Netz',
  Names: 'Namen',
};
