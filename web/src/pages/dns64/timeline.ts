/** The row of a query in the timeline. */
import type { DnsEvent } from '../../../../src/services/dns64/contract.ts';
import { formatMs } from '../../core/format.ts';
import { dictionary } from '../../core/locale.ts';
import { type EventLine, eventRow } from '../../core/registry.ts';
import { ofClient } from '../live/line.ts';
import { text as live } from '../live/text.ts';
import { dns64Icon } from './icon.ts';

const text = dictionary(
  {
    line: (who: string, type: string, name: string) => `${who} asked for ${type} ${name}`,
    someone: 'A client',
    answers: {
      cached: 'from the cache',
      forwarded: 'from upstream',
      synthesized: 'made from A',
      local: 'known here',
      refused: 'refused',
      failed: 'no answer',
      malformed: 'malformed',
    },
    rcode: 'Response code',
    transport: 'Transport',
  },
  {
    line: (who, type, name) => `${who} fragte nach ${type} ${name}`,
    someone: 'Ein Client',
    answers: {
      cached: 'aus dem Cache',
      forwarded: 'vom Upstream',
      synthesized: 'aus A gemacht',
      local: 'hier bekannt',
      refused: 'abgelehnt',
      failed: 'ohne Antwort',
      malformed: 'fehlerhaft',
    },
    rcode: 'Antwortcode',
    transport: 'Transport',
  },
);

export const queryRow = eventRow<DnsEvent>('dns', () => 'DNS', line);

function line({ client, name, type, transport, answer, rcode, durationMs }: DnsEvent): EventLine {
  const words = text.value;
  const common = live.value;
  const isBad = answer === 'refused' || answer === 'failed' || answer === 'malformed';
  return {
    icon: dns64Icon,
    tone: isBad ? 'fail' : rcode === 'NOERROR' ? 'ok' : 'off',
    sentence: words.line(client ?? words.someone, type, name),
    note: rcode === 'NOERROR' || isBad ? words.answers[answer] : rcode,
    facts: [
      client !== null && [common.client, client],
      [common.facts.name, `${type} ${name}`],
      [words.rcode, `${rcode}, ${words.answers[answer]}`],
      [common.facts.duration, formatMs(durationMs)],
      [words.transport, transport.toUpperCase()],
    ],
    links: [['/dns64', 'DNS64'], ...(client === null ? [] : [ofClient(client)])],
  };
}
