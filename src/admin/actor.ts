/** The name of the requesting principal, as the history of the configuration records it. */
import type { FastifyRequest } from 'fastify';

export const actorOf = ({ principal }: FastifyRequest): string => principal?.name ?? 'nobody';
