/** The servers behind the appliance and on the Internet: node mainland-servers.ts WEB1 IPV4_ONLY CERTIFICATE KEY */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';

const [web1, ipv4Only, certificate, key] = process.argv.slice(2);
const large = Buffer.alloc(16 * 2 ** 20, 'x');
const servers = [
  createHttpServer((_request, response) => response.end('web1 by http\n')).listen(80, web1),
  createHttpsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (_request, response) =>
    response.end('web1 by https\n'),
  ).listen(443, web1),
  createServer((socket) => socket.end('SSH-2.0-web1\r\n')).listen(22, web1),
  createHttpServer((request, response) =>
    response.end(request.url === '/large' ? large : `mainland to ${request.socket.remoteAddress}\n`),
  ).listen(80, ipv4Only),
];
await Promise.all(servers.map((server) => once(server, 'listening')));
console.log('listening');
