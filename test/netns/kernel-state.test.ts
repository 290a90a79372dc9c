/**
 * Other programs change NAT64's state in the kernel, on the topology of nat64/topology.ts. Each change is undone, the timeline
 * reports it, and flows continue, both new ones and those that were open.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import type { AppEvent } from '../../src/runtime/events.ts';
import type { NoticeFound } from '../../src/runtime/own-events.ts';
import { english } from '../../src/texts/text.ts';
import { reaches, startServer, succeeds, UDP_ECHO, udpExchange } from './nat64/programs.ts';
import { type Appliance, INTERNET6, POOL4, type Topology, createTopology } from './nat64/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

/** A TCP echo server. */
const TCP_ECHO = `
  require('net').createServer((socket) => socket.on('error', () => {}).pipe(socket))
    .listen(8094, '0.0.0.0', () => console.log('ready'));`;

/** Sends its input over one connection, and prints the answers. */
const TCP_CLIENT = `
  const socket = require('net').connect(8094, '${INTERNET6}', () => console.log('connected'));
  socket.on('error', ({ code }) => console.log(code));
  socket.on('close', () => console.log('closed'));
  process.stdin.on('data', (text) => socket.write(text));
  socket.pipe(process.stdout);`;

/** Longer than a repair takes, shorter than the regular check each minute: proves that a notification of the kernel caused it. */
const NOTIFIED_MS = 40_000;
/** The regular check runs once a minute. */
const REGULAR_MS = 90_000;
const DETACH = join(import.meta.dirname, 'nat64/detach-programs.ts');

interface Row {
  readonly title: string;
  /** For `sh -c` in the appliance's namespace. */
  readonly change: string;
  readonly undo?: string;
  /** What the timeline reports. */
  readonly reported: RegExp;
}

