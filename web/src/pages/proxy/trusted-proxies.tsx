/** `proxy.trustedProxies`: the proxies in front of the appliance. */
import { useSignal } from '@preact/signals';
import { type ConfigDocument, draftCheck, edit, edited } from '../../core/config.ts';
import { text } from '../../core/locale.ts';
import { Card } from '../../ui/basics.tsx';
import { TextArea } from '../../ui/field.tsx';
import { problemAt } from '../../ui/problems.tsx';
import { splitNames } from '../servers/model.ts';

interface ProxyDocument {
  trustedProxies?: string[];
}

const proxyOf = (document: ConfigDocument) => (document['proxy'] ?? {}) as ProxyDocument;

function setTrusted(document: ConfigDocument, trusted: string[]): void {
  const { trustedProxies: _before, ...proxy } = proxyOf(document);
  document['proxy'] = trusted.length === 0 ? proxy : { ...proxy, trustedProxies: trusted };
}

export function TrustedProxies() {
  const trusted = proxyOf(edited.value).trustedProxies ?? [];
  const typed = useSignal('');
  // What is being typed stays as it is, as long as it says the same.
  const isSame = splitNames(typed.value).join(' ') === trusted.join(' ');
  const change = (value: string) => {
    typed.value = value;
    edit((document) => setTrusted(document, splitNames(value)));
  };
  return (
    <Card title={text('Proxies in front of the appliance')}>
      <TextArea
        label={text('Trusted proxies')}
        hint={text(
          'One per line: an address, or a prefix such as 192.0.2.0/24. Each connection from them must begin with a PROXY header (HAProxy: send-proxy, nginx: proxy_protocol on), also at SSH ports. The address in it is that of the client.',
        )}
        rows={2}
        value={isSame ? typed.value : trusted.join('\n')}
        onInput={change}
        problem={problemAt(draftCheck.value?.problems ?? [], '/proxy/trustedProxies')}
      />
    </Card>
  );
}
