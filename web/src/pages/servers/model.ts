/** Servers in the document that the user edits. */
import { checkDocument, config, type ConfigDocument, edited } from '../../core/config.ts';
import type { HostConfig, Problem } from '../../core/contract.ts';

/** A server as written: everything with a default may be omitted. */
export interface HostDocument {
  name: string;
  address?: string;
  addresses?: string[];
  balance?: string;
  health?: false | HealthDocument;
  enabled?: boolean;
  maintenance?: boolean;
  hostnames?: string[];
  services?: (string | { listener: string; targetPort?: number; clientAddress?: string; alpn?: string[] })[];
  clientAddress?: string;
  allow?: string[];
  redirectToHttps?: false | 301 | 308;
  accessLog?: string;
  ssh?: false | { port?: number; targetPort?: number };
  [other: string]: unknown;
}

/** As written. Fields that the form does not know are kept. */
export interface HealthDocument {
  check?: string;
  host?: string;
  path?: string;
  expect?: string[];
  intervalSeconds?: number;
  failures?: number;
  successes?: number;
  [other: string]: unknown;
}

/** All of them as text; "none" is no check. An empty field has its default. */
export interface HealthForm {
  readonly check: string;
  readonly host: string;
  readonly path: string;
  /** Separated by spaces or commas. */
  readonly expect: string;
  readonly intervalSeconds: string;
  readonly failures: string;
  readonly successes: string;
}

/** An entry of `services`. */
export interface WayIn {
  readonly listener: string;
  /** "": the port of the listener. */
  readonly targetPort: string;
  /** "": as for the whole server. */
  readonly clientAddress: string;
  /** Protocols, separated by spaces or commas; "": for all clients. */
  readonly alpn: string;
}

export interface HostForm {
  readonly name: string;
  /** Several are separated by spaces or commas. */
  readonly address: string;
  readonly balance: string;
  readonly health: HealthForm;
  readonly enabled: boolean;
  readonly maintenance: boolean;
  /** One per line, or separated by spaces or commas. */
  readonly hostnames: string;
  readonly services: readonly WayIn[];
  readonly clientAddress: string;
  /** One per line, or separated by spaces or commas. */
  readonly allow: string;
  readonly redirectToHttps: string;
  /** "": as for all servers. */
  readonly accessLog: string;
  readonly hasSsh: boolean;
  /** "": the appliance chooses. */
  readonly sshPort: string;
  readonly sshTargetPort: string;
}

export const wayIn = (listener: string): WayIn => ({ listener, targetPort: '', clientAddress: '', alpn: '' });

export const DEFAULT_HEALTH: HealthForm = {
  check: 'http',
  host: '',
  path: '/',
  expect: '2xx 3xx 4xx',
  intervalSeconds: '10',
  failures: '3',
  successes: '2',
};

export const EMPTY_FORM: HostForm = {
  name: '',
  address: '',
  balance: 'order',
  health: { ...DEFAULT_HEALTH, check: 'none' },
  enabled: true,
  maintenance: false,
  hostnames: '',
  services: ['http', 'https'].map(wayIn),
  clientAddress: 'none',
  allow: 'any',
  redirectToHttps: 'false',
  accessLog: '',
  hasSsh: true,
  sshPort: '',
  sshTargetPort: '22',
};

export const hostsOf = (document: ConfigDocument): HostDocument[] =>
  (Array.isArray(document['hosts']) ? document['hosts'] : []) as HostDocument[];

export const splitNames = (text: string): string[] => text.split(/[\s,;]+/).filter((name) => name !== '');

export function formOf(host: HostDocument, effective: HostConfig | undefined): HostForm {
  const ssh = host.ssh ?? effective?.ssh ?? {};
  return {
    name: host.name,
    address: addressesOf(host).join(' '),
    balance: host.balance ?? 'order',
    health: healthFormOf(host.health ?? false),
    enabled: host.enabled ?? true,
    maintenance: host.maintenance ?? false,
    hostnames: (host.hostnames ?? []).join('\n'),
    services: host.services?.map(wayInOf) ?? EMPTY_FORM.services,
    clientAddress: host.clientAddress ?? 'none',
    allow: (host.allow ?? ['any']).join('\n'),
    redirectToHttps: String(host.redirectToHttps ?? false),
    accessLog: host.accessLog ?? '',
    hasSsh: ssh !== false,
    sshPort: ssh === false || ssh.port === undefined ? '' : String(ssh.port),
    sshTargetPort: ssh === false || ssh.targetPort === undefined ? '22' : String(ssh.targetPort),
  };
}

