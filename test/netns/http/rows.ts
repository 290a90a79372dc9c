/** All tables. */
import { ANSWERS } from './rows-answers.ts';
import { BAD_ANSWERS } from './rows-bad-answers.ts';
import { CONNECTIONS } from './rows-connections.ts';
import { OLD_CLIENTS } from './rows-old-clients.ts';
import { REPORTS } from './rows-reports.ts';
import { REFUSED } from './rows-refused.ts';
import { REQUESTS } from './rows-requests.ts';
import { SILENT } from './rows-silent.ts';
import { UPLOADS } from './rows-uploads.ts';
import { WEBSOCKETS } from './rows-websocket.ts';

export const TABLES = {
  'requests that are refused': REFUSED,
  'requests that reach a server': REQUESTS,
  'answers of servers': ANSWERS,
  'answers that cannot be used': BAD_ANSWERS,
  'clients of HTTP/1.0': OLD_CLIENTS,
  connections: CONNECTIONS,
  uploads: UPLOADS,
  WebSocket: WEBSOCKETS,
  'faults of other proxies': REPORTS,
  'silent peers': SILENT,
} as const;
