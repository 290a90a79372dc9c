/** Ready snippets for ~/.ssh/config: each server's stable port on the IPv4 side. */
import { interfaceAddresses } from '../../os/interfaces.ts';
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from '../../config/json-schema.ts';
import type { AdminDeps, BuildOptions } from '../deps.ts';
import { SshConfigAnswer } from '../contract/status.ts';

const Query = Type.Object(
  {
    hostname: Type.Optional(
      Type.Union([Type.String({ format: 'hostname' }), Type.String({ format: 'ip-address' })], {
        title: 'The name or address under which clients reach this appliance',
        expected: 'a host name such as gate.example.net, or an IP address',
      }),
    ),
  },
  { additionalProperties: false, expected: 'the optional parameter "hostname"' },
);

export const sshConfigRoutes =
  (deps: AdminDeps, { admin }: BuildOptions) =>
  async (app: FastifyInstance) => {
    app.get<{ Querystring: Static<typeof Query> }>(
      '/ssh-config',
      {
        config: { scope: 'read' },
        schema: {
          summary: 'Snippets for ~/.ssh/config',
          querystring: Query,
          response: { 200: SshConfigAnswer },
        },
      },
      async ({ query }): Promise<SshConfigAnswer> => {
        const hostname = query.hostname ?? ownAddress() ?? admin().hostnames[0] ?? 'localhost';
        const servers = Object.entries(deps.sshPorts()).map(([name, port]) => ({
          name,
          port,
          snippet: sshConfigSnippet(name, hostname, port),
        }));
        return { hostname, servers };
      },
    );
  };

/**
 * HostKeyAlias keeps the servers apart in known_hosts: they share one name, and their host keys follow the server
 * when its port changes.
 */
export const sshConfigSnippet = (name: string, hostname: string, port: number): string =>
  `Host ${name}\n  HostName ${hostname}\n  Port ${port}\n  HostKeyAlias ${name}\n`;

/** The first IPv4 address of this machine that others can reach. Behind a router this is not the public address. */
function ownAddress(): string | undefined {
  return Object.values(interfaceAddresses())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}
