/**
 * A server of node:http, run in a namespace:
 *
 *   node node-server.ts ADDRESS DIRECTORY KEY CERTIFICATE
 *
 * At port 80, and at port 443 with TLS:
 * GET (with Range) and PUT of the files in the directory; POST /echo sends the body back as it comes; GET /stream?bytes=N sends the
 * pattern in chunks; POST /count answers with the number of bytes and their check; WebSockets get every message back.
 */
import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join, normalize } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createPatternCheck, patternBlocks } from './pattern.ts';
import { acceptWebSocket } from './websocket.ts';

const [address = '', directory = '', key = '', certificate = ''] = process.argv.slice(2);

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, headers } = request;
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
  response.setHeader('Access-Control-Allow-Origin', '*');
  if (pathname === '/echo') return pipeline(request, response);
  if (pathname === '/stream') {
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    return pipeline(Readable.from(patternBlocks(Number(searchParams.get('bytes')))), response);
  }
  if (pathname === '/count') {
    const check = createPatternCheck();
    for await (const chunk of request) check.take(chunk as Buffer);
    response.end(`${check.position} bytes`);
    return;
  }
  const file = join(directory, normalize(pathname));
  if (method === 'PUT') {
    await pipeline(request, createWriteStream(file));
    response.writeHead(201).end();
    return;
  }
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined || pathname.endsWith('/')) {
    response.writeHead(404).end('not found\n');
    return;
  }
  const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
  const [start, end] = range === null ? [0, size - 1] : [Number(range[1]), Number(range[2])];
  response.writeHead(range === null ? 200 : 206, {
    'content-length': end - start + 1,
    ...(range !== null && { 'content-range': `bytes ${start}-${end}/${size}` }),
    ...(pathname.endsWith('.html') && { 'content-type': 'text/html' }),
  });
  if (method === 'HEAD') response.end();
  else if (size < 100_000) response.end(readFileSync(file).subarray(start, end + 1));
  else await pipeline(createReadStream(file, { start, end }), response);
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  respond(request, response).catch((error: Error) => {
    // A client that has gone is no fault.
    if (!response.destroyed) console.error(error.message);
    response.destroy();
  });
}

const credentials = { key: readFileSync(key), cert: readFileSync(certificate) };
createTlsServer(credentials, serve).listen(443, address, 4096);
const server = createServer(serve);
if (process.env['KEEPS_MS']) server.keepAliveTimeout = Number(process.env['KEEPS_MS']);
server.on('upgrade', acceptWebSocket);
server.listen(80, address, 4096, () => console.log('ready'));
