import type { NetworkAnswer } from '../core/contract.ts';
import { useAction, useResource } from '../core/resource.ts';
import { Address, Button, Loading, State } from '../ui/basics.tsx';
import { Facts } from '../ui/table.tsx';
import { step } from './state.ts';
import { text } from './text.ts';

export function NetworkStep() {
  const words = text.value.network;
  const found = useResource<NetworkAnswer>('network');
  const again = useAction(found.reload);
  const network = found.data.value;
  return (
    <>
      <p>{words.lead}</p>
      {network === undefined ? <Loading of={found} /> : <Found network={network} />}
      <div class="actions spread">
        <Button icon="refresh" isBusy={again.isBusy.value} onClick={() => void again.run()}>
          {words.again}
        </Button>
        <Button kind="primary" onClick={() => (step.value = 'server')}>
          {text.value.next}
        </Button>
      </div>
    </>
  );
}

function Found({ network }: { network: NetworkAnswer }) {
  const words = text.value.network;
  const { addresses, gateway4, gateway6, hasIpv6, publicIpv4, dns, portConflicts } = network;
  // An island need not have a way out of its own.
  const gateway = (found: typeof gateway4, missing: 'warn' | 'unknown') =>
    found === null ? (
      <State state={missing} word={words.gatewayMissing} />
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
            words.addresses,
            addresses.map((address) => (
              <div key={address}>
                <Address value={address} />
              </div>
            )),
          ],
          [words.ipv4, gateway(gateway4, 'warn')],
          [words.ipv6, gateway(gateway6, 'unknown')],
          [
            words.publicIpv4,
            <>
              {publicIpv4.address !== null && <Address value={publicIpv4.address} />}{' '}
              <span class="faint">{publicIpv4.text}</span>
            </>,
          ],
          [
            words.dns,
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
            <State state="warn" word={words.ipv6Missing} />
          </p>
          <p>{words.ipv6Help}</p>
        </div>
      )}
      {portConflicts.length > 0 && (
        <div class="note">
          <p>
            <State state="fail" word={words.conflicts} />
          </p>
          <ul class="consequences">
            {portConflicts.map(({ port, protocol, wantedBy, owner }) => (
              <li key={`${protocol}${port}`}>{words.conflict(port, protocol, wantedBy, owner)}</li>
            ))}
          </ul>
        </div>
      )}
      {hasIpv6 && portConflicts.length === 0 && (
        <p>
          <State state="ok" word={words.good} />
        </p>
      )}
    </>
  );
}
