/** SSH and ports. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';

export const forward: Dictionary = {
  'SSH and ports': 'SSH und Ports',
  forwarder: 'Weiterleitung',
  'SSH and ports: throughput': 'SSH und Ports: Durchsatz',
  'Each server has a port of its own on the IPv4 side that leads to its sshd. The port stays the same for as long as the server is configured.':
    'Jeder Server hat auf der IPv4-Seite einen eigenen Port, der zu seinem sshd führt. Der Port bleibt, solange der Server eingerichtet ist.',
  'SSH ports': 'SSH-Ports',
  'All servers, for ~/.ssh/config': 'Alle Server, für ~/.ssh/config',
  'No server has an SSH port': 'Kein Server hat einen SSH-Port',
  'A new server gets one unless its form says otherwise.':
    'Ein neuer Server bekommt einen, wenn sein Formular nichts anderes sagt.',
};
