/** The configuration, its history and its editor. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';

export const configuration: Dictionary = {
  'editor revisions revert': 'Editor Revisionen',
  History: 'Verlauf',
  JSON: 'JSON',
  'Everything this appliance does stands in one document. Changes collect as a draft; applying one starts a countdown, and what is not confirmed rolls back by itself.':
    'Alles, was dieses Gerät tut, steht in einem Dokument. Änderungen sammeln sich als Entwurf; das Anwenden startet einen Countdown, und was nicht bestätigt wird, nimmt sich von selbst zurück.',
  Changes: 'Änderungen',
  'There are no changes': 'Es gibt keine Änderungen',
  'What you change on any page collects here first. Nothing takes effect before you apply it.':
    'Was Sie auf irgendeiner Seite ändern, sammelt sich zuerst hier. Nichts wirkt, bevor Sie es anwenden.',
  'Not applied yet': 'Noch nicht angewendet',
  'Applied, waiting to be confirmed': 'Angewendet, wartet auf Bestätigung',
  'With every default': 'Mit allen Vorgaben',
  'What is in force now, including what the document leaves out.':
    'Was jetzt gilt, auch das, was das Dokument weglässt.',
  'The document': 'Das Dokument',
  'What is left out has its default: an empty object is a working configuration.':
    'Was fehlt, hat seine Vorgabe: Ein leeres Objekt ist eine funktionierende Konfiguration.',
  'Take into the draft': 'In den Entwurf übernehmen',
  Check: 'Prüfen',
  'Back to what is in force': 'Zurück zum Geltenden',
  'This is a valid configuration.': 'Das ist eine gültige Konfiguration.',
  'The draft is this document; review it in the bar below.':
    'Der Entwurf ist dieses Dokument; sehen Sie ihn in der Leiste unten durch.',
  Revision: 'Revision',
  By: 'Von',
  Why: 'Warum',
  'first start': 'erster Start',
  applied: 'angewendet',
  'brought back': 'zurückgeholt',
  'rolled back': 'zurückgenommen',
  'edited by hand': 'von Hand bearbeitet',
  'restored from a backup': 'aus einer Sicherung',
  'in force': 'gilt',
  'Revision {id}': 'Revision {id}',
  'What it changed': 'Was sie änderte',
  'What bringing it back would change now': 'Was sich durch das Zurückholen jetzt änderte',
  'Nothing.': 'Nichts.',
  'Bring it back': 'Zurückholen',
  'Revision {id} is back in force. Confirm it within the countdown.':
    'Revision {id} gilt wieder. Bestätigen Sie vor Ablauf des Countdowns.',
  'Bring revision {id} back?': 'Revision {id} zurückholen?',
  'The configuration changes in 1 place; what was set there since then is gone.':
    'Die Konfiguration ändert sich an 1 Stelle; was dort seither eingestellt wurde, ist weg.',
  'The configuration changes in {count} places; what was set there since then is gone.':
    'Die Konfiguration ändert sich an {count} Stellen; was dort seither eingestellt wurde, ist weg.',
  'A countdown runs: what is not confirmed rolls back by itself. The history keeps the present one, too.':
    'Ein Countdown läuft: Was nicht bestätigt wird, nimmt sich von selbst zurück. Auch die jetzige bleibt im Verlauf.',
  'The whole document': 'Das ganze Dokument',
  'You came for {path}.': 'Sie kamen wegen {path}.',
};
