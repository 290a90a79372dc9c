import { config } from '../core/config.ts';
import type { HostsAnswer, NetworkAnswer } from '../core/contract.ts';
import { useResource } from '../core/resource.ts';
import { DnsRecords } from '../pages/servers/dns-records.tsx';
import { Address, Button, Loading } from '../ui/basics.tsx';
import { Table } from '../ui/table.tsx';
import { firstServer, step } from './state.ts';
import { text } from './text.ts';

export function OutsideStep() {
  const words = text.value.outside;
  const hosts = useResource<HostsAnswer>('hosts');
  const network = useResource<NetworkAnswer>('network');
  return (
    <>
      <p>{words.lead}</p>
      <section class="stack tight">
        <h2>{words.ports}</h2>
        {hosts.data.value === undefined || network.data.value === undefined ? (
          <Loading of={hosts.data.value === undefined ? hosts : network} />
        ) : (
          <Ports hosts={hosts.data.value} network={network.data.value} />
        )}
      </section>
      <section class="stack tight">
        <h2>{words.dns}</h2>
        <DnsRecords name={firstServer.value} />
      </section>
      <div class="actions spread">
        <Button onClick={() => (step.value = 'server')}>{text.value.back}</Button>
        <Button kind="primary" onClick={() => (step.value = 'done')}>
          {text.value.next}
        </Button>
      </div>
    </>
  );
}

function Ports({ hosts, network }: { hosts: HostsAnswer; network: NetworkAnswer }) {
  const words = text.value.outside;
  const { kind, address } = network.publicIpv4;
  if (kind === 'own' && address !== null) return <p>{words.portsOwn(address)}</p>;
  const own = network.addresses.find((each) => each.includes('.'));
  if (own === undefined) return <p>{words.noIpv4}</p>;
  const host = hosts.hosts.find(({ name }) => name === firstServer.value);
  const effective = config.value?.effective;
  const services = effective?.hosts.find(({ name }) => name === firstServer.value)?.services ?? [];
  const rows = [
    ...(effective?.proxy.listeners
      .filter(({ name }) => services.includes(name))
      .map(({ name, port }) => ({ use: name, port })) ?? []),
    ...(host?.sshPort == null ? [] : [{ use: 'SSH', port: host.sshPort }]),
  ];
  return (
    <>
      <p>{words.portsLead(own)}</p>
      <Table
        caption={words.ports}
        rows={rows}
        keyOf={({ port }) => port}
        columns={[
          { title: words.port, cell: ({ port }) => <Address value={String(port)} /> },
          { title: words.use, cell: ({ use }) => use },
        ]}
      />
    </>
  );
}
