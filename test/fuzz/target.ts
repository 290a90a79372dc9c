export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs, which mutations start from. */
  readonly seeds: readonly Uint8Array[];
  /** Throws when something that must hold does not. */
  readonly run: (bytes: Uint8Array) => void;
}

export const text = (...lines: string[]) => lines.map((line) => Buffer.from(line, 'latin1'));
