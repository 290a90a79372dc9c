/** Who asks, as the history of the configuration names them. */
import type { FastifyRequest } from 'fastify';

export const actorOf = ({ principal }: FastifyRequest): string => principal?.name ?? 'nobody';
