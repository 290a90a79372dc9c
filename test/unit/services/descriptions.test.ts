/** The descriptions of the services: the properties that users of the list rely on. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { OF_SERVICES } from '../../../src/admin/diagnostics/of-services.ts';
import { fillDefaults } from '../../../src/config/load.ts';
import { ConfigSchema } from '../../../src/config/schema.ts';
import { SERVICES } from '../../../src/services/all.ts';
import { portUses, portsOfOthers } from '../../../src/services/configured.ts';
import { EVENT_KINDS } from '../../../src/state/event-kinds.ts';
import {
  HISTORY_SERIES,
  HOST_SERIES,
  MACHINE_SERIES,
  SERVICE_SERIES,
} from '../../../src/state/history-series.ts';

const ROOT = join(import.meta.dirname, '../../../src');

const duplicatesIn = (names: readonly string[]) => names.filter((name, i) => names.indexOf(name) !== i);

test('names of services, series and kinds of events are used once', () => {
  const names = [...SERVICES.map(({ name }) => name), 'admin', 'network'];
  const series = [
    ...SERVICE_SERIES.map(({ name }) => name),
    ...Object.keys({ ...MACHINE_SERIES, ...HOST_SERIES }),
  ];
  for (const each of [names, series, EVENT_KINDS.map(({ name }) => name)])
    assert.deepEqual(duplicatesIn(each), []);
  assert.equal(
    Object.keys(HISTORY_SERIES).length,
    SERVICE_SERIES.length + Object.keys(MACHINE_SERIES).length,
  );
});

test('a kind of event has its own name in its shape, and the field that names the server', () => {
  for (const { name, shape, serverBy, addsServer } of EVENT_KINDS) {
    const fields = shape.properties ?? {};
    assert.equal(fields['kind']?.const, name);
    if (serverBy !== undefined) assert.ok(serverBy in fields, `${name}: ${serverBy}`);
    if (addsServer === true) assert.ok('server' in fields, name);
  }
});

test('series use existing counters of the service', () => {
  for (const { service, name, source } of SERVICE_SERIES) {
    if ('figure' in source) continue;
    const counters = Object.keys(SERVICES.find((each) => each.name === service)?.counters ?? {});
    assert.ok(
      counters.some((counter) => source.rateOf(counter)),
      name,
    );
  }
});

test('the paths that a service reports for a configuration exist in it', () => {
  const config = fillDefaults({
    hosts: [{ name: 'web1', address: '2001:db8:1::10', ssh: { port: 22_001 } }],
  });
  for (const { path, value } of portUses(config)) {
    const found = path
      .split('/')
      .slice(1)
      .reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], config);
    assert.equal(found, value, path);
  }
  const isTaken = (service: string) =>
    portsOfOthers(config, service).some(({ use, range }) => use === 'listens' && range.first === 22_001);
  assert.deepEqual([isTaken('forward'), isTaken('proxy')], [false, true]);
  // A part of the configuration belongs to its service, and has its name.
  const parts = Object.keys(ConfigSchema.properties);
  for (const { name, ports } of SERVICES) if (ports !== undefined) assert.ok(parts.includes(name), name);
});

test('checks of services have an existing heading', () => {
  const areas = ['network', 'ports', 'servers', 'names', 'system', ...SERVICES.map(({ name }) => name)];
  const checks = OF_SERVICES.flatMap(({ checks = [] }) => checks);
  const places = SERVICES.flatMap(({ place }) => place ?? []);
  for (const { area } of [...checks, ...places]) assert.ok(areas.includes(area), area);
});

/** Every file that is loaded together with another one: without types and `import()`. */
function loadedWith(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const source = readFileSync(join(ROOT, file), 'utf8');
  for (const [, names, path] of source.matchAll(/^(?:import|export) ([^;]*?) from '([^']+)';/gms)) {
    if (names.startsWith('type ') || /^\{\s*(type [^,}]+,?\s*)+\}$/.test(names)) continue;
    if (!path.startsWith('.')) assert.fail(`${file}: ${path}`);
    const other = normalize(join(dirname(file), path));
    if (existsSync(join(ROOT, other))) loadedWith(other, seen);
  }
  return seen;
}

test('descriptions are light: no system call, no package, no code of a data plane', () => {
  const heavy = /^os\/|\/(service|worker|explain[\w-]*|diagnostics|routes)\.ts$|\/checks\//;
  assert.deepEqual(
    [...loadedWith('services/all.ts')].filter((file) => heavy.test(file)),
    [],
  );
});
