/** Who has most of the connections, and the limits. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';

export const limits: Dictionary = {
  'Who has most': 'Wer am meisten hat',
  'Nobody is connected.': 'Niemand ist verbunden.',
  'The clients with most connections': 'Die Clients mit den meisten Verbindungen',
  'without a server yet': 'noch ohne Server',
  'Of all that may be open': 'Anteil an allen möglichen',
  'Clients that were refused at a limit, or lost connections to it':
    'Clients, die an einer Grenze abgewiesen wurden oder dort Verbindungen verloren',
  'How often': 'Wie oft',
  'Why, the last time': 'Warum, zuletzt',
  'Left empty, a limit is not needed: what is there is shared, and at the end of it those with most lose first.':
    'Ein leeres Feld heißt: keine feste Grenze. Was da ist, wird geteilt, und wenn es ausgeht, verlieren zuerst die, die am meisten haben.',
  'Connections of one client': 'Verbindungen eines Clients',
  'A client is an IPv4 address, or the /64 of IPv6 addresses: a whole household.':
    'Ein Client ist eine IPv4-Adresse oder das /64 von IPv6-Adressen: ein ganzer Haushalt.',
  'New connections of one client in a second': 'Neue Verbindungen eines Clients in einer Sekunde',
  'Left empty, only a client that keeps others waiting is refused.':
    'Leer: Nur ein Client, der andere warten lässt, wird abgewiesen.',
  'Connections to one server': 'Verbindungen zu einem Server',
  'Left empty, some are always left for the other servers.':
    'Leer: Für die anderen Server bleiben immer welche übrig.',
  'Connections in all': 'Verbindungen insgesamt',
  'Left empty, as many as there is room for.': 'Leer: so viele, wie Platz ist.',
  '"{value}" is not a whole number of seconds from 1 to 86400':
    '"{value}" passt nicht; erwartet: eine ganze Zahl von Sekunden, von 1 bis 86400',
  'Seconds until a half-closed connection ends': 'Sekunden, bis eine halb geschlossene Verbindung endet',
  'One side has ended, and the other one sends nothing. Left empty: 600.':
    'Eine Seite ist beendet, und die andere sendet nichts. Leer: 600.',
};
