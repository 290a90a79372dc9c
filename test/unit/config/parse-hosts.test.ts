import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fillDefaults, loadConfig } from '../../../src/config/load.ts';
import { parseHosts } from '../../../src/config/parse-hosts.ts';
import { english } from '../../../src/texts/text.ts';

const config = fillDefaults({});
const web1 = { name: 'web1', address: '2001:db8:1::10' };
const web2 = { name: 'web2', address: '2001:db8:1::11' };

const good: [title: string, text: string, format: string, hosts: object[], lines: number[]][] = [
  ['nothing', '', 'lines', [], []],
  ['only comments', '# servers\n\n   \n', 'lines', [], []],
  ['a line', 'web1 2001:db8:1::10', 'lines', [web1], [1]],
  [
    'host names, comments, any line endings and separators',
    '\uFEFF# servers\r\nweb1\t2001:db8:1::10  www.example.com, *.example.com # the first\rweb2;2001:db8:1::11\n',
    'lines',
    [{ ...web1, hostnames: ['www.example.com', '*.example.com'] }, web2],
    [2, 3],
  ],
  [
    'the order of /etc/hosts',
    '2001:db8:1::10 web1 www.example.com',
    'lines',
    [{ ...web1, hostnames: ['www.example.com'] }],
    [1],
  ],
  [
    'CSV: quotes, lists, SSH ports, empty cells and rows',
    'name,address,hostnames,services,ssh,client address\n' +
      'web1,2001:db8:1::10,"www.example.com, example.com",http,22001,proxy-v2\n' +
      ',,,,,\n"web2","2001:db8:1::11","\n",,no\n',
    'csv',
    [
      {
        ...web1,
        hostnames: ['www.example.com', 'example.com'],
        services: ['http'],
        ssh: { port: 22_001 },
        clientAddress: 'proxy-v2',
      },
      { ...web2, ssh: false },
    ],
    [2, 4],
  ],
  [
    'CSV: semicolons, other column names',
    'IPv6;Server;SSH-Port\n2001:db8:1::10;web1;auto',
    'csv',
    [{ ...web1, ssh: {} }],
    [2],
  ],
  ['CSV: tabs', 'address\tname\n2001:db8:1::10\tweb1', 'csv', [web1], [2]],
  [
    'a JSON list',
    JSON.stringify([web1, { ...web2, ssh: false }], null, 1),
    'json',
    [web1, { ...web2, ssh: false }],
    [2, 6],
  ],
  ['a configuration', `{"admin":{},\n"hosts":[\n${JSON.stringify(web1)}]}`, 'json', [web1], [3]],
];

for (const [title, text, format, hosts, lines] of good) {
  test(`accepted: ${title}`, () => {
    const parsed = parseHosts(text, config);
    assert.deepEqual(parsed.problems, []);
    assert.equal(parsed.format, format);
    assert.deepEqual(
      parsed.hosts.map(({ host }) => host),
      hosts,
    );
    assert.deepEqual(
      parsed.hosts.map(({ line }) => line),
      lines,
    );
  });
}

