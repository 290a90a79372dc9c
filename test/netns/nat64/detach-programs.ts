/** Detaches every eBPF program from the receive side of a device, as another program could: `node detach-programs.ts DEVICE`. */
import { readFileSync } from 'node:fs';
import { addressOf, check, pinned, syscall } from '../../../src/os/libc.ts';

const SYS_BPF = process.arch === 'x64' ? 321 : 280;
const PROG_QUERY = 16;
const LINK_GET_FD_BY_ID = 30;
const LINK_DETACH = 34;
const ATTACH_TCX_INGRESS = 46;
const MOST = 8;

const bpf = (command: number, fill: (view: DataView) => void): number => {
  const bytes = pinned(72);
  fill(new DataView(bytes.buffer));
  const result = check(syscall(SYS_BPF, command, bytes, bytes.length), `bpf command ${command}`);
  return command === PROG_QUERY ? new DataView(bytes.buffer).getUint32(24, true) : result;
};

const index = Number(readFileSync(`/sys/class/net/${process.argv[2]}/ifindex`, 'utf8'));
const programs = pinned(4 * MOST);
const links = pinned(4 * MOST);
const count = bpf(PROG_QUERY, (view) => {
  view.setUint32(0, index, true);
  view.setUint32(4, ATTACH_TCX_INGRESS, true);
  view.setBigUint64(16, addressOf(programs), true);
  view.setUint32(24, MOST, true);
  view.setBigUint64(40, addressOf(links), true);
});
for (let i = 0; i < count; i++) {
  const id = new DataView(links.buffer).getUint32(4 * i, true);
  const fd = bpf(LINK_GET_FD_BY_ID, (view) => view.setUint32(0, id, true));
  bpf(LINK_DETACH, (view) => view.setUint32(0, fd, true));
}
console.log(count);
