/** The row of a mapping or a session in the timeline. */
import type { Nat64Event } from '../../../../src/services/nat64/contract.ts';
import { query } from '../../core/api.ts';
import { dictionary } from '../../core/locale.ts';
import { type EventLine, eventRow } from '../../core/registry.ts';
import { ofClient, toServer } from '../live/line.ts';
import { text as live } from '../live/text.ts';
import { nat64Icon } from './icon.ts';

const text = dictionary(
  {
    'mapping-created': (who: string, pool: string, protocol: string) => `${who} got ${pool} for ${protocol}`,
    'mapping-removed': (who: string, pool: string, protocol: string) =>
      `${who} gave back ${pool} for ${protocol}`,
    'session-created': (who: string, pool: string, protocol: string, remote: string) =>
      `${who} began to talk with ${remote} over ${protocol}, as ${pool}`,
    'session-removed': (who: string, pool: string, protocol: string, remote: string) =>
      `${who} ended talking with ${remote} over ${protocol}, as ${pool}`,
    remote: 'Other end',
    toSessions: 'Its NAT64 sessions',
  },
  {
    'mapping-created': (who, pool, protocol) => `${who} bekam ${pool} für ${protocol}`,
    'mapping-removed': (who, pool, protocol) => `${who} gab ${pool} für ${protocol} zurück`,
    'session-created': (who, pool, protocol, remote) =>
      `${who} begann als ${pool}, über ${protocol} mit ${remote} zu sprechen`,
    'session-removed': (who, pool, protocol, remote) =>
      `${who} hörte auf, als ${pool} über ${protocol} mit ${remote} zu sprechen`,
    remote: 'Gegenseite',
    toSessions: 'Seine NAT64-Sitzungen',
  },
);

export const mappingRow = eventRow<Nat64Event>('nat64', () => 'NAT64', line);

function line(event: Nat64Event): EventLine {
  const { what, protocol, client, clientPort, server, poolAddress, poolPort } = event;
  const remote = `${event.remote}#${event.remotePort}`;
  const words = text.value;
  const common = live.value;
  const pool = `${poolAddress}#${poolPort}`;
  return {
    icon: nat64Icon,
    tone: what.endsWith('created') ? 'ok' : 'off',
    sentence: words[what](server ?? client, pool, protocol.toUpperCase(), remote),
    note: protocol.toUpperCase(),
    facts: [
      [common.client, `${client}#${clientPort}`],
      ['pool4', pool],
      ...(event.remote === null ? [] : [[words.remote, remote] as const]),
    ],
    links: [
      [`/nat64${query({ view: 'sessions', client })}`, words.toSessions],
      ...(server === null ? [] : [toServer(server)]),
      ofClient(client),
    ],
  };
}
