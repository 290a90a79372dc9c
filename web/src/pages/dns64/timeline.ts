/** The row of a query in the timeline. */
import type { DnsEvent } from '../../../../src/services/dns64/contract.ts';
import { formatMs } from '../../core/format.ts';
import { say, text } from '../../core/locale.ts';
import { type EventLine, eventRow } from '../../core/registry.ts';
import { ofClient } from '../live/line.ts';
import { dns64Icon } from './icon.ts';

const ANSWERS = {
  cached: say('from the cache'),
  forwarded: say('from upstream'),
  synthesized: say('made from A'),
  local: say('known here'),
  refused: say('refused'),
  failed: say('no answer'),
  malformed: say('malformed'),
};

export const queryRow = eventRow<DnsEvent>('dns', () => 'DNS', line);

function line({ client, name, type, transport, answer, rcode, durationMs }: DnsEvent): EventLine {
  const isBad = answer === 'refused' || answer === 'failed' || answer === 'malformed';
  return {
    icon: dns64Icon,
    tone: isBad ? 'fail' : rcode === 'NOERROR' ? 'ok' : 'off',
    sentence: text('{who} asked for {type} {name}', { who: client ?? text('A client'), type, name }),
    note: rcode === 'NOERROR' || isBad ? text(ANSWERS[answer]) : rcode,
    facts: [
      client !== null && [text('Client'), client],
      [text('Asked for'), `${type} ${name}`],
      [text('Response code'), `${rcode}, ${text(ANSWERS[answer])}`],
      [text('Duration'), formatMs(durationMs)],
      [text('Transport'), transport.toUpperCase()],
    ],
    links: [['/dns64', 'DNS64'], ...(client === null ? [] : [ofClient(client)])],
  };
}
