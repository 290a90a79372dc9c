/**
 * Replaces hardware-probe.ts: prints one part, an unknown part and the beginning of a third, then hangs as the library
 * may.
 */
import { execSync } from 'node:child_process';

process.stdout.write(
  '["os",{"distribution":"Debian GNU/Linux","release":"13","codename":null,"kernel":null,"architecture":"arm64"}]\n',
);
process.stdout.write('["nonsense",1]\n["memory",{"totalBytes":8');
// This process hangs, together with the program that it waits for.
execSync(`exec sleep ${process.env['TOMBOLO_STUB_SLEEP']}`);
