/** The reference documentation of the configuration, derived from its schema. */
import { SERVICES } from '../services/all.ts';
import { ConfigSchema } from './schema.ts';
import type { SchemaNode } from './json-schema.ts';

/** Shown at the top of the reference; a test loads it. */
export const EXAMPLE = {
  hosts: [
    {
      name: 'web1',
      address: '2001:db8:1::10',
      hostnames: ['example.com', '*.example.com', '**.example.net'],
      services: ['https', 'imaps', { listener: 'http', targetPort: 8080, clientAddress: 'none' }],
      clientAddress: 'proxy-v2',
      ssh: { port: 22_001 },
    },
    {
      name: 'files',
      address: '2001:db8:1::11',
      hostnames: ['files.example.net'],
      allow: ['lan', '198.51.100.0/24'],
      redirectToHttps: 308,
      ssh: false,
    },
  ],
  ...Object.fromEntries(
    SERVICES.flatMap(({ name, example }) => (example?.config === undefined ? [] : [[name, example.config]])),
  ),
};

/** Shown too; a test loads them together with the example. */
export const ASSERTIONS = [
  { name: 'the site is up', from: '203.0.113.9', to: 'example.com', port: 443, expect: 'web1' },
  { name: 'no admin page outside', from: '203.0.113.9', to: '192.0.2.1', port: 8064, expect: 'refused' },
  ...SERVICES.flatMap(({ example }) => example?.assertion ?? []),
];

const INTRODUCTION = `<!-- Made by \`npm run docs:config\` from src/config/schema.ts: change that, not this. -->

# Configuration

One JSON file (RFC 8259: no comments, no comma at the end), \`--config FILE\`, by default \`/etc/tombolo/config.json\`.
Everything except the servers has a default, so a missing or empty file is a working configuration: DNS64, NAT64 and
the admin page. Two servers:

\`\`\`json
${JSON.stringify(EXAMPLE, null, 2)}
\`\`\`

- \`--check\` validates the file and exits: 0 good, 2 refused.
- A file that is refused at the start is left as it is, and the last good revision runs ([state-directory.md](state-directory.md)). One that
  is refused later (SIGHUP, the admin page) changes nothing: the running configuration stays.
- A port that another program has, or an address that is not there yet, is told and tried again; the rest serves. A change
  that wants a new one which cannot be had is refused.
- Every problem names the place in the file, the JSON path, the value, and what would be right:
  \`config.json:4:18: /hosts/0/address: "192.0.2.1" is not an IPv6 address such as 2001:db8:1::10\`.
- A change through the admin page puts the configuration into force first and then writes the file, whole or not at
  all, as it was typed: defaults are not filled in. A file that was edited by hand meanwhile is not overwritten.
- Such a change waits for its confirmation, a minute if not said otherwise; without one it is taken back: by itself, or
  by the next start when the process ended meanwhile. An edit by hand and SIGHUP in that time is the later word, and
  ends it. The last 200 configurations are in the state directory, with who made them, when and why.

\`assertions\` say what must hold: who reaches which server, or nothing. They are judged over the new configuration
before a change through the admin page, by the functions that decide about real traffic; one that fails refuses the
change. Names that servers ask for are looked up; a lookup without an answer refuses nothing.

\`\`\`json
${JSON.stringify({ assertions: ASSERTIONS }, null, 2)}
\`\`\`

Beyond the single fields it is checked that names of servers and listeners, host names and TCP ports are used once;
that \`services\` name listeners, each once; that \`proxy.defaultHost\` names a server; that a redirect to https leads to
a listener; that no port is in the range that \`nat64.pool4\` takes; that there are enough SSH ports; that NAT64
translates what DNS64 synthesises; and that a server's address is one that can be reached.
`;

/** The reference as Markdown: a section for each object of the schema, in schema order. */
export const configReference = (): string => `${INTRODUCTION}\n${sections(ConfigSchema, '').join('\n')}`;

/** The object inside a property: the property itself, the items of a list, or a branch of a union; with the suffix of its path. */
function objectOf(schema: SchemaNode): { readonly object: SchemaNode; readonly suffix: string } | undefined {
  if (schema.properties !== undefined) return { object: schema, suffix: '' };
  if (schema.items !== undefined) {
    const inside = objectOf(schema.items);
    return inside && { object: inside.object, suffix: `[]${inside.suffix}` };
  }
  const object = schema.anyOf?.find((branch) => branch.properties !== undefined);
  return object === undefined ? undefined : { object, suffix: '' };
}

function sections(schema: SchemaNode, path: string): string[] {
  const entries = Object.entries(schema.properties ?? {});
  const heading = path === '' ? '## The document' : `## \`${path}\``;
  const rows = entries.map(([name, property]) =>
    row(name, property, schema.required?.includes(name) === true),
  );
  const own = [
    heading,
    '',
    '| field | meaning | value | default |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
  const below = entries.flatMap(([name, property]) => {
    const nested = objectOf(property);
    const nestedPath = path === '' ? name : `${path}.${name}`;
    return nested === undefined ? [] : sections(nested.object, nestedPath + nested.suffix);
  });
  return [own, ...below];
}

function row(name: string, property: SchemaNode, isRequired: boolean): string {
  const { title = '', expected = '', items } = property;
  const entries = items === undefined || items.properties !== undefined ? '' : `; each ${items.expected}`;
  const restart = property.requiresRestart === true ? '; a change starts the service again' : '';
  const cells = [`\`${name}\``, title + restart, `${expected}${entries}`, defaultText(property, isRequired)];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function defaultText(property: SchemaNode, isRequired: boolean): string {
  if (property.default === undefined) return isRequired ? 'required' : 'none';
  const isEmptyObject = JSON.stringify(property.default) === '{}';
  return isEmptyObject ? 'the defaults of its fields' : `\`${JSON.stringify(property.default)}\``;
}
