/** eBPF maps and programs, and their attachment to network devices: bpf(2). */
import { E, addressOf, check, errno, pinned, syscall } from './libc.ts';

const SYS_BPF = process.arch === 'x64' ? 321 : 280;
const COMMAND = {
  MAP_CREATE: 0,
  MAP_LOOKUP: 1,
  MAP_UPDATE: 2,
  MAP_DELETE: 3,
  MAP_NEXT_KEY: 4,
  PROGRAM_LOAD: 5,
  PROGRAM_TEST_RUN: 10,
  OBJECT_INFO: 15,
  LINK_CREATE: 28,
} as const;
const MAP_TYPE_HASH = 1;
const MAP_TYPE_PER_CPU_ARRAY = 6;
/** Elements take memory when they are added, not when the map is made. */
const F_NO_PREALLOC = 1;
const PROGRAM_TYPE_SCHED_CLS = 3;
const ATTACH_TCX_INGRESS = 46;
const ATTRIBUTE_BYTES = 72;
const LOG_BYTES = 1 << 18;
/** What the kernel lets call any helper function: we are MIT, which is compatible. */
const LICENSE = 'Dual MIT/GPL';

const bpf = (command: number, attributes: Uint8Array): number =>
  syscall(SYS_BPF, command, attributes, attributes.length);

/** The attributes of a call: `fill` writes fields, by offset, in native order (little-endian on both processors). */
function attributes(fill: (view: DataView) => void): Uint8Array<ArrayBuffer> {
  const bytes = pinned(ATTRIBUTE_BYTES);
  fill(new DataView(bytes.buffer));
  return bytes;
}

function createMap(type: number, keyBytes: number, valueBytes: number, entries: number, flags: number) {
  const request = attributes((view) => {
    view.setUint32(0, type, true);
    view.setUint32(4, keyBytes, true);
    view.setUint32(8, valueBytes, true);
    view.setUint32(12, entries, true);
    view.setUint32(16, flags, true);
  });
  return check(bpf(COMMAND.MAP_CREATE, request), `make an eBPF map of ${entries} entries`);
}

/** A hash table in the kernel; returns its descriptor. */
export const createHashMap = (keyBytes: number, valueBytes: number, maxEntries: number): number =>
  createMap(MAP_TYPE_HASH, keyBytes, valueBytes, maxEntries, F_NO_PREALLOC);

/** An array with a value for each CPU, of one entry; returns its descriptor. */
export const createPerCpuValue = (valueBytes: number): number =>
  createMap(MAP_TYPE_PER_CPU_ARRAY, 4, valueBytes, 1, 0);

/**
 * An operation on a map, prepared once: `key` and `value` are pinned memory that each call reads, or for `lookup` writes.
 * False when there is no such entry, or for `update` no room.
 */
export function mapOperation(
  operation: 'lookup' | 'update' | 'delete',
  map: number,
  key: Uint8Array,
  value?: Uint8Array,
): () => boolean {
  const command = { lookup: COMMAND.MAP_LOOKUP, update: COMMAND.MAP_UPDATE, delete: COMMAND.MAP_DELETE }[
    operation
  ];
  const request = attributes((view) => {
    view.setUint32(0, map, true);
    view.setBigUint64(8, addressOf(key), true);
    if (value !== undefined) view.setBigUint64(16, addressOf(value), true);
  });
  return () => {
    if (bpf(command, request) >= 0) return true;
    const code = errno();
    if (code === E.ENOENT || code === E.E2BIG || code === E.ENOMEM || code === E.EBUSY) return false;
    check(-1, `${operation} in an eBPF map`);
    return false;
  };
}

/** Removes every entry of a hash map whose keys have so many bytes. */
export function clearMap(map: number, keyBytes: number): void {
  const key = pinned(keyBytes);
  const first = attributes((view) => {
    view.setUint32(0, map, true);
    view.setBigUint64(16, addressOf(key), true);
  });
  const remove = mapOperation('delete', map, key);
  while (bpf(COMMAND.MAP_NEXT_KEY, first) >= 0) remove();
}

