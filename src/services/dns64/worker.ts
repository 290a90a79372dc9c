/**
 * The thread that answers from the cache: a blocking loop over the UDP sockets. Queries that the cache cannot answer go to the
 * main thread, which answers the client itself and sends the answer here to be cached.
 */
import { POLLIN, pinned, poll } from '../../os/libc.ts';
import { randomWord } from '../../os/random.ts';
import { createCounters } from '../../runtime/counters.ts';
import { countWithin, createRateShares, takeOfRate } from '../../net/rate-shares.ts';
import { MAPPED_WORD2 } from '../../net/client.ts';
import { MAX_WAIT_MS, workerThread } from '../../runtime/worker-thread.ts';
import { RCODE_MASK, Rcode } from '../../wire/dns-message.ts';
import { newQuery, readQuery } from '../../wire/dns-query.ts';
import { MAPPED_WORD, accessTable, admits } from './access.ts';
import { ADMIT, DROP, admitQuery } from './admit.ts';
import { udpLimit, variantOf, writeError, writeReply } from './answer.ts';
import { AnswerCache } from './cache.ts';
import { DNS64_COUNTERS } from './counters.ts';
import { SLOT_BYTES, SOURCE_BYTES, datagramBatch, forgetInterface, wasMulticast } from './datagrams.ts';
import { createDnsEventWriter, DnsEventKind } from './events.ts';
import type { FromDnsWorker, Miss, ToDnsWorker, UdpSocket, WorkerInit } from './messages.ts';

/** Datagrams per system call. More would only delay the first one. */
const BATCH = 64;
/** Batches from one socket before it is the next one's turn. */
const TURNS = 8;
/**
 * Misses that the main thread may have in progress. Above this, queries are dropped, and clients ask again. When half are in
 * use, a client is also dropped if it has asked far more in this second than there is space for.
 */
const MAX_OUTSTANDING = 1024;
/** REFUSED is not larger than the query, but may go to a forged source: limited to this rate, the rest is dropped. */
const REFUSALS_PER_SECOND = 200;

const POLLFD_BYTES = 8;

const thread = workerThread<WorkerInit, ToDnsWorker, FromDnsWorker>();
const { init } = thread;
const counters = createCounters(DNS64_COUNTERS, init.counters);
const { values, index } = counters;
const events = createDnsEventWriter(init.events);
const outstanding = new Int32Array(init.outstanding);
const batch = datagramBatch(BATCH);
const { slots, sources, controls } = batch;
const query = newQuery();
let cache = new AnswerCache(init.cacheEntries);
let access = accessTable(init.allow);
let sockets: readonly UdpSocket[] = [];
let pollFds = pinned(0);
let misses: Miss[] = [];
let nowSeconds = 0;
const refusals = createRateShares(REFUSALS_PER_SECOND, randomWord());
const missRate = createRateShares(MAX_OUTSTANDING, randomWord());

function listenTo(list: readonly UdpSocket[], generation: number): void {
  // Answer the datagrams that wait in the sockets that will now be closed.
  for (const old of sockets) if (!list.some(({ id }) => id === old.id)) serve(old);
  sockets = list;
  pollFds = pinned((list.length + 1) * POLLFD_BYTES);
  const view = new DataView(pollFds.buffer);
  // wakeFd comes last: when a query is seen, a message that was sent before it is seen too.
  for (const [i, fd] of [...list.map((socket) => socket.fd), thread.wakeFd].entries()) {
    view.setInt32(i * POLLFD_BYTES, fd, true);
    view.setInt16(i * POLLFD_BYTES + 4, POLLIN, true);
  }
  thread.post({ kind: 'listening', generation });
}

/** revents is the last 16 bits of a pollfd; its first byte has all bits that poll reports here. */
const isReady = (i: number): boolean => pollFds[i * POLLFD_BYTES + 6] !== 0;

function handleMessage(message: ToDnsWorker): void {
  switch (message.kind) {
    case 'answers':
      for (const answer of message.answers) cache.insert(answer, nowSeconds);
      break;
    case 'sockets':
      listenTo(message.sockets, message.generation);
      break;
    case 'access':
      access = accessTable(message.allow);
      break;
    case 'flush':
      if (message.cacheEntries === undefined) cache.clear();
      else cache = new AnswerCache(message.cacheEntries);
      break;
  }
}

