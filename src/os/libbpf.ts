/**
 * Loads eBPF objects with Debian's libbpf (libbpf.so.1: 1.1 in Debian 12, 1.5 in Debian 13). It reads the ELF file, creates the
 * maps and relocates the programs. After loading, bpf.ts works on both with bpf(2), and libbpf is no longer used.
 */
import koffi from 'koffi';
import { TextError, reasonOf, say } from '../texts/text.ts';
import { SystemCallError, check, close, fcntl, pinned } from './libc.ts';

const LIBRARY = 'libbpf.so.1';
const F_DUPFD_CLOEXEC = 1030;
const LOG_BYTES = 1 << 18;
/** The map that libbpf creates for constants. */
const CONSTANTS = '.rodata';

/** An object, a map or a program of libbpf. */
type Pointer = unknown;

interface Library {
  readonly open: (file: string, options: null) => Pointer | null;
  readonly load: (object: Pointer) => number;
  readonly closeObject: (object: Pointer) => void;
  readonly findMap: (object: Pointer, name: string) => Pointer | null;
  readonly setMaxEntries: (map: Pointer, entries: number) => number;
  readonly setInitialValue: (map: Pointer, value: Uint8Array, bytes: number) => number;
  readonly mapFd: (map: Pointer) => number;
  readonly findProgram: (object: Pointer, name: string) => Pointer | null;
  readonly setLog: (program: Pointer, log: Uint8Array, bytes: number) => number;
  readonly programFd: (program: Pointer) => number;
}

export interface BpfObjectOptions {
  readonly file: string;
  /** By map: the maximum number of entries, for maps whose size is set here. */
  readonly maxEntries: Readonly<Record<string, number>>;
  /** The object's constants, in the order of their declaration. */
  readonly constants: Uint8Array<ArrayBuffer>;
  /** The maps and programs to return. */
  readonly maps: readonly string[];
  readonly programs: readonly string[];
  /** For tests. */
  readonly library?: string | undefined;
}

/** Descriptors by name, valid until disposed. */
export interface BpfObject extends Disposable {
  readonly maps: Readonly<Record<string, number>>;
  readonly programs: Readonly<Record<string, number>>;
}

/**
 * Loads an object into the kernel. Throws with what is missing: the library, a permission, or what the verifier rejects, with
 * the last lines of its log.
 */
export function loadBpfObject(options: BpfObjectOptions): BpfObject {
  const library = openLibrary(options.library ?? LIBRARY);
  try {
    return load(library, options, []);
  } catch {
    // Load it again, to get the reason.
    return load(
      library,
      options,
      options.programs.map(() => pinned(LOG_BYTES)),
    );
  }
}

/** `logs`: receives what the verifier says about each program, if wanted. */
function load(library: Library, options: BpfObjectOptions, logs: readonly Uint8Array[]): BpfObject {
  const { file, maxEntries, constants } = options;
  using cleanUp = new DisposableStack();
  const object = found(library.open(file, null), `open the eBPF object ${file}`);
  cleanUp.defer(() => library.closeObject(object));
  const mapOf = (name: string) => found(library.findMap(object, name), `the map "${name}" of ${file}`);
  const programOf = (name: string) =>
    found(library.findProgram(object, name), `the program "${name}" of ${file}`);
  const must = (result: number, attempted: string): number => {
    if (result < 0) throw new SystemCallError(attempted, -result);
    return result;
  };
  for (const [name, entries] of Object.entries(maxEntries))
    must(library.setMaxEntries(mapOf(name), entries), `set the size of the eBPF map "${name}"`);
  must(library.setInitialValue(mapOf(CONSTANTS), constants, constants.length), 'set the eBPF constants');
  for (const [i, log] of logs.entries())
    must(library.setLog(programOf(options.programs[i]), log, log.length), 'set the log of the eBPF verifier');
  must(library.load(object), ['load the eBPF programs', ...logs.flatMap(lastLines)].join(': '));

  // Closing the object closes its own descriptors, so these are duplicates.
  using kept = new DisposableStack();
  const keep = (fd: number) => kept.adopt(check(fcntl(fd, F_DUPFD_CLOEXEC, 0), 'keep an eBPF object'), close);
  const maps = Object.fromEntries(options.maps.map((name) => [name, keep(library.mapFd(mapOf(name)))]));
  const programs = Object.fromEntries(
    options.programs.map((name) => [name, keep(library.programFd(programOf(name)))]),
  );
  const owned = kept.move();
  return { maps, programs, [Symbol.dispose]: () => owned.dispose() };
}

function found(pointer: Pointer | null, attempted: string): Pointer {
  if (pointer === null) throw new SystemCallError(attempted, koffi.errno());
  return pointer;
}

/** What the verifier says when it rejects a program; a program that it accepts leaves no log. */
function lastLines(log: Uint8Array): string[] {
  const text = new TextDecoder().decode(log.subarray(0, log.indexOf(0))).trim();
  return text === '' ? [] : [text.split('\n').slice(-8).join(' | ')];
}

function openLibrary(name: string): Library {
  try {
    const library = koffi.load(name);
    const declare = <F>(prototype: string) => library.func(prototype) as unknown as F;
    // By default it writes to our standard error.
    declare<(print: null) => Pointer>('void *libbpf_set_print(void *)')(null);
    return {
      open: declare('void *bpf_object__open_file(str, void *)'),
      load: declare('int bpf_object__load(void *)'),
      closeObject: declare('void bpf_object__close(void *)'),
      findMap: declare('void *bpf_object__find_map_by_name(void *, str)'),
      setMaxEntries: declare('int bpf_map__set_max_entries(void *, uint)'),
      setInitialValue: declare('int bpf_map__set_initial_value(void *, void *, size_t)'),
      mapFd: declare('int bpf_map__fd(void *)'),
      findProgram: declare('void *bpf_object__find_program_by_name(void *, str)'),
      setLog: declare('int bpf_program__set_log_buf(void *, void *, size_t)'),
      programFd: declare('int bpf_program__fd(void *)'),
    };
  } catch (error) {
    throw new TextError(
      say('{library} cannot be used (Debian package libbpf1): {reason}', {
        library: name,
        reason: reasonOf(error),
      }),
      { cause: error },
    );
  }
}
