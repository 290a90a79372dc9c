/** What the schemas of the configuration and of the API expect: noun phrases that follow "erwartet:". */
import type { Dictionary } from '../sentence.ts';

export const schema: Dictionary = {
  'Worker threads, which use as many cores and take 12 MB each; "auto": one for each core and each 512 MB of memory, at most 8':
    'Arbeits-Threads; sie nutzen ebenso viele Prozessorkerne und brauchen je 12 MB; „auto“: einer je Kern und je 512 MB Speicher, höchstens 8',
  'a whole number from 1 to 16, or "auto"': 'eine ganze Zahl von 1 bis 16 oder „auto“',
  // General
  'true or false': '„true“ oder „false“',
  'a JSON object': 'ein JSON-Objekt',
  '"true" or "false"': '„true“ oder „false“',
  'a port number from 1 to 65535': 'eine Portnummer von 1 bis 65535',
  'a label of lower-case letters, digits and hyphens, at most 63 characters':
    'ein Name aus Kleinbuchstaben, Ziffern und Bindestrichen, höchstens 63 Zeichen',
  'a list of addresses': 'eine Liste von Adressen',
  'an IPv4 or IPv6 address; 0.0.0.0 and :: stand for all':
    'eine IPv4- oder IPv6-Adresse; 0.0.0.0 und :: stehen für alle',
  'a list of 1 to 16 protocols': 'eine Liste mit 1 bis 16 Protokollen',
  'the name of a protocol in ALPN, such as "acme-tls/1", "h2" or "imap"':
    'der Name eines Protokolls in ALPN, etwa „acme-tls/1“, „h2“ oder „imap“',
  'a list of protocols such as "h2" or "acme-tls/1"': 'eine Liste von Protokollen wie „h2“ oder „acme-tls/1“',
  'the name of a protocol': 'der Name eines Protokolls',
  'a list of addresses and prefixes': 'eine Liste von Adressen und Präfixen',
  'an address, or a prefix such as 192.0.2.0/24': 'eine Adresse, oder ein Präfix wie 192.0.2.0/24',
  'a list of prefixes; an empty list admits nobody':
    'eine Liste von Präfixen; eine leere Liste lässt niemanden herein',
  'a prefix such as 2001:db8:1::/64, or "lan" for every network the appliance is attached to':
    'ein Präfix wie 2001:db8:1::/64, oder „lan“ für jedes Netz, an dem das Gerät hängt',
  'an IPv4 address': 'eine IPv4-Adresse',
  'an IPv6 address such as 2001:db8:1::10': 'eine IPv6-Adresse wie 2001:db8:1::10',
  '"tcp", "udp" or "icmp"': '„tcp“, „udp“ oder „icmp“',
  '"tcp" or "udp"': '„tcp“ oder „udp“',
  // Servers and listeners
  'a list of servers': 'eine Liste von Servern',
  'an object that describes a server': 'ein Objekt, das einen Server beschreibt',
  'a list of host names': 'eine Liste von Hostnamen',
  'a host name such as example.com, or *.example.com (one label more), or **.example.com (any number more)':
    'ein Hostname wie example.com, oder *.example.com (ein Label mehr), oder **.example.com (beliebig viele mehr)',
  'the name of a listener, or an object with "listener"':
    'der Name eines Listeners, oder ein Objekt mit „listener“',
  'an object with "listener"': 'ein Objekt mit „listener“',
  'a prefix such as 192.0.2.0/24, "lan" for every network the appliance is attached to, or "any"':
    'ein Präfix wie 192.0.2.0/24, „lan“ für jedes Netz, an dem das Gerät hängt, oder „any“ für alle',
  'false, 301 or 308': '„false“, 301 oder 308',
  'a list of 1 to 16 addresses': 'eine Liste von 1 bis 16 Adressen',
  '"order" or "round-robin"': '„order“ oder „round-robin“',
  '"off", "errors" or "all"': '„off“, „errors“ oder „all“',
  'a list of names of proxy.listeners': 'eine Liste von Namen aus proxy.listeners',
  '"none", "proxy-v1", "proxy-v2" or "mapped"': '„none“, „proxy-v1“, „proxy-v2“ oder „mapped“',
  'an IPv6 prefix of 96 bits such as 64:ff9b:1:fffe::/96':
    'ein IPv6-Präfix von 96 Bit wie 64:ff9b:1:fffe::/96',
  '"none" or "refuse"': '„none“ oder „refuse“',
  'false, or an object with the optional properties "port" and "targetPort"':
    '„false“, oder ein Objekt mit den freiwilligen Feldern „port“ und „targetPort“',
  'a list of listeners': 'eine Liste von Listenern',
  'an object with "name", "port" and "protocol"': 'ein Objekt mit „name“, „port“ und „protocol“',
  '"http" or "tls"': '„http“ oder „tls“',
  'a whole number of milliseconds from 100 to 600000':
    'eine ganze Zahl von Millisekunden, von 100 bis 600000',
  'a whole number of milliseconds from 100 to 3600000':
    'eine ganze Zahl von Millisekunden, von 100 bis 3600000',
  'a whole number of milliseconds from 1000 to 86400000':
    'eine ganze Zahl von Millisekunden, von 1000 bis 86400000',
  'a port range such as 22001-22999': 'ein Portbereich wie 22001-22999',
  // DNS64
  'a list of at least one NAT64 prefix': 'eine Liste mit mindestens einem NAT64-Präfix',
  'a NAT64 prefix of 32, 40, 48, 56, 64 or 96 bits such as 64:ff9b::/96':
    'ein NAT64-Präfix von 32, 40, 48, 56, 64 oder 96 Bit wie 64:ff9b::/96',
  'a list of at least one resolver': 'eine Liste mit mindestens einem Resolver',
  'a resolver such as udp://9.9.9.9 or udp://[2620:fe::fe]:53':
    'ein Resolver wie udp://9.9.9.9 oder udp://[2620:fe::fe]:53',
  'a whole number from 1 to 4096': 'eine ganze Zahl von 1 bis 4096',
  'a whole number from 1 to 32768': 'eine ganze Zahl von 1 bis 32768',
  'a whole number from 1 to 100000': 'eine ganze Zahl von 1 bis 100000',
  'a whole number from 1000 to 1000000': 'eine ganze Zahl von 1000 bis 1000000',
  '"full", "names" or "off"': '„full“, „names“ oder „off“',
  // NAT64
  'a NAT64 prefix of 32, 40, 48, 56, 64 or 96 bits such as 2001:db8:64::/96':
    'ein NAT64-Präfix von 32, 40, 48, 56, 64 oder 96 Bit wie 2001:db8:64::/96',
  'a list of at most 15 NAT64 prefixes, none inside another':
    'eine Liste von höchstens 15 NAT64-Präfixen, keines in einem anderen',
  '"by-prefix", "refuse" or "translate"': '„by-prefix“, „refuse“ oder „translate“',
  'a list of at most 256 IPv4 prefixes': 'eine Liste von höchstens 256 IPv4-Präfixen',
  'an IPv4 prefix such as 192.168.0.0/16': 'ein IPv4-Präfix wie 192.168.0.0/16',
  'a list of 1 to 16 pools': 'eine Liste von 1 bis 16 Pools',
  'an object with "address" and "ports"': 'ein Objekt mit „address“ und „ports“',
  'an IPv4 address of this appliance or routed to it, or "auto" for the one that its default route uses':
    'eine IPv4-Adresse, die dieses Gerät hat oder die zu ihm geroutet wird, oder „auto“ für die, die seine Standardroute benutzt',
  'a port range such as 32768-65535': 'ein Portbereich wie 32768-65535',
  'a list of at least one of "tcp", "udp" and "icmp"':
    'eine Liste mit mindestens einem von „tcp“, „udp“ und „icmp“',
  '"stateful" or "stateless"': '„stateful“ oder „stateless“',
  'a list of at most 256 mappings': 'eine Liste von höchstens 256 Zuordnungen',
  'an object with "ipv4" and "ipv6"': 'ein Objekt mit „ipv4“ und „ipv6“',
  'an IPv4 prefix such as 192.0.2.9/32': 'ein IPv4-Präfix wie 192.0.2.9/32',
  'an IPv6 prefix such as 2001:db8:1::9/128': 'ein IPv6-Präfix wie 2001:db8:1::9/128',
  '"ipv6" or "ipv4"': '„ipv6“ oder „ipv4“',
  'an IPv4 prefix such as 192.0.2.128/25, or "auto"': 'ein IPv4-Präfix wie 192.0.2.128/25, oder „auto“',
  'a list of at most 64 IPv4 prefixes of 8 bits or more, or "auto"':
    'eine Liste von höchstens 64 IPv4-Präfixen von 8 Bit oder mehr, oder „auto“',
  '"none", "simple" or "intrinsic"': '„none“, „simple“ oder „intrinsic“',
  'a list of at most 64 IPv4 addresses': 'eine Liste von höchstens 64 IPv4-Adressen',
  'a list of at most 1024 mappings': 'eine Liste von höchstens 1024 Zuordnungen',
  'an object with "protocol", "ipv4" and "ipv6"': 'ein Objekt mit „protocol“, „ipv4“ und „ipv6“',
  'an address and port such as 192.0.2.1#8080 or auto#8080':
    'eine Adresse mit Port wie 192.0.2.1#8080 oder auto#8080',
  'an address and port such as 2001:db8:1::10#80': 'eine Adresse mit Port wie 2001:db8:1::10#80',
  'a device name of at most 15 letters, digits, "_", "." or "-"':
    'ein Gerätename aus höchstens 15 Buchstaben, Ziffern, „_“, „.“ oder „-“',
  'a whole number from 1260 to 65535': 'eine ganze Zahl von 1260 bis 65535',
  'a whole number from 1280 to 65535': 'eine ganze Zahl von 1280 bis 65535',
  'a whole number from 1280 to 65535, not above nat64.mtu6Bytes':
    'eine ganze Zahl von 1280 bis 65535, nicht über nat64.mtu6Bytes',
  '"endpoint-independent" or "address-dependent"': '„endpoint-independent“ oder „address-dependent“',
  '"silent" or "prohibited"': '„silent“ oder „prohibited“',
  '"copy" or "zero"': '„copy“ oder „zero“',
  '"copy" or "set"': '„copy“ oder „set“',
  'a whole number from 0 to 255': 'eine ganze Zahl von 0 bis 255',
  '"store" or "drop"': '„store“ oder „drop“',
  '"compute" or "drop"': '„compute“ oder „drop“',
  'an object of lifetimes in seconds': 'ein Objekt mit Lebensdauern in Sekunden',
  'a whole number of seconds from 120 to 86400': 'eine ganze Zahl von Sekunden, von 120 bis 86400',
  'a whole number of seconds from 7440 to 86400': 'eine ganze Zahl von Sekunden, von 7440 bis 86400',
  'a whole number of seconds from 240 to 86400': 'eine ganze Zahl von Sekunden, von 240 bis 86400',
  'a whole number of seconds from 60 to 86400': 'eine ganze Zahl von Sekunden, von 60 bis 86400',
  'a whole number of seconds from 0 to 3600': 'eine ganze Zahl von Sekunden, von 0 bis 3600',
  'a whole number of seconds from 2 to 120': 'eine ganze Zahl von Sekunden, von 2 bis 120',
  'an object with "size" and "clients"': 'ein Objekt mit „size“ und „clients“',
  'When the process ends: seconds in which open connections may finish, before they are cut':
    'Beim Ende des Prozesses: Sekunden, in denen offene Verbindungen fertig werden dürfen, bevor sie getrennt werden',
  'a whole number from 0 to 300': 'eine ganze Zahl von 0 bis 300',
  'a whole number from 0 to 32768': 'eine ganze Zahl von 0 bis 32768',
  'a list of at most 64 IPv6 prefixes': 'eine Liste von höchstens 64 IPv6-Präfixen',
  'an IPv6 prefix such as 2001:db8:1::100/120': 'ein IPv6-Präfix wie 2001:db8:1::100/120',
  'a whole number from 1 to 4194304': 'eine ganze Zahl von 1 bis 4194304',
  'a whole number from 32 to 128': 'eine ganze Zahl von 32 bis 128',
  'a whole number from 1024 to 4194304': 'eine ganze Zahl von 1024 bis 4194304',
  '"none", "mappings" or "sessions"': '„none“, „mappings“ oder „sessions“',
  // The control panel
  'a host name such as tombolo.local': 'ein Hostname wie tombolo.local',
  '"self-signed" or "off"': '„self-signed“ oder „off“',
  // Assertions and explanations
  'a list of at most 100 assertions': 'eine Liste von höchstens 100 Zusicherungen',
  'an object with "name", "from", "to", "port" and "expect"':
    'ein Objekt mit „name“, „from“, „to“, „port“ und „expect“',
  'a text of 1 to 100 characters, such as "the shop is reachable"':
    'ein Text von 1 bis 100 Zeichen, etwa „der Laden ist erreichbar“',
  'an IPv4 address such as 203.0.113.9 (from the Internet), or an IPv6 address (a server)':
    'eine IPv4-Adresse wie 203.0.113.9 (aus dem Internet), oder eine IPv6-Adresse (ein Server)',
  'a host name such as www.example.com, or an IP address':
    'ein Hostname wie www.example.com, oder eine IP-Adresse',
  'the name of a server, "nat64" or "refused"': 'der Name eines Servers, „nat64“ oder „refused“',
  'an IPv4 address (from the Internet), or an IPv6 address (from a server)':
    'eine IPv4-Adresse (aus dem Internet), oder eine IPv6-Adresse (von einem Server)',
  'an object with "from", "protocol", "to" and "port"': 'ein Objekt mit „from“, „protocol“, „to“ und „port“',
  // Requests of the API
  '"read", "configure" or "system"': '„read“, „configure“ oder „system“',
  'an object with the field "password"': 'ein Objekt mit dem Feld „password“',
  'a password of 10 to 256 characters': 'ein Passwort von 10 bis 256 Zeichen',
  'an object with the field "password", and "code" when TOTP is on':
    'ein Objekt mit dem Feld „password“, und „code“, wenn TOTP an ist',
  'an id of the list': 'eine Id aus der Liste',
  'an object with the fields "current" and "next"': 'ein Objekt mit den Feldern „current“ und „next“',
  'an object with the fields "code" and "password"': 'ein Objekt mit den Feldern „code“ und „password“',
  'an object with the fields "name", "scope", "expiresInDays" and "password"':
    'ein Objekt mit den Feldern „name“, „scope“, „expiresInDays“ und „password“',
  'a name of 1 to 63 characters': 'ein Name von 1 bis 63 Zeichen',
  'a whole number from 1 to 3650, or null': 'eine ganze Zahl von 1 bis 3650, oder „null“',
  'the optional parameters "cursor" and "limit"': 'die freiwilligen Parameter „cursor“ und „limit“',
  'the nextCursor of the answer before': 'der „nextCursor“ der Antwort davor',
  'a whole number from 1 to 500': 'eine ganze Zahl von 1 bis 500',
  'the optional parameter "hostname"': 'der freiwillige Parameter „hostname“',
  'a host name such as gate.example.net, or an IP address':
    'ein Hostname wie gate.example.net, oder eine IP-Adresse',
  'an IPv6 address or prefix such as 2001:db8:1::10 or 2001:db8:1::/64':
    'eine IPv6-Adresse oder ein Präfix wie 2001:db8:1::10 oder 2001:db8:1::/64',
  'a whole number from 0 to 65535': 'eine ganze Zahl von 0 bis 65535',
  'an IPv4 address or prefix such as 203.0.113.9 or 203.0.113.0/24':
    'eine IPv4-Adresse oder ein Präfix wie 203.0.113.9 oder 203.0.113.0/24',
  'a whole number from 1 to 100': 'eine ganze Zahl von 1 bis 100',
  'an IP address such as 64:ff9b::203.0.113.9 or 203.0.113.9':
    'eine IP-Adresse wie 64:ff9b::203.0.113.9 oder 203.0.113.9',
  'an object with "document"': 'ein Objekt mit „document“',
  'a configuration, as an object or as its text': 'eine Konfiguration, als Objekt oder als Text',
  'an object with "document" and "revision"': 'ein Objekt mit „document“ und „revision“',
  'the "revision" of GET config': 'die „revision“ aus GET config',
  'an empty object': 'ein leeres Objekt',
  'an object with "text"': 'ein Objekt mit „text“',
  'a text of at most 1 MB': 'ein Text von höchstens 1 MB',
  'the optional parameter "cursor"': 'der freiwillige Parameter „cursor“',
  'the "id" of a revision': 'die „id“ eines Standes',
  'an object with "revision"': 'ein Objekt mit „revision“',
  'the name of a server': 'der Name eines Servers',
  'an object with the optional property "id"': 'ein Objekt mit dem freiwilligen Feld „id“',
  'the id of an item of GET checks': 'die Id eines Eintrags aus GET checks',
  'an IP address or prefix such as 203.0.113.9 or 2001:db8:1::/64':
    'eine IP-Adresse oder ein Präfix wie 203.0.113.9 oder 2001:db8:1::/64',
  '1 to 100 characters': '1 bis 100 Zeichen',
  'a time in UTC such as 2026-01-02T03:04:05Z': 'eine Zeit in UTC wie 2026-01-02T03:04:05Z',
  'a whole number from 1 to 1000': 'eine ganze Zahl von 1 bis 1000',
  'an object with the fields "confirm" and "password"': 'ein Objekt mit den Feldern „confirm“ und „password“',
  'the hostname of this appliance': 'der Hostname dieses Geräts',
  'one line of an OpenSSH public key file, such as id_ed25519.pub':
    'eine Zeile einer OpenSSH-Datei mit öffentlichem Schlüssel, etwa id_ed25519.pub',
  'an object with the fields "key" and "password"': 'ein Objekt mit den Feldern „key“ und „password“',
  '"SHA256:" and 43 characters, as GET system/ssh has it': '„SHA256:“ und 43 Zeichen, wie in GET system/ssh',
  'an object with the fields "passphrase" and "password"':
    'ein Objekt mit den Feldern „passphrase“ und „password“',
  '8 to 200 characters': '8 bis 200 Zeichen',
  'an object with the fields "file", "passphrase" and "password"':
    'ein Objekt mit den Feldern „file“, „passphrase“ und „password“',
  'the file in base64': 'die Datei in Base64',
  'false, or an object, which may be empty': 'false oder ein Objekt, das leer sein darf',
  '"tcp", "tls" or "http"': '„tcp“, „tls“ oder „http“',
  'a host name': 'ein Hostname',
  'a path such as /health': 'ein Pfad wie /health',
  'a list of 1 to 16 statuses': 'eine Liste von 1 bis 16 Statuscodes',
  'a status such as 200, or a class such as 2xx': 'ein Statuscode wie 200 oder eine Klasse wie 2xx',
  'a whole number from 1 to 3600': 'eine ganze Zahl von 1 bis 3600',
  'a whole number from 1 to 10': 'eine ganze Zahl von 1 bis 10',
  'an IPv6 prefix of 16 bits or more such as 2001:db8:1::/64: a shorter one would let everybody use this appliance to reach the Internet':
    'ein IPv6-Präfix von mindestens 16 Bit, etwa 2001:db8:1::/64: Mit einem kürzeren könnte jeder über dieses Gerät das Internet erreichen',
};
