/**
 * What is kept of an HTTP request while it is under way, for the line of the access log at its end. Such records are used again,
 * so nothing is allocated for a request, and an idle connection has none.
 */
import {
  AccessFlag,
  AccessLevel,
  type AccessLevelId,
  MAX_METHOD_BYTES,
  MAX_NAME_BYTES,
  MAX_PATH_BYTES,
  REQUEST_TEXT_BYTES,
} from './access-record.ts';

const QUESTION_MARK = 63;
/** How many exchanges of the past are kept for the next ones. */
const MAX_SPARE = 256;

/** A request under way. Used again for others after its end. */
export interface Exchange {
  level: AccessLevelId;
  /** Milliseconds of the loop's clock. */
  beganMs: number;
  /** Since then; -1: not yet. */
  connectMs: number;
  firstByteMs: number;
  status: number;
  flags: number;
  /** Position of the counter that counted its end; -1: that of the connection, if it ends before the exchange. */
  reason: number;
  /** The answer is there: what ends the connection from now on is no failure of the exchange. */
  isWhole: boolean;
  /** Of a tunnel: how many bytes had passed before it. */
  upBefore: number;
  downBefore: number;
  /** Of the bodies. */
  bytesUp: number;
  bytesDown: number;
  server: string | null;
  /** Method, name and path, one behind the other. */
  readonly texts: Uint8Array;
  methodBytes: number;
  nameBytes: number;
  pathBytes: number;
}

const spare: Exchange[] = [];

const createExchange = (): Exchange => ({
  level: AccessLevel.off,
  beganMs: 0,
  connectMs: -1,
  firstByteMs: -1,
  status: 0,
  flags: 0,
  reason: -1,
  isWhole: false,
  upBefore: 0,
  downBefore: 0,
  bytesUp: 0,
  bytesDown: 0,
  server: null,
  texts: new Uint8Array(REQUEST_TEXT_BYTES),
  methodBytes: 0,
  nameBytes: 0,
  pathBytes: 0,
});

/** A request has begun: its texts are still empty. */
export function takeExchange(level: AccessLevelId, beganMs: number): Exchange {
  const exchange = spare.pop() ?? createExchange();
  exchange.level = level;
  exchange.beganMs = beganMs;
  exchange.connectMs = exchange.firstByteMs = exchange.reason = -1;
  exchange.status = 0;
  exchange.flags = AccessFlag.request;
  exchange.isWhole = false;
  exchange.upBefore = exchange.downBefore = exchange.bytesUp = exchange.bytesDown = 0;
  exchange.server = null;
  exchange.methodBytes = exchange.nameBytes = exchange.pathBytes = 0;
  return exchange;
}

/** Keeps the texts of the request: parts of `from`, empty where they are not known. The query is no part of the path. */
export function keepTexts(
  exchange: Exchange,
  from: Uint8Array,
  methodStart: number,
  methodEnd: number,
  nameStart: number,
  nameEnd: number,
  pathStart: number,
  pathEnd: number,
): void {
  const { texts } = exchange;
  let query = pathStart;
  while (query < pathEnd && from[query] !== QUESTION_MARK) query++;
  const method = Math.min(methodEnd - methodStart, MAX_METHOD_BYTES);
  const name = Math.min(nameEnd - nameStart, MAX_NAME_BYTES);
  const path = Math.min(query - pathStart, MAX_PATH_BYTES);
  let at = 0;
  for (let i = 0; i < method; i++) texts[at++] = from[methodStart + i];
  for (let i = 0; i < name; i++) texts[at++] = from[nameStart + i];
  for (let i = 0; i < path; i++) texts[at++] = from[pathStart + i];
  exchange.methodBytes = method;
  exchange.nameBytes = name;
  exchange.pathBytes = path;
  if (methodEnd - methodStart > method) exchange.flags |= AccessFlag.methodCut;
  if (nameEnd - nameStart > name) exchange.flags |= AccessFlag.nameCut;
  if (query - pathStart > path) exchange.flags |= AccessFlag.pathCut;
}

/** It is over, and its record is written. */
export function giveBackExchange(exchange: Exchange): void {
  if (spare.length < MAX_SPARE) spare.push(exchange);
}
