import { dictionary } from '../../core/locale.ts';

export const text = dictionary(
  {
    title: 'Live',
    lead: 'One timeline of connections, DNS queries, NAT64 mappings, services and the health of servers; and what was recorded of the last 30 days.',
    views: 'Parts of this page',
    timeline: 'Timeline',
    charts: 'Charts',
    kinds: {
      connection: 'Connections',
      service: 'Services',
      health: 'Health',
      notice: 'Notices',
    },
    show: 'Show',
    client: 'Client',
    server: 'Server',
    text: 'Contains',
    anyServer: 'all',
    apply: 'Filter',
    clear: 'Show everything',
    pause: 'Pause',
    resume: 'Go on',
    paused: (count: number) =>
      count === 0
        ? 'Paused.'
        : count === 1
          ? 'Paused; 1 new event is waiting.'
          : `Paused; ${count} new events are waiting.`,
    none: 'Nothing has happened yet',
    noneHelp:
      'Connections, queries and mappings appear here as they happen: open a site through the appliance, or ask its resolver.',
    noneFiltered: 'Nothing fits the filters',
    lost: (count: string) => `${count} events were too many at once and are not recorded.`,
    connection: {
      opened: (who: string, name: string, where: string) => `${who} connected to ${name}, led to ${where}`,
      closed: (who: string, name: string, where: string) => `${who} was done with ${name} at ${where}`,
      refused: (who: string, name: string) => `${who} was refused: ${name}`,
      noName: 'no name',
      nowhere: 'nobody',
    },
    service: (name: string, state: string) => `${name}: ${state}`,
    health: {
      well: (server: string) => `${server} is well again`,
      not: (server: string, service: string, port: number) =>
        `${server}: trouble with ${service}, port ${port}`,
    },
    facts: {
      listener: 'Listener',
      name: 'Asked for',
      duration: 'Took',
      bytes: 'Up / down',
      reason: 'Ended because',
      restarts: 'Restarts',
      problem: 'Problem',
      probe: 'Probe',
      found: 'Found',
      before: 'Before',
      failing: 'Probes not well',
      part: 'Part',
    },
    toServer: 'To the server',
    explainIt: 'Explain this connection',
    toClient: 'Everything of this client',
    details: 'Details',
  },
  {
    title: 'Live',
    lead: 'Eine Zeitleiste der Verbindungen, DNS-Anfragen, NAT64-Zuordnungen, Dienste und des Befindens der Server; und was von den letzten 30 Tagen aufgezeichnet ist.',
    views: 'Teile dieser Seite',
    timeline: 'Zeitleiste',
    charts: 'Diagramme',
    kinds: {
      connection: 'Verbindungen',
      service: 'Dienste',
      health: 'Befinden',
      notice: 'Hinweise',
    },
    show: 'Zeigen',
    client: 'Client',
    server: 'Server',
    text: 'Enthält',
    anyServer: 'alle',
    apply: 'Filtern',
    clear: 'Alles zeigen',
    pause: 'Anhalten',
    resume: 'Weiter',
    paused: (count) =>
      count === 0
        ? 'Angehalten.'
        : count === 1
          ? 'Angehalten; 1 neues Ereignis wartet.'
          : `Angehalten; ${count} neue Ereignisse warten.`,
    none: 'Noch ist nichts geschehen',
    noneHelp:
      'Verbindungen, Anfragen und Zuordnungen erscheinen hier, während sie geschehen: Öffnen Sie eine Seite durch das Gerät, oder fragen Sie seinen Resolver.',
    noneFiltered: 'Nichts passt zu den Filtern',
    lost: (count) => `${count} Ereignisse waren zu viele auf einmal und sind nicht aufgezeichnet.`,
    connection: {
      opened: (who, name, where) => `${who} verband sich mit ${name}, geführt zu ${where}`,
      closed: (who, name, where) => `${who} war fertig mit ${name} bei ${where}`,
      refused: (who, name) => `${who} wurde abgewiesen: ${name}`,
      noName: 'kein Name',
      nowhere: 'niemand',
    },
    service: (name, state) => `${name}: ${state}`,
    health: {
      well: (server) => `${server} geht es wieder gut`,
      not: (server, service, port) => `${server}: Störung bei ${service}, Port ${port}`,
    },
    facts: {
      listener: 'Listener',
      name: 'Gefragt nach',
      duration: 'Dauerte',
      bytes: 'Hin / zurück',
      reason: 'Endete, weil',
      restarts: 'Neustarts',
      problem: 'Problem',
      probe: 'Messung',
      found: 'Gefunden',
      before: 'Vorher',
      failing: 'Auffällige Messungen',
      part: 'Teil',
    },
    toServer: 'Zum Server',
    explainIt: 'Diese Verbindung erklären',
    toClient: 'Alles von diesem Client',
    details: 'Einzelheiten',
  },
);
