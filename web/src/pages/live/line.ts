/** The parts that the lines of all kinds share. */
import { query } from '../../core/api.ts';
import { text } from '../../core/locale.ts';

/** Under this name the traffic of all servers is counted that are found by their address in DNS: they have no page. */
export const LEARNED_SERVER = '(AAAA)';

export const toServer = (server: string): readonly [string, string] => [
  `/servers/${encodeURIComponent(server)}`,
  `${text('To the server')} ${server}`,
];

/** The filter for all events of a client. */
export const ofClient = (client: string): readonly [string, string] => [
  `/live${query({ client })}`,
  text('Everything of this client'),
];
