/**
 * `dns-authority.ts ADDRESS PORT`: the server that the resolvers query. Every name has the A record 192.0.2.1 with a TTL of one
 * hour, and no other records (NOERROR with the SOA).
 */
import { createSocket } from 'node:dgram';
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode } from 'dns-packet';

const TTL_SECONDS = 3600;
const [address, portText] = process.argv.slice(2);

const soa: Answer = {
  type: 'SOA',
  name: 'example.com',
  ttl: TTL_SECONDS,
  data: {
    mname: 'ns.example.com',
    rname: 'hostmaster.example.com',
    serial: 1,
    refresh: 3600,
    retry: 600,
    expire: 86_400,
    minimum: TTL_SECONDS,
  },
};

const opt: Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 1232,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

const server = createSocket(address.includes(':') ? 'udp6' : 'udp4');
server.on('message', (message, from) => {
  const query = decode(message);
  const name = query.questions?.[0]?.name ?? '.';
  const isA = query.questions?.[0]?.type === 'A';
  const reply = encode({
    type: 'response',
    id: query.id ?? 0,
    flags: AUTHORITATIVE_ANSWER,
    questions: query.questions ?? [],
    answers: isA ? [{ type: 'A', name, ttl: TTL_SECONDS, data: '192.0.2.1' }] : [],
    authorities: isA ? [] : [soa],
    additionals: (query.additionals ?? []).some(({ type }) => type === 'OPT') ? [opt] : [],
  });
  server.send(reply, from.port, from.address);
});
server.bind(Number(portText), address, () => console.log('ready'));
