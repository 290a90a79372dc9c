/**
 * Makes the TUN device "nat64", and injects packets through it as if a translator had made them: they are given as hex, one per
 * line. Prints "ready", then "sent" after each.
 */
import { createInterface } from 'node:readline';
import { ipBatch } from '../../../src/os/routes.ts';
import { check, pinned, write } from '../../../src/os/libc.ts';
import { writeSysctl } from '../../../src/os/sysctl.ts';
import { openTun } from '../../../src/os/tun.ts';

const { fd } = openTun('nat64', false);
await ipBatch(['link set dev nat64 up']);
writeSysctl('net/ipv4/conf/nat64/accept_local', '1');
writeSysctl('net/ipv4/conf/nat64/rp_filter', '0');
console.log('ready');
for await (const hex of createInterface({ input: process.stdin })) {
  const bytes = pinned(hex.length / 2);
  bytes.set(Buffer.from(hex, 'hex'));
  check(write(fd, bytes, bytes.length), `write ${hex}`);
  console.log('sent');
}
