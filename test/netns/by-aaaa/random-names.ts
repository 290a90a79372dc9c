/**
 * A client that asks for random names over many connections, until it is ended:
 *
 *   node random-names.ts ADDRESS CONNECTIONS
 *
 * Prints "asks" once so many have been answered that all its connections must have asked.
 */
import { connect } from 'node:net';

const [address, connections] = process.argv.slice(2);
let number = 0;
let answered = 0;

function ask(): void {
  const socket = connect(80, address);
  socket.on('error', () => {});
  socket.on('connect', () =>
    socket.write(`GET / HTTP/1.1\r\nHost: n${process.pid}-${number++}.flood.example.net\r\n\r\n`),
  );
  socket.on('data', () => {
    if (++answered === Number(connections)) console.log('asks');
  });
  socket.on('close', ask);
}
for (let i = 0; i < Number(connections); i++) ask();
