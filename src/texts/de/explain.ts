/** Explanations of a way, step by step, and assertions. */
import type { Dictionary } from '../sentence.ts';

export const explain: Dictionary = {
  '{first} or {second}': '{first} oder {second}',
  // Assertions
  'translation by NAT64': 'Übersetzung durch NAT64',
  'a refusal': 'eine Ablehnung',
  'the server {server}': 'der Server {server}',
  'There is no server {server}.': 'Einen Server {server} gibt es nicht.',
  '"{name}": as expected.': '„{name}“: wie erwartet.',
  '"{name}": expected {wanted}.': '„{name}“: erwartet wird {wanted}.',
  // The way
  '{from} cannot reach the IPv6 address {to}.': '{from} kann die IPv6-Adresse {to} nicht erreichen.',
  'The traffic would loop.': 'Der Verkehr liefe im Kreis.',
  'Assumption: the A record of {name} has the address of this appliance, or of a router that forwards the port to it.':
    'Annahme: Der A-Eintrag von {name} hat die Adresse dieses Geräts, oder die eines Routers, der den Port hierher weiterleitet.',
  'Assumption: {to} is not an address of this appliance, but of a router that forwards the port to it.':
    'Annahme: {to} ist keine Adresse dieses Geräts, sondern die eines Routers, der den Port hierher weiterleitet.',
  'The appliance itself answers.': 'Das Gerät selbst antwortet.',
  'Nothing here listens on {protocol} port {port}.': 'Auf {protocol}-Port {port} lauscht hier nichts.',
  '{to} is reached over IPv6, without this appliance translating anything.':
    '{to} wird über IPv6 erreicht, ohne dass dieses Gerät etwas übersetzt.',
  '{list} does not list {address}.': '{list} führt {address} nicht auf.',
  '{list} lists {address}.': '{list} führt {address} auf.',
  'The admin page answers on port {port}.': 'Die Weboberfläche antwortet auf Port {port}.',
  // DNS64
  'The resolver answers on port {port}.': 'Der Resolver antwortet auf Port {port}.',
  'DNS64 is switched off: this appliance does not answer for {name}.':
    'DNS64 ist abgeschaltet: Dieses Gerät antwortet nicht für {name}.',
  '{name} could not be looked up: no upstream gave an answer.':
    '{name} ließ sich nicht nachschlagen: Kein gefragter Resolver gab eine Antwort.',
  '{name} has no address, neither IPv6 nor IPv4.': '{name} hat keine Adresse, weder IPv6 noch IPv4.',
  '{name} has no IPv6 address of its own: DNS64 makes {addresses} from its IPv4 address.':
    '{name} hat keine eigene IPv6-Adresse: DNS64 macht {addresses} aus der IPv4-Adresse.',
  '{name} has the IPv6 address {addresses}, answered here.':
    '{name} hat die IPv6-Adresse {addresses}, von hier beantwortet.',
  '{name} has the IPv6 address {addresses} of its own.': '{name} hat selbst die IPv6-Adresse {addresses}.',
  // The forwarder
  'Port {port} is the SSH port of {name}, but listens only on {addresses}.':
    'Port {port} ist der SSH-Port von {name}, lauscht aber nur auf {addresses}.',
  'Port {port} is the SSH port of {name}: it leads to [{address}]:{targetPort}.':
    'Port {port} ist der SSH-Port von {name}: Er führt zu [{address}]:{targetPort}.',
  'Port {port} is the SSH port of {name}, which is switched off.':
    'Port {port} ist der SSH-Port von {name}, der abgeschaltet ist.',
  'The access list of {server} does not have {client}.':
    'Die Zugangsliste von {server} enthält {client} nicht.',
  'The access list of {server} has {client}.': 'Die Zugangsliste von {server} enthält {client}.',
  '{server} is in maintenance.': '{server} wird gerade gewartet.',
  'Its {count} addresses take turns; one that does not answer is put aside for some seconds.':
    'Seine {count} Adressen wechseln sich ab; eine, die nicht antwortet, wird für einige Sekunden zurückgestellt.',
  'The first of its {count} addresses that answers is used.':
    'Benutzt wird die erste seiner {count} Adressen, die antwortet.',
  // The proxy
  'The server sees the address of this appliance, not that of the client.':
    'Der Server sieht die Adresse dieses Geräts, nicht die des Clients.',
  'The server sees the address of this appliance, not that of the client: only IPv4 addresses are mapped.':
    'Der Server sieht die Adresse dieses Geräts, nicht die des Clients: Nur IPv4-Adressen werden abgebildet.',
  'The server sees the client as {address}. If it has no route for {prefix} to this appliance, it sees the address of this appliance.':
    'Der Server sieht den Client als {address}. Hat er keine Route für {prefix} zu diesem Gerät, sieht er die Adresse dieses Geräts.',
  'The server sees the client as {address}. If it has no route for {prefix} to this appliance, the client is refused.':
    'Der Server sieht den Client als {address}. Hat er keine Route für {prefix} zu diesem Gerät, wird der Client abgewiesen.',
  "A PROXY header (version 1) tells the server the client's address.":
    'Ein PROXY-Kopf (Version 1) nennt dem Server die Adresse des Clients.',
  "A PROXY header (version 2) tells the server the client's address.":
    'Ein PROXY-Kopf (Version 2) nennt dem Server die Adresse des Clients.',
  'The listener {name} (port {port}) is closed: no server names it in its services.':
    'Der Listener {name} (Port {port}) ist geschlossen: Kein Server nennt ihn in seinen services.',
  'The listener {name} (port {port}) listens only on {addresses}.':
    'Der Listener {name} (Port {port}) lauscht nur auf {addresses}.',
  'TLS by server name': 'TLS nach Servername',
  'HTTP by Host': 'HTTP nach Host',
  'The listener {name} has port {port}: {what}.': 'Der Listener {name} hat Port {port}: {what}.',
  'A client that connects to an address names no server in its ClientHello.':
    'Ein Client, der sich mit einer Adresse verbindet, nennt in seinem ClientHello keinen Server.',
  '{server} has the name, but does not use the listener {listener}.':
    '{server} hat den Namen, benutzt aber den Listener {listener} nicht.',
  '{server} has the name, but is switched off.': '{server} hat den Namen, ist aber abgeschaltet.',
  'A client that names no server gets the default server, {server}, [{address}]:{port}.':
    'Ein Client, der keinen Server nennt, bekommt den Standardserver, {server}, [{address}]:{port}.',
  'No server has the name {name}: it leads to the default server, {server}, [{address}]:{port}.':
    'Kein Server hat den Namen {name}: Er führt zum Standardserver, {server}, [{address}]:{port}.',
  'The proxy answers with a redirect ({status}) to {location}.':
    'Der Proxy antwortet mit einer Umleitung ({status}) nach {location}.',
  'No server has the name {name} at the listener {listener}.':
    'Am Listener {listener} hat kein Server den Namen {name}.',
  'The address of {server}, {address}, is one of this appliance itself: the appliance never connects to it.':
    'Die Adresse von {server}, {address}, ist eine dieses Geräts selbst: Das Gerät verbindet sich nie damit.',
  '{name} leads to {server}, [{address}]:{port}.': '{name} führt zu {server}, [{address}]:{port}.',
  '{name} leads to {server}, [{address}]:{port}, through the proxy.':
    '{name} führt durch den Proxy zu {server}, [{address}]:{port}.',
  'the request has no Host field: it names no server':
    'die Anfrage hat kein Feld Host: Sie nennt keinen Server',
  // NAT64: the packet
  'NAT64 is switched off: nothing translates to {to}.': 'NAT64 ist abgeschaltet: Nichts übersetzt zu {to}.',
  'It reaches [{address}] through NAT64.': 'Es erreicht [{address}] durch NAT64.',
  'No host has {address}.': 'Kein Rechner hat {address}.',
  'NAT64 translates it, and it leaves for {address}.': 'NAT64 übersetzt es, und es geht hinaus zu {address}.',
  '{address} port {port}': '{address} Port {port}',
  '{address} belongs to [{host}] as a whole (RFC 7757).': '{address} gehört als Ganzes [{host}] (RFC 7757).',
  'A static mapping leads {there} to [{host}]:{hostPort}.':
    'Eine feste Zuordnung führt {there} zu [{host}]:{hostPort}.',
  '{there} belongs to pool4 and has no static mapping: only answers to traffic from the servers get in.':
    '{there} gehört zu pool4 und hat keine feste Zuordnung: Herein kommen nur Antworten auf Verkehr der Server.',
  '{there}: {reason}.': 'Zu {there}: {reason}.',
  'The SYN is kept for 6 seconds, then refused.': 'Das SYN wird 6 Sekunden behalten, dann abgelehnt.',
  '{destination} is inside the NAT64 prefix {prefix} and stands for {remote}.':
    '{destination} liegt im NAT64-Präfix {prefix} und steht für {remote}.',
  '{destination} stands for {remote} by an address mapping (RFC 7757).':
    '{destination} steht durch eine Adresszuordnung für {remote} (RFC 7757).',
  '{client} shares its IPv4 address: it reaches {remote} through the NAT64 prefix only.':
    '{client} teilt sich seine IPv4-Adresse: Er erreicht {remote} nur durch das NAT64-Präfix.',
  '{destination} is outside the NAT64 prefix {prefix}: it is routed, not translated.':
    '{destination} liegt außerhalb des NAT64-Präfixes {prefix}: Es wird geroutet, nicht übersetzt.',
  '{client} is outside that prefix, as a client must be.':
    '{client} liegt außerhalb dieses Präfixes, wie es bei einem Client sein muss.',
  '{client} is itself inside the NAT64 prefix: the packet would loop.':
    '{client} liegt selbst im NAT64-Präfix: Das Paket liefe im Kreis.',
  '{client} is a unicast address that answers can be sent to.':
    '{client} ist eine Unicast-Adresse, an die Antworten gesendet werden können.',
  '{client} is not a routable unicast address, so no answer could be sent to it.':
    '{client} ist keine Unicast-Adresse, zu der geroutet wird; dorthin ließe sich keine Antwort senden.',
  "nat64.allow lists {client}, or it is the appliance's own.":
    'nat64.allow führt {client} auf, oder die Adresse ist eine des Geräts selbst.',
  '{remote} may be reached through this prefix.': '{remote} darf durch dieses Präfix erreicht werden.',
  '{remote} is private or reserved; {prefix} must not stand for it (RFC 6052 section 3.1).':
    '{remote} ist privat oder reserviert; {prefix} darf nicht dafür stehen (RFC 6052, Abschnitt 3.1).',
  '{client} has an IPv4 address of its own, and is translated through {prefix} only.':
    '{client} hat eine eigene IPv4-Adresse und wird nur durch {prefix} übersetzt.',
  // NAT64: the tables
  '{client} has the IPv4 address {own} for itself (RFC 7757, 7915): no session is needed.':
    '{client} hat die IPv4-Adresse {own} für sich (RFC 7757, 7915): Eine Sitzung ist nicht nötig.',
  '{address} belongs to the appliance: through NAT64, only its pool4 ports can be reached. Use the IPv6 address of the appliance.':
    '{address} gehört dem Gerät: Durch NAT64 sind nur dessen Ports von pool4 erreichbar. Die IPv6-Adresse des Geräts benutzen.',
  '{client} represents no IPv4 address, and with nat64.mode "stateless" no address is shared.':
    '{client} steht für keine IPv4-Adresse, und mit nat64.mode „stateless“ wird keine geteilt.',
  'The appliance has no IPv4 address to translate to.':
    'Das Gerät hat keine IPv4-Adresse, zu der es übersetzen könnte.',
  'It leaves the translator for {remote}.': 'Es verlässt den Übersetzer in Richtung {remote}.',
  'It leaves the translator for {remote}, which this appliance translates too (hairpinning).':
    'Es verlässt den Übersetzer in Richtung {remote}; auch dorthin übersetzt dieses Gerät (Hairpinning).',
  identifier: 'Identifier',
  port: 'Port',
  "BIB: the client's {what} {own} has {address} {what} {mapped}, by nat64.static.":
    'BIB: {what} {own} des Clients hat {address} {what} {mapped}, durch nat64.static.',
  "BIB: the client's {what} {own} has {address} {what} {mapped}.":
    'BIB: {what} {own} des Clients hat {address} {what} {mapped}.',
  'The client has 1 BIB entry for {protocol}.': 'Der Client hat 1 BIB-Eintrag für {protocol}.',
  'The client has {entries} BIB entries for {protocol}.':
    'Der Client hat {entries} BIB-Einträge für {protocol}.',
  'Few ports are left, and the client or its network has far more than that: it gets no more until some end.':
    'Es sind nur noch wenige Ports frei, und der Client oder sein Netz hat weit mehr: Er bekommt keine weiteren, bis welche enden.',
  'Few sessions are left, and the client or its network has far more than that: it gets no more until some end.':
    'Es sind nur noch wenige Sitzungen frei, und der Client oder sein Netz hat weit mehr: Er bekommt keine weiteren, bis welche enden.',
  'The client has {count} sessions, which is its limit.':
    'Der Client hat {count} Sitzungen; das ist seine Grenze.',
  'The client has {count} BIB entries, which is its limit.':
    'Der Client hat {count} BIB-Einträge; das ist seine Grenze.',
  'A packet from any other {what}': 'Ein Paket von einem anderen {what}',
  "The client's {what} {number}": 'Der {what} {number} des Clients',
  'Those used in the last {seconds} s are not reused yet.':
    'Die der letzten {seconds} s werden noch nicht wieder benutzt.',
  'There is no free {what} in pool4 for another.': 'In pool4 ist kein {what} für einen weiteren frei.',
  '{address} {what} {range}': '{address}, {what} {range}',
  '{which} gets a new one, chosen at random from {ranges}.':
    '{which} bekommt einen neuen, zufällig aus {ranges}.',
  'nat64.portBlocks gives {client} no ports.': 'nat64.portBlocks gibt {client} keine Ports.',
  "All of the client's ports, {ports}, are in use for {protocol}.":
    'Alle Ports des Clients, {ports}, sind für {protocol} in Gebrauch.',
  "{which} gets a new BIB entry out of the client's own ports, {ports}.":
    '{which} bekommt einen neuen BIB-Eintrag aus den eigenen Ports des Clients, {ports}.',
  'There is a session with {remote}; it ends in {seconds} s if nothing is sent.':
    'Es gibt eine Sitzung mit {remote}; sie endet in {seconds} s, wenn nichts gesendet wird.',
  'There is a session with {remote}, {state}; it ends in {seconds} s if nothing is sent.':
    'Es gibt eine Sitzung mit {remote}, {state}; sie endet in {seconds} s, wenn nichts gesendet wird.',
  '{used} of {most} sessions are in use: there is no room for another.':
    '{used} von {most} Sitzungen sind in Gebrauch: Für eine weitere ist kein Platz.',
  '{used} of {most} sessions are in use: there is room for a new one.':
    '{used} von {most} Sitzungen sind in Gebrauch: Für eine neue ist Platz.',
  'It leaves the appliance for {remote}, which an address mapping gives to a server of ours (hairpinning).':
    'Es verlässt das Gerät in Richtung {remote}, das eine Adresszuordnung einem eigenen Server gibt (Hairpinning).',
  'It leaves the appliance for {remote}.': 'Es verlässt das Gerät in Richtung {remote}.',
  '{remote} is a pool4 address: who gets the packet depends on the destination port.':
    '{remote} ist eine Adresse aus pool4: Wer das Paket bekommt, hängt vom Zielport ab.',
  '{there} is that of {host}, which has not sent to {address}.':
    '{there} gehört {host}, und von dort wurde nichts an {address} gesendet.',
  'There is no room for the session of {host}, which has {there}.':
    'Für die Sitzung von {host}, der {there} hat, ist kein Platz.',
  '{there} is the mapping of {host}: the packet comes back in and goes there (hairpinning).':
    '{there} ist die Zuordnung von {host}: Das Paket kommt wieder herein und geht dorthin (Hairpinning).',
  '{address} fails its health checks. Clients are led there nevertheless, because no address passes. {detail}':
    '{address} besteht seine Zustandsprüfungen nicht. Clients werden trotzdem dorthin geführt, weil keine Adresse sie besteht. {detail}',
  '{address} fails its health checks, so clients are led elsewhere. {detail}':
    '{address} besteht seine Zustandsprüfungen nicht, darum werden Clients anderswohin geführt. {detail}',
  'No server has the name {name}. Its address in DNS, {address}, lies in proxy.allowedPrefixes: the client is led to [{address}]:{port}.':
    'Kein Server hat den Namen {name}. Seine Adresse im DNS, {address}, liegt in proxy.allowedPrefixes: Der Client wird zu [{address}]:{port} geführt.',
  'No server has the name {name}, and no resolver answers for it now.':
    'Kein Server hat den Namen {name}, und gerade antwortet kein Resolver auf die Frage nach ihm.',
  'No server has the name {name}, and in DNS it has no AAAA record.':
    'Kein Server hat den Namen {name}, und im DNS hat er keinen AAAA-Record.',
  'No server has the name {name}, and none of its addresses in DNS may be dialled: {addresses}. They must lie in proxy.allowedPrefixes, and belong neither to this appliance nor to NAT64.':
    'Kein Server hat den Namen {name}, und keine seiner Adressen im DNS ist erlaubt: {addresses}. Sie müssen in proxy.allowedPrefixes liegen und dürfen weder zu diesem Gerät noch zu NAT64 gehören.',
  '{from} is a trusted proxy: its connection must begin with a PROXY header, or it is reset. The client is the one in the header; what follows is for a header without a client.':
    '{from} ist ein vertrauter Proxy: Seine Verbindung muss mit einem PROXY-Header beginnen, sonst wird sie zurückgesetzt. Client ist der aus dem Header; das Folgende gilt für einen Header ohne Client.',
  'The client offers {protocol} (ALPN): this way in of {server} goes before others.':
    'Der Client bietet {protocol} an (ALPN): Dieser Zugang von {server} geht anderen vor.',
  'A client that offers {protocol} (ALPN) would go to {server}, port {port}.':
    'Ein Client, der {protocol} anbietet (ALPN), käme zu {server}, Port {port}.',
  '{server} has the name, but only for clients that offer certain protocols (ALPN).':
    '{server} hat den Namen, aber nur für Clients, die bestimmte Protokolle anbieten (ALPN).',
};
