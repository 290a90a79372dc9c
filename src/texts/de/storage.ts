/** Problems with files: the configuration file and those of the state directory. */
import type { Dictionary } from '../sentence.ts';

export const storage: Dictionary = {
  'The configuration file is refused. {problem}. {running} The file is not changed: edit it and reload it (systemctl reload tombolo), or replace it with the running configuration (“Use the running configuration” on the page); the refused file is then kept under another name.':
    'Die Konfigurationsdatei wird abgelehnt. {problem}. {running} Die Datei bleibt, wie sie ist: sie bearbeiten und neu laden (systemctl reload tombolo), oder sie durch die laufende Konfiguration ersetzen („Laufende Konfiguration übernehmen“ auf der Seite); die abgelehnte bleibt dann unter einem anderen Namen erhalten.',
  'a file that this process may read': 'eine Datei, die dieser Prozess lesen darf',
  'cannot be read: {reason}': 'lässt sich nicht lesen: {reason}',
  'cannot be put into force: {reason}': 'lässt sich nicht in Kraft setzen: {reason}',
  '{problem} (and {more} more)': '{problem} (und {more} weitere)',
  'The previous configuration keeps running.': 'Die bisherige Konfiguration läuft weiter.',
  'The configuration before the unconfirmed change is running.':
    'Es läuft die Konfiguration vor der unbestätigten Änderung.',
  'Revision {id} of {time}, the last good one, is running.':
    'Es läuft der Stand {id} vom {time}, der letzte gute.',
  'The history has no good revision: the defaults are running, without any server.':
    'Im Verlauf ist kein guter Stand: Es laufen die Vorgaben, ohne einen Server.',
  'it has no revision that can be read': 'kein Stand darin ist lesbar',
  'some of its lines cannot be read': 'einige Zeilen darin sind nicht lesbar',
  'it is not JSON': 'sie ist kein JSON',
  'it is not a file': 'es ist keine Datei',
  'it is a symbolic link to something that is not there':
    'es ist ein symbolischer Link auf etwas, das es nicht gibt',
  'it is not a directory': 'es ist kein Verzeichnis',
  'it has {bytes} bytes': 'sie hat {bytes} Bytes',
  'it could not be used': 'sie war nicht zu gebrauchen',
  '"{what}" is not what was written there': '„{what}“ ist nicht, was dort geschrieben wurde',
  'a file that could not be read is not overwritten':
    'eine Datei, die nicht lesbar war, wird nicht überschrieben',
  'it was not there at the start; restart to use it, or remove it':
    'sie war beim Start nicht da; neu starten, um sie zu benutzen, oder sie entfernen',
  '{name} was damaged ({reason}); it is kept as {aside}.':
    '{name} war beschädigt ({reason}); die Datei ist aufgehoben als {aside}.',
  'Cannot read in {directory}: {files} ({reason}). The files are not changed, and everything else runs without them. {remedy}':
    'In {directory} nicht lesbar: {files} ({reason}). Die Dateien bleiben, wie sie sind, und alles andere läuft ohne sie. {remedy}',
  'Cannot write in {directory}: {files} ({reason}). Everything runs from memory, and writing is retried. {remedy}':
    'In {directory} nicht zu schreiben: {files} ({reason}). Alles läuft aus dem Speicher, und das Schreiben wird wieder versucht. {remedy}',
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
  'Free some space on that disk, or remove files if it has no inodes left (df -i).':
    'Auf diesem Datenträger Platz schaffen, oder Dateien löschen, wenn er keine Inodes mehr hat (df -i).',
  'The file system is read-only, as after a fault of the disk: the log of the kernel has the reason. Replace a worn card, or mount it for writing.':
    'Das Dateisystem ist nur lesbar, wie nach einem Fehler des Datenträgers: Das Protokoll des Kernels nennt den Grund. Eine verbrauchte Karte ersetzen, oder es schreibbar einhängen.',
  'Give the directory and what is in it to the user that this process runs as (chown), and restart it.':
    'Das Verzeichnis und seinen Inhalt dem Benutzer geben, unter dem dieser Prozess läuft (chown), und den Prozess neu starten.',
  'Create the directory, for the user that this process runs as.':
    'Das Verzeichnis anlegen, für den Benutzer, unter dem dieser Prozess läuft.',
  'Check what is there, and the disk.': 'Prüfen, was dort ist, und den Datenträger.',
  'it is missing, although somebody owns this appliance': 'sie fehlt, obwohl dieses Gerät jemandem gehört',
  'it has no password': 'sie enthält kein Passwort',
  'it does not have 43 characters of base64url': 'sie enthält keine 43 Zeichen Base64url',
  'its key is of another certificate': 'ihr Schlüssel gehört zu einem anderen Zertifikat',
  'it does not say what it contains': 'sie sagt nicht, was sie enthält',
  'Nobody owns this appliance yet, because that could not be saved: {reason}':
    'Dieses Gerät gehört noch niemandem, weil sich das nicht speichern ließ: {reason}',
  '{path} cannot be used ({reason})': '{path} ist nicht zu gebrauchen ({reason})',
};
