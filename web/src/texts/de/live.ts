/** The timeline and its events. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';

export const live: Dictionary = {
  'its address in DNS': 'seiner Adresse im DNS',
  Live: 'Live',
  'timeline log events queries': 'Zeitleiste Ereignisse Anfragen',
  Charts: 'Diagramme',
  'One timeline of connections, DNS queries, NAT64 mappings, services and the health of servers. Charts show the last 30 days.':
    'Eine Zeitleiste der Verbindungen, DNS-Anfragen, NAT64-Zuordnungen, Dienste und des Zustands der Server. Diagramme zeigen die letzten 30 Tage.',
  Timeline: 'Zeitleiste',
  Connections: 'Verbindungen',
  Services: 'Dienste',
  Health: 'Serverzustand',
  Notices: 'Hinweise',
  Server: 'Server',
  Contains: 'Enthält',
  Filter: 'Filtern',
  'Show everything': 'Alles zeigen',
  Pause: 'Anhalten',
  'Go on': 'Weiter',
  'Paused.': 'Angehalten.',
  'Paused; 1 new event is waiting.': 'Angehalten; 1 neues Ereignis wartet.',
  'Paused; {count} new events are waiting.': 'Angehalten; {count} neue Ereignisse warten.',
  'Nothing has happened yet': 'Noch ist nichts geschehen',
  'Connections, queries and mappings appear here as they happen: open a site through the appliance, or ask its resolver.':
    'Verbindungen, Anfragen und Zuordnungen erscheinen hier, während sie geschehen: Öffnen Sie eine Seite durch das Gerät, oder fragen Sie seinen Resolver.',
  'No event matches the filters': 'Kein Ereignis passt zu den Filtern',
  '{count} events came too fast and were not recorded.':
    '{count} Ereignisse kamen zu schnell und wurden nicht aufgezeichnet.',
  '{who} connected to {name}, routed to {where}': '{who} verband sich mit {name}, geleitet zu {where}',
  'The connection of {who} to {name} at {where} ended':
    'Die Verbindung von {who} zu {name} bei {where} endete',
  '{who} was refused: {name}': '{who} wurde abgewiesen: {name}',
  'no name': 'kein Name',
  '{name}: {state}': '{name}: {state}',
  '{server} works again': '{server} arbeitet wieder',
  '{server}: problem with {service}, port {port}': '{server}: Problem mit {service}, Port {port}',
  Duration: 'Dauer',
  'Ended because': 'Endete, weil',
  Restarts: 'Neustarts',
  Before: 'Vorher',
  'Probes with problems': 'Messungen mit Problemen',
  Part: 'Teil',
  'To the server': 'Zum Server',
  'Explain this connection': 'Diese Verbindung erklären',
  'Everything of this client': 'Alles von diesem Client',
  '{server}: {address} passes its health checks again':
    '{server}: {address} besteht die Zustandsprüfungen wieder',
  '{server}: {address} fails its health checks at {service}':
    '{server}: {address} besteht die Zustandsprüfungen bei {service} nicht',
  'Addresses that fail': 'Adressen, die sie nicht bestehen',
  'Unique id': 'Eindeutige Kennung',
};
