/** ClientHellos as sent by Node's own TLS client, and the answer of the backends. */
import { connect } from 'node:tls';
import { Duplex } from 'node:stream';

export const RECORD_HEADER_BYTES = 5;

/** The answer of the short and the idle backend: the size of a first flight of TLS alerts, and not a multiple of anything. */
export const ANSWER = new Uint8Array(61).fill(0x15);

/** Length of a TLS record with its header, from the header (RFC 8446 section 5.1). */
export const tlsRecordBytes = (header: Uint8Array): number =>
  RECORD_HEADER_BYTES + ((header[3] << 8) | header[4]);

/** Records the ClientHello that Node sends for a server name: one TLS record. */
export function recordClientHello(serverName: string): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const received: Buffer[] = [];
  const wire = new Duplex({
    read() {},
    write(bytes: Buffer, _encoding, done) {
      received.push(bytes);
      const record = Buffer.concat(received);
      if (record.length >= RECORD_HEADER_BYTES && record.length >= tlsRecordBytes(record)) resolve(record);
      done();
    },
  });
  connect({ socket: wire, servername: serverName }).on('error', reject);
  return promise.finally(() => wire.destroy());
}
