/** What is in NAT64's tables, and what it would do with a packet. Nothing here changes anything. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Static, Type } from '../../config/json-schema.ts';
import type { Nat64Queries } from '../../runtime/nat64-queries.ts';
import type { AdminDeps } from '../build.ts';
import {
  Nat64BibAnswer,
  Nat64ClientsAnswer,
  Nat64ExplainAnswer,
  Nat64PoolAnswer,
  Nat64PortBlocksAnswer,
  Nat64SessionsAnswer,
} from '../contract/nat64.ts';
import { ApiError, invalidInput } from '../errors.ts';
import { told } from '../language.ts';
import { say } from '../../texts/text.ts';

const DEFAULT_PAGE_ROWS = 100;
const DEFAULT_CLIENTS = 10;

// Query parameters are texts, and empty ones, which forms send, are not left out but wrong: no answer to another question.
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

const BibQuery = Type.Object(bibParameters, strict);
const SessionsQuery = Type.Object(
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
);
const ClientsQuery = Type.Object(
  { limit: number('^([1-9][0-9]?|100)$', 'Clients at most', 'a whole number from 1 to 100') },
  strict,
);
const PortBlocksQuery = Type.Object(
  {
    client: Type.Optional(text('ipv6-address', 'Whose ports', 'an IPv6 address such as 2001:db8:1::10')),
    poolAddress: Type.Optional(text('ipv4-address', 'Whose is a port of this address', 'an IPv4 address')),
    poolPort: port('And which port, or ICMP identifier'),
  },
  strict,
);
const ExplainQuery = Type.Object(
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
);

interface PageQuery {
  readonly cursor?: string | undefined;
  readonly limit?: string | undefined;
}

const toNumber = (value: string | undefined) => (value === undefined ? undefined : Number(value));

const pageRequest = ({ cursor, limit }: PageQuery) => ({
  cursor: toNumber(cursor) ?? 0,
  limit: toNumber(limit) ?? DEFAULT_PAGE_ROWS,
});

export const nat64Routes = (deps: AdminDeps) => async (app: FastifyInstance) => {
  /** 409 while there are no tables: the question is right, the time is wrong. */
  function queries(): Nat64Queries {
    const found = deps.nat64();
    if (found !== undefined) return found;
    const isEnabled = deps.store.current.nat64.enabled;
    throw isEnabled
      ? new ApiError(
          409,
          'nat64-not-running',
          say('NAT64 is not running; the status of the service says why.'),
        )
      : new ApiError(409, 'nat64-disabled', say('NAT64 is switched off; set nat64.enabled to true.'));
  }

  app.get<{ Querystring: Static<typeof SessionsQuery> }>(
    '/nat64/sessions',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Sessions of NAT64, page by page',
        querystring: SessionsQuery,
        response: { 200: Nat64SessionsAnswer },
      },
    },
    async ({ query }): Promise<Nat64SessionsAnswer> => {
      const { protocol, client, remote, poolPort } = query;
      const filter = { protocol, client, remote, poolPort: toNumber(poolPort) };
      return queries().sessions(filter, pageRequest(query));
    },
  );

  app.get<{ Querystring: Static<typeof BibQuery> }>(
    '/nat64/bib',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'The binding information base of NAT64, page by page',
        querystring: BibQuery,
        response: { 200: Nat64BibAnswer },
      },
    },
    async ({ query }): Promise<Nat64BibAnswer> => {
      const { protocol, client, poolPort } = query;
      return queries().bib({ protocol, client, poolPort: toNumber(poolPort) }, pageRequest(query));
    },
  );

  app.get<{ Querystring: Static<typeof ClientsQuery> }>(
    '/nat64/clients',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'The hosts with the most sessions',
        querystring: ClientsQuery,
        response: { 200: Nat64ClientsAnswer },
      },
    },
    ({ query }): Promise<Nat64ClientsAnswer> =>
      queries().topClients(toNumber(query.limit) ?? DEFAULT_CLIENTS),
  );

  app.get(
    '/nat64/pool',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'How much of each pool4 entry is in use',
        querystring: Type.Object({}, strict),
        response: { 200: Nat64PoolAnswer },
      },
    },
    (_request: FastifyRequest): Promise<Nat64PoolAnswer> => queries().poolUse(),
  );

  app.get<{ Querystring: Static<typeof PortBlocksQuery> }>(
    '/nat64/port-blocks',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Which block of ports a client has, or whose a port is (nat64.portBlocks)',
        querystring: PortBlocksQuery,
        response: { 200: Nat64PortBlocksAnswer },
      },
    },
    async ({ query }): Promise<Nat64PortBlocksAnswer> => {
      const { client, poolAddress } = query;
      const poolPort = toNumber(query.poolPort);
      if (client !== undefined) return { rows: queries().portBlocks({ client }) };
      if (poolAddress !== undefined && poolPort !== undefined)
        return { rows: queries().portBlocks({ poolAddress, poolPort }) };
      const expected = say('either client, or poolAddress and poolPort');
      throw invalidInput('', expected, say('Send {expected}.', { expected }));
    },
  );

  app.get<{ Querystring: Static<typeof ExplainQuery> }>(
    '/nat64/explain',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'What NAT64 would do with a packet',
        querystring: ExplainQuery,
        response: { 200: Nat64ExplainAnswer },
      },
    },
    async (request): Promise<Nat64ExplainAnswer> => {
      const { client, destination, protocol, clientPort, destinationPort } = request.query;
      const explanation = await queries().explain({
        client,
        destination,
        protocol,
        clientPort: toNumber(clientPort),
        destinationPort: toNumber(destinationPort),
      });
      return told(request, explanation);
    },
  );
};
