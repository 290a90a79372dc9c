/**
 * Replaces hardware-probe.ts: prints one part, a part that is not known and the beginning of a third, then hangs as the library
 * may.
 */
import { execSync } from 'node:child_process';

process.stdout.write(
  '["os",{"distribution":"Debian GNU/Linux","release":"13","codename":null,"kernel":null,"architecture":"arm64"}]\n',
);
process.stdout.write('["nonsense",1]\n["memory",{"totalBytes":8');
// Our own process stands still, and so does what it waits for.
execSync(`exec sleep ${process.env['TOMBOLO_STUB_SLEEP']}`);
