/** The shapes of backup and restore. */
import { type Static, Type } from '../../runtime/shape.ts';
import { DiffEntry } from './apply.ts';
import { AskedPassword } from './auth.ts';
import { strict } from './common.ts';

const passphrase = Type.String({
  pattern: '^.{8,200}$',
  title: 'Passphrase of the backup',
  expected: '8 to 200 characters',
});

/** POST backup answers with the file (application/octet-stream, with a name in Content-Disposition). */
export const BackupBody = Type.Object(
  { passphrase, password: AskedPassword },
  { ...strict, expected: 'an object with the fields "passphrase" and "password"' },
);

/** POST restore?dryRun=true reports what would change; without dryRun the change is made. */
export const RestoreBody = Type.Object(
  {
    /** The file in base64. */
    file: Type.String({
      pattern: '^[A-Za-z0-9+/]+={0,2}$',
      title: 'The backup file',
      expected: 'the file in base64',
    }),
    passphrase,
    password: AskedPassword,
  },
  { ...strict, expected: 'an object with the fields "file", "passphrase" and "password"' },
);

export const RestoreAnswer = Type.Object({
  /** About the backup. */
  createdAt: Type.String(),
  version: Type.String(),
  hostname: Type.String(),
  entries: Type.Array(
    Type.Object({
      /** Path in the backup: "config.json", "state/ssh-ports.json", ... */
      name: Type.String(),
      bytes: Type.Integer(),
      change: Type.Union([Type.Literal('same'), Type.Literal('new'), Type.Literal('replaces')]),
      /** A description for people. */
      title: Type.String(),
    }),
  ),
  /** For the configuration: from the active one to the one in the backup. */
  diff: Type.Array(DiffEntry),
  isDryRun: Type.Boolean(),
  /** The process restarts to use the restored data: expect a few seconds without answers. */
  restarts: Type.Boolean(),
});

export type BackupBody = Static<typeof BackupBody>;
export type RestoreBody = Static<typeof RestoreBody>;
export type RestoreAnswer = Static<typeof RestoreAnswer>;
