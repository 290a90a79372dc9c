export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs, as the start for mutations. */
  readonly seeds: readonly Uint8Array[];
  /** Throws if an invariant does not hold. */
  readonly run: (bytes: Uint8Array) => void;
}

export const text = (...lines: string[]) => lines.map((line) => Buffer.from(line, 'latin1'));
