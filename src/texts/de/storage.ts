/** Problems with files: the configuration file and those of the state directory. */
import type { Dictionary } from '../sentence.ts';

export const storage: Dictionary = {
  'The configuration file is refused. {problem}. {running} The file is left as it is: edit it and reload it (systemctl reload tombolo), or write what runs in its place (“Use what runs” on the page); then the refused one is kept aside.':
    'Die Konfigurationsdatei wird abgelehnt. {problem}. {running} Die Datei bleibt, wie sie ist: sie bearbeiten und neu laden (systemctl reload tombolo), oder das, was läuft, an ihre Stelle schreiben („Übernehmen, was läuft“ auf der Seite); dann wird die abgelehnte daneben aufgehoben.',
  'a file that this process may read': 'eine Datei, die dieser Prozess lesen darf',
  'cannot be read: {reason}': 'lässt sich nicht lesen: {reason}',
  'cannot be put into force: {reason}': 'lässt sich nicht in Kraft setzen: {reason}',
  '{problem} (and {more} more)': '{problem} (und {more} weitere)',
  'What ran before goes on.': 'Was vorher lief, läuft weiter.',
  'What was before the unconfirmed change runs.': 'Es läuft, was vor der unbestätigten Änderung galt.',
  'Revision {id} of {time} runs, the last that was good.':
    'Es läuft der Stand {id} vom {time}, der letzte gute.',
  'The history holds no good one: defaults run, without any server.':
    'In der Historie ist kein guter Stand: Es laufen die Vorgaben, ohne einen Server.',
  'it holds no revision that can be read': 'kein Stand darin ist lesbar',
  'some of its lines cannot be read': 'einige Zeilen darin sind nicht lesbar',
  'it is no JSON': 'sie ist kein JSON',
  'it is no file': 'es ist keine Datei',
  'it is a symbolic link to something that is not there':
    'es ist ein symbolischer Link auf etwas, das es nicht gibt',
  'it is no directory': 'es ist kein Verzeichnis',
  'it has {bytes} bytes': 'sie hat {bytes} Bytes',
  'it could not be used': 'sie war nicht zu gebrauchen',
  '"{what}" is not what was written there': '„{what}“ ist nicht, was dort geschrieben wurde',
  'what could not be read is not written over': 'was nicht lesbar war, wird nicht überschrieben',
  'it was not there at the start; restart to use it, or remove it':
    'sie war beim Start nicht da; neu starten, um sie zu benutzen, oder sie entfernen',
  '{name} was damaged ({reason}); it is kept as {aside}.':
    '{name} war beschädigt ({reason}); die Datei ist aufgehoben als {aside}.',
  'In {directory} cannot be read: {files} ({reason}). It is left as it is, and everything else goes on without it. {remedy}':
    'In {directory} nicht lesbar: {files} ({reason}). Es bleibt, wie es ist, und alles andere läuft ohne es weiter. {remedy}',
  'In {directory} cannot be written: {files} ({reason}). Everything goes on from memory, and it is tried again. {remedy}':
    'In {directory} nicht zu schreiben: {files} ({reason}). Alles läuft aus dem Speicher weiter, und es wird wieder versucht. {remedy}',
  'Another process uses {directory}, too: this one writes nothing there until it is alone. End one of them, or give it a directory of its own (--state).':
    'Ein zweiter Prozess benutzt {directory}: Dieser hier schreibt dort nichts, bis er allein ist. Einen von beiden beenden, oder ihm ein eigenes Verzeichnis geben (--state).',
  'The backup was not restored; the configuration from before is still active. Fix the cause, then restore the backup again: {reason}':
    'Die Sicherung wurde nicht wiederhergestellt; es läuft unverändert, was vorher da war. Sie noch einmal wiederherstellen, wenn das behoben ist: {reason}',
  'The backup was not restored, and nothing was changed: {reason}':
    'Die Sicherung wurde nicht wiederhergestellt, und nichts wurde geändert: {reason}',
  'This version cannot use what the backup has for "{title}" ({reason}); nothing was changed.':
    'Diese Version kann mit dem, was die Sicherung unter „{title}“ hat, nichts anfangen ({reason}); es wurde nichts geändert.',
  'another process uses the directory': 'ein zweiter Prozess benutzt das Verzeichnis',
  'End one of the two.': 'Einen von beiden beenden.',
  'Another program wrote {name} while this one was using it; what it wrote is kept as {aside}.':
    'Ein anderes Programm hat {name} geschrieben, während dieses die Datei benutzte; was es schrieb, ist aufgehoben als {aside}.',
  'Free some space on that disk, or remove files, where it has no room for another (df -i).':
    'Auf diesem Datenträger Platz schaffen, oder Dateien löschen, wo er keine weitere mehr fasst (df -i).',
  'The file system is read-only, as after a fault of the disk: the log of the kernel has the reason. Replace a worn card, or mount it for writing.':
    'Das Dateisystem ist nur lesbar, wie nach einem Fehler des Datenträgers: Das Protokoll des Kernels nennt den Grund. Eine verbrauchte Karte ersetzen, oder es schreibbar einhängen.',
  'Give the directory and what is in it to the user that this process runs as (chown), and restart it.':
    'Das Verzeichnis und seinen Inhalt dem Benutzer geben, unter dem dieser Prozess läuft (chown), und den Prozess neu starten.',
  'Make the directory, for the user that this process runs as.':
    'Das Verzeichnis anlegen, für den Benutzer, unter dem dieser Prozess läuft.',
  'Look at what is there, and at the disk.': 'Nachsehen, was dort ist, und nach dem Datenträger.',
  'it is missing, although somebody owns this appliance': 'sie fehlt, obwohl dieses Gerät jemandem gehört',
  'it holds no password': 'sie enthält kein Passwort',
  'it does not hold 43 characters of base64url': 'sie enthält keine 43 Zeichen Base64url',
  'its key is of another certificate': 'ihr Schlüssel gehört zu einem anderen Zertifikat',
  'it does not say what it holds': 'sie sagt nicht, was sie enthält',
  'Nobody owns this appliance yet, because that could not be kept: {reason}':
    'Dieses Gerät gehört noch niemandem, weil sich das nicht aufheben ließ: {reason}',
  '{path} cannot be used ({reason})': '{path} ist nicht zu gebrauchen ({reason})',
};
