/** The proxy. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';

export const proxy: Dictionary = {
  Proxy: 'Proxy',
  'http https sni listeners': 'http https sni Listener',
  'Proxy: throughput': 'Proxy: Durchsatz',
  'towards the servers': 'zu den Servern',
  proxy: 'Proxy',
  'Leads HTTP by its Host and TLS by its server name to the right server. TLS passes untouched: no certificate is on this appliance.':
    'Führt HTTP nach seinem Host und TLS nach seinem Servernamen zum richtigen Server. TLS läuft unangetastet durch: Kein Zertifikat liegt auf diesem Gerät.',
  Listeners: 'Listener',
  Listener: 'Listener',
  Port: 'Port',
  'Picks the server by': 'Wählt den Server nach',
  'the Host header': 'dem Host-Header',
  'the server name in the ClientHello (SNI)': 'dem Servernamen im ClientHello (SNI)',
  'closed: no server uses it': 'geschlossen: kein Server benutzt ihn',
  'There is no server yet': 'Noch gibt es keinen Server',
  'A listener opens as soon as a server names it among its ways in.':
    'Ein Listener öffnet sich, sobald ein Server ihn unter seinen Wegen hinein nennt.',
  'Its connections, live': 'Seine Verbindungen, live',
};
