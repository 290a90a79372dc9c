/** Actions that need more than a session: the password must be sent again. Routes that need it say so in `config.presence`. */
import type { FastifyRequest } from 'fastify';
import { isObject } from '../../config/json-schema.ts';
import { missing } from '../../config/problem.ts';
import { say } from '../../texts/text.ts';
import { invalidInput, invalidInputs } from '../api-error.ts';
import type { Auth } from './auth.ts';
import { deviceOf } from './cookies.ts';

/**
 * The `preHandler` hook of the API: in a session, a route with `config.presence` needs the present password. The bootstrap
 * token needs none, because only root can read it. API tokens have no password; `ownerOnly` excludes those that may not use the
 * route.
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
