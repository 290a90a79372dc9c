/** The row of a connection, for every service that uses the TCP engine. */
import { query } from '../../core/api.ts';
import type { ConnectionEvent } from '../../core/contract.ts';
import { formatBytes, formatMs } from '../../core/format.ts';
import { text } from '../../core/locale.ts';
import { type EventLine, type ServiceLookup, eventRow } from '../../core/registry.ts';
import { LEARNED_SERVER, ofClient, toServer } from './line.ts';

export const connectionRow = eventRow<ConnectionEvent>('connection', () => text('Connections'), line);

/** With the icon of its service's page. */
function line(event: ConnectionEvent, { iconOf, portOf }: ServiceLookup): EventLine {
  const { what, client, clientPort, name, server, listener, service, bytesUp, bytesDown, reason } = event;
  const { durationMs, explanation, uniqueId } = event;
  const asked = name ?? (what === 'refused' ? (explanation ?? text('no name')) : listener);
  const isLearned = server === LEARNED_SERVER;
  const where = isLearned ? text('its address in DNS') : (server ?? text('nobody'));
  const port = portOf(service, listener);
  return {
    icon: iconOf(service) ?? 'live',
    tone: what === 'refused' ? 'fail' : what === 'opened' ? 'ok' : 'off',
    sentence:
      what === 'refused'
        ? text('{who} was refused: {name}', { who: client, name: asked })
        : text(
            what === 'opened'
              ? '{who} connected to {name}, routed to {where}'
              : 'The connection of {who} to {name} at {where} ended',
            { who: client, name: asked, where },
          ),
    note:
      what === 'opened'
        ? listener
        : what === 'refused'
          ? (reason ?? '')
          : `${formatBytes(bytesUp)} / ${formatBytes(bytesDown)}`,
    facts: [
      [text('Client'), `${client}#${clientPort}`],
      [text('Listener'), listener],
      uniqueId !== null && [text('Unique id'), uniqueId],
      name !== null && [text('Asked for'), name],
      [text('Duration'), formatMs(durationMs)],
      what !== 'opened' && [text('Up / down'), `${formatBytes(bytesUp)} / ${formatBytes(bytesDown)}`],
      reason !== null && [text('Ended because'), `${explanation ?? ''} (${reason})`],
    ],
    links: [
      ...(server === null || isLearned ? [] : [toServer(server)]),
      ...(name === null || port === undefined
        ? []
        : [
            [
              `/explain${query({ from: client, protocol: 'tcp', to: name, port })}`,
              text('Explain this connection'),
            ] as const,
          ]),
      ofClient(client),
    ],
  };
}
