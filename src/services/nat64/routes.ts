/** Routes of the admin API for the contents of NAT64's tables, and for what it would do with a packet. They change nothing. */
import { Type } from '../../runtime/shape.ts';
import { say } from '../../texts/text.ts';
import { type QueryRoute, UnfitQuestion, queryRoute } from '../query-route.ts';
import {
  Nat64BibAnswer,
  Nat64ClientsAnswer,
  Nat64ExplainAnswer,
  Nat64PoolAnswer,
  Nat64PortBlocksAnswer,
  Nat64SessionsAnswer,
} from './contract.ts';
import type { Nat64Queries } from './questions.ts';

const DEFAULT_PAGE_ROWS = 100;
const DEFAULT_CLIENTS = 10;

// Query parameters are texts. Empty ones, which forms send, are refused instead of ignored, because ignoring them would answer a
// different query.
const text = (format: string, title: string, expected: string) => Type.String({ format, title, expected });
const number = (pattern: string, title: string, expected: string) =>
  Type.Optional(Type.String({ pattern, title, expected }));

const Protocol = Type.Union([Type.Literal('tcp'), Type.Literal('udp'), Type.Literal('icmp')], {
  title: 'Transport protocol',
  expected: '"tcp", "udp" or "icmp"',
});
const port = (title: string) => Type.Optional(text('port', title, 'a whole number from 0 to 65535'));

const bibParameters = {
  protocol: Type.Optional(Protocol),
  client: Type.Optional(
    text(
      'ipv6-prefix',
      'Which IPv6 hosts',
      'an IPv6 address or prefix such as 2001:db8:1::10 or 2001:db8:1::/64',
    ),
  ),
  poolPort: port('Port or ICMP identifier on the pool4 address'),
  cursor: number('^[0-9]{1,8}$', 'Where to go on', 'the nextCursor of the answer before'),
  limit: number(
    '^([1-9][0-9]?|[1-4][0-9]{2}|500)$',
    'Rows of the answer at most',
    'a whole number from 1 to 500',
  ),
};
const strict = { additionalProperties: false };

interface PageQuery {
  readonly cursor?: string | undefined;
  readonly limit?: string | undefined;
}

const toNumber = (value: string | undefined) => (value === undefined ? undefined : Number(value));

const pageRequest = ({ cursor, limit }: PageQuery) => ({
  cursor: toNumber(cursor) ?? 0,
  limit: toNumber(limit) ?? DEFAULT_PAGE_ROWS,
});

const route = queryRoute<Nat64Queries>();

const sessions = route({
  path: 'sessions',
  summary: 'Sessions of NAT64, page by page',
  parameters: Type.Object(
    {
      ...bibParameters,
      remote: Type.Optional(
        text(
          'ipv4-prefix',
          'Which other ends',
          'an IPv4 address or prefix such as 203.0.113.9 or 203.0.113.0/24',
        ),
      ),
    },
    strict,
  ),
  answer: Nat64SessionsAnswer,
  ask(queries, { protocol, client, remote, poolPort, ...page }) {
    return queries.sessions({ protocol, client, remote, poolPort: toNumber(poolPort) }, pageRequest(page));
  },
});

const bib = route({
  path: 'bib',
  summary: 'The binding information base of NAT64, page by page',
  parameters: Type.Object(bibParameters, strict),
  answer: Nat64BibAnswer,
  ask(queries, { protocol, client, poolPort, ...page }) {
    return queries.bib({ protocol, client, poolPort: toNumber(poolPort) }, pageRequest(page));
  },
});

const clients = route({
  path: 'clients',
  summary: 'The hosts with the most sessions',
  parameters: Type.Object(
    { limit: number('^([1-9][0-9]?|100)$', 'Clients at most', 'a whole number from 1 to 100') },
    strict,
  ),
  answer: Nat64ClientsAnswer,
  ask: (queries, { limit }) => queries.topClients(toNumber(limit) ?? DEFAULT_CLIENTS),
});

const pool = route({
  path: 'pool',
  summary: 'How much of each pool4 entry is in use',
  parameters: Type.Object({}, strict),
  answer: Nat64PoolAnswer,
  ask: (queries) => queries.poolUse(),
});

const portBlocks = route({
  path: 'port-blocks',
  summary: 'Which block of ports a client has, or whose a port is (nat64.portBlocks)',
  parameters: Type.Object(
    {
      client: Type.Optional(text('ipv6-address', 'Whose ports', 'an IPv6 address such as 2001:db8:1::10')),
      poolAddress: Type.Optional(text('ipv4-address', 'Whose is a port of this address', 'an IPv4 address')),
      poolPort: port('And which port, or ICMP identifier'),
    },
    strict,
  ),
  answer: Nat64PortBlocksAnswer,
  async ask(queries, { client, poolAddress, poolPort: portText }) {
    const poolPort = toNumber(portText);
    if (client !== undefined) return { rows: await queries.portBlocks({ client }) };
    if (poolAddress !== undefined && poolPort !== undefined)
      return { rows: await queries.portBlocks({ poolAddress, poolPort }) };
    const expected = say('either client, or poolAddress and poolPort');
    throw new UnfitQuestion(say('Send {expected}.', { expected }), expected);
  },
});

const explain = route({
  path: 'explain',
  summary: 'What NAT64 would do with a packet',
  parameters: Type.Object(
    {
      client: text('ipv6-address', 'The IPv6 host', 'an IPv6 address such as 2001:db8:1::10'),
      destination: text(
        'ip-address',
        'Where it sends to',
        'an IP address such as 64:ff9b::203.0.113.9 or 203.0.113.9',
      ),
      protocol: Protocol,
      clientPort: port('Port or ICMP identifier of the host'),
      destinationPort: port('Port at the destination'),
    },
    strict,
  ),
  answer: Nat64ExplainAnswer,
  ask: (queries, { client, destination, protocol, clientPort, destinationPort }) =>
    queries.explain({
      client,
      destination,
      protocol,
      clientPort: toNumber(clientPort),
      destinationPort: toNumber(destinationPort),
    }),
});

export const routes: readonly QueryRoute[] = [sessions, bib, clients, pool, portBlocks, explain];