/** The kernel sends notifications of these. Each makes NAT64 unusable until it is put back, unless its row says otherwise. */
const NOTIFIED: readonly Row[] = [
  {
    title: 'nft flush ruleset',
    change: 'nft flush ruleset',
    reported: /nft \(process \d+\) removed the nftables table inet tombolo-nat64; put back/,
  },
  {
    title: 'our table is deleted',
    change: 'nft delete table inet tombolo-nat64',
    reported: /removed the nftables table/,
  },
  {
    title: 'a chain of ours is flushed',
    change: 'nft flush chain inet tombolo-nat64 prerouting',
    reported: /changed the nftables table/,
  },
  {
    title: 'one rule of ours is deleted',
    change:
      'nft delete rule inet tombolo-nat64 pool4-0 handle $(nft -a list chain inet tombolo-nat64 pool4-0 | sed -n "s/.*udp dport.*handle //p")',
    reported: /changed the nftables table/,
  },
  {
    title: 'another rule is inserted before ours',
    change: `nft insert rule inet tombolo-nat64 prerouting ip daddr ${POOL4} accept`,
    reported: /changed the nftables table/,
  },
  {
    title: 'our table is made dormant',
    change: "nft add table inet tombolo-nat64 '{ flags dormant; }'",
    reported: /changed the nftables table/,
  },
  {
    title: 'IPv4 forwarding is switched off',
    change: 'sysctl -qw net.ipv4.ip_forward=0',
    reported: /changed .*the kernel parameter net\.ipv4\.ip_forward/,
  },
  {
    title: 'IPv4 forwarding is switched off on the device',
    change: 'sysctl -qw net.ipv4.conf.nat64.forwarding=0',
    reported: /changed .*the kernel parameter net\.ipv4\.conf\.nat64\.forwarding/,
  },
  {
    title: 'IPv6 forwarding is switched off',
    change: 'sysctl -qw net.ipv6.conf.all.forwarding=0',
    reported: /changed .*the kernel parameter net\.ipv6\.conf\.all\.forwarding/,
  },
  {
    title: 'rp_filter=1 for all',
    change: 'sysctl -qw net.ipv4.conf.all.rp_filter=1',
    reported: /changed .*the kernel parameter net\.ipv4\.conf\.all\.rp_filter/,
  },
  {
    title: 'rp_filter=1 on the device',
    change: 'sysctl -qw net.ipv4.conf.nat64.rp_filter=1',
    reported: /changed .*the kernel parameter net\.ipv4\.conf\.nat64\.rp_filter/,
  },
  {
    title: 'IPv6 is switched off on the device',
    change: 'sysctl -qw net.ipv6.conf.nat64.disable_ipv6=1',
    reported: /changed .*the kernel parameter net\.ipv6\.conf\.nat64\.disable_ipv6/,
  },
  {
    title: 'ip rule del pref 64',
    change: 'ip rule del pref 64',
    reported: /removed the IPv4 policy rule 64/,
  },
  {
    title: 'ip rule del pref 65',
    change: 'ip rule del pref 65',
    reported: /removed the IPv4 policy rule 65/,
  },
  { title: 'ip rule flush', change: 'ip rule flush', reported: /removed .*the IPv4 policy rule 64.*32766/ },
  { title: 'ip -6 rule flush', change: 'ip -6 rule flush', reported: /removed the IPv6 policy rule 32766/ },
  {
    title: 'the local table comes first again',
    change: 'ip rule add pref 0 lookup local',
    reported: /changed the IPv4 policy rule 65/,
  },
  {
    title: 'another rule has preference 64',
    change: 'ip rule del pref 64; ip rule add pref 64 fwmark 0x1 lookup main',
    undo: 'ip rule del pref 64 fwmark 0x1',
    reported: /removed the IPv4 policy rule 64/,
  },
  {
    title: 'ip route flush table 6464',
    change: 'ip route flush table 6464',
    reported: /removed the route to 0\.0\.0\.0\/0 in table 6464/,
  },
  {
    title: "the prefix's route deleted",
    change: 'ip -6 route del 64:ff9b::/96',
    reported: /removed the route to 64:ff9b::\/96/,
  },
  {
    title: "the prefix's route led elsewhere",
    change: 'ip -6 route replace 64:ff9b::/96 dev lan2',
    reported: /removed the route to 64:ff9b::\/96/,
  },
  { title: 'the device is set down', change: 'ip link set nat64 down', reported: /changed the device nat64/ },
  {
    title: 'the device is set down and up',
    change: 'ip link set nat64 down; ip link set nat64 up',
    reported: /removed the route to/,
  },
  {
    title: 'the device gets another MTU',
    change: 'ip link set nat64 mtu 1280',
    reported: /changed the device nat64/,
  },
  {
    title: 'the device gets another queue length',
    change: 'ip link set nat64 txqueuelen 1',
    reported: /changed the device nat64/,
  },
  {
    title: 'the device is deleted',
    change: 'ip link del nat64',
    reported: /removed the device nat64; put back/,
  },
  {
    title: 'the rules are flushed and the device is deleted',
    change: 'ip rule flush; ip link del nat64',
    reported: /removed the device nat64; put back/,
  },
  {
    title: 'the device is renamed',
    change: 'ip link set nat64 down; ip link set nat64 name other; ip link set other up',
    reported: /removed the device nat64; put back/,
  },
];

