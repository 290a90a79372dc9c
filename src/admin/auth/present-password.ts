/** What takes more than being signed in: the password, once more. */
import type { FastifyRequest } from 'fastify';
import { missing } from '../../config/problem.ts';
import { say } from '../../texts/text.ts';
import { invalidInput, invalidInputs } from '../errors.ts';
import type { Auth } from './auth.ts';
import { deviceOf } from './cookies.ts';

/**
 * Throws unless the present password came along; `path` is its JSON pointer. Root, who reads the bootstrap token, needs
 * none.
 */
export async function requirePassword(
  auth: Auth,
  request: FastifyRequest,
  password: string | undefined,
  path: string,
): Promise<void> {
  if (request.principal?.kind === 'bootstrap') return;
  const expected = say('the present password');
  if (password === undefined) throw invalidInputs([missing(path, expected)]);
  const device = deviceOf(request.headers.cookie, auth.data.deviceKey);
  if (await auth.isOwner({ password, code: undefined, source: request.ip, device })) return;
  request.auditRefusal = say('The present password is wrong.');
  throw invalidInput(path, expected, say('is not {expected}', { expected }));
}
