/** How the owner signs in: the password and the authenticator app. Not for API tokens. */
import { hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { NotKeptError } from '../auth/state-file.ts';
import { acceptedStep, newTotp } from '../auth/totp.ts';
import type { AdminDeps, BuildOptions } from '../deps.ts';
import {
  PasswordBody,
  SessionAnswer,
  TotpConfirmBody,
  TotpRemoveBody,
  TotpSecretAnswer,
} from '../contract/auth.ts';
import { ApiError, invalidInput } from '../api-error.ts';
import { SMALL_BODY_BYTES, sessionAnswer, signIn } from './session.ts';
import { say, secondOf } from '../../texts/text.ts';

const CONFIRM_TOTP_MS = 600_000;

const config = { scope: 'system', ownerOnly: true } as const;

export const accountRoutes = (_deps: AdminDeps, options: BuildOptions) => async (app: FastifyInstance) => {
  const { auth } = options;
  const { data } = auth;
  let pendingTotp: { readonly secret: string; readonly endMs: number } | undefined;

  app.put<{ Body: PasswordBody }>(
    '/password',
    {
      config: { ...config, presence: '/current' },
      bodyLimit: SMALL_BODY_BYTES,
      schema: {
        summary: 'Changes the password and ends every other session',
        body: PasswordBody,
        response: { 200: SessionAnswer },
      },
    },
    async (request, reply) => {
      const unkept = await auth.setPassword(request.body.next, '/next').catch((error: unknown) => {
        if (error instanceof NotKeptError) return error;
        throw error;
      });
      options.onClaimed();
      const answer =
        request.principal?.kind === 'session'
          ? await signIn(request, reply, options)
          : sessionAnswer(request, options);
      if (unkept !== undefined) throw unkept;
      return answer;
    },
  );

  app.post(
    '/totp',
    {
      config,
      schema: { summary: 'Makes a secret for an authenticator app', response: { 200: TotpSecretAnswer } },
    },
    async (): Promise<TotpSecretAnswer> => {
      if (data.totp !== null) {
        throw new ApiError(409, 'totp-on', say('The second factor is already on; switch it off first.'));
      }
      const { secret, uri } = await newTotp(hostname());
      pendingTotp = { secret, endMs: auth.monotonicNow() + CONFIRM_TOTP_MS };
      return { secret, uri, confirmBy: new Date(auth.now() + CONFIRM_TOTP_MS).toISOString() };
    },
  );

  app.put<{ Body: TotpConfirmBody }>(
    '/totp',
    {
      config: { ...config, presence: '/password' },
      bodyLimit: SMALL_BODY_BYTES,
      schema: {
        summary: 'Switches the second factor on',
        body: TotpConfirmBody,
        response: { 200: SessionAnswer },
      },
    },
    async (request) => {
      if (pendingTotp === undefined || auth.monotonicNow() > pendingTotp.endMs) {
        throw new ApiError(409, 'no-totp-secret', say('Request a secret first, with POST totp.'));
      }
      const { secret } = pendingTotp;
      const step = await acceptedStep(secret, request.body.code, 0, auth.now());
      if (step === undefined) {
        const expected = say('the code that the authenticator app shows now');
        const clock = secondOf(new Date(auth.now()).toISOString());
        throw invalidInput(
          '/code',
          expected,
          say("is not {expected}; the appliance's clock says {clock}", { expected, clock }),
        );
      }
      pendingTotp = undefined;
      data.totp = { secret, lastStep: step };
      await auth.save();
      return sessionAnswer(request, options);
    },
  );

  app.delete<{ Body: TotpRemoveBody }>(
    '/totp',
    {
      config: { ...config, presence: '/password' },
      bodyLimit: SMALL_BODY_BYTES,
      schema: {
        summary: 'Switches the second factor off',
        body: TotpRemoveBody,
        response: { 200: SessionAnswer },
      },
    },
    async (request) => {
      data.totp = null;
      await auth.save();
      return sessionAnswer(request, options);
    },
  );
};
