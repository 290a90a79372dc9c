/**
 * Writes eBPF instructions (RFC 9669). One method an instruction, labels for jumps:
 *
 *     new BpfAssembler().load('word', R1, R6, 0).jumpIf('ne', R1, 0, 'pass')...
 *
 * Memory is little-endian on the processors that we run on; `toBigEndian` turns 16 bits round.
 */

export interface Register {
  readonly register: number;
}

const register = (number: number): Register => ({ register: number });

/** Result of a call, and of the program. */
export const R0 = register(0);
/** Arguments of a call; undefined after it. */
export const R1 = register(1);
export const R2 = register(2);
export const R3 = register(3);
export const R4 = register(4);
export const R5 = register(5);
/** Kept over calls. */
export const R6 = register(6);
export const R7 = register(7);
export const R8 = register(8);
export const R9 = register(9);
/** The end of 512 bytes of stack; read only. */
export const FRAME = register(10);

type Operand = Register | number;

const SIZE = { word: 0x00, half: 0x08, byte: 0x10, double: 0x18 } as const;
export type Size = keyof typeof SIZE;

const ARITHMETIC = {
  add: 0x00,
  subtract: 0x10,
  or: 0x40,
  and: 0x50,
  shiftLeft: 0x60,
  shiftRight: 0x70,
  xor: 0xa0,
  move: 0xb0,
} as const;

const CONDITION = { eq: 0x10, gt: 0x20, ge: 0x30, set: 0x40, ne: 0x50, lt: 0xa0, le: 0xb0 } as const;
export type Condition = keyof typeof CONDITION;

const CLASS = {
  LOAD_IMMEDIATE: 0x18,
  LOAD: 0x61,
  STORE: 0x63,
  ALU32: 0x04,
  JUMP: 0x05,
  ALU64: 0x07,
} as const;
const FROM_REGISTER = 0x08;
const TO_BIG_ENDIAN = 0xdc;
const CALL = 0x85;
const EXIT = 0x95;
/** In the source field of a 64-bit load: the number is a map's descriptor. */
const MAP_DESCRIPTOR = 1;
const INSTRUCTION_BYTES = 8;

interface Instruction {
  readonly opcode: number;
  readonly destination: number;
  readonly source: number;
  readonly offset: number | string;
  readonly immediate: number;
}

export class BpfAssembler {
  readonly #instructions: Instruction[] = [];
  readonly #labels = new Map<string, number>();

  #emit(opcode: number, destination = 0, source = 0, offset: number | string = 0, immediate = 0): this {
    this.#instructions.push({ opcode, destination, source, offset, immediate });
    return this;
  }

  #withOperand(opcode: number, destination: Register, operand: Operand, offset: number | string = 0): this {
    return typeof operand === 'number'
      ? this.#emit(opcode, destination.register, 0, offset, operand)
      : this.#emit(opcode | FROM_REGISTER, destination.register, operand.register, offset);
  }

  /** In 64 bits; a number is sign-extended from 32. */
  compute(operation: keyof typeof ARITHMETIC, destination: Register, operand: Operand): this {
    return this.#withOperand(CLASS.ALU64 | ARITHMETIC[operation], destination, operand);
  }

  move(destination: Register, operand: Operand): this {
    return this.compute('move', destination, operand);
  }

  /** Keeps the low 32 bits. */
  truncate(destination: Register): this {
    return this.#withOperand(CLASS.ALU32 | ARITHMETIC.move, destination, destination);
  }

  /** destination = memory at base + offset, zero-extended. */
  load(size: Size, destination: Register, base: Register, offset: number): this {
    return this.#emit(CLASS.LOAD | SIZE[size], destination.register, base.register, offset);
  }

  /** Memory at base + offset = source. */
  store(size: Size, base: Register, offset: number, source: Register): this {
    return this.#emit(CLASS.STORE | SIZE[size], base.register, source.register, offset);
  }

  /** Between the order of the machine and that of the network. */
  toBigEndian(destination: Register, bits: 16 | 32): this {
    return this.#emit(TO_BIG_ENDIAN, destination.register, 0, 0, bits);
  }

  /** The map of a descriptor, as an argument. */
  loadMap(destination: Register, map: number): this {
    return this.#emit(CLASS.LOAD_IMMEDIATE, destination.register, MAP_DESCRIPTOR, 0, map).#emit(0);
  }

  /** Unsigned comparison of 64 bits. */
  jumpIf(condition: Condition, left: Register, right: Operand, label: string): this {
    return this.#withOperand(CLASS.JUMP | CONDITION[condition], left, right, label);
  }

  jump(label: string): this {
    return this.#emit(CLASS.JUMP, 0, 0, label);
  }

  label(name: string): this {
    if (this.#labels.has(name)) throw new Error(`label "${name}" is there twice`);
    this.#labels.set(name, this.#instructions.length);
    return this;
  }

  /** Calls a helper function of the kernel by its number. */
  call(helper: number): this {
    return this.#emit(CALL, 0, 0, 0, helper);
  }

  exit(): this {
    return this.#emit(EXIT);
  }

  /** The instructions, in pinned memory. Throws on a jump to a label that is not there. */
  assemble(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(new ArrayBuffer(this.#instructions.length * INSTRUCTION_BYTES));
    const view = new DataView(bytes.buffer);
    this.#instructions.forEach(({ opcode, destination, source, offset, immediate }, i) => {
      const at = i * INSTRUCTION_BYTES;
      view.setUint8(at, opcode);
      view.setUint8(at + 1, destination | (source << 4));
      view.setInt16(at + 2, typeof offset === 'string' ? this.#target(offset) - i - 1 : offset, true);
      view.setInt32(at + 4, immediate, true);
    });
    return bytes;
  }

  #target(label: string): number {
    const target = this.#labels.get(label);
    if (target === undefined) throw new Error(`no label "${label}"`);
    return target;
  }
}
