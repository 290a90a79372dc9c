/** Which devices the kernel's part of the translator is attached to, as devices appear, disappear and refuse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAttachments } from '../../../../src/services/nat64/kernel/fast-path.ts';

/** Devices by name, with the reason of their refusal; undefined: they accept the program. */
function machine(devices: Record<string, string | undefined>) {
  const wanted = new Map<string, { index: number; linkHeaderBytes: number }>();
  const refusing = new Map<string, string>();
  const links: number[] = [];
  const logged: string[] = [];
  const set = (name: string, refusal?: string, index = wanted.size + 1) => {
    wanted.set(name, { index, linkHeaderBytes: 14 });
    if (refusal === undefined) refusing.delete(name);
    else refusing.set(name, refusal);
  };
  for (const [name, refusal] of Object.entries(devices)) set(name, refusal);
  return {
    wanted,
    set,
    links,
    logged,
    start: () =>
      createAttachments({
        wanted: () => wanted,
        attach(name, { index }) {
          const refusal = refusing.get(name);
          if (refusal !== undefined) throw new Error(refusal);
          links.push(index);
          return index;
        },
        detach: (link) => void (links.includes(link) && links.splice(links.indexOf(link), 1)),
        isAttached: (link) => links.includes(link),
        log: { warn: (fields) => void logged.push((fields as { device: string }).device) },
      }),
  };
}

test('a device that refuses at the start does not affect the programs of the others, and is reported once for each reason', () => {
  const { set, start, links, logged } = machine({ bond0: 'not supported', wan: undefined, lan: undefined });
  using attachments = start();
  assert.deepEqual(attachments.devices, ['wan', 'lan']);
  for (let i = 0; i < 3; i++) attachments.refresh();
  assert.deepEqual(logged, ['bond0']);
  set('bond0', 'busy', 1);
  attachments.refresh();
  attachments.refresh();
  assert.deepEqual(logged, ['bond0', 'bond0']);
  set('bond0', undefined, 1);
  attachments.refresh();
  assert.deepEqual(attachments.devices, ['wan', 'lan', 'bond0']);
  assert.equal(links.length, 3);
});

test('a program that another program has detached is noticed, and attached again', () => {
  const { start, links } = machine({ wan: undefined, lan: undefined });
  using attachments = start();
  links.splice(0, 1);
  // `follow` must not attach it: that would hide the loss from the keeper, which reports it.
  attachments.follow();
  assert.deepEqual(
    [...attachments.attached()],
    [
      ['wan', false],
      ['lan', true],
    ],
  );
  attachments.refresh();
  assert.deepEqual([...attachments.attached().values()], [true, true]);
  assert.deepEqual(links.toSorted(), [1, 2]);
});

test('devices that appear, disappear and come back with another index', () => {
  const { wanted, set, start, links, logged } = machine({ wan: undefined });
  const attachments = start();
  set('ppp0', undefined, 7);
  set('odd', 'not supported', 8);
  attachments.refresh();
  assert.deepEqual(attachments.devices, ['wan', 'ppp0']);
  set('ppp0', undefined, 9);
  wanted.delete('odd');
  attachments.refresh();
  assert.deepEqual(links, [1, 9]);
  // It refuses again after it had disappeared: this is reported again.
  set('odd', 'not supported', 8);
  attachments.refresh();
  assert.deepEqual(logged, ['odd', 'odd']);
  attachments[Symbol.dispose]();
  assert.deepEqual(links, []);
});

test('if every device refuses, the start fails; without devices it waits for one', () => {
  const { start, logged } = machine({ wan: 'no tcx', lan: 'no tcx' });
  assert.throws(start, /no tcx/);
  assert.deepEqual(logged, []);
  const later = machine({});
  using attachments = later.start();
  later.set('wan');
  attachments.refresh();
  assert.deepEqual(attachments.devices, ['wan']);
});
