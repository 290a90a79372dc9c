/** Servers in the document that the user edits. */
import { checkDocument, type ConfigDocument, edited } from '../../core/config.ts';
import type { HostConfig, Problem } from '../../core/contract.ts';

/** A server as written: everything with a default may be omitted. */
export interface HostDocument {
  name: string;
  address: string;
  hostnames?: string[];
  services?: string[];
  clientAddress?: string;
  ssh?: false | { port?: number; targetPort?: number };
  [other: string]: unknown;
}

export interface HostForm {
  readonly name: string;
  readonly address: string;
  /** One per line, or separated by spaces or commas. */
  readonly hostnames: string;
  readonly services: readonly string[];
  readonly clientAddress: string;
  readonly hasSsh: boolean;
  /** "": the appliance chooses. */
  readonly sshPort: string;
  readonly sshTargetPort: string;
}

export const EMPTY_FORM: HostForm = {
  name: '',
  address: '',
  hostnames: '',
  services: ['http', 'https'],
  clientAddress: 'none',
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
    address: host.address,
    hostnames: (host.hostnames ?? []).join('\n'),
    services: host.services ?? EMPTY_FORM.services,
    clientAddress: host.clientAddress ?? 'none',
    hasSsh: ssh !== false,
    sshPort: ssh === false || ssh.port === undefined ? '' : String(ssh.port),
    sshTargetPort: ssh === false || ssh.targetPort === undefined ? '22' : String(ssh.targetPort),
  };
}

/** A number if the text is one. Otherwise the text itself, so that the API reports the problem. */
const numberOf = (text: string): number =>
  /^\d+$/.test(text.trim()) ? Number(text) : (text as unknown as number);

/** The server from the form. Fields of the document that the form does not know are kept. */
export function hostOf(form: HostForm, before?: HostDocument): HostDocument {
  const host: HostDocument = {
    ...before,
    name: form.name.trim(),
    address: form.address.trim(),
    hostnames: splitNames(form.hostnames),
  };
  const isDefault =
    form.services.length === 2 && ['http', 'https'].every((name) => form.services.includes(name));
  if (isDefault) delete host.services;
  else host.services = [...form.services];
  if (form.clientAddress === 'none') delete host.clientAddress;
  else host.clientAddress = form.clientAddress;
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
  return { document: { ...document, hosts }, index };
}

export const withoutHost = (document: ConfigDocument, name: string): ConfigDocument => ({
  ...document,
  hosts: hostsOf(document).filter((host) => host.name !== name),
});

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
