/** The files of the state directory: any content is either what we write, or rejected with an Error. */
import assert from 'node:assert/strict';
import { parseToken } from '../../src/admin/auth/bootstrap-token.ts';
import { parseAuthData } from '../../src/admin/auth/state-file.ts';
import { parseCertificate } from '../../src/admin/certificate/keep.ts';
import { type PendingChange, documentOf, parsePending } from '../../src/config/pending.ts';
import { readEntries } from '../../src/config/revisions.ts';
import { allotPorts } from '../../src/services/forward/allot-ports.ts';
import { parseAllotments } from '../../src/services/forward/allotment-file.ts';
import type { FuzzTarget } from './target.ts';

/** Passes content that `parse` accepts to `use`; a refusal must be an Error. */
function target<T>(
  name: string,
  seeds: readonly string[],
  parse: (content: Buffer) => T,
  use: (value: T) => void,
): FuzzTarget {
  return {
    name,
    seeds: seeds.map((seed) => Buffer.from(seed)),
    run(bytes) {
      let value: T;
      try {
        value = parse(Buffer.from(bytes));
      } catch (error) {
        assert.ok(error instanceof Error && error.message !== '');
        assert.ok(!(error instanceof TypeError), String(error));
        return;
      }
      use(value);
    },
  };
}

const PENDING: PendingChange = {
  version: 1,
  previousText: '{}',
  previousRevision: 'a',
  text: '{"admin":{"port":8065}}',
  revision: 'b',
  by: 'owner',
  why: 'apply',
  reason: { say: 'Back to revision {id}.', values: { id: 3 } },
  appliedAt: '2026-01-02T03:04:05.000Z',
  confirmBy: '2026-01-02T03:05:05.000Z',
};

const HASH = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'B'.repeat(43)}`;
const AUTH = {
  version: 1,
  password: null,
  totp: { secret: 'ABCDEFGH', lastStep: 3 },
  sessions: [{ id: 'a', hash: 'b', createdAtMs: 1, lastSeenAtMs: 2, source: '192.0.2.1', userAgent: null }],
  tokens: [
    { id: 'a', hash: 'b', name: 'c', scope: 'read', createdAtMs: 1, expiresAtMs: null, lastUsedAtMs: null },
  ],
  deviceKey: 'k',
};

const revisionLine = (id: number) =>
  `{"id":${id},"revision":"r","at":"2026-01-02T03:04:05.000Z","by":"owner","why":"apply","reason":"","changes":1}\t{"hosts":[]}\n`;

export const stateFileTargets = (): FuzzTarget[] => [
  target('pending-change', [JSON.stringify(PENDING)], parsePending, (change) => {
    assert.ok(change.previousText === null || typeof change.previousText === 'string');
    documentOf(change);
  }),
  target(
    'auth-data',
    [JSON.stringify(AUTH), JSON.stringify({ ...AUTH, totp: null, password: HASH })],
    parseAuthData,
    ({ sessions, tokens, totp }) => {
      assert.ok(sessions.every(({ hash }) => hash !== '') && tokens.every(({ hash }) => hash !== ''));
      assert.ok(totp === null || totp.secret !== '');
    },
  ),
  target(
    'ssh-ports',
    ['{"version":1,"ports":{"web1":{"port":22001},"web2":{"port":22002,"releasedAtMs":5}}}'],
    parseAllotments,
    (previous) => {
      const ports = Object.values(
        allotPorts({ hosts: [], range: { first: 1, last: 65535 }, reservedPorts: [], previous, nowMs: 0 }),
      ).map(({ port }) => port);
      assert.equal(new Set(ports).size, ports.length);
    },
  ),
  target('admin-token', [`${'a'.repeat(43)}\n`], parseToken, (token) =>
    assert.match(token, /^[A-Za-z0-9_-]{43}$/),
  ),
  target(
    'admin-certificate',
    ['-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
    parseCertificate,
    (pem) => assert.match(pem, /BEGIN/),
  ),
  target('revisions', [revisionLine(1) + revisionLine(2)], readEntries, (entries) => {
    for (const { revision, bytes } of entries)
      assert.ok(Number.isSafeInteger(revision.id) && typeof revision.at === 'string' && bytes > 0);
  }),
];
