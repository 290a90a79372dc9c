/**
 * No host gets the appliance's own rights by being translated: the appliance's page, DNS64, ports and UDP services cannot be
 * reached through NAT64, whatever address of the appliance a server uses. The real process, with the kernel's part of the
 * translator and without it.
 *
 *   server     2001:db8:1::10 ──┐
 *                               ├── lan   appliance   wan ──── friend 198.51.100.10 (in every access list)
 *   neighbour  2001:db8:1::11 ──┘   ::1               198.51.100.1, .2, 192.0.2.77 on lo, .78 on a link without carrier
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { PATH, type Child } from '../../lab/host.ts';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { requireTun } from '../../lab/preflight.ts';
import { startSshd } from '../../lab/servers/sshd.ts';
import { type Topology, buildTopology } from '../../lab/topology.ts';
import { waitUntil } from '../../lab/wait.ts';
import { type Bytes, TCP_FLAGS, icmp, tcp } from '../unit/services/nat64/packets.ts';

const ROOT = join(import.meta.dirname, '../..');
const OWN = '198.51.100.1';
const ADMIN_PORT = 8064;
const FORWARD_PORT = 22001;
const NTP_PORT = 123;
const POOL_PORT = 40_000;
const FRIENDS = ['198.51.100.0/24'];

const WAN = { segment: 'wan', addresses: [`${OWN}/24`, '198.51.100.2/24'] };
const FRIEND = { interfaces: { eth0: { segment: 'wan', addresses: ['198.51.100.10/24'] } } };
const APPLIANCE = { interfaces: { wan: WAN }, routes: ['default via 198.51.100.10'], router: true };
const SPEC = {
  hosts: {
    appliance: {
      ...APPLIANCE,
      interfaces: { lan: { segment: 'lan', addresses: ['2001:db8:1::1/64'] }, wan: WAN },
    },
    server: {
      interfaces: { eth0: { segment: 'lan', addresses: ['2001:db8:1::10/64'] } },
      routes: ['default via 2001:db8:1::1'],
    },
    neighbour: {
      interfaces: { eth0: { segment: 'lan', addresses: ['2001:db8:1::11/64'] } },
      routes: ['default via 2001:db8:1::1'],
    },
    friend: FRIEND,
  },
} as const;

/** All ways in which the kernel delivers a packet to the appliance: on two interfaces, without carrier, as broadcast. */
const OWN_ADDRESSES = [OWN, '198.51.100.2', '192.0.2.77', '192.0.2.78', '198.51.100.255'];
const TCP_PORTS = [22, 53, 80, ADMIN_PORT, FORWARD_PORT];
const UDP_PORTS = [53, NTP_PORT];

/** The result of a connection or datagram: 'reached', or the error code that an ICMP error was turned into. */
const TRY = `
  const [protocol, host, port] = process.argv.slice(1);
  const report = (text) => { console.log(text); process.exit(); };
  setTimeout(() => report('nothing'), 20_000);
  if (protocol === 'tcp') {
    require('net').connect(port, host, () => report('reached')).on('error', ({ code }) => report(code));
  } else {
    const socket = require('dgram').createSocket('udp6');
    socket.on('message', () => report('reached')).on('error', ({ code }) => report(code));
    socket.connect(port, host, () => setInterval(() => socket.send(Buffer.alloc(20), () => {}), 100));
  }`;
const NTP = `
  const socket = require('dgram').createSocket('udp4');
  socket.on('message', (message, { port, address }) => socket.send(message, port, address));
  socket.bind(${NTP_PORT}, '0.0.0.0', () => console.log('ready'));`;
const WEB = `
  for (const port of [22, 80]) require('net').createServer((socket) => socket.end()).listen(port, '::');`;
/** NAT64's own nftables table, as the running process made it. */
let ownTable = '';

const configuration = (fastPath: boolean) => ({
  version: 1,
  hosts: [{ name: 'server', address: '2001:db8:1::10', ssh: { port: FORWARD_PORT } }],
  dns64: { upstreams: ['udp://198.51.100.10'], allow: FRIENDS },
  nat64: {
    fastPath,
    allow: ['2001:db8:1::/64'],
    pool4: [{ address: OWN, ports: '32768-65535' }],
    static: [{ protocol: 'tcp', ipv4: `${OWN}#8080`, ipv6: '[2001:db8:1::10]#80'.replace(/[[\]]/g, '') }],
  },
  admin: { listen: ['::', '0.0.0.0'], allow: FRIENDS },
});

