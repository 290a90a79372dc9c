/** The servers: their measured health, the records to publish for them, the settings to make on them. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from '../../config/json-schema.ts';
import type { AdminDeps } from '../deps.ts';
import { DnsRecordsAnswer, HostAnswer, HostsAnswer } from '../contract/checks.ts';
import { strict } from '../contract/common.ts';
import { ApiError } from '../api-error.ts';
import { translated } from '../language.ts';
import { say } from '../../texts/text.ts';

const Params = Type.Object(
  { name: Type.String({ title: 'Name', expected: 'the name of a server' }) },
  strict,
);
type Params = Static<typeof Params>;

export const hostsRoutes =
  ({ diagnostics }: AdminDeps) =>
  async (app: FastifyInstance) => {
    app.get(
      '/hosts',
      {
        config: { scope: 'read' },
        schema: { summary: 'The servers with their health as measured', response: { 200: HostsAnswer } },
      },
      async (request): Promise<HostsAnswer> => translated(request, await diagnostics.hosts()),
    );

    // It changes nothing, and loads the server no more than a visitor does, so the scope "read" is enough.
    app.post<{ Params: Params }>(
      '/hosts/:name/check',
      {
        config: { scope: 'read', audit: false },
        schema: { summary: 'Probes a server now', params: Params, response: { 200: HostAnswer } },
      },
      async (request): Promise<HostAnswer> => {
        const { name } = request.params;
        return translated(request, (await diagnostics.checkHost(name)) ?? noSuchServer(name));
      },
    );

    app.get<{ Params: Params }>(
      '/hosts/:name/dns-records',
      {
        config: { scope: 'read' },
        schema: {
          summary: 'The DNS records to publish for a server, and which have arrived',
          params: Params,
          response: { 200: DnsRecordsAnswer },
        },
      },
      async (request): Promise<DnsRecordsAnswer> => {
        const { name } = request.params;
        return translated(request, (await diagnostics.dnsRecords(name)) ?? noSuchServer(name));
      },
    );
  };

function noSuchServer(name: string): never {
  throw new ApiError(
    404,
    'no-such-server',
    say('There is no server "{name}" in the configuration.', { name }),
  );
}
