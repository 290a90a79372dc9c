/** All tables. */
import { ANSWERS } from './rows-answers.ts';
import { CONNECTIONS } from './rows-connections.ts';
import { REFUSED } from './rows-refused.ts';
import { REQUESTS } from './rows-requests.ts';
import { SILENT } from './rows-silent.ts';

export const TABLES = {
  'requests that are refused': REFUSED,
  'requests that reach a server': REQUESTS,
  'answers of servers': ANSWERS,
  connections: CONNECTIONS,
  'silent peers': SILENT,
} as const;
