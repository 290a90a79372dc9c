/** The network as found, and the other machines on it. */
import type { FastifyInstance } from 'fastify';
import type { AdminDeps } from '../deps.ts';
import { NeighboursAnswer, NetworkAnswer } from '../contract/checks.ts';
import { translated } from '../language.ts';

export const networkRoutes =
  ({ diagnostics }: AdminDeps) =>
  async (app: FastifyInstance) => {
    app.get(
      '/network',
      {
        config: { scope: 'read' },
        schema: {
          summary: 'Addresses, gateways, resolvers, and ports that others have',
          response: { 200: NetworkAnswer },
        },
      },
      async (request): Promise<NetworkAnswer> => translated(request, await diagnostics.network()),
    );

    app.get(
      '/neighbours',
      {
        config: { scope: 'read' },
        schema: { summary: 'IPv6 neighbours that the kernel knows', response: { 200: NeighboursAnswer } },
      },
      (): Promise<NeighboursAnswer> => diagnostics.neighbours(),
    );

    app.post(
      '/neighbours/probe',
      {
        config: { scope: 'configure', audit: false },
        schema: {
          summary: 'Asks the network who is there, and which of the ports 22, 80 and 443 answer',
          response: { 200: NeighboursAnswer },
        },
      },
      (): Promise<NeighboursAnswer> => diagnostics.probeNeighbours(),
    );
  };
