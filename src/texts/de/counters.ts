/** The explanation of each counter. */
import type { Dictionary } from '../sentence.ts';

export const counters: Dictionary = {
  'Worker threads': 'Arbeits-Threads',
  // TCP: proxy and forwarder
  'Connections accepted': 'Angenommene Verbindungen',
  'Bytes passed from clients to servers': 'Bytes von Clients zu Servern',
  'Bytes passed from servers to clients': 'Bytes von Servern zu Clients',
  'Bytes read and dropped: sent by a client after its request or its refusal':
    'Gelesene und verworfene Bytes: nach der Anfrage oder nach der Ablehnung gesendet',
  'Connections that both sides ended in order': 'Verbindungen, die beide Seiten ordentlich beendet haben',
  'Connections ended by a reset, passed on to the other side':
    'Durch einen Reset beendete Verbindungen; an die andere Seite weitergegeben',
  'Connections closed because they carried no data for the idle timeout':
    'Geschlossene Verbindungen, über die zu lange nichts kam',
  'Connections closed because one side had ended, and the other one sent nothing for the timeout':
    'Geschlossene Verbindungen, deren eine Seite beendet war und deren andere zu lange nichts sandte',
  'Connections refused because their clients opened too many in this second, while others waited, or more than configured':
    'Abgelehnte Verbindungen, weil der Client in dieser Sekunde zu viele öffnete, während andere warteten, oder mehr als eingestellt',
  'Connections refused because their clients had as many as configured':
    'Abgelehnte Verbindungen, weil der Client so viele hatte wie eingestellt',
  'Connections ended because their server had its share of the connections, or as many as configured':
    'Beendete Verbindungen, weil der Server seinen Anteil der Verbindungen hatte oder so viele wie eingestellt',
  'Connections that the client ended before its server was known or reached':
    'Verbindungen, die der Client beendete, bevor der Server bekannt oder erreicht war',
  'Connections refused because the client took too long to send its request or ClientHello':
    'Abgelehnte Verbindungen, weil der Client für seine Anfrage oder sein ClientHello zu lange brauchte',
  'Connections whose trusted proxy told the address of the client in a PROXY header':
    'Verbindungen, deren vertrauter Proxy die Adresse des Clients in einem PROXY-Header genannt hat',
  'Connections whose trusted proxy told in a PROXY header that there is no client, or that it is the client itself: mostly health checks':
    'Verbindungen, deren vertrauter Proxy in einem PROXY-Header gesagt hat, dass es keinen Client gibt oder dass er selbst der Client ist: meist Health-Checks',
  'Connections that a trusted proxy ended before a PROXY header: mostly health checks':
    'Verbindungen, die ein vertrauter Proxy vor einem PROXY-Header beendet hat: meist Health-Checks',
  'Connections from trusted proxies that were reset, because they do not begin with a valid PROXY header':
    'Verbindungen vertrauter Proxys, die zurückgesetzt wurden, weil sie nicht mit einem gültigen PROXY-Header beginnen',
  'Connections ended because data sent before the server was known filled the memory, and their clients had the most of it':
    'Verbindungen, die endeten, weil Daten aus der Zeit vor der Wahl des Servers den Speicher füllten und ihre Clients das meiste davon hatten',
  'Connections refused at the limit: their clients had as many as any other client, or more':
    'Verbindungen, die an der Grenze abgewiesen wurden, weil der Client so viele hatte wie jeder andere oder mehr',
  'Connections ended at the limit for another client: their clients had the most':
    'Verbindungen, die an der Grenze für einen anderen Client endeten, weil der eigene die meisten hatte',
  'Connections ended because the server refused the connection':
    'Beendete Verbindungen, weil der Server die Verbindung ablehnte',
  'Connections ended because no route led to the server':
    'Beendete Verbindungen, weil keine Route zum Server führte',
  'Connections ended because the server did not answer in time':
    'Beendete Verbindungen, weil der Server nicht rechtzeitig antwortete',
  'Times that another address of a server was tried, because one did not answer':
    'Wie oft eine andere Adresse eines Servers versucht wurde, weil eine nicht antwortete',
  'Connections ended because the address of the server is one of this appliance itself':
    'Verbindungen, die endeten, weil die Adresse des Servers eine dieses Geräts selbst ist',
  'Connections ended because no descriptor or port was left to reach the server':
    'Beendete Verbindungen, weil kein Deskriptor oder Port zum Server mehr frei war',
  'Connections that ended before they could be accepted':
    'Verbindungen, die endeten, bevor sie angenommen werden konnten',
  'Times accepting paused because no file descriptor or memory was left':
    'Pausen im Annehmen, weil kein Deskriptor oder Speicher mehr frei war',
  'Times accepting paused because the limit of connections was reached':
    'Pausen im Annehmen, weil die Höchstzahl der Verbindungen erreicht war',
  'Lines of the access log that were lost, because they came faster than they were read':
    'Zeilen des Zugriffsprotokolls, die verloren gingen, weil sie schneller kamen, als sie gelesen wurden',
  // The proxy
  'TLS connections whose server name led to a server':
    'TLS-Verbindungen, deren Servername zu einem Server führte',
  'HTTP requests whose Host led to a server': 'HTTP-Anfragen, deren Host zu einem Server führte',
  'Connections made from the address of the appliance, because the answers of the server to the mapped address of the client do not come back':
    'Verbindungen von der Adresse des Geräts aus, weil die Antworten des Servers an die abgebildete Adresse des Clients nicht zurückkommen',
  'TLS: no server has the server name (alert unrecognized_name)':
    'TLS: Der Servername gehört zu keinem Server (Alert unrecognized_name)',
  'TLS: the client named no server (alert missing_extension)':
    'TLS: Der Client nannte keinen Server (Alert missing_extension)',
  'TLS: the ClientHello is malformed (alert decode_error, or what fits)':
    'TLS: Das ClientHello ist fehlerhaft (Alert decode_error, oder was passt)',
  'TLS: the ClientHello is too long (alert record_overflow or decode_error)':
    'TLS: Das ClientHello ist zu lang (Alert record_overflow oder decode_error)',
  'TLS: the client speaks plain HTTP (answered with 400)':
    'TLS: Der Client spricht einfaches HTTP (mit 400 beantwortet)',
  'TLS: the client speaks another protocol (closed)':
    'TLS: Der Client spricht ein anderes Protokoll (geschlossen)',
  'HTTP: the request names no server (400)': 'HTTP: Die Anfrage nennt keinen Server (400)',
  'HTTP: no server has the Host (421)': 'HTTP: Der Host gehört zu keinem Server (421)',
  'TLS: the access list of the server does not have the client (alert access_denied)':
    'TLS: Die Zugangsliste des Servers enthält den Client nicht (Alert access_denied)',
  'TLS: the server is in maintenance (alert internal_error)':
    'TLS: Der Server wird gerade gewartet (Alert internal_error)',
  'HTTP: the access list of the server does not have the client (403)':
    'HTTP: Die Zugangsliste des Servers enthält den Client nicht (403)',
  'HTTP: the server is in maintenance (503)': 'HTTP: Der Server wird gerade gewartet (503)',
  'HTTP: requests that were redirected to https (301, 308)':
    'HTTP: Anfragen, die auf https umgeleitet wurden (301, 308)',
  'The access list of the server does not have the client (reset)':
    'Die Zugangsliste des Servers enthält den Client nicht (Reset)',
  'The server is in maintenance (reset)': 'Der Server wird gerade gewartet (Reset)',
  'HTTP: the request is malformed or ambiguous (400)':
    'HTTP: Die Anfrage ist fehlerhaft oder mehrdeutig (400)',
  'HTTP: the request head is too long (431)': 'HTTP: Der Kopf der Anfrage ist zu lang (431)',
  'HTTP: version, method, scheme or transfer coding that is not served (421, 501, 505)':
    'HTTP: Version, Methode, Schema oder Transfer-Coding, die nicht bedient werden (421, 501, 505)',
  'HTTP: WebSockets that their server opened (101)': 'HTTP: WebSockets, die ihr Server geöffnet hat (101)',
  'HTTP: the answer of the server is malformed, or opens something that was not asked for (502)':
    'HTTP: Die Antwort des Servers ist fehlerhaft oder öffnet etwas, das nicht verlangt war (502)',
  'HTTP: OPTIONS and TRACE that this proxy answered, because Max-Forwards was 0':
    'HTTP: OPTIONS und TRACE, die dieser Proxy beantwortete, weil Max-Forwards 0 war',
  'HTTP: requests sent over a connection to the server that was used before':
    'HTTP: Anfragen, über eine schon benutzte Verbindung zum Server gesendet',
  'HTTP: requests sent again, because the server had closed the used connection':
    'HTTP: noch einmal gesendete Anfragen, weil der Server die benutzte Verbindung geschlossen hatte',
  'HTTP: the server did not begin its answer in time (504)':
    'HTTP: Der Server begann seine Antwort nicht rechtzeitig (504)',
  'HTTP: the server closed in the middle of an answer (reset)':
    'HTTP: Der Server schloss mitten in einer Antwort (Reset)',
  'HTTP: the server closed without an answer (502)': 'HTTP: Der Server schloss ohne Antwort (502)',
  // DNS64
  'Messages received over UDP': 'Über UDP empfangene Nachrichten',
  'Messages received over TCP': 'Über TCP empfangene Nachrichten',
  'Queries answered from the cache': 'Aus dem Cache beantwortete Anfragen',
  'Queries that had to be resolved': 'Anfragen, die aufgelöst werden mussten',
  'Answers that did not fit into a datagram: the client was sent to TCP':
    'Antworten, die in kein Datagramm passten: Der Client wurde auf TCP verwiesen',
  'AAAA answers made from A records': 'AAAA-Antworten, aus A-Einträgen gemacht',
  'PTR answers for addresses inside a NAT64 prefix': 'PTR-Antworten zu Adressen in einem NAT64-Präfix',
  'Answers for special-use names, made here': 'Antworten zu besonderen Namen, hier gemacht',
  'Queries from outside the access list that were answered REFUSED':
    'Anfragen von außerhalb der Zugangsliste, mit REFUSED beantwortet',
  'Queries refused for what they ask: zone transfers, RD=0':
    'Anfragen, die wegen ihres Inhalts abgelehnt wurden: Zonentransfers, RD=0',
  'Malformed queries answered FORMERR': 'Fehlerhafte Anfragen, mit FORMERR beantwortet',
  'Queries answered NOTIMP: opcode, class or meta type':
    'Mit NOTIMP beantwortete Anfragen: Opcode, Klasse oder Metatyp',
  'Queries answered BADVERS': 'Mit BADVERS beantwortete Anfragen',
  'Queries answered SERVFAIL because no upstream gave an answer':
    'Mit SERVFAIL beantwortete Anfragen, weil kein gefragter Resolver eine Antwort gab',
  'Queries from outside the access list beyond the rate that is answered REFUSED':
    'Anfragen von außerhalb der Zugangsliste, mehr als mit REFUSED beantwortet werden',
  'Messages shorter than a header': 'Nachrichten, die kürzer sind als ein Kopf',
  'Messages that are responses, not queries': 'Nachrichten, die Antworten sind statt Anfragen',
  'Datagrams with source port 0 or sent to a multicast address':
    'Datagramme mit Quellport 0, oder an eine Multicast-Adresse gesendet',
  'Queries dropped because too many were being resolved':
    'Verworfene Anfragen, weil zu viele gerade aufgelöst wurden',
  'Replies that the kernel did not take': 'Antworten, die der Kernel nicht annahm',
  'TCP connections accepted': 'Angenommene TCP-Verbindungen',
  'TCP connections closed at once: their client is not on the access list':
    'TCP-Verbindungen, sofort geschlossen: Der Client steht nicht auf der Zugriffsliste',
  'TCP connections closed at the limit for another client: their clients had the most':
    'TCP-Verbindungen, an der Grenze für einen anderen Client geschlossen, weil der eigene die meisten hatte',
  'Queries dropped because their client, or its whole /64, had far more in progress than was left for all clients':
    'Verworfene Anfragen, deren Client oder dessen /64 im Ganzen weit mehr laufen hatte, als für alle noch frei war',
  'TCP connections closed because they were idle or too slow':
    'Geschlossene TCP-Verbindungen, weil sie untätig oder zu langsam waren',
  'Queries sent to upstreams': 'An Resolver weitergegebene Anfragen',
  'Queries sent to upstreams over TCP': 'Über TCP an Resolver weitergegebene Anfragen',
  'Queries that an upstream left unanswered': 'Anfragen, die ein Resolver unbeantwortet ließ',
  'Queries that an upstream answered with an error, or that could not be sent':
    'Anfragen, die ein Resolver mit einem Fehler beantwortete oder die sich nicht senden ließen',
  'Times an upstream was not asked because its address is that of this resolver itself':
    'Male, die ein Upstream nicht gefragt wurde, weil seine Adresse die dieses Resolvers selbst ist',
  'Datagrams from an upstream that answer no query: malformed, wrong ID or wrong question':
    'Datagramme eines Resolvers, die keine Anfrage beantworten: fehlerhaft, falsche ID oder falsche Frage',
  // NAT64
  'Packets translated from IPv6 to IPv4, as they go out on the wire':
    'Von IPv6 zu IPv4 übersetzte Pakete, wie sie auf die Leitung gehen',
  'Packets translated from IPv4 to IPv6, as they go out on the wire':
    'Von IPv4 zu IPv6 übersetzte Pakete, wie sie auf die Leitung gehen',
  'Bytes of the IPv4 packets that left': 'Bytes der hinausgegangenen IPv4-Pakete',
  'Bytes of the IPv6 packets that left': 'Bytes der hinausgegangenen IPv6-Pakete',
  'Packets of both directions that the kernel translated itself: those of established flows (nat64.fastPath)':
    'Pakete beider Richtungen, die der Kernel selbst übersetzte: die bestehender Flüsse (nat64.fastPath)',
  'Flows of TCP and UDP that the kernel was given to translate itself':
    'TCP- und UDP-Flüsse, die der Kernel zum Übersetzen bekam',
  'Flows that were taken from the kernel again: they ended, or something about them changed':
    'Flüsse, die dem Kernel wieder genommen wurden: Sie endeten, oder etwas an ihnen änderte sich',
  'Packets from one IPv6 host to the mapping of another, counted in both directions too':
    'Pakete von einem IPv6-Rechner zur Zuordnung eines anderen, auch in beiden Richtungen gezählt',
  'Datagrams whose fragments all arrived': 'Datagramme, deren Fragmente alle kamen',
  'Fragmented datagrams dropped before all fragments had arrived, because too many were waiting':
    'Fragmentierte Datagramme, verworfen, bevor alle Fragmente da waren, weil zu viele warteten',
  'BIB entries (mappings of an IPv6 host and port to an IPv4 port) created':
    'Angelegte BIB-Einträge (Zuordnungen eines IPv6-Rechners und Ports zu einem IPv4-Port)',
  'BIB entries removed with their last session': 'BIB-Einträge, mit ihrer letzten Sitzung entfernt',
  'TCP sessions created': 'Angelegte TCP-Sitzungen',
  'UDP sessions created': 'Angelegte UDP-Sitzungen',
  'ICMP query sessions created': 'Angelegte ICMP-Sitzungen',
  'TCP sessions removed, nearly always because their lifetime was over':
    'Entfernte TCP-Sitzungen, fast immer, weil ihre Lebensdauer um war',
  'UDP sessions removed, nearly always because their lifetime was over':
    'Entfernte UDP-Sitzungen, fast immer, weil ihre Lebensdauer um war',
  'ICMP query sessions removed, nearly always because their lifetime was over':
    'Entfernte ICMP-Sitzungen, fast immer, weil ihre Lebensdauer um war',
  'Sessions that were there before a restart, and still fitted the configuration':
    'Sitzungen von vor einem Neustart, die noch zur Konfiguration passten',
  'Mappings or sessions that began or ended and could not be logged (nat64.log): too many at a time':
    'Zuordnungen oder Sitzungen, deren Beginn oder Ende nicht protokolliert werden konnte (nat64.log): zu viele auf einmal',
  'Connections from the IPv4 side to ports that no IPv6 host has, kept unanswered for 6 seconds':
    'Verbindungen von der IPv4-Seite zu Ports, die kein IPv6-Rechner hat; 6 Sekunden unbeantwortet behalten',
  'Of these, those that took the place of the oldest one of the sender with the most: no more can be kept':
    'Davon solche, die den Platz des ältesten des Absenders mit den meisten einnahmen: Mehr können nicht aufbewahrt werden',
  'Idle established TCP connections whose IPv6 host was asked whether they are still open':
    'Bestehende TCP-Verbindungen ohne Verkehr, deren IPv6-Rechner gefragt wurde, ob sie leben',
  'ICMP errors that the translator sent in answer to packets it dropped':
    'ICMP-Fehler, mit denen der Übersetzer auf verworfene Pakete antwortete',
  'ICMP errors that were not sent because there were too many within a second':
    'ICMP-Fehler, die nicht gesendet wurden, weil es in einer Sekunde zu viele waren',
  "ICMP messages and fragments of no session: handed back for the appliance's own programs":
    'ICMP-Nachrichten und Fragmente ohne Sitzung: den eigenen Programmen des Geräts zurückgegeben',
  'Neither an IPv4 nor an IPv6 packet': 'Weder ein IPv4- noch ein IPv6-Paket',
  'Ends inside a header': 'Endet innerhalb eines Kopfes',
  'A length field contradicts the size of the packet or of its headers':
    'Ein Längenfeld widerspricht der Größe des Pakets oder seiner Köpfe',
  'The checksum of the IPv4 header, or of an ICMP error, is wrong':
    'Die Prüfsumme des IPv4-Kopfes oder eines ICMP-Fehlers ist falsch',
  'The offload header of the TUN device contradicts the packet':
    'Der Offload-Kopf des TUN-Devices widerspricht dem Paket',
  'The destination is not translated: it is not in the NAT64 prefix, not in pool4 and not a server':
    'Das Ziel wird nicht übersetzt: Es ist nicht im NAT64-Präfix, nicht in pool4 und kein Server',
  'An IPv6 source inside the NAT64 prefix: the packet would loop':
    'Eine IPv6-Quelle im NAT64-Präfix: Das Paket liefe im Kreis',
  'The source is not a routable unicast address, or is an address of the appliance':
    'Die Quelle ist keine Unicast-Adresse, zu der geroutet wird, oder eine des Geräts',
  'The IPv6 source is not in nat64.allow': 'Die IPv6-Quelle steht nicht in nat64.allow',
  'An IPv4 address that the prefix must not represent, e.g. a private one in 64:ff9b::/96':
    'Eine IPv4-Adresse, für die das Präfix nicht stehen darf, etwa eine private in 64:ff9b::/96',
  'An IPv4 address in nat64.denyIpv4': 'Eine IPv4-Adresse aus nat64.denyIpv4',
  'From IPv6 to an IPv4 address of the appliance itself, or of pool4, outside the ports of pool4':
    'Von IPv6 an eine IPv4-Adresse des Geräts selbst oder aus pool4, außerhalb der Ports von pool4',
  'From IPv6 to an IPv4-embedded host (nat64.embedded) that no IPv6 route leads to: it would loop':
    'Von IPv6 an einen Rechner mit eingebetteter IPv4-Adresse (nat64.embedded), zu dem keine IPv6-Route führt: Es liefe im Kreis',
  'The hop limit (TTL) was used up': 'Das Hop-Limit (TTL) war aufgebraucht',
  'Larger than the MTU of the other side; the sender was notified':
    'Größer als die MTU der anderen Seite; der Absender wurde benachrichtigt',
  'A fragment that ends beyond the largest packet, is empty, begins inside the TCP header, or is not the last and no multiple of 8':
    'Ein Fragment, das über das größte Paket hinausgeht, leer ist, im TCP-Kopf beginnt, oder nicht das letzte und kein Vielfaches von 8',
  'A fragment that overlaps another, or one of a datagram in which that happened':
    'Ein Fragment, das ein anderes überlappt, oder eines aus einem Datagramm, in dem das geschah',
  'A duplicate fragment': 'Ein doppeltes Fragment',
  'A fragment header with another extension header behind it':
    'Ein Fragment-Header, hinter dem ein weiterer Erweiterungsheader steht',
  'A fragment of a datagram in more than 128': 'Ein Fragment aus einem Datagramm mit mehr als 128',
  'A fragment dropped because too many were waiting, most of them from its sender':
    'Ein Fragment, verworfen, weil zu viele warteten, die meisten von seinem Absender',
  'A fragment that waited too long for others (nat64.lifetimes.fragmentSeconds)':
    'Ein Fragment, das zu lange auf andere wartete (nat64.lifetimes.fragmentSeconds)',
  'A fragment of a datagram whose first fragment was not translated':
    'Ein Fragment aus einem Datagramm, dessen erstes Fragment nicht übersetzt wurde',
  'A source route or routing header with hops left to visit':
    'Eine Quellroute oder ein Routing-Header mit noch offenen Stationen',
  'A transport protocol other than TCP, UDP and ICMP': 'Ein anderes Transportprotokoll als TCP, UDP und ICMP',
  'An ICMP message that is neither a query to translate nor an error the other side knows':
    'Eine ICMP-Nachricht, die weder eine übersetzbare Anfrage noch ein Fehler ist, den die andere Seite kennt',
  'An ICMP error that does not quote enough of a translatable packet':
    'Ein ICMP-Fehler, der zu wenig von einem übersetzbaren Paket zitiert',
  'An ICMP error about no known session': 'Ein ICMP-Fehler zu keiner bekannten Sitzung',
  'A UDP packet without checksum where nat64.zeroUdpChecksum or zeroUdpChecksumFromIpv6 is "drop", or in fragments that are translated one by one':
    'Ein UDP-Paket ohne Prüfsumme, wenn nat64.zeroUdpChecksum oder zeroUdpChecksumFromIpv6 „drop“ ist, oder in Fragmenten, die einzeln übersetzt werden',
  'A packet from an IPv4 address that the IPv6 host has not sent to (nat64.filtering is "address-dependent")':
    'Ein Paket von einer IPv4-Adresse, an die der IPv6-Rechner nichts gesendet hat (nat64.filtering ist „address-dependent“)',
  'A packet from the IPv4 side to a port that no IPv6 host has':
    'Ein Paket von der IPv4-Seite an einen Port, den kein IPv6-Rechner hat',
  'A TCP packet of no known connection that does not open one':
    'Ein TCP-Paket, das zu keiner bekannten Verbindung gehört und keine eröffnet',
  'The appliance has no IPv4 address yet': 'Das Gerät hat noch keine IPv4-Adresse',
  'No port of pool4 is left for this protocol': 'In pool4 ist für dieses Protokoll kein Port mehr frei',
  'A client without ports: nat64.portBlocks is on, and does not list it':
    'Ein Client ohne Ports: nat64.portBlocks ist an und führt ihn nicht auf',
  'An IPv6 source that stands for no IPv4 address (nat64.mode is "stateless")':
    'Eine IPv6-Quelle, die für keine IPv4-Adresse steht (nat64.mode ist „stateless“)',
  'A client that had nat64.maxMappingsPerClient or nat64.maxSessionsPerClient needed another':
    'Ein Client, der nat64.maxMappingsPerClient oder nat64.maxSessionsPerClient erreicht hatte, brauchte mehr',
  'A client, or its whole /64, had far more than was left for all clients, and needed another port or session':
    'Ein Client oder sein ganzes /64 hatte weit mehr, als für alle noch frei war, und brauchte einen weiteren Port oder eine weitere Sitzung',
  'nat64.maxSessions are in use': 'nat64.maxSessions sind in Gebrauch',
  'The TUN device did not take the translated packet': 'Das TUN-Device nahm das übersetzte Paket nicht an',
  'The kernel could not rewrite a packet of an established flow: it had no memory':
    'Der Kernel konnte ein Paket eines bestehenden Flusses nicht umschreiben: Ihm fehlte Speicher',
  // The control panel
  'Requests that came from an allowed address': 'Anfragen von einer zugelassenen Adresse',
  'Connections closed at the limit for another client: their clients had the most':
    'Verbindungen, an der Grenze für einen anderen Client geschlossen, weil der eigene die meisten hatte',
  'Connections and requests from an address that admin.allow does not list; closed or answered 403':
    'Verbindungen und Anfragen von einer Adresse, die admin.allow nicht aufführt; geschlossen oder mit 403 beantwortet',
  'Requests whose Host is neither an address, localhost nor one of admin.hostnames (DNS rebinding); 421':
    'Anfragen, deren Host weder eine Adresse noch localhost noch einer aus admin.hostnames ist (DNS-Rebinding); 421',
  'Changes that a page of another origin requested; 403':
    'Änderungen, die eine Seite anderer Herkunft verlangte; 403',
  'Requests with a wrong token; 401': 'Anfragen mit falschem Token; 401',
  'Sign-ins with a wrong password or code; 401': 'Anmeldungen mit falschem Passwort oder Code; 401',
  'Changes in a session that came without its CSRF token; 403':
    'Änderungen in einer Sitzung, die ohne deren CSRF-Token kamen; 403',
  'Requests of a token whose scope does not allow them; 403':
    'Anfragen eines Tokens, dessen Rechte nicht reichen; 403',
  'First passwords from another network or after the claim window; 403':
    'Erste Passwörter aus einem anderen Netz oder nach der Frist; 403',
  'Changes over plain HTTP from another machine while HTTPS is on; 403':
    'Änderungen über einfaches HTTP von einem anderen Rechner, während HTTPS an ist; 403',
  'Requests with a wrong token, and sign-ins, while their source had to wait; 429':
    'Anfragen mit falschem Token und Anmeldungen, während deren Quelle warten musste; 429',
  'Requests beyond the rate that one source may have; 429':
    'Anfragen über die Rate hinaus, die eine Quelle haben darf; 429',
  'Changes of the configuration through this API': 'Änderungen der Konfiguration über diese API',
  'Configurations that this API refused': 'Konfigurationen, die diese API ablehnte',
  'Requests that ended in an unexpected error; 500, the log has the reason':
    'Anfragen, die in einem unerwarteten Fehler endeten; 500, der Grund steht im Protokoll',
  'TLS connections and HTTP requests that were led to an address of their name in DNS (proxy.allowedPrefixes)':
    'TLS-Verbindungen und HTTP-Anfragen, die zu einer Adresse ihres Namens im DNS geführt wurden (proxy.allowedPrefixes)',
  'Look-ups of names that no server has (proxy.allowedPrefixes)':
    'Abfragen von Namen, die kein Server hat (proxy.allowedPrefixes)',
  'Times that an earlier answer was used for longer: no resolver answered, or the client had its share of look-ups':
    'Wie oft eine frühere Antwort länger galt: Kein Resolver antwortete, oder der Client hatte seinen Anteil an Abfragen',
  'Names forgotten at the limit for the name of another client: their clients had the most':
    'Namen, die an der Grenze für den Namen eines anderen Clients vergessen wurden: Ihre Clients hatten die meisten',
  'Look-ups of names: queries sent to resolvers (dns64.upstreams)':
    'Abfragen von Namen: an Resolver gesendete Fragen (dns64.upstreams)',
  'Look-ups of names: queries sent to resolvers over TCP':
    'Abfragen von Namen: über TCP an Resolver gesendete Fragen',
  'Look-ups of names: queries that a resolver left unanswered':
    'Abfragen von Namen: Fragen, auf die ein Resolver nicht antwortete',
  'Look-ups of names: queries that a resolver answered with an error, or that could not be sent':
    'Abfragen von Namen: Fragen, auf die ein Resolver mit einem Fehler antwortete oder die nicht gesendet werden konnten',
  'Look-ups of names: times a resolver was not asked because it is our own, which makes addresses up (DNS64)':
    'Abfragen von Namen: wie oft ein Resolver nicht gefragt wurde, weil er der eigene ist, der Adressen erzeugt (DNS64)',
  'Look-ups of names: datagrams from a resolver that answer no query: malformed, wrong ID or wrong question':
    'Abfragen von Namen: Datagramme von einem Resolver, die keine Frage beantworten: fehlerhaft, falsche ID oder falsche Frage',
  'TLS: no server has the server name, and in DNS it has no address inside proxy.allowedPrefixes (alert unrecognized_name)':
    'TLS: Der Servername gehört zu keinem Server und hat im DNS keine Adresse in proxy.allowedPrefixes (Alert unrecognized_name)',
  'TLS: no server has the server name, and no resolver answers (alert internal_error)':
    'TLS: Der Servername gehört zu keinem Server, und kein Resolver antwortet (Alert internal_error)',
  'TLS: too many names were being looked up, in total or for this client (alert internal_error)':
    'TLS: Zu viele Namen wurden gerade abgefragt, insgesamt oder für diesen Client (Alert internal_error)',
  'HTTP: no server has the Host, and in DNS it has no address inside proxy.allowedPrefixes (421)':
    'HTTP: Der Host gehört zu keinem Server und hat im DNS keine Adresse in proxy.allowedPrefixes (421)',
  'HTTP: no server has the Host, and no resolver answers (503)':
    'HTTP: Der Host gehört zu keinem Server, und kein Resolver antwortet (503)',
  'HTTP: too many names were being looked up, in total or for this client (503)':
    'HTTP: Zu viele Namen wurden gerade abgefragt, insgesamt oder für diesen Client (503)',
};
