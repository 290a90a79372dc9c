/**
 * A device in the same network that already has some names: claims NAME.local with its address by multicast DNS (RFC 6762) over
 * IPv4, and prints the addresses that others announce: node neighbour.ts ADDRESS NAME...
 */
import { createSocket } from 'node:dgram';
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode } from 'dns-packet';

const GROUP = '224.0.0.251';
const PORT = 5353;
const [address, ...names] = process.argv.slice(2);
const ours = names.map(
  (name): Answer => ({ name: `${name}.local`, type: 'A', ttl: 120, flush: true, data: address }),
);

const socket = createSocket({ type: 'udp4', reuseAddr: true });
const claim = () =>
  socket.send(encode({ type: 'response', flags: AUTHORITATIVE_ANSWER, answers: ours }), PORT, GROUP);
socket.on('message', (message, { address: from }) => {
  if (from === address) return;
  const { questions = [], answers = [] } = decode(message);
  // A probe asks for any type; the owner of the name answers at once (section 8.1).
  const asked = questions.map(({ name }) => name.toLowerCase());
  if (ours.some(({ name }) => asked.includes(name))) claim();
  for (const answer of answers) {
    if (answer.type === 'A') console.log(`${answer.name} is ${answer.data}`);
  }
});
socket.bind(PORT, () => {
  socket.addMembership(GROUP, address);
  socket.setMulticastInterface(address);
  claim();
  console.log('listening');
});
