/** Who asks, as the history of the configuration names them. */
import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    scope?: 'open' | 'read' | 'configure' | 'system';
    audit?: boolean;
  }
  interface FastifySchema {
    summary?: string;
  }
}

export const actorOf = (_request: FastifyRequest): string => 'admin token';