describe('state in the kernel', () => {
  let net: Topology;
  let appliance: Appliance;
  const change = (command: string) => net.run('appliance', 'sh', '-ec', command);
  const sysctl = async (name: string) =>
    (await net.run('appliance', 'sysctl', '-n', name)).trim().replace(/\s+/g, ' ');
  const notices = async () =>
    ((await appliance.ask({ ask: 'log' })) as AppEvent[]).flatMap((event) =>
      event.kind === 'notice' ? [english((event as NoticeFound).text)] : [],
    );
  const isRunning = async () => (await appliance.status()).state === 'running';
  const exchange = () => net.run('island', process.execPath, '-e', udpExchange(INTERNET6, 'hello'));
  const works = async () => (await reaches(net)) && succeeds(exchange());

  /** An open connection: `say` sends a text, and resolves with the answer. */
  async function connectIsland() {
    const child = net.startWithInput('island', process.execPath, '-e', TCP_CLIENT);
    const answers = (child.stdout as Readable).setEncoding('utf8');
    const next = async () => String((await once(answers, 'data'))[0]).trim();
    assert.equal(await next(), 'connected');
    return {
      say(text: string) {
        const answer = next();
        (child.stdin as Writable).write(`${text}\n`);
        return answer;
      },
      end: () => child.kill('SIGKILL'),
    };
  }

  before(async () => {
    net = await createTopology();
    await startServer(net, UDP_ECHO);
    await startServer(net, TCP_ECHO);
  });
  after(() => net?.[Symbol.asyncDispose]());

  async function start(): Promise<void> {
    appliance = await net.startAppliance({
      static: [{ protocol: 'tcp', ipv6: '2001:db8:1::10#80', ipv4: 'auto#8081' }],
    });
    await waitUntil('works', works);
  }

  for (const { title, change: command, undo = 'true', reported } of NOTIFIED) {
    test(`put back: ${title}`, async () => {
      // A new process for each row: it remembers what was repaired often.
      await start();
      try {
        const connection = await connectIsland();
        const known = (await notices()).length;
        await change(command);
        const news = async () => (await notices()).slice(known);
        await waitUntil(
          `reported: ${reported}`,
          async () => (await news()).some((text) => reported.test(text)),
          {
            timeoutMs: NOTIFIED_MS,
          },
        ).catch(async ({ message }: Error) =>
          assert.fail(`${message}; reported was ${JSON.stringify(await news())}`),
        );
        await waitUntil('running', isRunning);
        await waitUntil('new flows', works);
        assert.equal(await connection.say('still there'), 'still there');
        connection.end();
        assert.deepEqual(await appliance.ask({ ask: 'contests' }), []);
      } finally {
        await appliance.stop();
        await change(undo);
      }
    });
  }

  test('put back: the rules were flushed before the start', async () => {
    await change('ip rule flush');
    await start();
    await appliance.stop();
    assert.match(
      await net.run('appliance', 'ip', 'rule'),
      /^0:.* local\s+32766:.* main\s+32767:.* default\s*$/,
    );
  });

  test('settings of single interfaces stay: rp_filter, accept_ra, later interfaces', async () => {
    await change('sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.ip_local_reserved_ports=7000-7002');
    await change('sysctl -qw net.ipv4.conf.wan.rp_filter=0');
    // As on a real machine: the topology switches it off.
    for (const device of ['lan', 'lan2', 'wan', 'default'])
      await change(`sysctl -qw net.ipv6.conf.${device}.accept_ra=1`);
    await start();
    assert.equal(await sysctl('net.ipv4.conf.all.rp_filter'), '0');
    assert.equal(await sysctl('net.ipv6.conf.lan.accept_ra'), '2');
    const known = (await notices()).length;
    await change('ip link add late type veth peer name late-end; ip link set late up');
    await change('sysctl -qw net.ipv4.conf.wan.rp_filter=2 net.ipv6.conf.lan2.accept_ra=0');
    await change('sysctl -qw net.ipv6.conf.lan.accept_ra=1 net.ipv4.conf.late.rp_filter=0');
    // The kernel sends no notification for accept_ra; a change of a link triggers a check.
    await change('ip link set late down');
    await waitUntil('put back', async () => (await sysctl('net.ipv6.conf.lan.accept_ra')) === '2', {
      timeoutMs: REGULAR_MS,
    });
    assert.equal(await sysctl('net.ipv6.conf.lan2.accept_ra'), '0', 'switched off, it stays as it was');
    assert.equal(await sysctl('net.ipv6.conf.late.accept_ra'), '2');
    // The stricter of both values is used, as it would be without us.
    assert.equal(await sysctl('net.ipv4.conf.wan.rp_filter'), '2');
    await waitUntil('the stricter', async () => (await sysctl('net.ipv4.conf.late.rp_filter')) === '1', {
      timeoutMs: REGULAR_MS,
    });
    assert.ok((await notices()).slice(known).some((text) => /accept_ra/.test(text)));
    assert.ok(await works());
  });

  test('changes without a notification are found within a minute', async () => {
    assert.equal(await sysctl('net.ipv4.ip_local_reserved_ports'), '7000-7002,8081');
    const range = await sysctl('net.ipv4.ip_local_port_range');
    const known = (await notices()).length;
    assert.equal((await net.run('appliance', process.execPath, DETACH, 'wan')).trim(), '1');
    await change(
      'sysctl -qw net.ipv4.ip_local_reserved_ports=9000-9001,8081 "net.ipv4.ip_local_port_range=2000 60001"',
    );
    await change('sysctl -qw net.ipv4.conf.nat64.accept_local=0 net.ipv6.conf.nat64.accept_ra=1');
    // The regular look may come between two of the changes: then it takes the next one to find the others.
    const isPutBack = async () =>
      (await sysctl('net.ipv4.ip_local_reserved_ports')) === '8081,9000-9001' &&
      (await sysctl('net.ipv4.ip_local_port_range')) === range &&
      (await sysctl('net.ipv4.conf.nat64.accept_local')) === '1' &&
      (await sysctl('net.ipv6.conf.nat64.accept_ra')) === '0';
    await waitUntil('put back', isPutBack, { timeoutMs: 2 * REGULAR_MS });
    await waitUntil(
      'reported',
      async () => (await notices()).slice(known).join().includes('program on wan'),
      { timeoutMs: REGULAR_MS },
    );
    assert.equal((await net.run('appliance', process.execPath, DETACH, 'wan')).trim(), '1', 'there again');
    assert.ok(await works());
  });

  test('removed again and again: not an endless conflict, and reported', async () => {
    const known = (await notices()).length;
    const other = net.start(
      'appliance',
      'sh',
      '-c',
      'while :; do nft delete table inet tombolo-nat64 2>/dev/null; sleep 0.1; done',
    );
    const isFought = /removes or changes the nftables table inet tombolo-nat64 again and again/;
    await waitUntil(
      'reported in the status',
      async () => isFought.test(english((await appliance.status()).problem ?? '')),
      { timeoutMs: REGULAR_MS },
    );
    assert.equal((await appliance.status()).state, 'degraded');
    const [contest] = (await appliance.ask({ ask: 'contests' })) as { times: number; isMissing: boolean }[];
    assert.deepEqual([contest.times, contest.isMissing], [5, true]);
    const reported = (await notices()).slice(known);
    assert.ok(
      reported.filter((text) => /tombolo-nat64; put back\.$/.test(text)).length <= 5,
      'repaired at once only a few times',
    );
    assert.equal(reported.filter((text) => /again and again/.test(text)).length, 1);
    other.kill('SIGKILL');
    await waitUntil('put back after the wait', isRunning, { timeoutMs: REGULAR_MS });
    await waitUntil('works', works);
  });

  test('after the stop, the last setting of each program is in force', async () => {
    // No check runs between this change and the end.
    await change('sysctl -qw net.ipv6.conf.lan.accept_ra=0');
    await appliance.stop();
    const expected = {
      'net.ipv4.ip_forward': '0',
      'net.ipv6.conf.all.forwarding': '0',
      // A row above has set it to this.
      'net.ipv4.conf.all.rp_filter': '1',
      'net.ipv4.conf.wan.rp_filter': '2',
      'net.ipv4.ip_local_reserved_ports': '9000-9001',
      'net.ipv4.ip_local_port_range': '2000 60001',
      'net.ipv6.conf.lan.accept_ra': '0',
      'net.ipv6.conf.lan2.accept_ra': '0',
    };
    const found = await Promise.all(Object.keys(expected).map(async (name) => [name, await sysctl(name)]));
    assert.deepEqual(Object.fromEntries(found), expected);
    const rules = await net.run('appliance', 'ip', 'rule');
    assert.deepEqual(
      rules
        .trim()
        .split('\n')
        .map((line) => line.replace(/\s+/g, ' ')),
      ['0: from all lookup local', '32766: from all lookup main', '32767: from all lookup default'],
    );
    // This table holds the ports of open connections for the next process, for half a minute (hold.ts).
    const tables = (await net.run('appliance', 'nft', 'list', 'tables')).trim().split('\n');
    assert.deepEqual(
      tables.filter((table) => table !== '' && table !== 'table inet tombolo-nat64-hold'),
      [],
    );
  });
});
