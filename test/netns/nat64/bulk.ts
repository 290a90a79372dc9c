/** Programs that transfer much data, as text for `node -e`. */

export const BULK_BYTES = 200 << 20;

/**
 * Waits for connections. A client that sends "d" gets BULK_BYTES whose values depend on their position, then their SHA-256. A
 * client that sends "u" and such bytes gets their SHA-256 back.
 */
export const BULK_SERVER = `
  const { createHash } = require('crypto');
  const block = Buffer.alloc(1 << 20);
  for (let i = 0; i < block.length; i += 4) block.writeUInt32BE(Math.imul(i + 1, 2654435761) >>> 0, i);
  require('net').createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', (first) => {
      const hash = createHash('sha256');
      if (String(first.subarray(0, 1)) === 'u') {
        hash.update(first.subarray(1));
        socket.on('data', (data) => hash.update(data));
        socket.on('end', () => socket.end(hash.digest('hex')));
        return;
      }
      let left = ${BULK_BYTES >> 20};
      const more = () => {
        while (left > 0) {
          left--;
          block.writeUInt32BE(left, 0);
          hash.update(block);
          if (!socket.write(Buffer.from(block))) return;
        }
        socket.off('drain', more);
        socket.end(hash.digest('hex'));
      };
      socket.on('drain', more);
      more();
    });
  }).listen(8090, () => console.log('ready'));`;

export const download = (host: string) => `
  const { createHash } = require('crypto');
  const hash = createHash('sha256');
  let bytes = 0;
  let digest = '';
  const socket = require('net').connect(8090, '${host}', () => socket.write('d'));
  socket.on('data', (data) => {
    const body = data.subarray(0, Math.max(0, ${BULK_BYTES} - bytes));
    bytes += body.length;
    hash.update(body);
    digest += data.subarray(body.length);
  });
  socket.on('end', () => { console.log(hash.digest('hex') === digest ? 'intact' : 'damaged', bytes); socket.end(); });`;

export const upload = (host: string) => `
  const { createHash, randomBytes } = require('crypto');
  const block = randomBytes(1 << 20);
  const hash = createHash('sha256');
  let digest = '';
  let left = ${BULK_BYTES >> 20};
  const socket = require('net').connect(8090, '${host}', () => { socket.write('u'); more(); });
  const more = () => {
    while (left > 0) {
      left--;
      block.writeUInt32BE(left, 0);
      hash.update(block);
      if (!socket.write(Buffer.from(block))) return;
    }
    socket.off('drain', more);
    socket.end();
  };
  socket.on('drain', more);
  socket.on('data', (data) => (digest += data));
  socket.on('end', () => console.log(hash.digest('hex') === digest ? 'intact' : 'damaged', ${BULK_BYTES}));`;

/** Sends every datagram back. */
export const udpMirror = (family: 4 | 6) => `
  const socket = require('dgram').createSocket('udp${family}');
  socket.on('message', (message, { address, port }) => socket.send(message, port, address));
  socket.bind(5302, () => { socket.setRecvBufferSize(1 << 22); console.log('ready'); });`;
