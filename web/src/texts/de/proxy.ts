/** The proxy. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';

export const proxy: Dictionary = {
  Proxy: 'Proxy',
  'http https sni listeners': 'http https sni Listener',
  'Proxy: throughput': 'Proxy: Durchsatz',
  'towards the servers': 'zu den Servern',
  proxy: 'Proxy',
  'Routes HTTP by Host and TLS by server name to the right server. TLS is not decrypted: no certificate is on this appliance.':
    'Leitet HTTP nach dem Host und TLS nach dem Servernamen zum richtigen Server. TLS wird nicht entschlüsselt: Auf diesem Gerät liegt kein Zertifikat.',
  Listeners: 'Listener',
  Listener: 'Listener',
  Port: 'Port',
  'Picks the server by': 'Wählt den Server nach',
  'the Host header': 'dem Host-Header',
  'the server name in the ClientHello (SNI)': 'dem Servernamen im ClientHello (SNI)',
  'closed: no server uses it': 'geschlossen: kein Server benutzt ihn',
  'There is no server yet': 'Noch gibt es keinen Server',
  'A listener opens as soon as a server uses it.': 'Ein Listener öffnet sich, sobald ein Server ihn benutzt.',
  'Its connections, live': 'Seine Verbindungen, live',
  'Access log': 'Zugriffsprotokoll',
  'Requests and connections that have a line': 'Anfragen und Verbindungen, die eine Zeile bekommen',
  'A line of JSON in the log of the appliance for each HTTP request and each TLS or SSH connection: who, when, which server, and how it ended. It has no query strings, cookies or other header fields. A server can have another setting.':
    'Eine Zeile JSON im Protokoll des Geräts für jede HTTP-Anfrage und jede TLS- oder SSH-Verbindung: wer, wann, welcher Server, und wie es endete. Sie enthält keine Query-Strings, Cookies oder andere Kopffelder. Ein Server kann eine andere Einstellung haben.',
  'Default server': 'Standardserver',
  'Server for unknown names': 'Server für unbekannte Namen',
  'It gets the clients that name no server (TLS without a server name, HTTP/1.0 without Host), or a name that no server has, on the listeners that it uses.':
    'Er bekommt die Clients, die keinen Server nennen (TLS ohne Servernamen, HTTP/1.0 ohne Host) oder einen Namen, den kein Server hat, auf den Listenern, die er benutzt.',
  'none: they are refused': 'keiner: Sie werden abgelehnt',
  'Number of worker threads': 'Zahl der Arbeits-Threads',
  'Several threads use several processor cores. One is enough for most networks; each further one takes 12 MB of memory. Open connections stay when the number changes.':
    'Mehrere Threads nutzen mehrere Prozessorkerne. Einer genügt den meisten Netzen; jeder weitere braucht 12 MB Speicher. Offene Verbindungen bleiben, wenn sich die Zahl ändert.',
  'by cores and memory': 'nach Prozessorkernen und Speicher',
  'Names in DNS': 'Namen im DNS',
  'names in DNS only': 'nur Namen im DNS',
  'Networks of servers that need no entry here': 'Netze von Servern, die hier keinen Eintrag brauchen',
  'IPv6 prefixes. A name that no server has leads to its AAAA record, if the address is in one of these networks: publish the address of this appliance as its A record. Servers there see connections from this appliance, so they must not trust it more than others. Empty: only the servers in the list are reached.':
    'IPv6-Präfixe. Ein Name, den kein Server hat, führt zu seinem AAAA-Record, wenn die Adresse in einem dieser Netze liegt: Veröffentlichen Sie die Adresse dieses Geräts als seinen A-Record. Server dort sehen Verbindungen von diesem Gerät, dürfen ihm also nicht mehr vertrauen als anderen. Leer: Nur die Server der Liste werden erreicht.',
  'Look-ups of names': 'Abfragen von Namen',
  'Led to an address in DNS': 'Zu einer Adresse im DNS geführt',
  'Proxies in front of the appliance': 'Proxys vor dem Gerät',
  'Trusted proxies': 'Vertraute Proxys',
  'One per line: an address, or a prefix such as 192.0.2.0/24. Each connection from them must begin with a PROXY header (HAProxy: send-proxy, nginx: proxy_protocol on), also at SSH ports. The address in it is that of the client.':
    'Je Zeile eine Adresse, oder ein Präfix wie 192.0.2.0/24. Jede Verbindung von ihnen muss mit einem PROXY-Header beginnen (HAProxy: send-proxy, nginx: proxy_protocol on), auch an SSH-Ports. Die Adresse darin ist die des Clients.',
};
