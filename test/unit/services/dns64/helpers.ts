/** Helpers of the DNS64 tests: messages in short form, a scripted upstream, clients. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import dnsPacket, { type Packet } from 'dns-packet';
import {
  CLASS_IN,
  type DnsMessage,
  type DnsRecord,
  Type,
  writeUint32,
} from '../../../../src/wire/dns-message.ts';
import { formatName, nameFromText, readName } from '../../../../src/wire/dns-name.ts';
import {
  formatIpv4,
  formatIpv6,
  ipv4At,
  parseIpv4,
  parseIpv6,
  writeIpv4,
} from '../../../../src/wire/ip-address.ts';
import { freePort } from '../../net/support.ts';

/** "name ttl type data" as a record. The data of SOA is its minimum, that of RRSIG and TXT the text. */
export function rr(line: string): DnsRecord {
  const [owner, ttl, type, data] = line.split(' ');
  return {
    name: nameFromText(owner),
    type: Type[type as keyof typeof Type],
    class: CLASS_IN,
    ttlSeconds: Number(ttl),
    data: encodeData(type, data),
  };
}

function encodeData(type: string, data: string): Uint8Array {
  if (type === 'A') {
    const bytes = new Uint8Array(4);
    writeIpv4(bytes, 0, parseIpv4(data)!);
    return bytes;
  }
  if (type === 'AAAA') return parseIpv6(data)!;
  if (type === 'SOA') {
    const numbers = new Uint8Array(20);
    writeUint32(numbers, 16, Number(data));
    return Uint8Array.of(0, 0, ...numbers);
  }
  return ['CNAME', 'DNAME', 'PTR', 'NS'].includes(type) ? nameFromText(data) : Buffer.from(data);
}

const TYPE_NAMES = new Map<number, string>(Object.entries(Type).map(([text, type]) => [type, text]));

/** The record in the form that `rr` reads. */
export function line({ name, type, ttlSeconds, data }: DnsRecord): string {
  const text = TYPE_NAMES.get(type) ?? String(type);
  return `${formatName(name)} ${ttlSeconds} ${text} ${decodeData(text, data)}`;
}

function decodeData(type: string, data: Uint8Array): string {
  if (type === 'A') return formatIpv4(ipv4At(data, 0));
  if (type === 'AAAA') return formatIpv6(data);
  if (type === 'SOA') return String(ipv4At(data, data.length - 4));
  return ['CNAME', 'DNAME', 'PTR', 'NS'].includes(type) ? formatName(data) : Buffer.from(data).toString();
}

/** A response: its response code, and records as lines; those after "--" are the authority section. */
export function response(rcode: number, ...lines: string[]): DnsMessage {
  const cut = lines.includes('--') ? lines.indexOf('--') : lines.length;
  return {
    id: 0,
    flags: 0x8180 | rcode,
    questions: [],
    answers: lines.slice(0, cut).map(rr),
    authorities: lines.slice(cut + 1).map(rr),
    additionals: [],
  };
}

/** The sender of a query. */
export interface Asker {
  readonly port: number;
  send(bytes: Uint8Array): void;
}

/** The answer of a scripted upstream to a query; undefined: no answer. It may also send more, through `reply`. */
export type Script = (
  query: Packet,
  overTcp: boolean,
  reply: (bytes: Uint8Array) => void,
  client: Asker,
) => Packet | undefined;

export interface ScriptedUpstream extends AsyncDisposable {
  readonly port: number;
  /** "name type" of each query in lower case, with " tcp" for those over TCP. */
  readonly queries: string[];
  readonly url: string;
}

