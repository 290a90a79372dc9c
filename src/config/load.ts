/** Turns text into a complete configuration, or into the list of all problems. Pure. */
import { readOwn } from '../os/follow-ourselves.ts';
import { checkConfig } from './check.ts';
import { checkOurselves } from './check-ourselves.ts';
import { type Static, withDefaults } from './json-schema.ts';
import { type Positions, lineAndColumn, parseJson } from './json.ts';
import type { ConfigProblem } from './problem.ts';
import { type Config, ConfigSchema, type HostConfig, HostSchema } from './schema.ts';
import { MAX_PROBLEMS, validate } from './validate.ts';

/** As the user wrote it: missing fields have their defaults. */
export type ConfigDocument = Readonly<Record<string, unknown>>;

export interface LoadedConfig {
  /** Complete: every default is filled in. */
  readonly config: Config;
  /** As written, for the file. */
  readonly document: ConfigDocument;
}

/**
 * Parses and validates a configuration; an empty text is the empty configuration. All problems of single values are reported
 * together. Problems across fields follow when every field is valid. Of syntax errors only the first is reported.
 */
export function loadConfig(text: string): LoadedConfig | { readonly problems: readonly ConfigProblem[] } {
  const json = text.replace(/^\uFEFF/, '');
  const parsed = parseJson(json.trim() === '' ? '{}' : json);
  if ('problem' in parsed) return { problems: [parsed.problem] };
  const loaded = loadDocument(parsed.value);
  if ('config' in loaded) return loaded;
  return { problems: loaded.problems.map((problem) => locate(problem, json, parsed.positions)) };
}

/** The same for a value that was parsed elsewhere: problems have no line and column. */
export function loadDocument(value: unknown): LoadedConfig | { readonly problems: readonly ConfigProblem[] } {
  const schemaProblems = validate(ConfigSchema, value);
  if (schemaProblems.length > 0) return { problems: schemaProblems };
  const document = value as ConfigDocument;
  const config = fillDefaults(document);
  const problems = checkConfig(config);
  return problems.length > 0 ? { problems: problems.slice(0, MAX_PROBLEMS) } : { config, document };
}

/** A configuration that is about to become active: this machine's own addresses are checked too. See check-ourselves.ts. */
export function checkedHere(
  loaded: LoadedConfig | { readonly problems: readonly ConfigProblem[] },
): LoadedConfig | { readonly problems: readonly ConfigProblem[] } {
  if ('problems' in loaded) return loaded;
  const problems = checkOurselves(loaded.config, readOwn());
  return problems.length > 0 ? { problems: problems.slice(0, MAX_PROBLEMS) } : loaded;
}

/** A complete copy of a valid document. */
export function fillDefaults(document: ConfigDocument): Config {
  const config = withDefaults(ConfigSchema, structuredClone(document)) as Static<typeof ConfigSchema>;
  return { ...config, hosts: config.hosts.map(completeHost) };
}

/** The same for one server. */
export const fillHostDefaults = (host: unknown): HostConfig =>
  completeHost(withDefaults(HostSchema, structuredClone(host)) as Static<typeof HostSchema>);

/** A server without any address gets an empty one, which `checkHost` reports. */
const completeHost = (host: Static<typeof HostSchema>): HostConfig => ({
  ...host,
  address: host.address ?? host.addresses?.[0] ?? '',
});

/** Adds line and column of the value, or, when it is missing, of the object that should contain it. */
function locate(problem: ConfigProblem, text: string, positions: Positions): ConfigProblem {
  const { path } = problem;
  const offset = positions.get(path) ?? positions.get(path.slice(0, path.lastIndexOf('/')));
  return offset === undefined ? problem : { ...problem, ...lineAndColumn(text, offset) };
}
