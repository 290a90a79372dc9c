/** Reports of services, and the audit log. */
import type { Dictionary } from '../sentence.ts';

export const services: Dictionary = {
  starting: 'startet gerade',
  'connections to {server}': 'Verbindungen zu {server}',
  'The service is not running; its status says why.': 'Der Dienst läuft nicht; sein Zustand sagt, warum.',
  none: 'keine',
  off: 'aus',
  'off: {reason}': 'aus: {reason}',
  '{library} cannot be used (Debian package libbpf1): {reason}':
    '{library} ist nicht benutzbar (Debian-Paket libbpf1): {reason}',
  down: 'antwortet nicht',
  'errors only': 'antwortet nur mit Fehlern',
  '{upstreams} answers with errors only: it refuses this network, is out of order itself, or leads back here; set another in dns64.upstreams':
    '{upstreams} antwortet nur mit Fehlern: weist dieses Netz ab, ist selbst gestört oder führt hierher zurück; einen anderen in dns64.upstreams setzen',
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
  'NAT64 cannot keep its sessions across a restart: {reason}.':
    'NAT64 kann seine Sitzungen nicht über einen Neustart behalten: {reason}.',
  '{free} bytes are free, {needed} are needed': '{free} Bytes sind frei, {needed} werden gebraucht',
  'nat64.pool4: ports {ports} leave too few ports for the appliance itself; leave it a contiguous range of 1025':
    'nat64.pool4: die Ports {ports} lassen dem Gerät selbst zu wenige; ihm einen zusammenhängenden Bereich von 1025 lassen',
  // State in the kernel
  'the device {device}': 'die Schnittstelle {device}',
  'the kernel program on {device}': 'das Kernelprogramm auf {device}',
  'the route to {prefix}': 'die Route zu {prefix}',
  'the local route to {prefix}': 'die lokale Route zu {prefix}',
  'the route to {prefix} in table {table}': 'die Route zu {prefix} in Tabelle {table}',
  'the blackhole route of table {table}': 'die Blackhole-Route der Tabelle {table}',
  'the IPv{family} policy rule {preference}': 'die IPv{family}-Policy-Regel {preference}',
  'the kernel parameter {name}': 'der Kernelparameter {name}',
  'the nftables table {table}': 'die nftables-Tabelle {table}',
  'read the kernel parameter {name}': 'den Kernelparameter {name} lesen',
  'Another program': 'Ein anderes Programm',
  'Process {pid}': 'Prozess {pid}',
  'The program {name} (process {pid})': 'Das Programm {name} (Prozess {pid})',
  '{who} removed {items}; put back.': '{who} hat dies entfernt: {items}. Es ist wiederhergestellt.',
  '{who} removed {items}; it is being created again.':
    '{who} hat dies entfernt: {items}. Es wird wieder angelegt.',
  '{who} changed {items}; put back.': '{who} hat dies geändert: {items}. Es ist wiederhergestellt.',
  '{items} and {count} more': '{items} und {count} weitere',
  '{items} cannot be set in the kernel: {reason}.':
    'Dies lässt sich im Kernel nicht setzen: {items}. Grund: {reason}.',
  'it does not stay': 'es bleibt nicht',
  '{who} removes or changes {items} again and again. It is put back after longer and longer waits; stop that program, or configure it to leave this alone.':
    '{who} entfernt oder ändert dies immer wieder: {items}. Es wird nach immer längeren Pausen wiederhergestellt; das Programm anhalten oder so einstellen, dass es dies in Ruhe lässt.',
  'The original kernel parameters cannot be written to {path}: after a crash they do not come back before the machine restarts. It is tried again. {reason}':
    'Die ursprünglichen Kernelparameter lassen sich nicht nach {path} schreiben: Nach einem Absturz kommen sie erst mit einem Neustart der Maschine wieder. Es wird wieder versucht. {reason}',
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
  '{protocol} {address} was not available before and is open now.':
    '{protocol} {address} war vorher nicht verfügbar und ist jetzt offen.',
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
  'Switches the second factor on': 'Schaltet den zweiten Faktor ein',
  'Switches the second factor off': 'Schaltet den zweiten Faktor aus',
  'Makes an API token': 'Macht ein API-Token',
  'Revokes an API token': 'Widerruft ein API-Token',
  'Activates a configuration; it is final once it is confirmed':
    'Setzt eine Konfiguration in Kraft; endgültig, sobald sie bestätigt ist',
  'Confirms the pending change': 'Bestätigt die wartende Änderung',
  'Rolls the pending change back at once': 'Nimmt die wartende Änderung sofort zurück',
  'Applies a revision again': 'Wendet einen früheren Stand wieder an',
  "Gives the process's last log lines, newest first":
    'Zeigt die letzten Zeilen des Protokolls, die neuesten zuerst',
  'Gives a support bundle: status, counters, configuration and log in one file, without secrets':
    'Gibt ein Support-Paket heraus: Zustand, Zähler, Konfiguration und Protokoll in einer Datei, ohne Geheimnisse',
  'Reboots the appliance': 'Startet das Gerät neu',
  'Lets a key log in to the appliance by SSH, as root':
    'Lässt einen Schlüssel sich per SSH am Gerät anmelden, als root',
  'Removes a key that may log in by SSH': 'Entfernt einen Schlüssel, der sich per SSH anmelden darf',
  'Resets the appliance: everything is erased': 'Setzt das Gerät zurück: Alles wird gelöscht',
  'Makes a backup: one file, encrypted with a passphrase':
    'Macht eine Sicherung: eine Datei, mit einer Passphrase verschlüsselt',
  'Restores a backup, or tells what that would change':
    'Spielt eine Sicherung ein, oder sagt, was sich damit änderte',
  'Rolls an unconfirmed change of the configuration back':
    'Nimmt eine unbestätigte Änderung der Konfiguration zurück',
  'Reads the configuration file, which was edited': 'Liest die Konfigurationsdatei, die bearbeitet wurde',
  '{service}: 90 % of {size} {what} are in use. {advice}':
    '{service}: Von {size} {what} sind 90 % belegt. {advice}',
  sessions: 'Sitzungen',
  connections: 'Verbindungen',
  'TCP ports of pool4': 'TCP-Ports von pool4',
  'UDP ports of pool4': 'UDP-Ports von pool4',
  'ICMP identifiers of pool4': 'ICMP-Kennungen von pool4',
  'See on the NAT64 page which server has the most of them. You can raise the limits with nat64.pool4 and nat64.maxSessions.':
    'Auf der Seite NAT64 nachsehen, welcher Server die meisten davon hat. Die Grenzen lassen sich mit nat64.pool4 und nat64.maxSessions erhöhen.',
  'places for connections from the IPv4 side to ports that nobody has':
    'Plätzen für Verbindungen von der IPv4-Seite zu Ports, die niemand hat,',
  'Somebody is scanning the ports of pool4. This does no harm; there is nothing to do.':
    'Jemand probiert die Ports von pool4 durch. Das schadet niemandem; es ist nichts zu tun.',
  'ICMP errors in a second': 'ICMP-Fehlern je Sekunde',
  'Somebody sends many packets that cannot be translated: the counters of NAT64 tell why. Others are still answered.':
    'Jemand sendet viele Pakete, die sich nicht übersetzen lassen: Die Zähler von NAT64 sagen, warum. Andere bekommen weiterhin Antwort.',
  'blocks of memory for data that clients send before their server is known':
    'Blöcken Speicher für Daten, die Clients senden, bevor ihr Server bekannt ist,',
  'See in the timeline which client has the most of them; it is the first to lose some.':
    'Im Verlauf nachsehen, welcher Client die meisten davon hat; er verliert als erster welche.',
  'TCP connections': 'TCP-Verbindungen',
  'queries to upstreams': 'Anfragen an Upstreams',
  'queries that wait for upstreams': 'Anfragen, die auf Upstreams warten,',
  'Upstreams answer slowly, or one client sends many queries: see in the timeline which one. It is refused first.':
    'Upstreams antworten langsam, oder ein Client fragt viel: In der Zeitleiste nachsehen, welcher. Er wird als erster abgewiesen.',
  'connections that have not sent a request yet': 'Verbindungen, die noch keine Anfrage gesendet haben,',
  'Somebody connects to this page over and over again; admin.allow says who may.':
    'Jemand verbindet sich immer wieder mit dieser Seite; admin.allow sagt, wer das darf.',
  'backup of {hostname}, {time}': 'Sicherung von {hostname}, {time}',
  '{count} more refusals were not written before this':
    '{count} weitere Ablehnungen davor wurden nicht festgehalten',
  'look-ups of names': 'Abfragen von Namen',
  'Resolvers answer slowly, or one client asks for many names: see in the timeline which one. It is refused first.':
    'Resolver antworten langsam, oder ein Client fragt nach vielen Namen: Der Verlauf zeigt, welcher. Er wird als Erster abgelehnt.',
};
