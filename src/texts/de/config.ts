/** Problems of a configuration. A sentence continues after the value; an expectation stands alone. */
import type { Dictionary } from '../sentence.ts';

export const config: Dictionary = {
  // The frame
  '{value} is not {expected}': '{value} passt nicht; erwartet: {expected}',
  'is not {expected}': 'passt nicht; erwartet: {expected}',
  '{value} {sentence}; expected {expected}': '{value} {sentence}; erwartet: {expected}',
  'is missing; expected {expected}': 'fehlt; erwartet: {expected}',
  'is empty; expected {expected}': 'ist leer; erwartet: {expected}',
  'unknown field {name}; did you mean "{nearest}"?': 'unbekanntes Feld {name}; vielleicht „{nearest}“?',
  'unknown field {name}; known here: {names}': 'unbekanntes Feld {name}; hier bekannt: {names}',
  'one of {names}': 'eines von {names}',
  'an empty list': 'eine leere Liste',
  'a list of {count}': 'eine Liste mit {count} Einträgen',
  'an object': 'ein Objekt',
  'is already at {first}': 'steht schon unter {first}',
  'a configuration; {} is the shortest': 'eine Konfiguration; die kürzeste ist {}',
  // JSON
  'JSON syntax: found {found}, expected {expected}': 'JSON-Syntax: gefunden {found}, erwartet: {expected}',
  'JSON syntax: found {found}, expected {expected} (JSON has no comments)':
    'JSON-Syntax: gefunden {found}, erwartet: {expected} (JSON kennt keine Kommentare)',
  'the end of the text': 'das Ende des Textes',
  'nothing after the document': 'nichts nach dem Dokument',
  'a value': 'ein Wert',
  'at most {count} levels of nesting': 'höchstens {count} Ebenen Verschachtelung',
  'a name in double quotes': 'ein Name in doppelten Anführungszeichen',
  'a name that occurs once in its object': 'ein Name, der in seinem Objekt nur einmal vorkommt',
  '":" after the name {name}': '„:“ nach dem Namen {name}',
  'no "," before "{end}"': 'kein „,“ vor „{end}“',
  'an escape such as \\n or \\u00e9': 'eine Escape-Folge wie \\n oder \\u00e9',
  'a closing double quote': 'ein schließendes doppeltes Anführungszeichen',
  'a text of at most {count} characters': 'ein Text von höchstens {count} Zeichen',
  '{count} characters: expected {expected}': '{count} Zeichen; erwartet: {expected}',
  // Servers
  'is the unspecified address': 'ist die unbestimmte Adresse',
  'is the loopback address, which would be this appliance': 'ist die Loopback-Adresse; das wäre dieses Gerät',
  'is an address of this appliance itself': 'ist eine Adresse dieses Geräts selbst',
  'the address of another machine': 'die Adresse eines anderen Rechners',
  'is this resolver itself: it would ask itself for ever':
    'ist dieser Resolver selbst: Er würde sich endlos selbst fragen',
  'another resolver, or another port': 'ein anderer Resolver oder ein anderer Port',
  'is an IPv4 address in IPv6 form': 'ist eine IPv4-Adresse in IPv6-Form',
  'is a link-local address, which has no meaning without an interface':
    'ist eine Link-Local-Adresse; ohne Schnittstelle bedeutet sie nichts',
  'is a multicast address': 'ist eine Multicast-Adresse',
  'the global or unique local IPv6 address of the server':
    'die globale oder Unique-Local-IPv6-Adresse des Servers',
  'lies in the prefix {prefix}, where the addresses of clients are':
    'liegt im Präfix {prefix}, in dem die Adressen von Clients sind',
  'is in a network that the appliance is attached to': 'ist in einem Netz, an dem das Gerät hängt',
  'contains the loopback address': 'enthält die Loopback-Adresse',
  'is the well-known NAT64 prefix': 'ist das bekannte NAT64-Präfix (well-known prefix)',
  'overlaps the NAT64 prefix {prefix}': 'überschneidet sich mit dem NAT64-Präfix {prefix}',
  'an unused prefix of 96 bits such as 64:ff9b:1:fffe::/96':
    'ein unbenutztes Präfix von 96 Bit wie 64:ff9b:1:fffe::/96',
  'is not the name of a server': 'ist kein Name eines Servers',
  'nothing: there is no server': 'nichts: Es gibt keinen Server',
  'each listener once, or several times with different "alpn"':
    'jeder Listener nur einmal, oder mehrmals mit verschiedenem „alpn“',
  'each protocol once for a listener': 'jedes Protokoll nur einmal für einen Listener',
  'never matches: the listener {listener} does not speak TLS':
    'trifft nie zu: Der Listener {listener} spricht kein TLS',
  'no "alpn" here': 'kein „alpn“ an dieser Stelle',
  'each host name once': 'jeder Hostname nur einmal',
  'a host name that leads to one server, or only by "alpn" to the others':
    'ein Hostname, der zu nur einem Server führt, zu anderen nur nach „alpn“',
  'is already at {first}, for the same host name {name}':
    'steht schon bei {first}, für denselben Hostnamen {name}',
  'a protocol that leads to one server': 'ein Protokoll, das zu nur einem Server führt',
  'has every address: everybody could claim any address':
    'enthält jede Adresse: Jeder könnte sich für jeden ausgeben',
  'the addresses of your proxies': 'die Adressen Ihrer Proxys',
  'each address once': 'jede Adresse nur einmal',
  'an IPv6 address such as 2001:db8:1::10, or a list in "addresses"':
    'eine IPv6-Adresse wie 2001:db8:1::10, oder eine Liste in „addresses“',
  'is not the first one of "addresses"': 'ist nicht die erste aus „addresses“',
  'no "address", or the first one of "addresses"': 'kein Feld „address“, oder die erste aus „addresses“',
  'would lead nowhere: the server uses no listener for https':
    'führte nirgendwohin: Der Server benutzt keinen Listener für https',
  'false, or a listener with port 443 or the name "https" in its services':
    '„false“, oder ein Listener mit Port 443 oder dem Namen „https“ in seinen services',
  'lies in the NAT64 prefix {prefix}, where IPv4 addresses are':
    'liegt im NAT64-Präfix {prefix}, wo IPv4-Adressen sind',
  'is not the name of a listener': 'ist der Name keines Listeners',
  'no service: proxy.listeners is empty': 'kein Dienst: proxy.listeners ist leer',
  'a name that no other server has': 'ein Name, den kein anderer Server hat',
  'a host name that leads to one server': 'ein Hostname, der zu nur einem Server führt',
  'a name that no other listener has': 'ein Name, den kein anderer Listener hat',
  // Assertions
  'a name that no other assertion has': 'ein Name, den keine andere Zusicherung hat',
  'is a port, but icmp has no ports': 'ist ein Port, aber icmp hat keine Ports',
  'no port': 'kein Port',
  // Ports
  'SSH of {name}': 'das SSH von {name}',
  'the admin page': 'die Weboberfläche',
  'the SSH ports': 'die SSH-Ports',
  'a NAT64 mapping': 'eine NAT64-Zuordnung',
  'ports that nothing else uses': 'Ports, die nichts anderes benutzt',
  '{value} is for {what}, but {other} is for {otherWhat} ({path}); expected {expected}':
    '{value} ist für {what}, aber {other} ist für {otherWhat} ({path}); erwartet: {expected}',
  'has {free} free ports for {servers} servers': 'hat {free} freie Ports für {servers} Server',
  'a range with {count} free ports': 'ein Bereich mit {count} freien Ports',
  // NAT64
  'is above the MTU': 'liegt über der MTU',
  'at most {mtu6Bytes}, which is nat64.mtu6Bytes': 'höchstens {mtu6Bytes}, das ist nat64.mtu6Bytes',
  'has too few addresses': 'hat zu wenige Adressen',
  'a prefix with at least the addresses of {ipv4}': 'ein Präfix mit mindestens so vielen Adressen wie {ipv4}',
  'contains {address}': 'enthält {address}',
  'addresses outside nat64.pool4': 'Adressen außerhalb von nat64.pool4',
  'is an address that is never routed': 'ist eine Adresse, die nie geroutet wird',
  'addresses of networks': 'Adressen aus Netzen',
  'lies in the NAT64 prefix {prefix}': 'liegt im NAT64-Präfix {prefix}',
  'addresses of servers': 'Adressen von Servern',
  'has an address that is not in nat64.pool4': 'hat eine Adresse, die nicht in nat64.pool4 steht',
  'an address and port that no other mapping has': 'eine Adresse mit Port, die keine andere Zuordnung hat',
  'a server and port that no other mapping has': 'ein Server mit Port, den keine andere Zuordnung hat',
  'is a prefix that NAT64 does not translate': 'ist ein Präfix, das NAT64 nicht übersetzt',
  '{prefixes}, of nat64.prefix and nat64.extraPrefixes':
    '{prefixes}, aus nat64.prefix und nat64.extraPrefixes',
  'needs sessions, but nat64.mode "stateless" has none':
    'braucht Sitzungen; mit nat64.mode „stateless“ gibt es keine',
  'none there': 'dort keines',
  'overlaps {other}': 'überschneidet sich mit {other}',
  'a prefix apart from the other NAT64 prefixes':
    'ein Präfix, das sich mit keinem anderen NAT64-Präfix überschneidet',
  'gives nobody a block': 'gibt niemandem einen Block',
  'at least one prefix': 'mindestens ein Präfix',
  'is less than one client': 'ist weniger als ein Client',
  'a prefix of at most {clientPrefixBits} bits, which is nat64.clientPrefixBits':
    'ein Präfix von höchstens {clientPrefixBits} Bit, das ist nat64.clientPrefixBits',
  'a prefix apart from the others': 'ein Präfix, das sich mit keinem anderen überschneidet',
  'ports for each of {wanted} clients (nat64.portBlocks.clients) are more than nat64.pool4 has: it has {blocks} such blocks for {protocol}':
    'Ports für jeden von {wanted} Clients (nat64.portBlocks.clients) sind mehr, als nat64.pool4 hat: nämlich {blocks} solche Blöcke für {protocol}',
  'fewer ports a client, fewer clients (shorter nat64.clientPrefixBits), or a larger pool':
    'weniger Ports je Client, weniger Clients (kürzere nat64.clientPrefixBits) oder ein größerer Pool',
  // Pasted servers
  '{value} is already in line {first}; expected {expected}':
    '{value} steht schon in Zeile {first}; erwartet: {expected}',
  'a list of servers, or a configuration with "hosts"':
    'eine Liste von Servern, oder eine Konfiguration mit „hosts“',
  'a line such as "web1 2001:db8:1::10 www.example.com"':
    'eine Zeile wie „web1 2001:db8:1::10 www.example.com“',
  'is not the name of a column': 'ist der Name keiner Spalte',
  'has no end': 'hat kein Ende',
  'follows a closing double quote': 'folgt auf ein schließendes doppeltes Anführungszeichen',
  '"{separator}" or the end of the line': '„{separator}“ oder das Ende der Zeile',
  'is one cell too many': 'ist eine Zelle zu viel',
  '{count} cells': '{count} Zellen',
  // History and changes
  'The configuration of the first start.': 'Die Konfiguration des ersten Starts.',
  'Edited by hand.': 'Von Hand bearbeitet.',
  'Edited by hand; this ended the countdown of the change of {by}.':
    'Von Hand bearbeitet; das beendete den Countdown der Änderung von {by}.',
  'Edited while the appliance was not running.': 'Bearbeitet, während das Gerät nicht lief.',
  'The process ended before the change was confirmed.':
    'Der Prozess endete, bevor die Änderung bestätigt war.',
  'The change by {by} was not confirmed before {time}.':
    'Die Änderung von {by} wurde nicht vor {time} bestätigt.',
  'Back to revision {id}.': 'Zurück zu Stand {id}.',
  '{by} rolled the change back.': 'Die Änderung wurde von {by} zurückgenommen.',
  // Who changed the configuration, after "von"
  owner: 'dem Eigentümer',
  appliance: 'dem Gerät',
  'bootstrap token': 'dem Bootstrap-Token',
  'the host name that health checks ask for, because the server has none without "*"; or "check": "tcp"':
    'der Hostname, nach dem Zustandsprüfungen fragen, weil der Server keinen ohne „*“ hat; oder „check“: „tcp“',
  'contains IPv4 addresses in IPv6 form': 'enthält IPv4-Adressen in IPv6-Form',
  'contains the well-known NAT64 prefix': 'enthält das bekannte NAT64-Präfix',
  'contains the prefix for local NAT64 (RFC 8215)': 'enthält das Präfix für lokales NAT64 (RFC 8215)',
  'contains link-local addresses': 'enthält Link-Local-Adressen',
  'contains multicast addresses': 'enthält Multicast-Adressen',
  'the prefix of the networks in which the servers are, such as 2001:db8:1::/64':
    'das Präfix der Netze, in denen die Server sind, etwa 2001:db8:1::/64',
  'overlaps the prefix {prefix}, where the addresses of clients are':
    'überschneidet sich mit dem Präfix {prefix}, in dem die Adressen der Clients liegen',
};