/** The reply's length, or 0 when there is none (yet). The reply overwrites the query. */
function answerDatagram(slot: number, socket: UdpSocket): number {
  values[index['queries-udp']]++;
  const { isIpv6 } = socket;
  const controlAt = batch.controlAt(slot);
  const source = slot * SOURCE_BYTES;
  if (
    (sources.bytes[source + 2] === 0 && sources.bytes[source + 3] === 0) ||
    wasMulticast(controls, controlAt, isIpv6)
  ) {
    values[index['drop-source']]++;
    return 0;
  }
  forgetInterface(controls, controlAt, isIpv6);
  const word = source >> 2;
  const from = sources.words;
  const admitted = isIpv6
    ? admits(access, from[word + 2], from[word + 3], from[word + 4], from[word + 5])
    : admits(access, 0, 0, MAPPED_WORD, from[word + 1]);

  const at = slot * SLOT_BYTES;
  const received = batch.received(slot);
  const kind = readQuery(slots.bytes, at, received, query);
  if (!admitted) return refuse(at, slot, isIpv6);
  const verdict = admitQuery(kind, query, counters);
  if (verdict === DROP) return 0;
  if (verdict !== ADMIT) {
    const event = verdict === Rcode.REFUSED ? DnsEventKind.refused : DnsEventKind.malformed;
    events.record(event, query, slots.bytes, at, sources.bytes, source, verdict);
    return writeError(slots.bytes, at, query, verdict);
  }

  const variant = variantOf(query.dnssecOk, query.flags);
  const entry = cache.find(slots, at, query.nameBytes, query.type, variant, nowSeconds);
  if (entry === -1) {
    miss(slot, socket, received);
    return 0;
  }
  values[index.hits]++;
  const limit = udpLimit(query);
  const length = writeReply(
    slots,
    at,
    query,
    cache.memory,
    cache.start[entry],
    cache.messageBytes[entry],
    cache.ttlCount[entry],
    nowSeconds - cache.storedSeconds[entry],
    limit,
  );
  if (cache.messageBytes[entry] > limit) values[index.truncated]++;
  const rcode = slots.bytes[at + 3] & RCODE_MASK;
  events.record(DnsEventKind.cached, query, slots.bytes, at, sources.bytes, source, rcode);
  return length;
}

/** REFUSED, unlike silence, shows that the access list is the reason and not a broken network. Only sent in reply to real queries. */
function refuse(at: number, slot: number, isIpv6: boolean): number {
  const source = slot * SOURCE_BYTES;
  const from = sources.words;
  const word = source >> 2;
  const mayTell =
    query.questionEnd !== 0 &&
    (isIpv6
      ? takeOfRate(refusals, nowSeconds, from[word + 2], from[word + 3], from[word + 4], from[word + 5])
      : takeOfRate(refusals, nowSeconds, 0, 0, MAPPED_WORD2, from[word + 1]));
  if (!mayTell) {
    values[index['drop-access']]++;
    return 0;
  }
  values[index['refused-access']]++;
  events.record(DnsEventKind.refused, query, slots.bytes, at, sources.bytes, source, Rcode.REFUSED);
  return writeError(slots.bytes, at, query, Rcode.REFUSED);
}

function miss(slot: number, socket: UdpSocket, received: number): void {
  const left = MAX_OUTSTANDING - Atomics.load(outstanding, 0);
  if (left <= 0) {
    values[index['drop-overload']]++;
    return;
  }
  const source = slot * SOURCE_BYTES;
  const word = source >> 2;
  const from = sources.words;
  // While more than half is free, every client is admitted (`room` is unlimited), but its misses are counted.
  const room = left * 2 > MAX_OUTSTANDING ? Number.MAX_SAFE_INTEGER : left;
  const isWithin = socket.isIpv6
    ? countWithin(missRate, nowSeconds, room, from[word + 2], from[word + 3], from[word + 4], from[word + 5])
    : countWithin(missRate, nowSeconds, room, 0, 0, MAPPED_WORD2, from[word + 1]);
  if (!isWithin) {
    values[index['drop-share']]++;
    return;
  }
  Atomics.add(outstanding, 0, 1);
  const controlAt = batch.controlAt(slot);
  misses.push({
    socket: socket.id,
    source: sources.bytes.slice(source, source + socket.sockaddrBytes),
    control: controls.slice(controlAt, controlAt + batch.controlBytes(slot)),
    query: slots.bytes.slice(slot * SLOT_BYTES, slot * SLOT_BYTES + received),
  });
}

/** Sends the slots from `first` up to, but not including, `end`, and skips any that the kernel does not accept. */
function sendReplies(fd: number, first: number, end: number): void {
  for (let at = first; at < end; ) {
    const sent = batch.send(fd, at, end);
    if (sent > 0) {
      at += sent;
    } else {
      values[index['drop-send']]++;
      at++;
    }
  }
}

function serve(socket: UdpSocket): void {
  for (let turn = 0; turn < TURNS; turn++) {
    const count = batch.receive(socket.fd);
    let first = 0;
    for (let slot = 0; slot < count; slot++) {
      const length = answerDatagram(slot, socket);
      if (length > 0) {
        batch.reply(slot, length);
        continue;
      }
      if (slot > first) sendReplies(socket.fd, first, slot);
      first = slot + 1;
    }
    if (count > first) sendReplies(socket.fd, first, count);
    if (count < BATCH) break;
  }
}

nowSeconds = Math.floor(performance.now() / 1000);
listenTo(init.sockets, init.generation);
thread.ready();
for (;;) {
  poll(pollFds, sockets.length + 1, MAX_WAIT_MS);
  thread.beat();
  nowSeconds = Math.floor(performance.now() / 1000);
  events.tick();
  if (isReady(sockets.length) && !thread.receive(handleMessage)) break;
  for (let i = 0; i < sockets.length; i++) if (isReady(i)) serve(sockets[i]);
  if (misses.length > 0) {
    thread.post({ kind: 'misses', misses });
    misses = [];
  }
}
