/** The servers with their names, and how to reach each by SSH. */
import { ApiProblem, request } from './api.js';
import { byId, control, copyOrSelect, make, setText } from './dom.js';

/** @import { SshConfigAnswer } from '../src/admin/contract.ts' */
/** @import { Config, HostConfig } from '../src/config/schema.ts' */

const hostnameInput = control('hostname', HTMLInputElement);

/** @type {readonly HostConfig[]} */
let hosts = [];

/** Shows the servers of a configuration. Throws ApiProblem. */
export async function showServers(/** @type {Config} */ config) {
  hosts = config.hosts;
  await refreshServers();
}

async function refreshServers() {
  const wanted = hostnameInput.value.trim();
  const query = wanted === '' ? '' : `?hostname=${encodeURIComponent(wanted)}`;
  /** @type {SshConfigAnswer} */
  const { hostname, servers } = await request(`/ssh-config${query}`);
  hostnameInput.value = hostname;
  const place = byId('servers');
  if (hosts.length === 0) {
    const example =
      '"hosts": [{ "name": "web1", "address": "2001:db8:1::10", "hostnames": ["example.com"] }]';
    place.replaceChildren(
      make(
        'p',
        { class: 'empty' },
        'No servers yet. Add the first one to the configuration below: ',
        make('code', {}, example),
      ),
    );
    return;
  }
  const sshByName = new Map(servers.map((server) => [server.name, server]));
  place.replaceChildren(...hosts.map((host) => serverCard(host, sshByName.get(host.name))));
}

control('hostname-form', HTMLFormElement).addEventListener('submit', async (event) => {
  event.preventDefault();
  const hint = byId('hostname-hint');
  try {
    await refreshServers();
    hostnameInput.removeAttribute('aria-invalid');
    setText(hint, `The SSH snippets below use ${hostnameInput.value}.`);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    hostnameInput.setAttribute('aria-invalid', 'true');
    setText(hint, error.problems[0]?.message ?? error.message);
  }
});

/** @param {HostConfig} host @param {SshConfigAnswer['servers'][number] | undefined} ssh */
function serverCard(host, ssh) {
  const names = host.hostnames.length === 0 ? 'no host names' : host.hostnames.join(', ');
  const head = make(
    'div',
    { class: 'card-head' },
    make('h3', {}, host.name),
    make('span', { class: 'address' }, host.address),
    make('span', {}, names),
    make('span', { class: 'hint' }, `${host.services.join(', ')}; client address: ${host.clientAddress}`),
  );
  if (host.ssh === false)
    return make('article', { class: 'card' }, head, make('p', { class: 'hint' }, 'No SSH port.'));
  if (ssh === undefined) {
    return make(
      'article',
      { class: 'card' },
      head,
      make('p', { class: 'problem' }, 'No SSH port could be opened; see the forward service.'),
    );
  }
  const snippet = make('pre', {}, ssh.snippet);
  const button = make(
    'button',
    { type: 'button', class: 'quiet', 'aria-label': `Copy the SSH snippet of ${host.name}` },
    'Copy',
  );
  button.addEventListener('click', () => copyOrSelect(snippet, button));
  const details = make(
    'details',
    {},
    make('summary', {}, `SSH on port ${ssh.port}`),
    make('div', { class: 'snippet' }, snippet, button),
  );
  return make('article', { class: 'card' }, head, details);
}
