/** eBPF maps, and attaching programs to network devices, with bpf(2). libbpf.ts creates maps and programs. */
import { E, addressOf, check, errno, pinned, syscall } from './libc.ts';

const SYS_BPF = process.arch === 'x64' ? 321 : 280;
const COMMAND = {
  MAP_LOOKUP: 1,
  MAP_UPDATE: 2,
  MAP_DELETE: 3,
  PROGRAM_TEST_RUN: 10,
  OBJECT_INFO: 15,
  MAP_LOOKUP_AND_DELETE_BATCH: 25,
  LINK_CREATE: 28,
} as const;
const ATTACH_TCX_INGRESS = 46;
const ATTRIBUTE_BYTES = 72;

let calls = 0;
/** How many system calls of this file this thread has made. For tests. */
export const bpfCalls = (): number => calls;

function bpf(command: number, attributes: Uint8Array): number {
  calls++;
  return syscall(SYS_BPF, command, attributes, attributes.length);
}

/** The attributes of a call: `fill` writes fields at their offsets, in native order (little-endian on both processors). */
function attributes(fill: (view: DataView) => void): Uint8Array<ArrayBuffer> {
  const bytes = pinned(ATTRIBUTE_BYTES);
  fill(new DataView(bytes.buffer));
  return bytes;
}

/**
 * An operation on a map, prepared once. `key` and `value` are pinned memory that each call reads; `lookup` writes to `value`.
 * Returns false when there is no such entry, or, for `update`, no room.
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

/** The most entries that one system call removes: this many take about half a millisecond. */
export const ENTRIES_PER_CALL = 512;

/**
 * Removes all entries of a hash map with keys and values of these sizes, a batch with each call of the returned function. It
 * returns true as long as there may be more. Nothing may be added meanwhile.
 */
export function createMapDrain(map: number, keyBytes: number, valueBytes: number): () => boolean {
  const position = pinned(4);
  const keys = pinned(ENTRIES_PER_CALL * keyBytes);
  // The only call that removes several entries also returns them.
  const values = pinned(ENTRIES_PER_CALL * valueBytes);
  const request = attributes((view) => {
    view.setBigUint64(8, addressOf(position), true);
    view.setBigUint64(16, addressOf(keys), true);
    view.setBigUint64(24, addressOf(values), true);
    view.setUint32(36, map, true);
  });
  const view = new DataView(request.buffer);
  return () => {
    view.setUint32(32, ENTRIES_PER_CALL, true);
    const result = bpf(COMMAND.MAP_LOOKUP_AND_DELETE_BATCH, request);
    // The last entries are returned together with ENOENT.
    const isEnd = result < 0 && errno() === E.ENOENT;
    if (!isEnd) check(result, 'empty an eBPF map');
    // The next call continues where this one stopped, or starts from the beginning.
    view.setBigUint64(0, isEnd ? 0n : addressOf(position), true);
    return !isEnd;
  };
}

/** Runs a classifier on every packet that a device receives, until the returned descriptor is closed. */
export function attachToIngress(program: number, interfaceIndex: number, device: string): number {
  const request = attributes((view) => {
    view.setUint32(0, program, true);
    view.setUint32(4, interfaceIndex, true);
    view.setUint32(8, ATTACH_TCX_INGRESS, true);
  });
  // libbpf 1.1 does not know tcx.
  return check(bpf(COMMAND.LINK_CREATE, request), `attach an eBPF program to ${device} (Linux 6.6 or later)`);
}

/** struct bpf_link_info: of a tcx link, the index of its interface at 16. */
const LINK_INFO_BYTES = 64;

/**
 * Whether the program attached by `attachToIngress` still runs on its device: another program may have detached it, or the
 * device may be gone.
 */
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

/** struct __sk_buff */
const CONTEXT = { GSO_SEGMENTS: 164, GSO_SIZE: 176, BYTES: 192 } as const;

/**
 * Runs a classifier once on a packet with an Ethernet header; nothing is sent. With `gsoSizeBytes`, the packet represents
 * several packets with this much payload each. For tests.
 */
export function runClassifier(program: number, packet: Uint8Array, gsoSizeBytes = 0): TestRun {
  const input = pinned(packet.length);
  input.set(packet);
  const output = pinned(packet.length + 256);
  const context = pinned(CONTEXT.BYTES);
  new DataView(context.buffer).setUint32(CONTEXT.GSO_SIZE, gsoSizeBytes, true);
  const request = attributes((view) => {
    view.setUint32(0, program, true);
    view.setUint32(8, input.length, true);
    view.setUint32(12, output.length, true);
    view.setBigUint64(16, addressOf(input), true);
    view.setBigUint64(24, addressOf(output), true);
    view.setUint32(32, 1, true);
    view.setUint32(40, context.length, true);
    view.setBigUint64(48, addressOf(context), true);
  });
  check(bpf(COMMAND.PROGRAM_TEST_RUN, request), 'run an eBPF program');
  const view = new DataView(request.buffer);
  return { verdict: view.getInt32(4, true), packet: output.slice(0, view.getUint32(12, true)) };
}
