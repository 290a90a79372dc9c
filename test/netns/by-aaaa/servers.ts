/**
 * A web server and a TLS server at each address, which answer with the address:
 *
 *   node servers.ts CERTIFICATE KEY ADDRESS ...
 */
import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';

const [certificate, key, ...addresses] = process.argv.slice(2);
for (const address of addresses) {
  const options = { cert: readFileSync(certificate), key: readFileSync(key) };
  createHttp((_, response) => response.end(address)).listen(80, address, () => console.log('http', address));
  createHttps(options, (_, response) => response.end(address)).listen(443, address, () =>
    console.log('https', address),
  );
}
