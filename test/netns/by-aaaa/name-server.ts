/**
 * A name server whose answers depend on the name, for names below example.net:
 *
 *   node name-server.ts ADDRESS
 *
 * Prints "ready", and "query NAME" for each AAAA query.
 */
import { createSocket } from 'node:dgram';
import { type Answer, decode, encode } from 'dns-packet';
import { ADDRESSES } from '../../../lab/zone.ts';
import { BAD_ADDRESSES, FIRST, SECOND } from './addresses.ts';

const [bind] = process.argv.slice(2);
const NXDOMAIN = 3;
const asked = new Map<string, number>();

interface Reply {
  readonly addresses?: readonly string[];
  readonly ttl?: number;
  readonly alias?: string;
  readonly rcode?: number;
  readonly afterMs?: number;
}

/** `times`: how often the name was asked for before. undefined: no answer at all. */
function replyTo(label: string, times: number): Reply | undefined {
  const bad = /^bad([0-9]+)$/.exec(label);
  // DNS rebinding: every second answer is one that must not be dialled, and no answer may be cached.
  if (bad !== null) {
    const isGood = times % 2 === 0;
    return { addresses: [isGood ? FIRST : BAD_ADDRESSES[Number(bad[1])]], ttl: 0 };
  }
  if (/^fresh[0-9]+$/.test(label)) return { addresses: [FIRST], afterMs: 100 };
  switch (label) {
    case 'good':
      return { addresses: [FIRST] };
    case 'two':
      return { addresses: [...BAD_ADDRESSES, '2001:db8:1::77', FIRST] };
    case 'alias':
      return { alias: 'good.example.net', addresses: [FIRST] };
    case 'mixed':
      return { addresses: [...BAD_ADDRESSES, FIRST] };
    case 'none':
      return {};
    case 'moves':
      return { addresses: [times === 0 ? FIRST : SECOND], ttl: 6 };
    case 'slow':
      return { addresses: [FIRST], afterMs: 1500 };
    case 'dead':
      return undefined;
    case 'later':
      return { addresses: [FIRST] };
    default:
      return label.endsWith('.flood') ? { rcode: NXDOMAIN, afterMs: 300 } : { rcode: NXDOMAIN };
  }
}

const socket = createSocket('udp4');
socket.on('message', (bytes, peer) => {
  const query = decode(bytes);
  const [question] = query.questions ?? [];
  const name = question.name.toLowerCase();
  const send = (answers: Answer[], rcode: number) => {
    const soa: Answer = {
      name: 'example.net',
      type: 'SOA',
      ttl: 60,
      data: {
        mname: 'a.example.net',
        rname: 'b.example.net',
        serial: 1,
        refresh: 1,
        retry: 1,
        expire: 1,
        minimum: 60,
      },
    };
    const hasData = answers.some(({ type }) => type === question.type);
    const response = encode({
      type: 'response',
      id: query.id,
      flags: 0x0580 | rcode,
      questions: [question],
      answers,
      authorities: hasData ? [] : [soa],
    });
    socket.send(response, peer.port, peer.address);
  };
  // Clients reach every name through the appliance.
  if (question.type === 'A')
    return send([{ name: question.name, type: 'A', ttl: 300, data: ADDRESSES.appliance4 }], 0);
  if (question.type !== 'AAAA') return send([], 0);
  console.log(`query ${name}`);
  const times = asked.get(name) ?? 0;
  asked.set(name, times + 1);
  const reply = replyTo(name.replace(/\.example\.net$/, ''), times);
  if (reply === undefined) return;
  const { addresses = [], ttl = 300, alias, rcode = 0, afterMs = 0 } = reply;
  const owner = alias ?? question.name;
  const answers: Answer[] = [
    ...(alias === undefined ? [] : [{ name: question.name, type: 'CNAME', ttl, data: alias } as Answer]),
    ...addresses.map((data): Answer => ({ name: owner, type: 'AAAA', ttl, data })),
  ];
  setTimeout(() => send(answers, rcode), afterMs);
});
socket.bind(53, bind, () => console.log('ready'));
