/** llhttp, Node's own parser, in strict mode: what another implementation sees in the same bytes. */
import { createRequire } from 'node:module';

interface Parser {
  initialize(type: number, resource: object): void;
  execute(bytes: Uint8Array): number | Error;
  finish(): undefined | Error;
  /** Frees its memory now. Without it, that is freed when the event loop turns: too late for millions in one go. */
  close(): void;
  [callback: number]: (...values: never[]) => number | undefined;
}
interface ParserClass {
  new (): Parser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}
const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as {
  HTTPParser: ParserClass;
  methods: readonly string[];
};

/** Methods that it knows; it refuses all others. */
export const LLHTTP_METHODS: ReadonlySet<string> = new Set(methods);

export interface SeenMessage {
  readonly method: string | undefined;
  readonly target: string | undefined;
  readonly status: number | undefined;
  readonly fields: readonly (readonly [name: string, value: string])[];
  body: Buffer;
  isComplete: boolean;
}

export interface Seen {
  readonly messages: readonly SeenMessage[];
  /** What it says against the bytes. */
  readonly error: string | undefined;
}

/**
 * Reads a connection's bytes. `isToHead`: the responses are to HEAD. `ends`: the connection ends after them. Each piece is
 * given alone, so that a message that ends with a piece is complete before the next one.
 */
export function readByLlhttp(
  kind: 'request' | 'response',
  pieces: readonly Uint8Array[],
  { isToHead = false, ends = false } = {},
): Seen {
  const messages: SeenMessage[] = [];
  const parser = new HTTPParser();
  parser.initialize(kind === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {});
  let early: string[] = [];
  let earlyTarget: string | undefined;
  // More than 32 fields come in parts, and so do trailers and what is behind them.
  parser[HTTPParser.kOnHeaders] = (...values: unknown[]) => {
    const [flat, target] = values as [string[], string];
    early.push(...flat);
    earlyTarget = target;
    return undefined;
  };
  parser[HTTPParser.kOnHeadersComplete] = (...values: unknown[]) => {
    const [, , rest, method, target, status] = values as [
      number,
      number,
      string[] | undefined,
      number | undefined,
      string | undefined,
      number | undefined,
    ];
    const flat = [...early, ...(rest ?? [])];
    messages.push({
      method: method === undefined ? undefined : methods[method],
      target: target ?? earlyTarget,
      status,
      fields: Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]] as const),
      body: Buffer.alloc(0),
      isComplete: false,
    });
    early = [];
    earlyTarget = undefined;
    return isToHead ? 1 : 0;
  };
  parser[HTTPParser.kOnBody] = (...[bytes]: unknown[]) => {
    const last = messages[messages.length - 1];
    last.body = Buffer.concat([last.body, bytes as Buffer]);
    return undefined;
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    messages[messages.length - 1].isComplete = true;
    early = [];
    return undefined;
  };
  const error = execute(parser, pieces) ?? (ends ? parser.finish() : undefined);
  parser.close();
  return { messages, error: error?.message };
}

function execute(parser: Parser, pieces: readonly Uint8Array[]): Error | undefined {
  for (const piece of pieces) {
    const result = parser.execute(Buffer.from(piece));
    if (typeof result !== 'number') return result;
  }
  return undefined;
}