const bad: [title: string, text: string, problems: [line: number, value: string, message: RegExp][]][] = [
  ['a word', '\nweb1\n', [[2, '"web1"', /is not a line such as "web1 2001:db8:1::10 www\.example\.com"/]]],
  ['IPv4', 'web1 192.0.2.1', [[1, '"192.0.2.1"', /address: "192\.0\.2\.1" is not an IPv6 address/]]],
  ['a bad name', 'Web_1 2001:db8:1::10', [[1, '"Web_1"', /name: .* is not a label of lower-case letters/]]],
  ['a bad host name', 'web1 2001:db8:1::10 a..b', [[1, '"a..b"', /hostnames\/0: .* is not a host name/]]],
  ['loopback', 'web1 ::1', [[1, '"::1"', /is the loopback address/]]],
  ['inside the NAT64 prefix', 'web1 64:ff9b::1', [[1, '"64:ff9b::1"', /lies in the NAT64 prefix/]]],
  [
    'each of many lines, and the valid ones are accepted',
    'web1 x\nweb2 2001:db8:1::11\nweb3 y',
    [
      [1, '"x"', /address/],
      [3, '"y"', /address/],
    ],
  ],
  [
    'names and host names that occur twice',
    'web1 2001:db8:1::10 a.example.com\nweb1 2001:db8:1::11\nweb2 2001:db8:1::12 A.example.com',
    [
      [2, '"web1"', /already in line 1; expected a name that no other server has/],
      [3, '"A.example.com"', /already in line 1/],
    ],
  ],
  [
    'an unknown column',
    'name,address,hostnmaes\nweb1,2001:db8:1::10,x',
    [[1, '"hostnmaes"', /expected "hostnames"/]],
  ],
  [
    'one cell too many',
    'name,address\nweb1,2001:db8:1::10,x',
    [[2, '"x"', /one cell too many; expected 2 cells/]],
  ],
  ['an open quote', 'name,address\nweb1,"2001:db8:1::10', [[2, '"2001:db8:1::10"', /closing double quote/]]],
  [
    'text behind a closing quote, and the next line is accepted',
    'name,address,hostnames\nweb1,2001:db8:1::10,"a.example.com"x\nweb2,2001:db8:1::11,"b.example.com" \n',
    [[2, '"x"', /"x" follows a closing double quote; expected "," or the end of the line/]],
  ],
  [
    'a CSV port',
    'name,address,ssh\nweb1,2001:db8:1::10,ssh',
    [[2, '"ssh"', /ssh\/port: "ssh" is not a port number/]],
  ],
  [
    'a service without a listener',
    'name,address,services\nweb1,2001:db8:1::10,gopher',
    [[2, '"gopher"', /not the name of a listener/]],
  ],
  ['JSON syntax', '[{"name": "web1",\n]', [[2, '"]"', /JSON syntax/]]],
  ['another JSON', '{"name": "web1"}', [[1, 'an object', /a list of servers/]]],
  [
    'a JSON field',
    '[\n{"name": "web1"},\n{"name":"web2",\n"address": 7}]',
    [
      [2, '', /address: is missing/],
      [4, '7', /address: 7 is not an IPv6 address/],
    ],
  ],
];

for (const [title, text, expected] of bad) {
  test(`refused: ${title}`, () => {
    const { problems } = parseHosts(text, config);
    assert.deepEqual(
      problems.map(({ line, value }) => [line, english(value)]),
      expected.map(([line, value]) => [line, value]),
    );
    for (const [i, [, , message]] of expected.entries()) {
      assert.match(english(problems[i].message), message);
      assert.notEqual(english(problems[i].expected), '');
    }
  });
}

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const hosts = fc.uniqueArray(
  fc.record({
    name: label,
    address: fc.nat(0xff00).map((group) => `2001:db8:1::${(group + 2).toString(16)}`),
    hostnames: fc.array(
      label.map((name) => `${name}.example.com`),
      { maxLength: 3 },
    ),
  }),
  { selector: ({ name }) => name, maxLength: 20 },
);
/** Each host name once. */
const distinct = hosts.map((list) =>
  list.map((host, i) => ({
    ...host,
    hostnames: host.hostnames.map((name, j) => `h${i}-${j}-${name}`),
  })),
);

test('text written in any of the three forms is read back', () => {
  fc.assert(
    fc.property(distinct, (list) => {
      const wanted = list.map(({ hostnames, ...host }) => ({
        ...host,
        ...(hostnames.length > 0 && { hostnames }),
      }));
      const lines = list.map(({ name, address, hostnames }) => [name, address, ...hostnames].join(' '));
      const rows = list.map(
        ({ name, address, hostnames }) => `${address},"${name}","${hostnames.join(';')}"`,
      );
      const texts = [
        lines.join('\n'),
        ['address,name,hostnames', ...rows].join('\r\n'),
        JSON.stringify(wanted),
      ];
      for (const text of texts) {
        const parsed = parseHosts(text, config);
        assert.deepEqual(parsed.problems, []);
        assert.deepEqual(
          parsed.hosts.map(({ host }) => host),
          wanted,
        );
      }
    }),
    { numRuns: 300 },
  );
});

test('any text: no exception, existing line numbers, and the accepted servers make a valid configuration', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'web1',
      ' ',
      '\n',
      '\r\n',
      ',',
      ';',
      '"',
      '#',
      '2001:db8:1::10',
      'name,address\n',
      '[',
      '{',
      '}',
      ']',
    ),
    fc.string({ unit: 'binary', maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const text = pieces.join('');
      const parsed = parseHosts(text, config);
      const count = text.split(/\r\n|\n|\r/).length;
      for (const { line } of [...parsed.hosts, ...parsed.problems]) assert.ok(line >= 1 && line <= count);
      const loaded = loadConfig(JSON.stringify({ hosts: parsed.hosts.map(({ host }) => host) }));
      assert.ok('config' in loaded);
    }),
    { numRuns: 5000 },
  );
});

test('a megabyte of nonsense gives a hundred problems', () => {
  const { problems } = parseHosts('x y\n'.repeat(250_000), config);
  assert.equal(problems.length, 100);
});
