/** The lockfile works on every platform: npm drops the packages of other platforms when it writes the file on one of them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface LockedPackage {
  readonly link?: boolean;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(
  readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
) as { packages: Readonly<Record<string, LockedPackage>> };

test('every optional package of every package is locked, whatever the platform', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`${path}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
    ),
  );
  assert.deepEqual(missing, [], 'npm install --package-lock-only adds them');
});

test('every package has an integrity and comes from the configured registry of npm', () => {
  const wrong = Object.entries(packages).filter(
    ([path, { integrity, resolved }]) => path !== '' && (integrity === undefined || resolved !== undefined),
  );
  assert.deepEqual(
    wrong.map(([path]) => path),
    [],
  );
});