/** A name server on loopback, UDP and TCP on one port; without `hasTcp`, TCP is refused. */
export async function scriptedUpstream(
  script: Script,
  { hasTcp = true }: { readonly hasTcp?: boolean } = {},
): Promise<ScriptedUpstream> {
  const queries: string[] = [];
  const { udp, server, port } = await listenOnOnePort();
  const closeTcp = async () => {
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  if (!hasTcp) await closeTcp();
  const answer = (bytes: Buffer, overTcp: boolean, from: number, send: (reply: Uint8Array) => void) => {
    const query = dnsPacket.decode(bytes);
    const [question] = query.questions ?? [];
    queries.push(`${question.name} ${question.type}${overTcp ? ' tcp' : ''}`.toLowerCase());
    const nameBytes = readName(bytes, 12)!.name.length;
    if (
      dnsPacket.encodingLength({ questions: [question] }) !== 12 + nameBytes + 4 ||
      !/^[\w.-]*$/.test(question.name)
    ) {
      // A name that dns-packet would not return unchanged: NXDOMAIN with the question's own bytes.
      const raw = Buffer.from(bytes.subarray(0, 12 + nameBytes + 4));
      raw.writeUInt16BE(0x8183, 2);
      raw.fill(0, 6, 12);
      send(raw);
      return;
    }
    const reply = script(query, overTcp, send, { port: from, send });
    if (reply !== undefined) send(dnsPacket.encode(reply));
  };
  udp.on('message', (bytes, { port: to, address }) =>
    answer(bytes, false, to, (reply) => udp.send(reply, to, address)),
  );
  const open = new Set<net.Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
    socket.on('data', (chunk: Buffer) =>
      answer(chunk.subarray(2), true, 0, (reply) => socket.write(frame(reply))),
    );
  });
  return {
    port,
    queries,
    url: `udp://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      udp.close();
      await closeTcp();
    },
  };
}

/** UDP and TCP on a port that no other program uses for either: tests in other files take ports at the same time. */
async function listenOnOnePort(): Promise<{ udp: dgram.Socket; server: net.Server; port: number }> {
  for (;;) {
    const port = await freePort();
    const udp = dgram.createSocket('udp4');
    const server = net.createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      udp.bind(port, '127.0.0.1');
      await once(udp, 'listening');
      return { udp, server, port };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (server.listening) server.close();
      udp.close();
    }
  }
}

/** A message with its length in front, as on TCP. */
export const frame = (message: Uint8Array): Buffer => {
  const framed = Buffer.alloc(2 + message.length);
  framed.writeUInt16BE(message.length);
  framed.set(message, 2);
  return framed;
};

/** The upstream's answer from `data` (name -> type -> records) to a query, with the ID, question and case of the query. */
export function zone(data: Record<string, Record<string, object[]>>): Script {
  return (query) => {
    const [question] = query.questions ?? [];
    const types = data[question.name.toLowerCase()];
    const records = types?.[question.type] ?? types?.CNAME ?? [];
    const soa = {
      name: 'example.com',
      type: 'SOA',
      ttl: 60,
      data: {
        mname: 'ns.example.com',
        rname: 'h.example.com',
        serial: 1,
        refresh: 1,
        retry: 1,
        expire: 1,
        minimum: 60,
      },
    };
    return {
      type: 'response',
      id: query.id,
      flags: 0x0180 | (types === undefined ? 3 : 0),
      questions: query.questions,
      answers: records.map((extra) => ({ name: question.name, type: question.type, ttl: 300, ...extra })),
      authorities: records.length === 0 ? [soa] : [],
    } as Packet;
  };
}

/** Sends bytes to 127.0.0.1 (or `to`) and resolves with the reply; rejects if none comes or it comes from another address. */
export async function askUdp(
  port: number,
  bytes: Uint8Array,
  { to = '127.0.0.1', from, timeoutMs = 5000 }: { to?: string; from?: string; timeoutMs?: number } = {},
): Promise<Buffer> {
  const socket = dgram.createSocket(to.includes(':') ? 'udp6' : 'udp4');
  try {
    if (from !== undefined) {
      socket.bind(0, from);
      await once(socket, 'listening');
    }
    // Connected: the kernel drops a reply from another address or port.
    socket.connect(port, to);
    await once(socket, 'connect');
    socket.send(bytes);
    const [reply] = (await once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) })) as [Buffer];
    return reply;
  } finally {
    socket.close();
  }
}

/** Sends frames over one TCP connection and resolves with as many replies, in the order of arrival. */
export async function askTcp(port: number, messages: readonly Uint8Array[]): Promise<Buffer[]> {
  const socket = net.connect(port, '127.0.0.1');
  const replies: Buffer[] = [];
  try {
    socket.write(Buffer.concat(messages.map(frame)));
    let buffered: Buffer = Buffer.alloc(0);
    while (replies.length < messages.length) {
      const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(5000) })) as [Buffer];
      buffered = Buffer.concat([buffered, chunk]);
      while (buffered.length >= 2 && buffered.length >= 2 + buffered.readUInt16BE(0)) {
        replies.push(buffered.subarray(2, 2 + buffered.readUInt16BE(0)));
        buffered = buffered.subarray(2 + buffered.readUInt16BE(0));
      }
    }
    return replies;
  } finally {
    socket.destroy();
  }
}
