import { config } from '../core/config.ts';
import type { HostsAnswer, NetworkAnswer } from '../core/contract.ts';
import { text } from '../core/locale.ts';
import { useResource } from '../core/resource.ts';
import { DnsRecords } from '../pages/servers/dns-records.tsx';
import { knownListeners, listenersOf } from '../pages/servers/model.ts';
import { Address, Button, Loading } from '../ui/basics.tsx';
import { Table } from '../ui/table.tsx';
import { firstServer, step } from './state.ts';

export function OutsideStep() {
  const hosts = useResource<HostsAnswer>('hosts');
  const network = useResource<NetworkAnswer>('network');
  return (
    <>
      <p>{text('Two things remain that you must do outside of this appliance.')}</p>
      <section class="stack tight">
        <h2>{text('Open on the router')}</h2>
        {hosts.data.value === undefined || network.data.value === undefined ? (
          <Loading of={hosts.data.value === undefined ? hosts : network} />
        ) : (
          <Ports hosts={hosts.data.value} network={network.data.value} />
        )}
      </section>
      <section class="stack tight">
        <h2>{text('Publish in the DNS')}</h2>
        <DnsRecords name={firstServer.value} />
      </section>
      <div class="actions spread">
        <Button onClick={() => (step.value = 'server')}>{text('Back')}</Button>
        <Button kind="primary" onClick={() => (step.value = 'done')}>
          {text('Continue')}
        </Button>
      </div>
    </>
  );
}

function Ports({ hosts, network }: { hosts: HostsAnswer; network: NetworkAnswer }) {
  const { kind, address } = network.publicIpv4;
  if (kind === 'own' && address !== null)
    return <p>{text('Nothing: the appliance has the public address {address} itself.', { address })}</p>;
  const own = network.addresses.find((each) => each.includes('.'));
  if (own === undefined)
    return <p>{text('The appliance has no IPv4 address yet: connect it to the IPv4 network first.')}</p>;
  const host = hosts.hosts.find(({ name }) => name === firstServer.value);
  const first = config.value?.effective.hosts.find(({ name }) => name === firstServer.value);
  const services = first === undefined ? [] : listenersOf(first);
  const rows = [
    ...knownListeners()
      .filter(({ name }) => services.includes(name))
      .map(({ name, port }) => ({ use: name, port })),
    ...(host?.sshPort == null ? [] : [{ use: 'SSH', port: host.sshPort }]),
  ];
  return (
    <>
      <p>{text('Forward these ports of the public IPv4 address to {address}:', { address: own })}</p>
      <Table
        caption={text('Open on the router')}
        rows={rows}
        keyOf={({ port }) => port}
        columns={[
          { title: text('Port'), cell: ({ port }) => <Address value={String(port)} /> },
          { title: text('For'), cell: ({ use }) => use },
        ]}
      />
    </>
  );
}
