/** Results of probing a server, and the settings that it needs in its own configuration. */
import type { Dictionary } from '../sentence.ts';

export const probes: Dictionary = {
  '{address} is an address of this appliance itself: the appliance never connects to it.':
    '{address} ist eine Adresse dieses Geräts selbst: Das Gerät verbindet sich nie damit.',
  'Takes connections.': 'Nimmt Verbindungen an.',
  'Only wildcard names lead here, so there is no name to ask for.':
    'Hierher führen nur Platzhalternamen; es gibt also keinen Namen, nach dem sich fragen ließe.',
  'If it expects the PROXY protocol, set clientAddress of this server.':
    'Erwartet er das PROXY-Protokoll, clientAddress dieses Servers setzen.',
  'Does it expect the PROXY protocol (clientAddress is "{clientAddress}")?':
    'Erwartet er das PROXY-Protokoll (clientAddress ist „{clientAddress}“)?',
  'It answers, but not with HTTP.': 'Er antwortet, aber nicht mit HTTP.',
  'The site answers with an error: {said}.': 'Die Website antwortet mit einem Fehler: {said}.',
  'It refuses the request: {said}.': 'Er lehnt die Anfrage ab: {said}.',
  'Answers {said}.': 'Antwortet {said}.',
  'HTTP answer': 'HTTP-Antwort',
  'It answers, but not with SSH.': 'Er antwortet, aber nicht mit SSH.',
  'Greets as {software}.': 'Meldet sich als {software}.',
  'SSH greeting': 'SSH-Begrüßung',
  'It answers, but not with SMTP.': 'Er antwortet, aber nicht mit SMTP.',
  'Greets with {said}.': 'Meldet sich mit {said}.',
  'It takes no mail: {said}.': 'Er nimmt keine Mail an: {said}.',
  'SMTP greeting': 'SMTP-Begrüßung',
  'It shows no certificate.': 'Er zeigt kein Zertifikat.',
  // Certificates
  'The certificate expired {age} ago ({date}).': 'Das Zertifikat ist abgelaufen, {age} her ({date}).',
  'The certificate is not valid before {date}.': 'Das Zertifikat gilt erst ab {date}.',
  'no name': 'keinen Namen',
  'The certificate is not for {hostname}: it names {others}.':
    'Das Zertifikat ist nicht für {hostname}: Es nennt {others}.',
  'valid for another {time} (until {date})': 'gilt noch {time} (bis {date})',
  'The certificate is only {until}: its renewal is overdue.':
    'Das Zertifikat {until}: Die Erneuerung ist überfällig.',
  'The certificate is self-signed: clients warn of it. It is {until}.':
    'Das Zertifikat ist selbst ausgestellt: Clients warnen davor. Es {until}.',
  'The certificate is not from an authority that clients trust (issuer: {issuer}). It is {until}.':
    'Das Zertifikat ist von keiner Stelle, der Clients vertrauen (Aussteller: {issuer}). Es {until}.',
  'The certificate is trusted and {until}.': 'Das Zertifikat ist vertrauenswürdig und {until}.',
  '1 day': '1 Tag',
  '{count} days': '{count} Tage',
  '1 hour': '1 Stunde',
  '{hours} hours': '{hours} Stunden',
  // Errors of connections
  'Nothing takes connections at {where}: the program does not run, or listens elsewhere.':
    'Auf {where} nimmt nichts Verbindungen an: Das Programm läuft nicht, oder lauscht anderswo.',
  'No answer from {where}: the server is off, or a firewall drops the packets.':
    'Keine Antwort von {where}: Der Server ist aus, oder eine Firewall verwirft die Pakete.',
  '{where} cannot be reached: nobody on the network has this address at the moment.':
    '{where} ist nicht erreichbar: Niemand im Netz hat gerade diese Adresse.',
  "There is no route to {where}: the appliance is not on the server's network.":
    'Es gibt keine Route zu {where}: Das Gerät ist nicht im Netz des Servers.',
  'There is no own IPv6 address from which {where} could be reached.':
    'Es gibt keine eigene IPv6-Adresse, von der aus {where} erreichbar wäre.',
  'A firewall refuses the connection to {where}.': 'Eine Firewall lehnt die Verbindung zu {where} ab.',
  'The connection to {where} failed: {code}.': 'Die Verbindung zu {where} ist gescheitert: {code}.',
  'It answers, but not with TLS.': 'Er antwortet, aber nicht mit TLS.',
  'It has no site "{hostname}" (TLS alert unrecognized_name).':
    'Er hat keine Website „{hostname}“ (TLS-Alert unrecognized_name).',
  'It speaks only TLS versions older than 1.2.': 'Er spricht nur TLS-Versionen, die älter als 1.2 sind.',
  'It ended the TLS handshake with an alert ({alert}).':
    'Er hat den TLS-Handshake mit einem Alert beendet ({alert}).',
  'It takes the connection, but the TLS handshake gets no answer.':
    'Er nimmt die Verbindung an, aber auf den TLS-Handshake kommt keine Antwort.',
  'It closed the connection during the TLS handshake.':
    'Er hat die Verbindung während des TLS-Handshakes geschlossen.',
  'The TLS handshake failed: {code}.': 'Der TLS-Handshake ist gescheitert: {code}.',
  'It takes the connection, but sends no {what}.': 'Er nimmt die Verbindung an, sendet aber keine {what}.',
  'It closed the connection without {what}.': 'Er hat die Verbindung ohne {what} geschlossen.',
  'No {what}: {code}.': 'Keine {what}: {code}.',
  // Snippets
  'nginx: the address of the client from X-Forwarded-For':
    'nginx: die Adresse des Clients aus X-Forwarded-For',
  'For plain HTTP only: inside TLS the appliance can add no header. For HTTPS set clientAddress to "mapped", "proxy-v1" or "proxy-v2".':
    'Nur für einfaches HTTP: In TLS kann das Gerät keine Kopfzeile ergänzen. Für HTTPS clientAddress auf „mapped“, „proxy-v1“ oder „proxy-v2“ setzen.',
  'nginx: the address of the client from the PROXY protocol ({clientAddress})':
    'nginx: die Adresse des Clients aus dem PROXY-Protokoll ({clientAddress})',
  'On these ports nginx then refuses clients that send no PROXY header, among them IPv6 clients that connect directly. Give the server a second address for those, and publish it in its AAAA records.':
    'Auf diesen Ports weist nginx dann Clients ab, die keinen PROXY-Kopf senden, auch IPv6-Clients, die sich direkt verbinden. Dem Server für diese eine zweite Adresse geben und sie in seinen AAAA-Einträgen veröffentlichen.',
  'The route for mapped addresses, until the next start of the server':
    'Die Route für abgebildete Adressen, bis zum nächsten Start des Servers',
  'The answers of the server to its clients go through the appliance. If the server is not on a network of the appliance, the routers between need the route as well. Not needed if the default route of the server leads to the appliance.':
    'Die Antworten des Servers an seine Clients gehen durch das Gerät. Ist der Server nicht in einem Netz des Geräts, brauchen auch die Router dazwischen die Route. Nicht nötig, wenn die Standardroute des Servers zum Gerät führt.',
  'The same for good, with systemd-networkd': 'Dasselbe dauerhaft, mit systemd-networkd',
  'In the .network file of the interface, below /etc/systemd/network/. The programs of the server then log clients as {prefix}: the last 32 bits are the IPv4 address in hexadecimal. 203.0.113.9 is cb00:7109.':
    'In der .network-Datei der Schnittstelle, unter /etc/systemd/network/. Die Programme des Servers protokollieren Clients dann als {prefix}: Die letzten 32 Bit sind die IPv4-Adresse, hexadezimal. 203.0.113.9 ist cb00:7109.',
  'It answers {said}, which is not expected.': 'Er antwortet {said}, was nicht erwartet wird.',
  'Health checks': 'Zustandsprüfungen',
  'No client is led to an address that fails its health checks. If all addresses of a server fail, clients are led there nevertheless, because a check may be wrong.':
    'Kein Client wird zu einer Adresse geführt, die ihre Zustandsprüfungen nicht besteht. Besteht sie keine Adresse eines Servers, werden Clients trotzdem dorthin geführt, weil eine Prüfung sich irren kann.',
  'Health checks: {name}': 'Zustandsprüfungen: {name}',
  'The first checks are not done yet.': 'Die ersten Prüfungen sind noch nicht fertig.',
  'All is well: {checks}.': 'Alles in Ordnung: {checks}.',
  'Its other addresses serve the clients.': 'Seine anderen Adressen bedienen die Clients.',
  '{service} at [{address}]:{port}': '{service} bei [{address}]:{port}',
  '{place} fails since {since}: {detail}': '{place} besteht die Prüfung seit {since} nicht: {detail}',
  'Check that the machine runs and has this address, and that its firewall allows the appliance.':
    'Prüfen, ob der Rechner läuft und diese Adresse hat und ob seine Firewall das Gerät zulässt.',
  'Look into the log of the program that answers there.':
    'Im Log des Programms nachsehen, das dort antwortet.',
  'Check whether the server expects the PROXY protocol: its clientAddress must agree with that.':
    'Prüfen, ob der Server das PROXY-Protokoll erwartet: Sein clientAddress muss dazu passen.',
  'Start the program on the server, or let it listen on this address and port.':
    'Das Programm auf dem Server starten oder auf dieser Adresse und diesem Port lauschen lassen.',
  'Look into the log of the web server. If it is well, set path and expect of its "health" to what it answers.':
    'Im Log des Webservers nachsehen. Ist er in Ordnung, path und expect in „health“ auf das setzen, was er antwortet.',
  'Set the address of the server.': 'Die Adresse des Servers setzen.',
};
