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

/** POST restore?dryRun=true tells what would change; without dryRun it changes it. */
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
      /** What it is, in words. */
      title: Type.String(),
    }),
  ),
  /** Of the configuration, from what is in force to what is in the backup. */
  diff: Type.Array(DiffEntry),
  isDryRun: Type.Boolean(),
  /** The process starts again to use what was restored: expect a few seconds without answers. */
  restarts: Type.Boolean(),
});

export type BackupBody = Static<typeof BackupBody>;
export type RestoreBody = Static<typeof RestoreBody>;
export type RestoreAnswer = Static<typeof RestoreAnswer>;
