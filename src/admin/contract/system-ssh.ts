/** The shapes of system/ssh: who may log in to the appliance itself. */
import { type Static, Type } from '../../config/json-schema.ts';
import { AskedPassword } from './auth.ts';
import { Nullable, strict } from './common.ts';

const key = {
  /** "SHA256:...", as `ssh-keygen -l` shows it. */
  fingerprint: Type.String(),
  /** "ssh-ed25519", ... */
  type: Type.String(),
};

/** GET system/ssh; 409 if SSH is not possible. SSH is on as long as there is a key. */
export const SystemSshAnswer = Type.Object({
  /** Whether sshd runs; it starts and stops a second or two after the first key is added or the last removed. */
  isRunning: Type.Boolean(),
  keys: Type.Array(Type.Object({ ...key, comment: Type.String() })),
  /** The fingerprint that `ssh` shows at the first login, to compare; null until SSH has been on. */
  hostKey: Nullable(Type.Object(key)),
});

/** POST system/ssh/keys. DELETE system/ssh/keys/:fingerprint removes one. Both answer SystemSshAnswer. */
export const SshKeyBody = Type.Object(
  {
    // People sometimes paste the private key: an error never repeats the value.
    key: Type.String({
      writeOnly: true,
      title: 'Public key',
      expected: 'one line of an OpenSSH public key file, such as id_ed25519.pub',
    }),
    password: AskedPassword,
  },
  { ...strict, expected: 'an object with the fields "key" and "password"' },
);
export const SshKeyParams = Type.Object(
  {
    fingerprint: Type.String({
      pattern: '^SHA256:[A-Za-z0-9+/]{43}$',
      title: 'Fingerprint of the key',
      expected: '"SHA256:" and 43 characters, as GET system/ssh has it',
    }),
  },
  strict,
);

export type SystemSshAnswer = Static<typeof SystemSshAnswer>;
export type SshKeyBody = Static<typeof SshKeyBody>;
export type SshKeyParams = Static<typeof SshKeyParams>;
