/** SSH to the appliance itself: off until a key is added. */
import type { FastifyInstance } from 'fastify';
import { type ApplianceSsh, MOST_SSH_KEYS, sshFingerprint } from '../../os/appliance-ssh.ts';
import { say, type Text } from '../../texts/text.ts';
import {
  parseSshPublicKey,
  SSH_KEY_TYPES,
  type SshKeyProblem,
  type SshPublicKey,
} from '../../wire/ssh-public-key.ts';
import type { AdminDeps } from '../deps.ts';
import { ErrorAnswer } from '../contract/common.ts';
import { SshKeyBody, SshKeyParams, SystemSshAnswer } from '../contract/system-ssh.ts';
import { ApiError, invalidInput, notPossibleHere } from '../api-error.ts';

/** Enough for a line with a key of 16384 bits. */
const BODY_LIMIT_BYTES = 12_288;

const PROBLEMS: Readonly<Record<SshKeyProblem, () => Text>> = {
  private: () =>
    say(
      'is the private half of a key, which must not leave its machine. Make a new pair (ssh-keygen -t ed25519), and paste the file that ends in .pub',
    ),
  rfc4716: () => say('is in the SSH2 format; `ssh-keygen -i -f FILE` makes the line of it'),
  options: () => say('has options before the key: leave them out, from the type on is enough'),
  lines: () => say('has more than one line: add one key after the other'),
  type: () =>
    say('does not begin with the type of a key; expected one of {types}', {
      types: SSH_KEY_TYPES.join(', '),
    }),
  damaged: () => say('is damaged: what follows the type is not a whole key of that type'),
  short: () => say('is an RSA key of fewer than 2048 bits: make a better one (ssh-keygen -t ed25519)'),
};

const describe = (key: SshPublicKey) => ({ fingerprint: sshFingerprint(key), type: key.type });

const answer = async (ssh: ApplianceSsh): Promise<SystemSshAnswer> => {
  const hostKey = ssh.hostKey();
  return {
    isRunning: await ssh.isRunning(),
    keys: ssh.keys().map((key) => ({ ...describe(key), comment: key.comment })),
    hostKey: hostKey === undefined ? null : describe(hostKey),
  };
};

export const systemSshRoutes =
  ({ live: { actions } }: AdminDeps) =>
  async (app: FastifyInstance) => {
    const response = { 200: SystemSshAnswer, 409: ErrorAnswer };
    // A stolen API token must not give root access.
    const config = { scope: 'system', ownerOnly: true } as const;
    const sshOrRefusal = (): ApplianceSsh => {
      if (actions.ssh === undefined) throw notPossibleHere();
      return actions.ssh;
    };

    app.get(
      '/system/ssh',
      { config: { scope: 'read' }, schema: { summary: 'Who may log in to the appliance by SSH', response } },
      async (): Promise<SystemSshAnswer> => answer(sshOrRefusal()),
    );

    app.post<{ Body: SshKeyBody }>(
      '/system/ssh/keys',
      {
        config: { ...config, presence: '/password' },
        bodyLimit: BODY_LIMIT_BYTES,
        schema: { summary: 'Lets a key log in to the appliance by SSH, as root', body: SshKeyBody, response },
      },
      async (request): Promise<SystemSshAnswer> => {
        const ssh = sshOrRefusal();
        const key = parseSshPublicKey(request.body.key);
        if (typeof key === 'string') {
          const expected = say('one line of an OpenSSH public key file, such as id_ed25519.pub');
          throw invalidInput('/key', expected, PROBLEMS[key]());
        }
        request.auditTarget = sshFingerprint(key);
        const outcome = await ssh.add(key);
        if (outcome === 'full') {
          throw new ApiError(
            409,
            'too-many',
            say('There are {count} keys already; remove one first.', { count: MOST_SSH_KEYS }),
          );
        }
        if (outcome === 'known') {
          throw new ApiError(409, 'key-known', say('This key may log in already.'));
        }
        return answer(ssh);
      },
    );

    app.delete<{ Params: SshKeyParams }>(
      '/system/ssh/keys/:fingerprint',
      {
        config,
        schema: { summary: 'Removes a key that may log in by SSH', params: SshKeyParams, response },
      },
      async (request): Promise<SystemSshAnswer> => {
        const ssh = sshOrRefusal();
        const { fingerprint } = request.params;
        request.auditTarget = fingerprint;
        if (!(await ssh.remove(fingerprint))) {
          throw new ApiError(404, 'not-found', say('There is no key "{fingerprint}".', { fingerprint }));
        }
        return answer(ssh);
      },
    );
  };
