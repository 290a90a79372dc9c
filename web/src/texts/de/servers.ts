/** Servers, their records, measurements and snippets. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';

export const servers: Dictionary = {
  Servers: 'Server',
  'hosts names ssh add server': 'Hosts Namen SSH hinzufügen',
  'The IPv6-only machines, the names that lead to them, and their measured state.':
    'Die IPv6-Rechner, die Namen, die zu ihnen führen, und ihr gemessener Zustand.',
  'Add a server': 'Server hinzufügen',
  'Paste several': 'Mehrere einfügen',
  Name: 'Name',
  Address: 'Adresse',
  'Host names': 'Hostnamen',
  Checked: 'Geprüft',
  'Client’s address': 'Adresse des Clients',
  'Ways in': 'Wege hinein',
  'No servers yet': 'Noch keine Server',
  'Give each server a label, its IPv6 address and the host names that lead to it. HTTP and HTTPS work at once; SSH gets a port of its own.':
    'Geben Sie jedem Server einen Namen, seine IPv6-Adresse und die Hostnamen, die zu ihm führen. HTTP und HTTPS gehen sofort; SSH bekommt einen eigenen Port.',
  'not applied yet': 'noch nicht angewendet',
  'Check now': 'Jetzt prüfen',
  'Edit {name}': '{name} bearbeiten',
  'It becomes reachable from IPv4 when you apply the change.':
    'Er wird von IPv4 aus erreichbar, wenn Sie die Änderung anwenden.',
  'A label of your own, such as web1.': 'Ein eigener Name, etwa web1.',
  'IPv6 address': 'IPv6-Adresse',
  'The address of the server itself, such as 2001:db8:1::10; several are separated by spaces.':
    'Die Adresse des Servers selbst, etwa 2001:db8:1::10; mehrere werden durch Leerzeichen getrennt.',
  'Several addresses': 'Mehrere Adressen',
  'One that does not answer is put aside for some seconds, and the next one is tried.':
    'Eine, die nicht antwortet, wird für einige Sekunden zurückgestellt, und die nächste versucht.',
  'the first that answers': 'die erste, die antwortet',
  'each in turn': 'jede der Reihe nach',
  'One per line. *.example.com stands for names with one label more, **.example.com for any number more.':
    'Einer je Zeile. *.example.com steht für Namen mit einem Label mehr, **.example.com für beliebig viele mehr.',
  'Plain HTTP': 'Einfaches HTTP',
  'A redirect keeps /.well-known/acme-challenge/ as it is, so that certificates can be renewed.':
    'Eine Umleitung lässt /.well-known/acme-challenge/, wie es ist, damit sich Zertifikate erneuern lassen.',
  'goes to the server': 'geht zum Server',
  'is redirected to https (308, the method stays)': 'wird auf https umgeleitet (308, die Methode bleibt)',
  'is redirected to https (301, for old clients)': 'wird auf https umgeleitet (301, für alte Clients)',
  'redirected to https ({status})': 'auf https umgeleitet ({status})',
  'Who may connect': 'Wer sich verbinden darf',
  'One per line: a prefix such as 192.0.2.0/24, “lan” for every network of the appliance, or “any”.':
    'Einer je Zeile: ein Präfix wie 192.0.2.0/24, „lan“ für jedes Netz des Geräts oder „any“ für alle.',
  'Which requests and connections to this server have a line in the log of the appliance.':
    'Welche Anfragen und Verbindungen zu diesem Server eine Zeile im Protokoll des Geräts bekommen.',
  'as for all servers ({value})': 'wie bei allen Servern ({value})',
  'those that failed': 'die fehlgeschlagenen',
  'In maintenance': 'In Wartung',
  'in maintenance': 'in Wartung',
  'Clients are turned away: 503 over HTTP, an alert over TLS, a reset at the SSH port.':
    'Clients werden abgewiesen: 503 über HTTP, ein Alert über TLS, ein Reset am SSH-Port.',
  'End the maintenance': 'Wartung beenden',
  'Switched off': 'Abgeschaltet',
  'switched off': 'abgeschaltet',
  'It stays in the configuration, but nothing leads to it.':
    'Er bleibt in der Konfiguration, aber nichts führt zu ihm.',
  'It stays in the configuration, but nothing leads to it. Its SSH port is kept for it.':
    'Er bleibt in der Konfiguration, aber nichts führt zu ihm. Sein SSH-Port bleibt ihm erhalten.',
  'Also for clients that name none, or a name that no server has.':
    'Auch für Clients, die keinen nennen oder einen Namen, den kein Server hat.',
  'Another port, PROXY protocol or ALPN for one of them':
    'Ein anderer Port, PROXY-Protokoll oder ALPN für einen davon',
  '{listener}: another way in by ALPN': '{listener}: ein weiterer Zugang nach ALPN',
  '{listener}: only for protocols (ALPN)': '{listener}: nur für Protokolle (ALPN)',
  'Such as acme-tls/1 or h2: only for clients that offer one of them. Others need another way in.':
    'Etwa acme-tls/1 oder h2: nur für Clients, die eines davon anbieten. Andere brauchen einen anderen Zugang.',
  'Remove this way in': 'Diesen Zugang entfernen',
  '{listener}: port on the server': '{listener}: Port auf dem Server',
  '{listener}: the client’s address': '{listener}: die Adresse des Clients',
  'as for the whole server': 'wie für den ganzen Server',
  'Listeners of the appliance that lead here by name.':
    'Listener des Geräts, die dem Namen nach hierher führen.',
  'How the server learns the client’s address': 'Wie der Server die Adresse des Clients erfährt',
  'It does not (X-Forwarded-For over plain HTTP only)': 'Gar nicht (X-Forwarded-For nur über einfaches HTTP)',
  'PROXY protocol, version 1 (text)': 'PROXY-Protokoll, Version 1 (Text)',
  'PROXY protocol, version 2 (binary)': 'PROXY-Protokoll, Version 2 (binär)',
  'not passed on': 'nicht weitergegeben',
  'PROXY protocol 1': 'PROXY-Protokoll 1',
  'PROXY protocol 2': 'PROXY-Protokoll 2',
  'PROXY protocol must be switched on at the server too, and a mapped address needs a route there: the page of the server shows the settings.':
    'Das PROXY-Protokoll muss auch am Server eingeschaltet sein, und eine abgebildete Adresse braucht dort eine Route: Die Seite des Servers zeigt die Einstellungen.',
  'As the source of the connection: an IPv6 address that contains it':
    'Als Quelle der Verbindung: eine IPv6-Adresse, die sie enthält',
  'mapped to an IPv6 address': 'als IPv6-Adresse abgebildet',
  'Connections come from an IPv6 address that contains the client’s IPv4 address, SSH included, so logs and bans work without changes to the programs. The server needs a route for these addresses to the appliance. IPv6 clients that connect through the appliance are seen as the appliance.':
    'Verbindungen, auch über SSH, kommen von einer IPv6-Adresse, die die IPv4-Adresse des Clients enthält; so wirken Protokolle und Sperren ohne Änderung an den Programmen. Der Server braucht eine Route für diese Adressen zum Gerät. IPv6-Clients, die sich über das Gerät verbinden, sieht er als das Gerät.',
  'Give it an SSH port on the IPv4 side': 'Einen SSH-Port auf der IPv4-Seite geben',
  'Port on the IPv4 side': 'Port auf der IPv4-Seite',
  'If this is empty, the appliance chooses a port and keeps it.':
    'Bleibt dies leer, wählt das Gerät einen Port und behält ihn.',
  'Port of sshd on the server': 'Port des sshd auf dem Server',
  'More settings': 'Weitere Einstellungen',
  '{name} is saved; it takes effect when you apply the change.':
    '{name} ist gespeichert; es wirkt, wenn Sie die Änderung anwenden.',
  'There is no server called {name}': 'Einen Server namens {name} gibt es nicht',
  'It may have been renamed or removed.': 'Vielleicht wurde er umbenannt oder entfernt.',
  'Remove {name}?': '{name} entfernen?',
  'From IPv4, {names} will lead nowhere.': 'Von IPv4 aus führen {names} dann nirgendwohin.',
  'No host name leads to it.': 'Kein Hostname führt zu ihm.',
  'SSH through port {port} ends; the port may be given to another server later.':
    'SSH über Port {port} endet; der Port kann später an einen anderen Server gehen.',
  'Nothing happens before you apply the change. Afterwards you can bring the server back from the history of the configuration.':
    'Nichts geschieht, bevor Sie die Änderung anwenden. Danach können Sie den Server aus dem Verlauf der Konfiguration zurückholen.',
  '{name} is removed when you apply the change.': '{name} wird entfernt, wenn Sie die Änderung anwenden.',
  'What was measured': 'Was gemessen wurde',
  'No measurement yet: the first one comes within a minute.':
    'Noch keine Messung: Die erste kommt innerhalb einer Minute.',
  Probe: 'Messung',
  Latency: 'Antwortzeit',
  Found: 'Gefunden',
  'port {port}': 'Port {port}',
  Certificate: 'Zertifikat',
  expires: 'läuft ab',
  'for {names}': 'für {names}',
  trusted: 'vertrauenswürdig',
  'self-signed': 'selbst ausgestellt',
  'issuer not trusted': 'Aussteller nicht vertrauenswürdig',
  SSH: 'SSH',
  'No SSH port: it is switched off for this server.':
    'Kein SSH-Port: Für diesen Server ist er ausgeschaltet.',
  'For ~/.ssh/config': 'Für ~/.ssh/config',
  'From IPv4, port {port} of the appliance leads to this server’s sshd.':
    'Von IPv4 aus führt Port {port} des Geräts zum sshd dieses Servers.',
  'The client’s address': 'Die Adresse des Clients',
  'The server sees the appliance as the client. Over plain HTTP, X-Forwarded-For tells the real one.':
    'Der Server sieht das Gerät als Client. Über einfaches HTTP nennt X-Forwarded-For den wirklichen.',
  'The PROXY protocol tells the server the client’s address. The server must expect it, or it does not answer.':
    'Das PROXY-Protokoll nennt dem Server die Adresse des Clients. Der Server muss es erwarten, sonst antwortet er nicht.',
  'DNS records to publish': 'Zu veröffentlichende DNS-Einträge',
  'A leads IPv4 clients to the appliance, AAAA leads IPv6 clients directly to the server.':
    'A führt IPv4-Clients zum Gerät, AAAA führt IPv6-Clients direkt zum Server.',
  'Check again': 'Noch einmal prüfen',
  'asked {resolver}': 'gefragt wurde {resolver}',
  Record: 'Eintrag',
  Value: 'Wert',
  'Arrived?': 'Angekommen?',
  'has arrived': 'angekommen',
  'among others': 'unter anderen',
  missing: 'fehlt',
  'All as lines of a zone file': 'Alle als Zeilen einer Zonendatei',
  'Recent connections': 'Letzte Verbindungen',
  'Nobody has connected since the appliance started.':
    'Seit dem Start des Geräts hat sich niemand verbunden.',
  'In the timeline': 'In der Zeitleiste',
  Client: 'Client',
  'Asked for': 'Gefragt nach',
  'Up / down': 'Hin / zurück',
  Traffic: 'Verkehr',
  'Bytes through the proxy and the forwarded SSH port, to the server and back. Not included: IPv6 clients, which reach the server directly, and what the server itself fetches through NAT64.':
    'Bytes über den Proxy und den weitergeleiteten SSH-Port, zum Server und zurück. Nicht dabei: IPv6-Clients, die den Server direkt erreichen, und was der Server selbst über NAT64 holt.',
  'Now, up / down': 'Jetzt, hin / zurück',
  'Since the start': 'Seit dem Start',
  '{up} up, {down} down; connections: {accepted}, open now: {open}':
    '{up} hin, {down} zurück; Verbindungen: {accepted}, gerade offen: {open}',
  'Open a name': 'Einen Namen öffnen',
  'With a phone outside your network, to see what the Internet sees.':
    'Mit einem Telefon außerhalb Ihres Netzes, um zu sehen, was das Internet sieht.',
  'In short': 'Kurz gesagt',
  'Paste several servers': 'Mehrere Server einfügen',
  'Lines of “name address host-name host-name…”, a CSV with a header, or a JSON list.':
    'Zeilen „Name Adresse Hostname Hostname …“, eine CSV mit Kopfzeile oder eine JSON-Liste.',
  Read: 'Lesen',
  'Import 1 server': '1 Server importieren',
  'Import {count} servers': '{count} Server importieren',
  'replaces the one of this name': 'ersetzt den mit diesem Namen',
  'new': 'neu',
  'Line {line}': 'Zeile {line}',
  '1 server is in the draft.': '1 Server ist im Entwurf.',
  '{count} servers are in the draft.': '{count} Server sind im Entwurf.',
  Edit: 'Bearbeiten',
  'Health checks': 'Zustandsprüfungen',
  'Clients are not led to an address that fails.':
    'Zu einer Adresse, die sie nicht besteht, werden keine Clients geführt.',
  'No address passes: clients are led there nevertheless, because a check may be wrong.':
    'Keine Adresse besteht: Clients werden trotzdem dorthin geführt, weil eine Prüfung sich irren kann.',
  '1 failure so far': 'bisher 1 Ausfall',
  '{falls} failures so far': 'bisher {falls} Ausfälle',
  'none: one that does not answer a client is put aside for some seconds':
    'nichts: eine, die einem Client nicht antwortet, wird für einige Sekunden zurückgestellt',
  'does it take connections?': 'nimmt sie Verbindungen an?',
  'does it complete a TLS handshake for the name of the server?':
    'vollendet sie einen TLS-Handshake für den Namen des Servers?',
  'does it answer a request?': 'beantwortet sie eine Anfrage?',
  connection: 'Verbindung',
  'TLS handshake': 'TLS-Handshake',
  'HTTP request': 'HTTP-Anfrage',
  'What is checked at each address': 'Was an jeder Adresse geprüft wird',
  'Clients are not led to an address that fails, unless all of them fail. Each check is a connection that the server may log.':
    'Zu einer Adresse, die nicht besteht, werden keine Clients geführt, außer wenn keine besteht. Jede Prüfung ist eine Verbindung, die der Server protokollieren kann.',
  'Path of the request': 'Pfad der Anfrage',
  'Status that shows that all is well': 'Status, der zeigt, dass alles in Ordnung ist',
  'Several are separated by spaces, such as 2xx 301.':
    'Mehrere werden durch Leerzeichen getrennt, etwa 2xx 301.',
  'Name that the check asks for': 'Name, nach dem die Prüfung fragt',
  'Seconds from one check to the next': 'Sekunden von einer Prüfung zur nächsten',
  'Failures in a row that take it out': 'Fehlschläge in Folge, die sie herausnehmen',
  'Successes in a row that bring it back': 'Erfolge in Folge, die sie zurückbringen',
};
