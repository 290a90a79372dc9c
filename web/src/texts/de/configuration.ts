/** The configuration, its history and its editor. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';

export const configuration: Dictionary = {
  'editor revisions revert': 'Editor Revisionen',
  History: 'Verlauf',
  JSON: 'JSON',
  'One document configures everything that this appliance does. Changes are collected in a draft. Applying the draft starts a countdown; a change that is not confirmed is rolled back.':
    'Ein Dokument bestimmt alles, was dieses Gerät tut. Änderungen werden in einem Entwurf gesammelt. Das Anwenden startet einen Countdown; eine Änderung, die nicht bestätigt wird, wird zurückgenommen.',
  Changes: 'Änderungen',
  'There are no changes': 'Es gibt keine Änderungen',
  'Changes that you make on any page are collected here first. Nothing takes effect before you apply it.':
    'Änderungen, die Sie auf einer Seite machen, werden zuerst hier gesammelt. Nichts wirkt, bevor Sie es anwenden.',
  'Not applied yet': 'Noch nicht angewendet',
  'Applied, waiting to be confirmed': 'Angewendet, wartet auf Bestätigung',
  'With all defaults': 'Mit allen Vorgaben',
  'The active configuration, with the defaults that the document leaves out.':
    'Die geltende Konfiguration, mit den Vorgaben, die das Dokument weglässt.',
  'The document': 'Das Dokument',
  'Anything left out has its default: an empty object is a valid configuration.':
    'Was fehlt, hat seine Vorgabe: Ein leeres Objekt ist eine gültige Konfiguration.',
  'Use as the draft': 'Als Entwurf übernehmen',
  Check: 'Prüfen',
  'Back to the active configuration': 'Zurück zur geltenden Konfiguration',
  'This is a valid configuration.': 'Das ist eine gültige Konfiguration.',
  'This document is now the draft. Review it in the bar below.':
    'Dieses Dokument ist jetzt der Entwurf. Sehen Sie ihn in der Leiste unten durch.',
  Revision: 'Revision',
  By: 'Von',
  Why: 'Warum',
  'first start': 'erster Start',
  applied: 'angewendet',
  'brought back': 'zurückgeholt',
  'rolled back': 'zurückgenommen',
  'edited by hand': 'von Hand bearbeitet',
  'restored from a backup': 'aus einer Sicherung',
  active: 'gilt',
  'Revision {id}': 'Revision {id}',
  'What it changed': 'Was sie änderte',
  'What bringing it back would change now': 'Was das Zurückholen jetzt ändern würde',
  'Nothing.': 'Nichts.',
  'Bring it back': 'Zurückholen',
  'Revision {id} is active again. Confirm it before the countdown ends.':
    'Revision {id} gilt wieder. Bestätigen Sie vor Ablauf des Countdowns.',
  'Bring revision {id} back?': 'Revision {id} zurückholen?',
  'The configuration changes in 1 place; settings made there since then are lost.':
    'Die Konfiguration ändert sich an 1 Stelle; was dort seither eingestellt wurde, geht verloren.',
  'The configuration changes in {count} places; settings made there since then are lost.':
    'Die Konfiguration ändert sich an {count} Stellen; was dort seither eingestellt wurde, geht verloren.',
  'A countdown starts: without your confirmation, the change is rolled back. The history keeps the present configuration, too.':
    'Ein Countdown beginnt: Ohne Ihre Bestätigung wird die Änderung zurückgenommen. Auch die jetzige Konfiguration bleibt im Verlauf.',
  'The whole document': 'Das ganze Dokument',
  'This link leads to {path}.': 'Dieser Link führt zu {path}.',
};
