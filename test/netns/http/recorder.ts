/** Servers that record every byte and answer from a script, in the namespace of the process that makes them. */
import { type Socket, type Server, createServer } from 'node:net';
import { once } from 'node:events';
import { SERVERS } from './addresses.ts';
import { type Incoming, createIncoming } from './incoming.ts';
import type { ServerConnection, ServerStep } from './row.ts';

/** How long the proxy may take to end its side of a connection that the server has ended. */
const END_TIMEOUT_MS = 10_000;

export interface Recorders {
  /** Rejects at the first byte that is not as in the script. */
  readonly failed: Promise<never>;
  /** Ends all connections, and checks that every script was played to its end and that nothing came after it. */
  finish(): Promise<void>;
}

interface Accepted {
  readonly name: string;
  readonly socket: Socket;
  readonly incoming: Incoming;
  readonly script: ServerConnection;
  played: Promise<void>;
}

/** Listens on port 80 of both recording servers until `finish`. */
export async function startRecorders(
  scripts: readonly ServerConnection[],
  signal: Promise<void>,
): Promise<Recorders> {
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  const accepted: Accepted[] = [];
  const waiting = [...scripts];
  const servers: Server[] = [];

  const onConnection = (at: string, socket: Socket) => {
    const incoming = createIncoming(socket);
    const position = waiting.findIndex((script) => script.at === at);
    if (position === -1) {
      const say = () => failure.reject(new Error(`${at}: a connection too many; it got ${incoming.shown()}`));
      // Its bytes say what it was for.
      socket.once('data', () => setImmediate(say));
      socket.once('end', say);
      return;
    }
    const [script] = waiting.splice(position, 1);
    const name = `${at}, connection ${accepted.filter((each) => each.script.at === at).length + 1}`;
    const connection: Accepted = { name, socket, incoming, script, played: Promise.resolve() };
    connection.played = play(connection, signal).catch((error: Error) => {
      failure.reject(new Error(`${name}: ${error.message}`));
    });
    accepted.push(connection);
  };

  for (const at of ['a', 'b'] as const) {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => onConnection(at, socket));
    server.listen(80, SERVERS[at]);
    await once(server, 'listening');
    servers.push(server);
  }

  async function finish(): Promise<void> {
    for (const server of servers) server.close();
    await Promise.race([failure.promise, Promise.all(accepted.map(finishConnection))]);
    const missing = waiting.filter(({ isOptional }) => isOptional !== true);
    if (missing.length > 0)
      throw new Error(`connections that never came: ${missing.map(({ at }) => at).join(', ')}`);
    await Promise.race([failure.promise, new Promise((resolve) => setImmediate(resolve))]);
  }

  return {
    failed: failure.promise,
    async finish() {
      try {
        await finish();
      } finally {
        for (const { socket } of accepted) socket.destroy();
        for (const server of servers) server.close();
      }
    },
  };
}

async function finishConnection({ name, socket, incoming, script, played }: Accepted): Promise<void> {
  await played;
  if (!socket.destroyed) {
    socket.end();
    await incoming.ended(END_TIMEOUT_MS, `${name}: the proxy keeps a connection that its server has ended`);
  }
  const takesMore = script.steps.some((step) => step === 'ignores-the-rest');
  if (!takesMore) incoming.assertNothingLeft(name);
}

async function play({ socket, incoming, script }: Accepted, signal: Promise<void>): Promise<void> {
  for (const step of script.steps) {
    if (step === 'awaits-signal') await signal;
    else await perform(step, socket, incoming);
  }
}

async function perform(
  step: Exclude<ServerStep, 'awaits-signal'>,
  socket: Socket,
  incoming: Incoming,
): Promise<void> {
  if (step === 'ends') socket.end();
  else if (step === 'resets') socket.resetAndDestroy();
  else if (step === 'got-nothing-more') incoming.assertNothingLeft('now');
  else if (step === 'ignores-the-rest') incoming.ignoreRest();
  else if ('gets' in step) await incoming.takeExactly(step.gets);
  else if ('getsAtMost' in step) await incoming.takeAtMost(step.getsAtMost);
  else {
    for (const text of [step.sends].flat()) {
      socket.write(text, 'latin1');
      // A segment of its own, in most cases.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
