/** Shell scripts of the image and the device: shellcheck and shfmt find no problems. */
import assert from 'node:assert/strict';
import { globSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { runCommand } from '../../lab/host.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const files = [
  'build-image.sh',
  'tools/*.sh',
  'image/**/*',
  'firmware/rootfs/usr/libexec/tombolo/*',
  'firmware/rootfs/etc/initramfs-tools/**/*',
]
  .flatMap((pattern) => globSync(pattern, { cwd: ROOT }))
  .filter((file) => statSync(ROOT + file).isFile())
  .filter(
    (file) =>
      /^#!.*\bsh\b|^#!.*bash|^# shellcheck shell=/.test(readFileSync(ROOT + file, 'utf8')) ||
      file.endsWith('.sh'),
  );

test('there are scripts', () => assert.ok(files.length > 10, files.join(' ')));
for (const file of files) {
  test(file, async () => {
    const isChrootPart = file.endsWith('-run-chroot.sh');
    const lint = await runCommand(
      'shellcheck',
      ['--external-sources', '--exclude=SC1091', ...(isChrootPart ? ['--shell=bash'] : []), ROOT + file],
      { timeoutMs: 60_000 },
    );
    assert.equal(lint.code, 0, lint.stdout);
    const format = await runCommand('shfmt', ['-i', '2', '-ci', '-d', ROOT + file]);
    assert.equal(format.code, 0, format.stdout);
  });
}
