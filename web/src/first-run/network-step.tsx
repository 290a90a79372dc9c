import type { NetworkAnswer } from '../core/contract.ts';
import { text } from '../core/locale.ts';
import { useAction, useResource } from '../core/resource.ts';
import { Address, Button, Loading, State } from '../ui/basics.tsx';
import { Facts } from '../ui/table.tsx';
import { step } from './state.ts';

export function NetworkStep() {
  const found = useResource<NetworkAnswer>('network');
  const again = useAction(found.reload);
  const network = found.data.value;
  return (
    <>
      <p>{text('This is the network that the appliance found. You do not need to type anything here.')}</p>
      {network === undefined ? <Loading of={found} /> : <Found network={network} />}
      <div class="actions spread">
        <Button icon="refresh" isBusy={again.isBusy.value} onClick={() => void again.run()}>
          {text('Look again')}
        </Button>
        <Button kind="primary" onClick={() => (step.value = 'server')}>
          {text('Continue')}
        </Button>
      </div>
    </>
  );
}

function Found({ network }: { network: NetworkAnswer }) {
  const { addresses, gateway4, gateway6, hasIpv6, publicIpv4, dns, portConflicts } = network;
  // An island does not need its own Internet access.
  const gateway = (found: typeof gateway4, missing: 'warn' | 'unknown') =>
    found === null ? (
      <State state={missing} word={text('none found')} />
    ) : (
      <>
        <Address value={found.address} /> <span class="faint">{found.interface}</span>
      </>
    );
  return (
    <>
      <Facts
        rows={[
          [
            text('Its addresses'),
            addresses.map((address) => (
              <div key={address}>
                <Address value={address} />
              </div>
            )),
          ],
          [text('IPv4 gateway'), gateway(gateway4, 'warn')],
          [text('IPv6 gateway'), gateway(gateway6, 'unknown')],
          [
            text('Seen from the Internet'),
            <>
              {publicIpv4.address !== null && <Address value={publicIpv4.address} />}{' '}
              <span class="faint">{publicIpv4.text}</span>
            </>,
          ],
          [
            text('DNS servers in use'),
            dns.upstreams.map((upstream) => (
              <div key={upstream}>
                <code>{upstream}</code>
              </div>
            )),
          ],
        ]}
      />
      {!hasIpv6 && (
        <div class="note">
          <p>
            <State state="warn" word={text('There is no IPv6 in this network')} />
          </p>
          <p>
            {text(
              'The servers need IPv6 addresses. Switch on IPv6 in the router, or continue and look at Checks later.',
            )}
          </p>
        </div>
      )}
      {portConflicts.length > 0 && (
        <div class="note">
          <p>
            <State state="fail" word={text('Ports used by another program')} />
          </p>
          <ul class="consequences">
            {portConflicts.map(({ port, protocol, wantedBy, owner }) => (
              <li key={`${protocol}${port}`}>
                {text('{protocol} {port} (for {wanted}) is in use by {owner}.', {
                  protocol: protocol.toUpperCase(),
                  port,
                  wanted: wantedBy,
                  owner,
                })}
              </li>
            ))}
          </ul>
        </div>
      )}
      {hasIpv6 && portConflicts.length === 0 && (
        <p>
          <State state="ok" word={text('Nothing is in the way.')} />
        </p>
      )}
    </>
  );
}