/**
 * Loads a classifier of packets and returns its descriptor. Throws when the kernel refuses it, with the last lines of
 * the verifier's log.
 */
export function loadClassifier(name: string, instructions: Uint8Array<ArrayBuffer>): number {
  const license = pinned(LICENSE.length + 1);
  license.set(new TextEncoder().encode(LICENSE));
  const load = (log: Uint8Array | undefined) =>
    bpf(
      COMMAND.PROGRAM_LOAD,
      attributes((view) => {
        view.setUint32(0, PROGRAM_TYPE_SCHED_CLS, true);
        view.setUint32(4, instructions.length / 8, true);
        view.setBigUint64(8, addressOf(instructions), true);
        view.setBigUint64(16, addressOf(license), true);
        if (log !== undefined) {
          view.setUint32(24, 1, true);
          view.setUint32(28, log.length, true);
          view.setBigUint64(32, addressOf(log), true);
        }
        for (let i = 0; i < Math.min(name.length, 15); i++) view.setUint8(48 + i, name.charCodeAt(i));
      }),
    );
  const fd = load(undefined);
  if (fd >= 0) return fd;
  const code = errno();
  const attempted = `load the eBPF program "${name}"`;
  if (code === E.EPERM || code === E.ENOSYS) return check(fd, attempted);
  // Once more, to be told why.
  const log = pinned(LOG_BYTES);
  const again = load(log);
  if (again >= 0) return again;
  const text = new TextDecoder().decode(log.subarray(0, log.indexOf(0))).trim();
  return check(again, text === '' ? attempted : `${attempted}: ${text.split('\n').slice(-8).join(' | ')}`);
}

/** Runs a classifier on every packet that a device receives; until the descriptor that it returns is closed. */
export function attachToIngress(program: number, interfaceIndex: number, device: string): number {
  const request = attributes((view) => {
    view.setUint32(0, program, true);
    view.setUint32(4, interfaceIndex, true);
    view.setUint32(8, ATTACH_TCX_INGRESS, true);
  });
  return check(bpf(COMMAND.LINK_CREATE, request), `attach an eBPF program to ${device} (Linux 6.6 or later)`);
}

/** struct bpf_link_info: of a tcx link, the index of its interface at 16. */
const LINK_INFO_BYTES = 64;

/** Whether what `attachToIngress` returned still runs on its device: another program may have detached it, or the device be gone. */
export function isAttachedToIngress(link: number): boolean {
  const info = pinned(LINK_INFO_BYTES);
  const request = attributes((view) => {
    view.setUint32(0, link, true);
    view.setUint32(4, info.length, true);
    view.setBigUint64(8, addressOf(info), true);
  });
  if (bpf(COMMAND.OBJECT_INFO, request) < 0) return false;
  return new DataView(info.buffer).getUint32(16, true) !== 0;
}

/** What a classifier did to a packet. */
export interface TestRun {
  readonly verdict: number;
  readonly packet: Uint8Array<ArrayBuffer>;
}

/** Runs a classifier once on a packet with an Ethernet header; nothing is sent. For tests. */
export function runClassifier(program: number, packet: Uint8Array): TestRun {
  const input = pinned(packet.length);
  input.set(packet);
  const output = pinned(packet.length + 256);
  const request = attributes((view) => {
    view.setUint32(0, program, true);
    view.setUint32(8, input.length, true);
    view.setUint32(12, output.length, true);
    view.setBigUint64(16, addressOf(input), true);
    view.setBigUint64(24, addressOf(output), true);
    view.setUint32(32, 1, true);
  });
  check(bpf(COMMAND.PROGRAM_TEST_RUN, request), 'run an eBPF program');
  const view = new DataView(request.buffer);
  return { verdict: view.getInt32(4, true), packet: output.slice(0, view.getUint32(12, true)) };
}
