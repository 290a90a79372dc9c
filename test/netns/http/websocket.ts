/** The server's side of WebSocket (RFC 6455), as far as an echo needs it. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const CLOSE_FRAME = 8;

/** For the event "upgrade": opens the tunnel, and sends back every frame. */
export function acceptWebSocket(request: IncomingMessage, socket: Duplex, first: Buffer): void {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let bytes = first;
  const onData = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (let frame = readFrame(bytes); frame !== undefined; frame = readFrame(bytes)) {
      bytes = bytes.subarray(frame.end);
      socket.write(encodeFrame(frame.first, frame.payload));
      if ((frame.first & 15) === CLOSE_FRAME) socket.end();
    }
  };
  socket.on('data', onData);
  socket.on('error', () => {});
  onData(Buffer.alloc(0));
}

/** The first frame, unmasked (section 5.2); undefined while it is not complete. */
function readFrame(bytes: Buffer): { first: number; payload: Buffer; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] & 127;
  const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
  const maskAt = 2 + lengthBytes;
  const start = maskAt + 4;
  if (bytes.length < start) return undefined;
  const length =
    short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
  if (bytes.length < start + length) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  for (let i = 0; i < length; i++) payload[i] ^= bytes[maskAt + (i & 3)];
  return { first: bytes[0], payload, end: start + length };
}

function encodeFrame(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length > 65_535 ? 10 : length > 125 ? 4 : 2);
  head[0] = first;
  if (length > 65_535) {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  } else if (length > 125) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else head[1] = length;
  return Buffer.concat([head, payload]);
}
