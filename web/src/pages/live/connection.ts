/** The row of a connection: of every service over the TCP engine. */
import { query } from '../../core/api.ts';
import type { ConnectionEvent } from '../../core/contract.ts';
import { formatBytes, formatMs } from '../../core/format.ts';
import { type EventLine, type ServiceLookup, eventRow } from '../../core/registry.ts';
import { ofClient, toServer } from './line.ts';
import { text } from './text.ts';

export const connectionRow = eventRow<ConnectionEvent>('connection', () => text.value.kinds.connection, line);

/** With the icon of its service's page. */
function line(event: ConnectionEvent, { iconOf, portOf }: ServiceLookup): EventLine {
  const { what, client, clientPort, name, server, listener, service, bytesUp, bytesDown, reason } = event;
  const { durationMs, explanation } = event;
  const words = text.value;
  const asked = name ?? (what === 'refused' ? (explanation ?? words.connection.noName) : listener);
  const where = server ?? words.connection.nowhere;
  const port = portOf(service, listener);
  return {
    icon: iconOf(service) ?? 'live',
    tone: what === 'refused' ? 'fail' : what === 'opened' ? 'ok' : 'off',
    sentence:
      what === 'refused'
        ? words.connection.refused(client, asked)
        : words.connection[what](client, asked, where),
    note:
      what === 'opened'
        ? listener
        : what === 'refused'
          ? (reason ?? '')
          : `${formatBytes(bytesUp)} / ${formatBytes(bytesDown)}`,
    facts: [
      [words.client, `${client}#${clientPort}`],
      [words.facts.listener, listener],
      name !== null && [words.facts.name, name],
      [words.facts.duration, formatMs(durationMs)],
      what !== 'opened' && [words.facts.bytes, `${formatBytes(bytesUp)} / ${formatBytes(bytesDown)}`],
      reason !== null && [words.facts.reason, `${explanation ?? ''} (${reason})`],
    ],
    links: [
      ...(server === null ? [] : [toServer(server)]),
      ...(name === null || port === undefined
        ? []
        : [
            [`/explain${query({ from: client, protocol: 'tcp', to: name, port })}`, words.explainIt] as const,
          ]),
      ofClient(client),
    ],
  };
}
