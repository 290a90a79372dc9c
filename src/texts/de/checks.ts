/** "Check my setup", the network as found, and the DNS records to publish. */
import type { Dictionary } from '../sentence.ts';

export const checks: Dictionary = {
  // The frame
  'Not checked yet.': 'Noch nicht geprüft.',
  'it took longer than {seconds} s': 'es dauerte länger als {seconds} s',
  'This could not be checked: {reason}.': 'Das ließ sich nicht prüfen: {reason}.',
  '{what} This follows from another failure ({cause}).':
    '{what} Das folgt aus einer anderen Störung ({cause}).',
  // Addresses and routes
  'Own addresses': 'Eigene Adressen',
  'The appliance joins both worlds: it needs an IPv4 address towards the Internet and an IPv6 address towards the servers.':
    'Das Gerät verbindet beide Welten: Es braucht eine IPv4-Adresse zum Internet hin und eine IPv6-Adresse zu den Servern hin.',
  'The appliance has no IPv4 address.': 'Das Gerät hat keine IPv4-Adresse.',
  'Connect it to a router with a DHCP server, or set an address by hand.':
    'Das Gerät mit einem Router verbinden, der einen DHCP-Server hat, oder eine Adresse von Hand setzen.',
  'The appliance has no IPv6 address beyond its own link.':
    'Das Gerät hat keine IPv6-Adresse, die über sein eigenes Netzsegment hinaus gilt.',
  'Switch on IPv6 (router advertisements) in your router, or set an address of the network of the servers by hand.':
    'IPv6 (Router Advertisements) im Router einschalten, oder von Hand eine Adresse aus dem Netz der Server setzen.',
  'IPv4: {ipv4}. IPv6: {ipv6}.': 'IPv4: {ipv4}. IPv6: {ipv6}.',
  'IPv4 default route': 'IPv4-Standardroute',
  'Clients of the IPv4 Internet come in through the IPv4 default route, and NAT64 sends through it.':
    'Über die IPv4-Standardroute kommen die Clients aus dem IPv4-Internet, und über sie sendet NAT64.',
  'IPv4 packets leave through a point-to-point link.':
    'IPv4-Pakete gehen über eine Punkt-zu-Punkt-Verbindung hinaus.',
  'There is no IPv4 default route: nothing gets to the IPv4 Internet, and no answer gets back.':
    'Es gibt keine IPv4-Standardroute: Nichts gelangt ins IPv4-Internet, und keine Antwort zurück.',
  'Connect the appliance to your router. If the router gives addresses by DHCP, check that its DHCP server is on; otherwise set address and gateway by hand.':
    'Das Gerät mit dem Router verbinden. Vergibt der Router Adressen per DHCP, muss sein DHCP-Server an sein; sonst Adresse und Gateway von Hand setzen.',
  'IPv6 routes to the servers': 'IPv6-Routen zu den Servern',
  'What comes in over IPv4 goes on to the servers over IPv6.':
    'Was über IPv4 hereinkommt, geht über IPv6 weiter zu den Servern.',
  'There is no IPv6 route to {servers}.': 'Es gibt keine IPv6-Route zu {servers}.',
  'Connect the appliance to the network of the servers, or give it a route there: an IPv6 address of that network, or a router that announces itself.':
    'Das Gerät mit dem Netz der Server verbinden, oder ihm eine Route dorthin geben: eine IPv6-Adresse aus diesem Netz, oder einen Router, der sich ankündigt.',
  'All servers are on networks that the appliance is attached to; there is no IPv6 default route, and none is needed.':
    'Alle Server sind in Netzen, an denen das Gerät selbst hängt; es gibt keine IPv6-Standardroute, und es braucht keine.',
  'The gateway {address} ({link})': 'Das Gateway {address} ({link})',
  '{where} has an address of an unknown form.': '{where} hat eine Adresse in unbekannter Form.',
  '{where} answers in {milliseconds} ms.': '{where} antwortet in {milliseconds} ms.',
  '{where} could not be asked: {reason}.': '{where} ließ sich nicht fragen: {reason}.',
  '{where} does not answer pings.': '{where} antwortet nicht auf Ping.',
  'If other checks are green, the router only ignores pings. Otherwise check that it is on, and that the cable is in the right port.':
    'Sind andere Prüfungen grün, übergeht der Router nur den Ping. Sonst nachsehen, ob er an ist und das Kabel in der richtigen Buchse steckt.',
  // Public address
  'Public IPv4 address': 'Öffentliche IPv4-Adresse',
  'The A records of all names lead there.': 'Dorthin führen die A-Einträge aller Namen.',
  'The appliance has the public address {address} itself.':
    'Das Gerät hat die öffentliche Adresse {address} selbst.',
  'The appliance is behind NAT: its own address {own} is private.':
    'Das Gerät ist hinter einem NAT: Seine eigene Adresse {own} ist privat.',
  "{behind} The router's own address {own} is private, too: nobody can come in from the Internet.":
    '{behind} Auch die Adresse des Routers, {own}, ist privat: Aus dem Internet kann niemand herein.',
  '{behind} The public address is that of your router, which says {address}.':
    '{behind} Die öffentliche Adresse ist die des Routers; er nennt {address}.',
  '{behind} The public address is that of your router, which does not tell us; its status page shows it.':
    '{behind} Die öffentliche Adresse ist die des Routers, der sie nicht verrät; seine Statusseite zeigt sie.',
  'If it is a second router of your own, forward the ports there too, or make it a bridge. If it is your provider (CGNAT), ask for a public IPv4 address.':
    'Ist es ein zweiter eigener Router, die Ports auch dort weiterleiten oder ihn als Bridge betreiben. Ist es der Anbieter (CGNAT), eine öffentliche IPv4-Adresse verlangen.',
  // MTU
  'Packet sizes (MTU)': 'Paketgrößen (MTU)',
  'Packets that are too large for a link are lost where nobody reports it: small pages load, large ones hang.':
    'Zu große Pakete gehen dort verloren, wo es niemand meldet: Kleine Seiten laden, große bleiben hängen.',
  '{link} ({bytes} bytes)': '{link} ({bytes} Byte)',
  '{link} {bytes} bytes': '{link} {bytes} Byte',
  'IPv6 does not work over {links}: it needs {bytes} bytes.':
    'Über {links} geht kein IPv6: Es braucht {bytes} Byte.',
  'Raise the MTU of {links} to 1500, or to what the link can do.':
    'Die MTU von {links} auf 1500 erhöhen, oder auf das, was die Verbindung kann.',
  'Links: {links}.': 'Verbindungen: {links}.',
  'NAT64 sends IPv4 packets of up to {bytes} bytes, but the way to the Internet carries only {most}.':
    'NAT64 sendet IPv4-Pakete von bis zu {bytes} Byte, aber der Weg ins Internet trägt nur {most}.',
  'Set nat64.mtu4Bytes to {bytes}.': 'nat64.mtu4Bytes auf {bytes} setzen.',
  'NAT64 sends IPv6 packets of up to {bytes} bytes, but the way to a server carries only {most}.':
    'NAT64 sendet IPv6-Pakete von bis zu {bytes} Byte, aber der Weg zu einem Server trägt nur {most}.',
  'Set nat64.mtu6Bytes to {bytes}.': 'nat64.mtu6Bytes auf {bytes} setzen.',
  // Ports
  'listener {name}': 'den Listener {name}',
  'SSH port of {name}': 'den SSH-Port von {name}',
  'control panel': 'die Weboberfläche',
  'Ports taken by other programs': 'Ports, die andere Programme belegen',
  'Two programs cannot have the same port: the service that comes second does not start.':
    'Zwei Programme können nicht denselben Port haben: Der Dienst, der als zweiter kommt, startet nicht.',
  'No other program has a port that the configuration uses.':
    'Kein anderes Programm hat einen Port, den die Konfiguration braucht.',
  '{protocol} {port} ({wantedBy}) is taken by {owner}': '{protocol} {port} (für {wantedBy}) belegt {owner}',
  '{list}.': '{list}.',
  'Stop {owners} (and disable it, so that it does not come back), or choose other ports. The service then starts by itself.':
    'Anhalten und abschalten, damit es nicht wiederkommt: {owners}. Oder andere Ports wählen. Der Dienst startet dann von selbst.',
  'a program of user {user}': 'ein Programm des Benutzers {user}',
  '{program} (process {number})': '{program} (Prozess {number})',
  'Ports open to the Internet': 'Ports, die zum Internet offen sind',
  'Clients of the IPv4 Internet come through these ports.':
    'Durch diese Ports kommen die Clients aus dem IPv4-Internet.',
  'No server is configured yet, so no port is open.':
    'Noch ist kein Server eingerichtet, also ist kein Port offen.',
  'Nothing listens on {ports}.': 'Nichts lauscht auf {ports}.',
  'The service of the port does not run: its own line says why.':
    'Der Dienst zu diesem Port läuft nicht: Seine eigene Zeile sagt, warum.',
  'Clients of the Internet have come through TCP {ports}.':
    'Durch TCP {ports} sind schon Clients aus dem Internet gekommen.',
  'TCP {ports} listen on {address}. Whether a firewall before the appliance lets them pass cannot be seen from here.':
    'TCP {ports} lauschen auf {address}. Ob eine Firewall vor dem Gerät sie durchlässt, ist von hier aus nicht zu sehen.',
  'TCP {ports} listen, but whether your router forwards them is only known once somebody has come through.':
    'TCP {ports} lauschen; ob der Router sie weiterleitet, zeigt sich erst, wenn jemand hindurchgekommen ist.',
  'Test it from elsewhere, such as a phone with Wi-Fi switched off.':
    'Von anderswo probieren, etwa mit einem Telefon ohne WLAN.',
  'the router': 'im Router',
  'the router ({address} towards the Internet)': 'im Router ({address} zum Internet hin)',
  'In {router}, forward TCP {ports} to the appliance, each to the same port.':
    'TCP {ports} {router} an das Gerät weiterleiten, jeweils auf denselben Port.',
  // Services
  Service: 'Dienst',
  'Each service reports when it cannot do everything that the configuration asks for.':
    'Jeder Dienst meldet, wenn er nicht alles tun kann, was die Konfiguration verlangt.',
  'SSH and ports': 'SSH und Ports',
  'Control panel': 'Weboberfläche',
  'Configuration file': 'Konfigurationsdatei',
  'Stored files': 'Gespeicherte Dateien',
  Limits: 'Grenzen',
  'Switched off in the configuration.': 'In der Konfiguration abgeschaltet.',
  'Its thread was started again {restarts} times; the log has the reason.':
    'Sein Thread wurde {restarts}-mal neu gestartet; der Grund steht im Protokoll.',
  'It gives no reason.': 'Er nennt keinen Grund.',
  'Do what this check says. If that does not help, download the support bundle (System page) and ask for help.':
    'Tun, was diese Prüfung sagt. Hilft das nicht, das Support-Paket herunterladen (Seite System) und um Hilfe bitten.',
  'It is retried automatically. Fix what this check reports. If that does not help, download the support bundle (System page) and ask for help.':
    'Es wird von selbst wieder versucht. Beheben, was diese Prüfung meldet. Hilft das nicht, das Support-Paket herunterladen (Seite System) und um Hilfe bitten.',
  'Runs.': 'Läuft.',
  // DNS64
  'DNS64 answers': 'Antworten von DNS64',
  'The servers reach IPv4-only hosts through the addresses that DNS64 gives them.':
    'Die Server erreichen reine IPv4-Rechner über die Adressen, die DNS64 ihnen gibt.',
  'The resolver refuses to answer the appliance itself, since dns64.allow does not list it.':
    'Der Resolver weist das Gerät selbst ab, denn dns64.allow führt es nicht auf.',
  'The resolver at {server} gave no addresses for {name}: {reason}.':
    'Der Resolver auf {server} gab keine Adressen für {name}: {reason}.',
  'See the check of the service DNS64, and the log.':
    'Die Prüfung des Dienstes DNS64 ansehen, und das Protokoll.',
  'For {name} the resolver says {found}; {missing} is missing.':
    'Für {name} antwortet der Resolver: {found}; es fehlt {missing}.',
  nothing: 'nichts',
  'Another resolver answers on this port, or the prefixes were just changed: check again, and see dns64.prefixes.':
    'Auf diesem Port antwortet ein anderer Resolver, oder die Präfixe wurden eben geändert: noch einmal prüfen, und dns64.prefixes ansehen.',
  'For {name} the resolver says {found}.': 'Für {name} antwortet der Resolver: {found}.',
  'Resolver that DNS64 asks': 'Resolver, den DNS64 fragt',
  'DNS64 asks its upstreams. When none of them answers, no name resolves.':
    'DNS64 fragt seine Upstreams. Antwortet keiner davon, löst sich kein Name auf.',
  'Resolver {resolver}': 'Resolver {resolver}',
  '{resolver} answers in {milliseconds} ms.': '{resolver} antwortet in {milliseconds} ms.',
  '{resolver} cannot be used: {reason}.': '{resolver} ist nicht zu gebrauchen: {reason}.',
  'Check that the address in dns64.upstreams is right and that no firewall blocks port 53 to it, or use another resolver.':
    'Prüfen, ob die Adresse in dns64.upstreams stimmt und keine Firewall Port 53 dorthin sperrt, oder einen anderen Resolver verwenden.',
  'it refuses to answer us (REFUSED)': 'er weist uns ab (REFUSED)',
  'it does not answer': 'er antwortet nicht',
  'nothing listens there, or there is no route to it':
    'dort lauscht nichts, oder es gibt keine Route dorthin',
  'it could not resolve the name (SERVFAIL)': 'er konnte den Namen nicht auflösen (SERVFAIL)',
  'it did not understand the query (FORMERR)': 'er hat die Anfrage nicht verstanden (FORMERR)',
  'it does not know this kind of query (NOTIMP)': 'er kennt diese Art von Anfrage nicht (NOTIMP)',
  'its answer is not DNS': 'seine Antwort ist kein DNS',
  // NAT64
  'The way through NAT64': 'Der Weg durch NAT64',
  'The servers reach the IPv4 Internet through NAT64. A real packet takes this way here, and its answer comes back.':
    'Die Server erreichen das IPv4-Internet durch NAT64. Hier geht ein echtes Paket diesen Weg, und die Antwort kommt zurück.',
  'There is no IPv4 resolver in dns64.upstreams that could be asked through NAT64.':
    'In dns64.upstreams steht kein IPv4-Resolver, der sich durch NAT64 fragen ließe.',
  'The appliance cannot reach {address}: {problem}.': 'Das Gerät erreicht {address} nicht: {problem}.',
  'See the check of the service NAT64; the appliance also needs an IPv6 address of its own.':
    'Die Prüfung des Dienstes NAT64 ansehen; das Gerät braucht außerdem eine eigene IPv6-Adresse.',
  'The test asks {resolver} through NAT64, but that does not answer without NAT64 either.':
    'Die Prüfung fragt {resolver} durch NAT64, aber der antwortet auch ohne NAT64 nicht.',
  '{resolver} answers through NAT64, asked at {address}.':
    '{resolver} antwortet durch NAT64, gefragt unter {address}.',
  'nat64.allow does not list the appliance itself, so it cannot try.':
    'nat64.allow führt das Gerät selbst nicht auf, also kann es den Weg nicht probieren.',
  '{resolver} answers directly, but not through NAT64 (asked at {address} from {source}).':
    '{resolver} antwortet auf geradem Weg, aber nicht durch NAT64 (gefragt unter {address} von {source} aus).',
  'A firewall of the appliance may drop what it forwards: it must accept packets from and to the NAT64 device. The counters of NAT64 tell what it dropped itself.':
    'Vielleicht verwirft eine Firewall des Geräts, was es weiterleitet: Sie muss Pakete vom und zum NAT64-Device annehmen. Was NAT64 selbst verwarf, sagen seine Zähler.',
  'Ports and sessions of NAT64': 'Ports und Sitzungen von NAT64',
  'Every connection of a server takes a port: when none is left, new connections fail.':
    'Jede Verbindung eines Servers braucht einen Port: Ist keiner mehr frei, scheitern neue Verbindungen.',
  'sessions ({used} of {most})': 'Sitzungen ({used} von {most})',
  'ports for {protocol} ({used} of {size})': 'Ports für {protocol} ({used} von {size})',
  '{percent} % of the {what} are in use.': '{percent} % der {what} sind in Gebrauch.',
  'See which server has the most sessions on the NAT64 page. Add an address or more ports to nat64.pool4, or raise nat64.maxSessions.':
    'Auf der Seite NAT64 nachsehen, welcher Server die meisten Sitzungen hat. In nat64.pool4 eine Adresse oder mehr Ports ergänzen, oder nat64.maxSessions erhöhen.',
  'Packets that NAT64 had to drop': 'Pakete, die NAT64 verwerfen musste',
  'A dropped packet is a connection of a server that hangs or fails.':
    'Ein verworfenes Paket ist eine Verbindung eines Servers, die hängt oder scheitert.',
  'Known from the second run on: packets that are dropped between two runs are counted.':
    'Vom zweiten Durchlauf an bekannt: Es zählen Pakete, die zwischen zwei Durchläufen verworfen werden.',
  'Since the previous run, no packet was dropped for lack of ports, sessions or an address.':
    'Seit dem vorigen Durchlauf wurde kein Paket aus Mangel an Ports, Sitzungen oder einer Adresse verworfen.',
  'Since the previous run: {drops}.': 'Seit dem vorigen Durchlauf: {drops}.',
  'Check the IPv4 address of the appliance, or set nat64.pool4.':
    'Die IPv4-Adresse des Geräts prüfen, oder nat64.pool4 setzen.',
  'Add an address or more ports to nat64.pool4.': 'In nat64.pool4 eine Adresse oder mehr Ports ergänzen.',
  'See on the NAT64 page which server has so many ports or sessions. If it needs them, add ports to nat64.pool4, or raise nat64.maxSessions.':
    'Auf der Seite NAT64 nachsehen, welcher Server so viele Ports oder Sitzungen hat. Braucht er sie, in nat64.pool4 Ports ergänzen oder nat64.maxSessions erhöhen.',
  'See on the NAT64 page which server has so many sessions. If it needs them, raise nat64.maxMappingsPerClient and nat64.maxSessionsPerClient.':
    'Auf der Seite NAT64 nachsehen, welcher Server so viele Sitzungen hat. Braucht er sie, nat64.maxMappingsPerClient und nat64.maxSessionsPerClient erhöhen.',
  'Raise nat64.maxSessions.': 'nat64.maxSessions erhöhen.',
  'List the client in nat64.portBlocks.clients, or take it out of nat64.allow.':
    'Den Client in nat64.portBlocks.clients aufführen, oder ihn aus nat64.allow herausnehmen.',
  'Set nat64.log to "mappings", which are fewer than sessions; or use nat64.portBlocks, which need no log.':
    'nat64.log auf „mappings“ setzen, das sind weniger als Sitzungen; oder nat64.portBlocks verwenden, die kein Protokoll brauchen.',
  'See what takes the memory of the appliance on the System page.':
    'Auf der Seite „System“ nachsehen, was den Arbeitsspeicher des Geräts belegt.',
  'See the log: the kernel did not take translated packets.':
    'Das Protokoll ansehen: Der Kernel hat übersetzte Pakete nicht angenommen.',
  // Servers
  Server: 'Server',
  'The server must answer the connections that the appliance routes to it.':
    'Der Server muss die Verbindungen beantworten, die das Gerät zu ihm leitet.',
  'Server {name}': 'Server {name}',
  'Nothing leads to {name}: it has neither host names nor SSH.':
    'Zu {name} führt nichts: Er hat weder Hostnamen noch SSH.',
  '{name} is in maintenance: clients are turned away.':
    '{name} wird gerade gewartet: Clients werden abgewiesen.',
  'Switch maintenance off when the work is done.':
    'Schalten Sie die Wartung aus, wenn die Arbeit fertig ist.',
  'Certificates with names of other servers': 'Zertifikate mit Namen anderer Server',
  'All names lead to one IPv4 address. Browsers then send requests for every name of a certificate over one HTTP/2 connection, and they reach the wrong server, unless that answers 421.':
    'Alle Namen führen zu einer IPv4-Adresse. Browser senden dann Anfragen für jeden Namen eines Zertifikats über eine HTTP/2-Verbindung, und sie erreichen den falschen Server, wenn der nicht mit 421 antwortet.',
  'Certificates of {name} and the names of others': 'Zertifikate von {name} und die Namen anderer',
  'The certificate of {server} for {hostname} also covers {names} of {other}. What it answers to requests for them could not be measured.':
    'Das Zertifikat von {server} für {hostname} gilt auch für {names} von {other}. Was er auf Anfragen danach antwortet, ließ sich nicht messen.',
  'The certificate of {server} for {hostname} also covers {names} of {other}. A request for that name over an HTTP/2 connection to {server} is answered with {status}, not 421: visitors of {other} get pages of {server}.':
    'Das Zertifikat von {server} für {hostname} gilt auch für {names} von {other}. Eine Anfrage nach diesem Namen über eine HTTP/2-Verbindung zu {server} wird mit {status} beantwortet, nicht mit 421: Besucher von {other} bekommen Seiten von {server}.',
  'Its certificate also covers {names} of {other}, but it answers 421 to requests for them.':
    'Das Zertifikat gilt auch für {names} von {other}, aber Anfragen danach werden mit 421 beantwortet.',
  'It does not answer at the moment; the check of the server says why.':
    'Er antwortet im Moment nicht; die Prüfung des Servers sagt, warum.',
  'Its certificates cover no name of another server, or it does not speak HTTP/2.':
    'Die Zertifikate gelten für keinen Namen eines anderen Servers, oder der Server spricht kein HTTP/2.',
  'Give each server a certificate with its own names only. Or let the server answer 421 to all other names: Apache does, and in nginx it takes a server block "listen [::]:443 ssl default_server; return 421;". Or switch HTTP/2 off there.':
    'Geben Sie jedem Server ein Zertifikat nur mit seinen eigenen Namen. Oder lassen Sie den Server auf alle anderen Namen mit 421 antworten: Apache tut das, und nginx braucht dafür einen server-Block „listen [::]:443 ssl default_server; return 421;“. Oder schalten Sie HTTP/2 dort ab.',
  'Answers as it should: {services}; the slowest answer took {milliseconds} ms.':
    'Antwortet, wie er soll: {services}; die langsamste Antwort brauchte {milliseconds} ms.',
  'Check on {name} that the programs run and listen on these ports, and that its firewall allows the appliance.':
    'Auf {name} prüfen, ob die Programme laufen und auf diesen Ports lauschen, und ob seine Firewall das Gerät zulässt.',
  Certificates: 'Zertifikate',
  'The servers hold their own certificates. When one has expired or names another host, clients refuse to connect.':
    'Die Server halten ihre Zertifikate selbst. Ist eines abgelaufen oder auf einen anderen Namen ausgestellt, verbinden sich Clients nicht.',
  'Certificates of {name}': 'Zertifikate von {name}',
  '{name} shows no certificate at the moment; the check of the server says why.':
    '{name} zeigt gerade kein Zertifikat; die Prüfung des Servers sagt, warum.',
  'All are valid; the first one expires on {first}.': 'Alle sind gültig; das erste läuft am {first} ab.',
  'Renew or replace the certificate on {name}. With ACME the HTTP challenge works through the appliance, as port 80 leads to the server; see why the client there did not renew.':
    'Das Zertifikat auf {name} erneuern oder ersetzen. Mit ACME geht die HTTP-Challenge durch das Gerät, weil Port 80 zum Server führt; nachsehen, warum der ACME-Client dort nicht erneuert hat.',
  'Route for mapped addresses': 'Route für abgebildete Adressen',
  'Route for mapped addresses: {name}': 'Route für abgebildete Adressen: {name}',
  'A server with clientAddress "mapped" sees clients as addresses of proxy.mappedPrefix. Its answers to them come back only if it routes this prefix to the appliance.':
    'Ein Server mit clientAddress „mapped“ sieht Clients als Adressen aus proxy.mappedPrefix. Seine Antworten kommen nur zurück, wenn er dieses Präfix zum Gerät routet.',
  'No listener leads to {name}.': 'Kein Listener führt zu {name}.',
  'An answer from port {port} to {address} came back: the server routes {prefix} to the appliance.':
    'Eine Antwort von Port {port} an {address} kam zurück: Der Server routet {prefix} zum Gerät.',
  'The server does not answer at port {port}, also not to the address of the appliance.':
    'Der Server antwortet an Port {port} nicht, auch nicht an die Adresse des Geräts.',
  'The server answers to the address of the appliance, but an answer from port {port} to {address} did not come back. {effect}':
    'Der Server antwortet an die Adresse des Geräts, aber eine Antwort von Port {port} an {address} kam nicht zurück. {effect}',
  'Meanwhile the server sees the address of the appliance as the client.':
    'Solange sieht der Server die Adresse des Geräts als Client.',
  'Its clients are refused (proxy.mappedFallback).':
    'Seine Clients werden abgewiesen (proxy.mappedFallback).',
  'Run this on {name}, and make the route permanent there (the page of the server has the settings): {line}':
    'Auf {name} ausführen, und die Route dort dauerhaft einrichten (die Seite des Servers hat die Einstellungen): {line}',
  'Add a route for {prefix} to the appliance ({own}), on {name} and on each router between the two. Their filters must let packets with such addresses pass.':
    'Eine Route für {prefix} zum Gerät ({own}) einrichten, auf {name} und auf jedem Router zwischen den beiden. Deren Filter müssen Pakete mit solchen Adressen durchlassen.',
  // DNS records
  'DNS records': 'DNS-Einträge',
  'These names lead IPv4 clients to the appliance and IPv6 clients to the server itself.':
    'Diese Namen führen IPv4-Clients zum Gerät und IPv6-Clients zum Server selbst.',
  'DNS records of {name}': 'DNS-Einträge von {name}',
  'All {count} records have arrived.': 'Alle {count} Einträge sind angekommen.',
  'Publish these records where the zone is managed:\n{lines}':
    'Diese Einträge dort veröffentlichen, wo die Zone gepflegt wird:\n{lines}',
  'The public address of your router: it shows it on its status page. Its ports must be forwarded to the appliance.':
    'Die öffentliche Adresse des Routers: Seine Statusseite zeigt sie. Seine Ports müssen an das Gerät weitergeleitet sein.',
  'The appliance has no IPv4 address yet.': 'Das Gerät hat noch keine IPv4-Adresse.',
  'Leads IPv4 clients to the appliance.': 'Führt IPv4-Clients zum Gerät.',
  'Leads IPv6 clients directly to {name}.': 'Führt IPv6-Clients geradewegs zu {name}.',
  '{resolver} could not be asked: {reason}.': '{resolver} ließ sich nicht fragen: {reason}.',
  'There is no {type} record for {name} yet.': 'Für {name} gibt es noch keinen {type}-Eintrag.',
  '{name} leads to {list}, not to {value}.': '{name} führt zu {list}, nicht zu {value}.',
  'Has arrived.': 'Ist angekommen.',
  'Has arrived, but beside other addresses ({list}): some clients go elsewhere.':
    'Ist angekommen, aber neben anderen Adressen ({list}): Manche Clients gehen woandershin.',
  'Leads to {list}. This must be the public address of your router.':
    'Führt zu {list}. Das muss die öffentliche Adresse des Routers sein.',
  'Leads to {list}, which nobody on the Internet can reach.':
    'Führt zu {list}; das kann im Internet niemand erreichen.',
  // The machine
  Time: 'Uhrzeit',
  'With a wrong clock, certificates seem expired or not yet valid, and logs have wrong times. A Raspberry Pi has no battery for its clock.':
    'Geht die Uhr falsch, scheinen Zertifikate abgelaufen oder noch nicht gültig, und Protokolle nennen falsche Zeiten. Ein Raspberry Pi hat keine Batterie für seine Uhr.',
  'Check that the appliance reaches a time server: systemd-timesyncd asks those of /etc/systemd/timesyncd.conf over UDP port 123.':
    'Prüfen, ob das Gerät einen Zeitserver erreicht: systemd-timesyncd fragt die aus /etc/systemd/timesyncd.conf über UDP-Port 123.',
  'The clock says {date}: it was never set.': 'Die Uhr zeigt {date}: Sie wurde nie gestellt.',
  'The system does not tell this process whether the clock is synchronised.':
    'Das System sagt diesem Prozess nicht, ob die Uhr abgeglichen ist.',
  'The clock is not synchronised with a time server.': 'Die Uhr ist mit keinem Zeitserver abgeglichen.',
  'It is off by {milliseconds} ms at most.': 'Sie weicht höchstens {milliseconds} ms ab.',
  'The clock is synchronised.': 'Die Uhr ist abgeglichen.',
  'Disk space': 'Speicherplatz',
  'Configuration, history and logs are kept there: when it is full, changes cannot be saved.':
    'Dort liegen Konfiguration, Verlauf und Protokolle: Ist der Platz aus, lassen sich Änderungen nicht speichern.',
  'Remove what is not needed from the file system of {directory}, or use a larger card.':
    'Vom Dateisystem von {directory} entfernen, was nicht gebraucht wird, oder eine größere Karte verwenden.',
  '{directory} cannot be written to: the file system is read-only.':
    'In {directory} lässt sich nichts schreiben: Das Dateisystem ist nur lesbar.',
  'Usually the card has errors and the kernel protects it: make a backup of the configuration and replace the card.':
    'Meist hat die Karte Fehler, und der Kernel schützt sie: eine Sicherung der Konfiguration machen und die Karte tauschen.',
  '{free} of {total} are free.': '{free} von {total} sind frei.',
  'Space is left, but only for {freeFiles} more files.':
    'Platz ist noch da, aber nur für {freeFiles} weitere Dateien.',
  'Wear of the card or disk': 'Abnutzung der Karte oder Platte',
  'Flash memory wears out by writing. Before it fails, the file system usually sees errors.':
    'Flash-Speicher nutzt sich beim Schreiben ab. Bevor er ausfällt, sieht das Dateisystem meist Fehler.',
  'Make a backup, and replace the card or disk soon.':
    'Eine Sicherung machen, und Karte oder Platte bald tauschen.',
  'The state directory is on no disk of its own (a network or memory file system).':
    'Das Zustandsverzeichnis liegt auf keiner eigenen Platte (Netz- oder Speicherdateisystem).',
  'The file system on {device} has seen {errors} errors.':
    'Das Dateisystem auf {device} hat {errors} Fehler gesehen.',
  '{device} does not tell how worn it is, as SD cards never do. The file system has seen no error.':
    '{device} sagt nicht, wie abgenutzt es ist, wie alle SD-Karten. Das Dateisystem hat keinen Fehler gesehen.',
  '{device} has used up the lifetime that its maker planned.':
    '{device} hat die Lebensdauer verbraucht, die der Hersteller vorsah.',
  '{device} has used {from} to {to} % of its planned lifetime.':
    '{device} hat {from} bis {to} % der vorgesehenen Lebensdauer verbraucht.',
  'Written so far: {gibibytes} GiB.': 'Bisher geschrieben: {gibibytes} GiB.',
  Temperature: 'Temperatur',
  'A processor that is too hot slows down, and ages faster.':
    'Ein zu heißer Prozessor wird langsamer und altert schneller.',
  'This machine has no temperature sensor that Linux knows.':
    'Dieses Gerät hat keinen Temperatursensor, den Linux kennt.',
  'The processor is at {degrees} °C.': 'Der Prozessor hat {degrees} °C.',
  'It slows down to cool off.': 'Er bremst sich, um abzukühlen.',
  'Give the appliance more air: take it out of a closed cupboard, or use a case with a heat sink or fan.':
    'Dem Gerät mehr Luft geben: es aus einem geschlossenen Schrank nehmen, oder ein Gehäuse mit Kühlkörper oder Lüfter verwenden.',
  'Power supply': 'Stromversorgung',
  'With too low a voltage a Raspberry Pi slows down, loses USB devices, and damages its card.':
    'Bei zu niedriger Spannung wird ein Raspberry Pi langsam, verliert USB-Geräte und beschädigt seine Karte.',
  'The voltage is too low at this moment.': 'Die Spannung ist in diesem Augenblick zu niedrig.',
  'The voltage was too low at times since the start.':
    'Die Spannung war seit dem Start zeitweise zu niedrig.',
  'The voltage has been right since the start.': 'Die Spannung stimmt seit dem Start.',
  'The voltage is right at this moment.': 'Die Spannung stimmt in diesem Augenblick.',
  'This machine does not measure its supply voltage, or it is not a Raspberry Pi.':
    'Dieses Gerät misst seine Versorgungsspannung nicht, oder es ist kein Raspberry Pi.',
  'Use the power supply that the maker recommends (5 V, 3 A or more), with a short thick cable, and no power-hungry devices on USB.':
    'Das Netzteil verwenden, das der Hersteller empfiehlt (5 V, 3 A oder mehr), mit kurzem, dickem Kabel und ohne stromhungrige USB-Geräte.',
  'Other programs and the kernel': 'Andere Programme und der Kernel',
  'Services need routes, rules and parameters in the kernel. If another program removes them, they are put back, but traffic is interrupted each time.':
    'Dienste brauchen Routen, Regeln und Parameter im Kernel. Entfernt ein anderes Programm sie, werden sie wiederhergestellt, aber jedes Mal ist der Verkehr unterbrochen.',
  'Nothing that the services need in the kernel is missing or removed repeatedly.':
    'Nichts, was die Dienste im Kernel brauchen, fehlt oder wird wiederholt entfernt.',
  '{what} is missing: the kernel refuses it': '{what} fehlt: Der Kernel lehnt es ab',
  '{what} is missing: removed or changed {times} times, last by {who}':
    '{what} fehlt: {times}-mal entfernt oder geändert, zuletzt von: {who}',
  '{what} was removed or changed {times} times, last by {who}':
    '{what} wurde {times}-mal entfernt oder geändert, zuletzt von: {who}',
  'Stop the program that does this ({who}), or configure it to leave this alone: systemd-networkd with ManageForeignRoutes=no and ManageForeignRoutingPolicyRules=no in networkd.conf, a firewall by loading only its own tables instead of "flush ruleset". See also the log.':
    'Anhalten, was es tut ({who}), oder so einstellen, dass es dies in Ruhe lässt: systemd-networkd mit ManageForeignRoutes=no und ManageForeignRoutingPolicyRules=no in networkd.conf; eine Firewall, indem sie nur ihre eigenen Tabellen lädt, statt „flush ruleset“. Siehe auch das Protokoll.',
  'Firewall and NAT64': 'Firewall und NAT64',
  'What NAT64 translates is forwarded. A firewall that drops what is forwarded, as Docker does, stops all of it.':
    'Was NAT64 übersetzt, wird weitergeleitet. Eine Firewall, die Weitergeleitetes verwirft, wie es Docker tut, hält alles davon auf.',
  'The rules of the firewall cannot be read.': 'Die Regeln der Firewall lassen sich nicht lesen.',
  'The chain {chain} of the nftables table {table} drops what NAT64 forwards.':
    'Die Kette {chain} der nftables-Tabelle {table} verwirft, was NAT64 weiterleitet.',
  '{firewall} drops what NAT64 forwards (chain {chain} of the nftables table {table}).':
    '{firewall} verwirft, was NAT64 weiterleitet (Kette {chain} der nftables-Tabelle {table}).',
  'The chain FORWARD of iptables-legacy drops what NAT64 forwards.':
    'Die Kette FORWARD von iptables-legacy verwirft, was NAT64 weiterleitet.',
  'The firewall drops some of what is forwarded ({chains}); whether NAT64 is part of it depends on its rules.':
    'Die Firewall verwirft manches, was weitergeleitet wird ({chains}); ob NAT64 dazugehört, hängt von ihren Regeln ab.',
  'No firewall rule was found that drops what NAT64 forwards.':
    'Es wurde keine Firewall-Regel gefunden, die verwirft, was NAT64 weiterleitet.',
  'Run this after each start of Docker, and the same with ip6tables: iptables -I DOCKER-USER -i {device} -j ACCEPT; iptables -I DOCKER-USER -o {device} -j ACCEPT. Or set {option} in /etc/docker/daemon.json (Docker 28). Where there is no chain DOCKER-USER, take FORWARD.':
    'Nach jedem Start von Docker ausführen, und dasselbe mit ip6tables: iptables -I DOCKER-USER -i {device} -j ACCEPT; iptables -I DOCKER-USER -o {device} -j ACCEPT. Oder in /etc/docker/daemon.json {option} setzen (Docker 28). Wo es keine Kette DOCKER-USER gibt, FORWARD nehmen.',
  'Run: ufw route allow in on {device}; ufw route allow out on {device}.':
    'Ausführen: ufw route allow in on {device}; ufw route allow out on {device}.',
  'Run: firewall-cmd --permanent --zone=trusted --add-interface={device}; firewall-cmd --permanent --new-policy={device}; firewall-cmd --permanent --policy={device} --add-ingress-zone=ANY --add-egress-zone=trusted --set-target=ACCEPT; firewall-cmd --reload.':
    'Ausführen: firewall-cmd --permanent --zone=trusted --add-interface={device}; firewall-cmd --permanent --new-policy={device}; firewall-cmd --permanent --policy={device} --add-ingress-zone=ANY --add-egress-zone=trusted --set-target=ACCEPT; firewall-cmd --reload.',
  'Add two rules at the top of the chain: {rules}.': 'Am Anfang der Kette zwei Regeln einfügen: {rules}.',
};