describe("the appliance's own addresses through NAT64", { concurrency: false }, () => {
  let topology: Topology<keyof typeof SPEC.hosts>;
  let appliance: Child;
  let tokenFile: string;

  async function start(fastPath: boolean): Promise<void> {
    const configFile = join(topology.directory, 'tombolo.json');
    const stateDirectory = join(topology.directory, `state-${fastPath}`);
    tokenFile = join(stateDirectory, 'admin-token');
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    writeFileSync(configFile, JSON.stringify(configuration(fastPath)));
    const args = [join(ROOT, 'src/main.ts'), '--config', configFile, '--state', stateDirectory];
    appliance = topology.hosts.appliance.spawn(process.execPath, args);
    await waitUntil('NAT64', async () => (await counters())['nat64'] !== undefined, {
      timeoutMs: 30_000,
      explain: () => appliance.output(),
    });
    await waitUntil('the port that is forwarded', () => reaches('friend', 'tcp', OWN, FORWARD_PORT), {
      timeoutMs: 20_000,
      explain: () => appliance.output(),
    });
  }

  async function counters(): Promise<Record<string, Record<string, number>>> {
    const { code, stdout } = await topology.hosts.friend.attempt('sh', [
      '-c',
      `curl -sSkf -m 5 -H "Authorization: Bearer $(cat ${tokenFile})" https://${OWN}:${ADMIN_PORT}/api/counters`,
    ]);
    if (code !== 0) return {};
    const { services } = JSON.parse(stdout) as {
      services: { name: string; counters: { name: string; value: number }[] }[];
    };
    return Object.fromEntries(
      services.map(({ name, counters: list }) => [
        name,
        Object.fromEntries(list.map((counter) => [counter.name, counter.value])),
      ]),
    );
  }

  async function attempt(
    host: keyof typeof SPEC.hosts,
    protocol: string,
    target: string,
    port: number,
  ): Promise<string> {
    const { stdout } = await topology.hosts[host].run(
      process.execPath,
      ['-e', TRY, protocol, target, `${port}`],
      { timeoutMs: 40_000 },
    );
    return stdout.trim();
  }
  const reaches = async (host: keyof typeof SPEC.hosts, protocol: string, target: string, port: number) =>
    (await attempt(host, protocol, target, port)) === 'reached';

  before(async () => {
    ensurePackages(PACKAGES.lab, console.log);
    requireTun();
    topology = await buildTopology(SPEC);
    const { hosts, directory } = topology;
    for (const command of [
      'addr add 192.0.2.77/32 dev lo',
      'link add unplugged up type veth peer name other-end',
      'addr add 192.0.2.78/32 dev unplugged',
    ])
      await hosts.appliance.run('ip', command.split(' '));
    await startSshd(hosts.appliance, '0.0.0.0', join(directory, 'sshd'));
    await hosts.appliance.spawn(process.execPath, ['-e', NTP]).waitForListener('udp', NTP_PORT);
    await hosts.server.spawn(process.execPath, ['-e', WEB]).waitForListener('tcp', 80);
  });
  after(() => topology?.[Symbol.asyncDispose]());

  for (const fastPath of [true, false]) {
    describe(`fast path ${fastPath ? 'on' : 'off'}`, () => {
      before(() => start(fastPath));
      after(() => appliance?.stop());

      it('a host in the access lists reaches everything', async () => {
        // DNS64 needs a real query: it does not accept 20 zeros as a question.
        for (const port of TCP_PORTS) assert.ok(await reaches('friend', 'tcp', OWN, port), `TCP ${port}`);
        assert.ok(await reaches('friend', 'udp', `::ffff:${OWN}`, NTP_PORT), 'NTP');
        const { stdout } = await topology.hosts.friend.run('dig', [
          `@${OWN}`,
          '+short',
          '+time=5',
          'AAAA',
          'ipv4only.arpa',
        ]);
        assert.match(stdout, /64:ff9b::/);
      });

      for (const address of OWN_ADDRESSES) {
        it(`a server at ${address}: every port is refused, and there is no other effect`, async () => {
          const earlier = (await counters())['nat64'];
          const rows = [
            ...TCP_PORTS.map((port) => ['tcp', port] as const),
            ...UDP_PORTS.map((port) => ['udp', port] as const),
          ];
          const codes = await Promise.all(
            rows.map(([protocol, port]) => attempt('server', protocol, `64:ff9b::${address}`, port)),
          );
          assert.deepEqual(
            codes.map((code, i) => `${rows[i].join(' ')}: ${code}`),
            rows.map((row) => `${row.join(' ')}: EACCES`),
          );
          const ping = await topology.hosts.server.attempt('ping', [
            '-n',
            '-c1',
            '-W5',
            `64:ff9b::${address}`,
          ]);
          assert.match(ping.stdout, /prohibited/i);
          const later = (await counters())['nat64'];
          const grown = (name: string) => later[name] - earlier[name];
          assert.ok(grown('drop-own-address') >= rows.length);
          for (const name of [
            'bib-created',
            'sessions-created-tcp',
            'sessions-created-udp',
            'sessions-created-icmp',
            'flows-handed-over',
            'packets-6to4',
          ])
            assert.equal(grown(name), 0, name);
        });
      }

      it('a pool4 mapping on the own address can be reached as before, also from a neighbour', async () => {
        assert.ok(await reaches('friend', 'tcp', OWN, 8080));
        assert.ok(await reaches('neighbour', 'tcp', `64:ff9b::${OWN}`, 8080));
      });

      it('its nftables table exists', async () => {
        const args = ['list', 'table', 'inet', 'tombolo-nat64'];
        ownTable = (await topology.hosts.appliance.run('nft', args)).stdout;
      });

      it("a new address counts as the appliance's own at once", async () => {
        const address = fastPath ? '198.51.100.7' : '198.51.100.8';
        await topology.hosts.appliance.run('ip', ['addr', 'add', `${address}/24`, 'dev', 'wan']);
        await waitUntil(
          'refused',
          async () => {
            const result = await attempt('server', 'tcp', `64:ff9b::${address}`, ADMIN_PORT);
            assert.notEqual(
              result,
              'reached',
              'until the translator knows the address, the firewall refuses',
            );
            return result === 'EACCES';
          },
          { timeoutMs: 60_000 },
        );
      });
    });
  }
});

