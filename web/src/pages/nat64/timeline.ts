/** The row of a mapping or a session in the timeline. */
import type { Nat64Event } from '../../../../src/services/nat64/contract.ts';
import { query } from '../../core/api.ts';
import { type Text, say, text } from '../../core/locale.ts';
import { type EventLine, eventRow } from '../../core/registry.ts';
import { ofClient, toServer } from '../live/line.ts';
import { nat64Icon } from './icon.ts';

export const mappingRow = eventRow<Nat64Event>('nat64', () => 'NAT64', line);

function sentenceOf({ what, protocol: name, client, server, ...event }: Nat64Event): Text {
  const who = server ?? client;
  const protocol = name.toUpperCase();
  const pool = `${event.poolAddress}#${event.poolPort}`;
  const remote = `${event.remote}#${event.remotePort}`;
  switch (what) {
    case 'mapping-created':
      return say('{who} got {pool} for {protocol}', { who, pool, protocol });
    case 'mapping-removed':
      return say('{who} released {pool} for {protocol}', { who, pool, protocol });
    case 'session-created':
      return say('{who} opened a {protocol} session with {remote} as {pool}', {
        who,
        remote,
        protocol,
        pool,
      });
    case 'session-removed':
      return say('The {protocol} session of {who} with {remote} as {pool} ended', {
        who,
        remote,
        protocol,
        pool,
      });
  }
}

function line(event: Nat64Event): EventLine {
  const { what, protocol, client, clientPort, server, poolAddress, poolPort } = event;
  const remote = `${event.remote}#${event.remotePort}`;
  const pool = `${poolAddress}#${poolPort}`;
  return {
    icon: nat64Icon,
    tone: what.endsWith('created') ? 'ok' : 'off',
    sentence: text(sentenceOf(event)),
    note: protocol.toUpperCase(),
    facts: [
      [text('Client'), `${client}#${clientPort}`],
      ['pool4', pool],
      ...(event.remote === null ? [] : [[text('Remote address'), remote] as const]),
    ],
    links: [
      [`/nat64${query({ view: 'sessions', client })}`, text('Its NAT64 sessions')],
      ...(server === null ? [] : [toServer(server)]),
      ofClient(client),
    ],
  };
}
