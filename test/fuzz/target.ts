export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs, as a start for mutations. */
  readonly seeds: readonly Uint8Array[];
  /** Throws when something that must hold does not. */
  readonly run: (bytes: Uint8Array) => void;
}

export const text = (...lines: string[]) => lines.map((line) => Buffer.from(line, 'latin1'));
