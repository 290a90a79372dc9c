/**
 * The authoritative DNS server of the lab, and at the same time the resolver that DNS64 asks:
 *
 *   node lab/authoritative-dns.ts ADDRESS
 *
 * UDP and TCP on port 53. Answers for the zones of zone.ts (CNAMEs followed, SOA with negative answers) and refuses
 * other names. UDP answers that do not fit into what EDNS offers are truncated.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { AUTHORITATIVE_ANSWER, decode, encode, RECURSION_AVAILABLE, TRUNCATED_RESPONSE } from 'dns-packet';
import type { Answer, DecodedPacket, OptAnswer, Packet, Question } from 'dns-packet';
import { APEXES, WHOAMI, ZONE } from './zone.ts';

const PORT = 53;
const TTL_SECONDS = 300;
const NEGATIVE_TTL_SECONDS = 60;
const MAX_CNAMES = 8;
const HEADER_BYTES = 12;
const QUESTION_COUNT_AT = 4;
const RECURSION_DESIRED_FLAG = 0x0100;
const RCODE = { noError: 0, nameError: 3, refused: 5 } as const;

const bind = process.argv[2];
if (bind === undefined) throw new Error('usage: authoritative-dns.ts ADDRESS');

const udp = createSocket(bind.includes(':') ? 'udp6' : 'udp4');
udp.on('message', (message, peer) => {
  const answer = respond(message, `${peer.address}#${peer.port}`, udpBytes);
  if (answer !== undefined) udp.send(answer, peer.port, peer.address);
});
udp.bind(PORT, bind);

const tcp = createServer((connection) => {
  const peer = `${connection.remoteAddress}#${connection.remotePort}`;
  let received = Buffer.alloc(0);
  connection.on('error', () => connection.destroy());
  connection.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const answer = respond(received.subarray(2, end), peer, () => 65535);
      received = received.subarray(end);
      if (answer === undefined) return connection.destroy();
      const head = Buffer.alloc(2);
      head.writeUInt16BE(answer.length);
      connection.write(Buffer.concat([head, answer]));
    }
  });
});
tcp.listen(PORT, bind);

/** The bytes of the answer, or undefined when the message is not a query with one question. */
function respond(
  message: Buffer,
  peer: string,
  limitBytes: (query: DecodedPacket) => number,
): Buffer | undefined {
  let query: DecodedPacket;
  try {
    query = decode(message);
  } catch {
    return undefined;
  }
  const question = query.questions?.[0];
  if (question === undefined || query.questions?.length !== 1 || query.flag_qr) return undefined;
  const { rcode, answers, authorities } = lookUp(question, peer);
  const desired = (query.flags ?? 0) & RECURSION_DESIRED_FLAG;
  const base: Packet = {
    type: 'response',
    id: query.id,
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | desired | rcode,
    additionals: edns(query) === undefined ? [] : [opt],
  };
  const whole = withQuestion({ ...base, answers, authorities }, message);
  if (whole.length <= limitBytes(query)) return whole;
  return withQuestion({ ...base, flags: (base.flags ?? 0) | TRUNCATED_RESPONSE }, message);
}

/**
 * Encodes the packet with the question copied byte for byte: dns-packet would not reproduce every name, type and class. (The
 * records after it may move, because dns-packet does not compress names.)
 */
function withQuestion(packet: Packet, query: Buffer): Buffer {
  let end = HEADER_BYTES;
  while (end < query.length && query[end] !== 0) end += 1 + query[end];
  const encoded = encode(packet);
  encoded.writeUInt16BE(1, QUESTION_COUNT_AT);
  const question = query.subarray(HEADER_BYTES, end + 1 + 4);
  return Buffer.concat([encoded.subarray(0, HEADER_BYTES), question, encoded.subarray(HEADER_BYTES)]);
}

const opt: OptAnswer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 1232,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

function edns(query: DecodedPacket): OptAnswer | undefined {
  return query.additionals?.find((record) => record.type === 'OPT');
}

/** The maximum size of a UDP answer: 512 bytes without EDNS (RFC 1035), the smaller of both limits with it (RFC 6891). */
function udpBytes(query: DecodedPacket): number {
  return Math.min(Math.max(edns(query)?.udpPayloadSize ?? 512, 512), opt.udpPayloadSize);
}

interface Found {
  readonly rcode: number;
  readonly answers: Answer[];
  readonly authorities: Answer[];
}

function lookUp(question: Question, peer: string): Found {
  const answers: Answer[] = [];
  let name = question.name.toLowerCase();
  for (let cnames = 0; cnames <= MAX_CNAMES; cnames++) {
    const apex = name === '.' ? name : APEXES.find((apex) => name === apex || name.endsWith(`.${apex}`));
    if (apex === undefined) return { rcode: RCODE.refused, answers, authorities: [] };
    if (name === WHOAMI && question.type === 'TXT') {
      answers.push({ name: question.name, type: 'TXT', ttl: 0, data: peer });
      return { rcode: RCODE.noError, answers, authorities: [] };
    }
    const found = ZONE.filter((record) => record.name === name).filter(
      ({ type }) => type === question.type || type === 'CNAME',
    );
    // The owner name keeps the case of the question: resolvers check it.
    const owner = cnames === 0 ? question.name : name;
    answers.push(...found.map((record) => ({ ...record, name: owner, ttl: TTL_SECONDS }) as Answer));
    const cname = found.find((record) => record.type === 'CNAME');
    if (cname?.type === 'CNAME' && question.type !== 'CNAME') {
      name = cname.data;
      continue;
    }
    const isThere = name === WHOAMI || ZONE.some((r) => r.name === name || r.name.endsWith(`.${name}`));
    return {
      rcode: isThere ? RCODE.noError : RCODE.nameError,
      answers,
      authorities: found.length > 0 ? [] : [soa(apex)],
    };
  }
  return { rcode: RCODE.noError, answers, authorities: [] };
}

function soa(apex: string): Answer {
  return {
    name: apex,
    type: 'SOA',
    ttl: NEGATIVE_TTL_SECONDS,
    data: {
      mname: 'dns.example.net',
      rname: 'hostmaster.example.net',
      serial: 1,
      refresh: 3600,
      retry: 600,
      expire: 86_400,
      minimum: NEGATIVE_TTL_SECONDS,
    },
  };
}
