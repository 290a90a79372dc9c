/**
 * For each service, counts the files that name it outside its own folder and its page's folder, and fails above a limit: a
 * service should be added, changed and removed in one place (docs/architecture.md, "To add a service"). `--list` prints all
 * these files.
 *
 * A file names a service if it imports from its folder, or if its name is a part of an identifier or string. Sentences (strings
 * with white space or German letters), comments and files of texts do not count, because texts for people may name services.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const LIMIT = 6;
/** Higher limits for single services, with the reason. */
const LIMITS: Readonly<Record<string, number>> = {};
const FILES = ['src/**/*.ts', 'web/src/**/*.{ts,tsx}', 'lab/**/*.ts', 'firmware/**/*'];
const TEXTS = /^(?:web\/)?src\/texts\//;

/** The same word with another meaning. */
const OTHER_SENSES: Readonly<Record<string, RegExp>> = {
  // The PROXY protocol, its header as the lab's servers show it, proxies in front of us, the options of Fastify and nginx, and the
  // fields of HTTP.
  proxy:
    /\/proxy\/trustedProxies|trusted[-_]?prox(?:y|ies)|prox(?:y|ies)[-_]?(?:headers?|probes|details)|COMMAND_PROXY|isOfProxy|proxy[-_]?protocol|proxy[-_]?v[12]|version_2_proxy|proxy[-_]?client|trustProxy|'proxy',(?= 'fastcgi')|proxy[-_]?(?:connection|auth\w+|user)|'proxy',(?=\s+'[a-z]+-)/gi,
  // What routers do with packets, and the chain of a packet filter where they do it.
  forward:
    /chain forward|hook forward|'forward' && FAMILIES|forward[-_]?(?:policy|chains?|drops)|ip_forward|forward_delay|ForwardToSyslog|forwardOne/gi,
  // RFC 6052 section 2: what addresses with an IPv4 address inside have in common.
  nat64: /nat64[-_]?prefix/gi,
  dns64: /$^/g,
  // The packet filter of the machine, whoever made its rules.
  firewall: /firewall(?!\/(?:service|describe))/gi,
};

const services = globSync('src/services/*/describe.ts', { cwd: ROOT }).map((file) => file.split('/')[2]);
const files = FILES.flatMap((pattern) => globSync(pattern, { cwd: ROOT, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
  .filter((file) => !TEXTS.test(file))
  .sort();
const sources = files.map((file) => [file, meaningOf(file)] as const);

let isWell = true;
for (const service of services.sort()) {
  const own = [`src/services/${service}/`, `web/src/pages/${service}/`];
  const naming = sources.filter(
    ([file, source]) => !own.some((folder) => file.startsWith(folder)) && names(source, service),
  );
  const limit = LIMITS[service] ?? LIMIT;
  const isAbove = naming.length > limit;
  isWell &&= !isAbove;
  console.log(
    `${isAbove ? '✖' : '✔'} ${service}: ${naming.length} files outside its folders name it, ${limit} at most`,
  );
  if (isAbove || process.argv.includes('--list')) for (const [file] of naming) console.log(`    ${file}`);
}
process.exitCode = isWell ? 0 : 1;

/** A file without its comments and sentences. */
function meaningOf(file: string): string {
  const path = join(ROOT, file);
  const source = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (!/\.tsx?$/.test(file)) return source.replace(/^\s*[#;].*$/gm, '');
  // Handle strings and comments in one pass: each may contain what looks like the other.
  return source.replace(
    /\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g,
    (found) =>
      found.startsWith('/') || /[\s\u0080-\uffff]/.test(found.replace(/\$\{[^}]*\}/g, '')) ? ' ' : found,
  );
}

/** Whether a word is a part of an identifier or string: "proxyOptions", "PROXY_OPTIONS", "/proxy/listen". */
function names(source: string, service: string): boolean {
  const words = source
    .replace(OTHER_SENSES[service] ?? /$^/g, ' ')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return new RegExp(`(?<![a-z0-9])${service}(?![a-z0-9])`).test(words);
}