/** The kernel's counters for the IPv4 input of a host. */
const DELIVERED = {
  ping: { line: 'Icmp', field: 'InEchos' },
  tcp: { line: 'Tcp', field: 'InSegs' },
} as const;

describe('the firewall, in case the translator does not refuse', { concurrency: false }, () => {
  let topology: Topology<'appliance' | 'peer'>;
  let device: ChildProcess;
  const lines: string[] = [];

  const said = (text: string, times: number) =>
    waitUntil(`"${text}"`, () => lines.filter((line) => line === text).length >= times);

  async function delivered(what: keyof typeof DELIVERED): Promise<number> {
    const { stdout } = await topology.hosts.appliance.run('cat', ['/proc/net/snmp']);
    const { line, field } = DELIVERED[what];
    const [names, values] = stdout
      .split('\n')
      .filter((text) => text.startsWith(`${line}:`))
      .map((text) => text.split(' '));
    return Number(values[names.indexOf(field)]);
  }

  /** How many of the packets reach the host's own stack. */
  async function deliveredOf(what: keyof typeof DELIVERED, packet: Bytes): Promise<number> {
    const earlier = await delivered(what);
    const sent = lines.filter((line) => line === 'sent').length;
    device.stdin?.write(`${Buffer.from(packet).toString('hex')}\n`);
    // A packet written to a TUN device has been received when write(2) returns.
    await said('sent', sent + 1);
    return (await delivered(what)) - earlier;
  }

  before(async () => {
    ensurePackages(PACKAGES.lab, console.log);
    requireTun();
    topology = await buildTopology({ hosts: { appliance: APPLIANCE, peer: FRIEND } });
    device = spawn(
      'ip',
      [
        'netns',
        'exec',
        topology.hosts.appliance.namespace,
        process.execPath,
        join(import.meta.dirname, 'nat64/tun-packets.ts'),
      ],
      { env: { ...process.env, PATH }, stdio: ['pipe', 'pipe', 'inherit'] },
    );
    device.stdout?.on('data', (text: Buffer) => lines.push(...String(text).trim().split('\n')));
    await said('ready', 1);
    // As the translator routes an address of a server, or of pool4, to itself.
    await topology.hosts.appliance.run('ip', ['route', 'add', '192.0.2.9/32', 'dev', 'nat64']);
  });
  after(async () => {
    device?.kill('SIGKILL');
    await topology?.[Symbol.asyncDispose]();
  });

  const ping = (source: string) => icmp({ source, destination: OWN, type: 8, rest: 7 });
  const segment = (source: string, flags: number) =>
    tcp({ source, destination: OWN, sourcePort: POOL_PORT, destinationPort: 22, flags });
  const ROWS: readonly (readonly [string, keyof typeof DELIVERED, Bytes])[] = [
    ['a ping from an own address', 'ping', ping(OWN)],
    ['a ping from another own address', 'ping', ping('198.51.100.2')],
    ['a ping from an address that leads to the device', 'ping', ping('192.0.2.9')],
    ['a new connection', 'tcp', segment('203.0.113.9', TCP_FLAGS.SYN)],
    ['a segment from an own address', 'tcp', segment(OWN, TCP_FLAGS.ACK)],
  ];
  const TABLES: readonly (readonly [string, () => string])[] = [
    ['of NAT64 itself', () => ownTable],
    ['of the image', () => readFileSync(join(ROOT, 'firmware/rootfs/etc/nftables.conf'), 'utf8')],
  ];
  for (const [title, rules] of TABLES) {
    describe(title, () => {
      it('without it, the packets that it must stop come through', async () => {
        // A segment from an own address is answered there, and the answer is delivered, too.
        for (const [row, what, packet] of ROWS) assert.ok((await deliveredOf(what, packet)) >= 1, row);
      });

      it('it stops them; translated packets pass', async () => {
        await topology.hosts.appliance.run('nft', ['-f', '-'], { input: rules() });
        try {
          for (const [row, what, packet] of ROWS) assert.equal(await deliveredOf(what, packet), 0, row);
          assert.equal(await deliveredOf('ping', ping('203.0.113.9')), 1);
        } finally {
          await topology.hosts.appliance.run('nft', ['flush', 'ruleset']);
        }
      });
    });
  }
});