function healthFormOf(health: false | HealthDocument): HealthForm {
  if (health === false) return EMPTY_FORM.health;
  const text = (key: 'intervalSeconds' | 'failures' | 'successes') =>
    health[key] === undefined ? DEFAULT_HEALTH[key] : String(health[key]);
  return {
    check: health.check ?? DEFAULT_HEALTH.check,
    host: health.host ?? '',
    path: health.path ?? DEFAULT_HEALTH.path,
    expect: health.expect?.join(' ') ?? DEFAULT_HEALTH.expect,
    intervalSeconds: text('intervalSeconds'),
    failures: text('failures'),
    successes: text('successes'),
  };
}

/** What the form says; what is as by default is left out. A path stays while another kind of check is chosen. */
function healthOf(form: HealthForm, before: HostDocument['health']): false | HealthDocument {
  if (form.check === 'none') return false;
  const health: HealthDocument = before === undefined || before === false ? {} : { ...before };
  const set = <Key extends keyof HealthForm>(key: Key, read: (text: string) => HealthDocument[Key]) => {
    const text = form[key].trim();
    if (text === '' || text === DEFAULT_HEALTH[key]) delete health[key];
    else health[key] = read(text);
  };
  set('check', (text) => text);
  set('host', (text) => text);
  set('path', (text) => text);
  set('expect', splitNames);
  set('intervalSeconds', numberOf);
  set('failures', numberOf);
  set('successes', numberOf);
  return health;
}

const wayInOf = (service: NonNullable<HostDocument['services']>[number]): WayIn =>
  typeof service === 'string'
    ? wayIn(service)
    : {
        listener: service.listener,
        targetPort: service.targetPort === undefined ? '' : String(service.targetPort),
        clientAddress: service.clientAddress ?? '',
        alpn: (service.alpn ?? []).join(' '),
      };

/** The addresses of a server, the first one first. */
export const addressesOf = ({ address, addresses }: Pick<HostDocument, 'address' | 'addresses'>): string[] =>
  addresses ?? (address === undefined ? [] : [address]);

/** The listeners that a server may name. */
export const knownListeners = () => config.value?.effective.proxy.listeners ?? [];

/** The names of the listeners that lead to a server. */
export const listenersOf = ({ services = ['http', 'https'] }: Pick<HostDocument, 'services'>): string[] =>
  services.map((service) => wayInOf(service).listener);

/** A way in is written as a name if it does not differ from its listener. */
function serviceOf({
  listener,
  targetPort,
  clientAddress,
  alpn,
}: WayIn): NonNullable<HostDocument['services']>[number] {
  const protocols = splitNames(alpn);
  if (targetPort.trim() === '' && clientAddress === '' && protocols.length === 0) return listener;
  return {
    listener,
    ...(targetPort.trim() !== '' && { targetPort: numberOf(targetPort) }),
    ...(clientAddress !== '' && { clientAddress }),
    ...(protocols.length > 0 && { alpn: protocols }),
  };
}

/** Sets a field, or removes it if it has its default. */
function setOr<Key extends keyof HostDocument>(
  host: HostDocument,
  key: Key,
  value: HostDocument[Key],
  isDefault: boolean,
): void {
  if (isDefault) delete host[key];
  else host[key] = value;
}

/** A number if the text is one. Otherwise the text itself, so that the API reports the problem. */
const numberOf = (text: string): number =>
  /^\d+$/.test(text.trim()) ? Number(text) : (text as unknown as number);

