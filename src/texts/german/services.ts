/** What services say of themselves, and the audit log. */
import { germanOf } from '../dictionary.ts';

export const services = germanOf({
  starting: 'startet gerade',
  none: 'keine',
  off: 'aus',
  down: 'antwortet nicht',
  'not asked yet': 'noch nicht gefragt',
  'this resolver itself': 'dieser Resolver selbst',
  '{upstreams} is this resolver itself, so it is not asked: remove it from dns64.upstreams':
    '{upstreams} ist dieser Resolver selbst und wird darum nicht gefragt: aus dns64.upstreams entfernen',
  'up, {milliseconds} ms': 'antwortet, {milliseconds} ms',
  'the worker thread died and is being started again':
    'der Arbeitsthread ist gestorben und wird neu gestartet',
  'The thread that answers from the cache is being started again':
    'Der Thread, der aus dem Cache antwortet, wird neu gestartet',
  'None of the upstreams answers: check the route to {upstreams}':
    'Keiner der gefragten Resolver antwortet: die Route zu {upstreams} prüfen',
  'There is no IPv4 address to translate to: the appliance has no IPv4 default route, and not exactly one IPv4 address. Connect it to the IPv4 network, or set nat64.pool4[0].address.':
    'Es gibt keine IPv4-Adresse, zu der sich übersetzen ließe: Das Gerät hat keine IPv4-Standardroute und nicht genau eine IPv4-Adresse. Das Gerät mit dem IPv4-Netz verbinden, oder nat64.pool4[0].address setzen.',
  'NAT64 cannot keep its sessions over a restart: {reason}.':
    'NAT64 kann seine Sitzungen nicht über einen Neustart retten: {reason}.',
  '{free} bytes are free, {needed} are needed': '{free} Bytes sind frei, {needed} werden gebraucht',
  'nat64.pool4: ports {ports} leave the appliance itself too few ports; leave it 1025 in one piece':
    'nat64.pool4: die Ports {ports} lassen dem Gerät selbst zu wenige; ihm 1025 am Stück lassen',
  'host "{name}": ssh.port {port} is used by another listener of this appliance':
    'Server „{name}“: ssh.port {port} benutzt schon ein anderer Listener dieses Geräts',
  'host "{name}": ssh.port {port} is also the SSH port of host "{other}"':
    'Server „{name}“: ssh.port {port} ist auch der SSH-Port des Servers „{other}“',
  'host "{name}": no SSH port left in {range} ({used} in use, {reserved} reserved)':
    'Server „{name}“: in {range} ist kein SSH-Port mehr frei ({used} in Gebrauch, {reserved} vergeben)',
  'listener "{name}": listen on {address}': 'Listener „{name}“ auf {address}',
  '{list}. It is tried again every {seconds} s.': '{list}. Alle {seconds} s wird es wieder versucht.',
  'and {count} more': 'und {count} weitere',
  '{tried} (another program has this port)': '{tried} (ein anderes Programm hat diesen Port)',
  '{tried} (taken by {owner})': '{tried} (belegt von {owner})',
  '{tried} (this machine does not have the address now)':
    '{tried} (dieses Gerät hat die Adresse gerade nicht)',
  '{protocol} {address} could not be had before and is open now.':
    '{protocol} {address} war vorher nicht zu haben und ist jetzt offen.',
  'admin: could not listen on {address}: {reason}':
    'die Weboberfläche konnte nicht auf {address} lauschen: {reason}',
  'no certificate for HTTPS: {reason}': 'kein Zertifikat für HTTPS: {reason}',
  '{path} cannot be used ({reason}); set a new password with the bootstrap token':
    '{path} ist nicht zu gebrauchen ({reason}); mit dem Bootstrap-Token ein neues Passwort setzen',
  // The audit log
  'Sets the first password and signs in': 'Setzt das erste Passwort und meldet sich an',
  'Signs in': 'Meldet sich an',
  'Signs out': 'Meldet sich ab',
  'Ends a session': 'Beendet eine Sitzung',
  'Ends every session': 'Beendet alle Sitzungen',
  'Changes the password and ends every other session': 'Ändert das Passwort und beendet jede andere Sitzung',
  'Makes a secret for an authenticator app': 'Macht ein Geheimnis für eine Authenticator-App',
  'Asks for codes from now on': 'Verlangt von nun an Codes',
  'Asks for codes no more': 'Verlangt keine Codes mehr',
  'Makes an API token': 'Macht ein API-Token',
  'Revokes an API token': 'Widerruft ein API-Token',
  'Puts a configuration into force, for good once it is confirmed':
    'Setzt eine Konfiguration in Kraft; endgültig, sobald sie bestätigt ist',
  'Makes the pending change last': 'Macht die wartende Änderung endgültig',
  'Takes the pending change back at once': 'Nimmt die wartende Änderung sofort zurück',
  'Applies a revision again': 'Wendet einen früheren Stand wieder an',
  "Gives the process's last log lines, newest first":
    'Zeigt die letzten Zeilen des Protokolls, die neuesten zuerst',
  'Gives a support bundle: status, counters, configuration and log in one file, without secrets':
    'Gibt ein Support-Paket heraus: Zustand, Zähler, Konfiguration und Protokoll in einer Datei, ohne Geheimnisse',
  'Reboots the appliance': 'Startet das Gerät neu',
  'Lets a key log in to the appliance by SSH, as root':
    'Lässt einen Schlüssel sich per SSH am Gerät anmelden, als root',
  'Lets a key log in by SSH no more': 'Lässt einen Schlüssel sich nicht mehr per SSH anmelden',
  'Makes a new appliance of it: everything it knows is erased':
    'Setzt das Gerät auf Werkszustand: Alles, was es weiß, wird gelöscht',
  'Makes a backup: one file, encrypted with a passphrase':
    'Macht eine Sicherung: eine Datei, mit einer Passphrase verschlüsselt',
  'Restores a backup, or tells what that would change':
    'Spielt eine Sicherung ein, oder sagt, was sich damit änderte',
  'Takes an unconfirmed change of the configuration back':
    'Nimmt eine unbestätigte Änderung der Konfiguration zurück',
  'Reads the configuration file, which was edited': 'Liest die Konfigurationsdatei, die bearbeitet wurde',
  'backup of {hostname}, {time}': 'Sicherung von {hostname}, {time}',
  '{count} more refusals were not written before this':
    '{count} weitere Ablehnungen davor wurden nicht festgehalten',
});
