/** What the lines of all kinds share. */
import { query } from '../../core/api.ts';
import { text } from './text.ts';

export const toServer = (server: string): readonly [string, string] => [
  `/servers/${encodeURIComponent(server)}`,
  `${text.value.toServer} ${server}`,
];

/** Everything that the timeline has of a client. */
export const ofClient = (client: string): readonly [string, string] => [
  `/live${query({ client })}`,
  text.value.toClient,
];
