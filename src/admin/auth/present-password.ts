/** What takes more than a session: the password, once more. The routes that ask for it say so in `config.presence`. */
import type { FastifyRequest } from 'fastify';
import { isObject } from '../../config/json-schema.ts';
import { missing } from '../../config/problem.ts';
import { say } from '../../texts/text.ts';
import { invalidInput, invalidInputs } from '../api-error.ts';
import type { Auth } from './auth.ts';
import { deviceOf } from './cookies.ts';

/**
 * The `preHandler` hook of the API: in a session, lets a route with `config.presence` pass only with the present password.
 * Root, who reads the bootstrap token, needs none; API tokens have none, and `ownerOnly` shuts out those that may not.
 */
export const passwordAsker =
  (auth: Auth) =>
  async (request: FastifyRequest): Promise<void> => {
    const { presence: path } = request.routeOptions.config;
    if (path === undefined || request.principal?.kind !== 'session') return;
    const expected = say('the present password');
    const body: unknown = request.body;
    const password = isObject(body) ? body[path.slice(1)] : undefined;
    if (typeof password !== 'string') throw invalidInputs([missing(path, expected)]);
    const device = deviceOf(request.headers.cookie, auth.data.deviceKey);
    if (await auth.isOwner({ password, code: undefined, source: request.ip, device })) return;
    request.auditRefusal = say('The present password is wrong.');
    throw invalidInput(path, expected, say('is not {expected}', { expected }));
  };
