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
  'Default server': 'Standardserver',
  'Server for unknown names': 'Server für unbekannte Namen',
  'It gets the clients that name no server (TLS without a server name), or a name that no server has, on the listeners that it uses.':
    'Er bekommt die Clients, die keinen Server nennen (TLS ohne Servernamen) oder einen Namen, den kein Server hat, auf den Listenern, die er benutzt.',
  'none: they are refused': 'keiner: Sie werden abgelehnt',
  'Number of worker threads': 'Zahl der Arbeits-Threads',
  'Several threads use several processor cores. One is enough for most networks; each further one takes 12 MB of memory. Open connections stay when the number changes.':
    'Mehrere Threads nutzen mehrere Prozessorkerne. Einer genügt den meisten Netzen; jeder weitere braucht 12 MB Speicher. Offene Verbindungen bleiben, wenn sich die Zahl ändert.',
  'by cores and memory': 'nach Prozessorkernen und Speicher',
  'Proxies in front of the appliance': 'Proxys vor dem Gerät',
  'Trusted proxies': 'Vertraute Proxys',
  'One per line: an address, or a prefix such as 192.0.2.0/24. Each connection from them must begin with a PROXY header (HAProxy: send-proxy, nginx: proxy_protocol on), also at SSH ports. The address in it is that of the client.':
    'Je Zeile eine Adresse, oder ein Präfix wie 192.0.2.0/24. Jede Verbindung von ihnen muss mit einem PROXY-Header beginnen (HAProxy: send-proxy, nginx: proxy_protocol on), auch an SSH-Ports. Die Adresse darin ist die des Clients.',
};