/** The server from the form. Fields of the document that the form does not know are kept. */
export function hostOf(form: HostForm, before?: HostDocument): HostDocument {
  const host: HostDocument = {
    ...before,
    name: form.name.trim(),
    hostnames: splitNames(form.hostnames),
  };
  const addresses = splitNames(form.address);
  setOr(host, 'address', addresses[0] ?? '', addresses.length > 1);
  setOr(host, 'addresses', addresses, addresses.length <= 1);
  setOr(host, 'balance', form.balance, form.balance === 'order' || addresses.length <= 1);
  const health = healthOf(form.health, before?.health);
  setOr(host, 'health', health, health === false);
  const services = form.services.map(serviceOf);
  const isDefault = services.length === 2 && ['http', 'https'].every((name) => services.includes(name));
  const allow = splitNames(form.allow);
  const redirect = form.redirectToHttps === 'false' ? false : (Number(form.redirectToHttps) as 301 | 308);
  setOr(host, 'enabled', form.enabled, form.enabled);
  setOr(host, 'maintenance', form.maintenance, !form.maintenance);
  setOr(host, 'services', services, isDefault);
  setOr(host, 'clientAddress', form.clientAddress, form.clientAddress === 'none');
  setOr(host, 'allow', allow, allow.length === 1 && allow[0] === 'any');
  setOr(host, 'redirectToHttps', redirect, redirect === false);
  setOr(host, 'accessLog', form.accessLog, form.accessLog === '');
  if (!form.hasSsh) host.ssh = false;
  else {
    const ssh: { port?: number; targetPort?: number } = {};
    if (form.sshPort.trim() !== '') ssh.port = numberOf(form.sshPort);
    if (form.sshTargetPort.trim() !== '22' && form.sshTargetPort.trim() !== '')
      ssh.targetPort = numberOf(form.sshTargetPort);
    if (Object.keys(ssh).length === 0) delete host.ssh;
    else host.ssh = ssh;
  }
  return host;
}

/** The document with this server in place of `original`, or at the end; and its index. */
export function withHost(
  document: ConfigDocument,
  host: HostDocument,
  original: string | undefined,
): { document: ConfigDocument; index: number } {
  const hosts = [...hostsOf(document)];
  const found = original === undefined ? -1 : hosts.findIndex(({ name }) => name === original);
  const index = found < 0 ? hosts.length : found;
  hosts[index] = host;
  const isDefault = original !== undefined && defaultHostOf(document) === original;
  const renamed = isDefault ? withDefaultHost(document, host.name) : document;
  return { document: { ...renamed, hosts }, index };
}

export const withoutHost = (document: ConfigDocument, name: string): ConfigDocument => ({
  ...(defaultHostOf(document) === name ? withDefaultHost(document, undefined) : document),
  hosts: hostsOf(document).filter((host) => host.name !== name),
});

/** The server for unknown names; undefined if there is none. */
export const defaultHostOf = (document: ConfigDocument): string | undefined =>
  (document['proxy'] as { defaultHost?: string } | undefined)?.defaultHost;

/** The document with this server for unknown names; undefined for none. */
export const withDefaultHost = (document: ConfigDocument, name: string | undefined): ConfigDocument =>
  withProxyField(document, 'defaultHost', name);

/** What the access log has of servers that do not say it themselves. */
export const accessLogOf = (document: ConfigDocument): string =>
  (document['proxy'] as { accessLog?: string } | undefined)?.accessLog ?? 'off';

export const withAccessLog = (document: ConfigDocument, value: string): ConfigDocument =>
  withProxyField(document, 'accessLog', value === 'off' ? undefined : value);

/** The document with this field of the proxy; undefined for its default. */
function withProxyField(document: ConfigDocument, field: string, value: string | undefined): ConfigDocument {
  const { [field]: _before, ...proxy } = (document['proxy'] ?? {}) as Record<string, unknown>;
  return { ...document, proxy: value === undefined ? proxy : { ...proxy, [field]: value } };
}

/** Prefixes in which names without a server may have their addresses. */
export const allowedPrefixesOf = (document: ConfigDocument): string[] =>
  (document['proxy'] as { allowedPrefixes?: string[] } | undefined)?.allowedPrefixes ?? [];

export function withAllowedPrefixes(document: ConfigDocument, prefixes: readonly string[]): ConfigDocument {
  const { allowedPrefixes: _before, ...proxy } = (document['proxy'] ?? {}) as Record<string, unknown>;
  return { ...document, proxy: prefixes.length === 0 ? proxy : { ...proxy, allowedPrefixes: prefixes } };
}

/** The problems of this server, from the appliance's validation. Paths start at the server ("/address"). */
export async function problemsOf(
  host: HostDocument,
  original: string | undefined,
  abort?: AbortSignal,
): Promise<Problem[]> {
  const { document, index } = withHost(edited.value, host, original);
  const { problems } = await checkDocument(document, abort);
  const prefix = `/hosts/${index}`;
  return problems
    .filter(({ path }) => path === prefix || path.startsWith(`${prefix}/`))
    .map((problem) => ({ ...problem, path: problem.path.slice(prefix.length) }));
}
