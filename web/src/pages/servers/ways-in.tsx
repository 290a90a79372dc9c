/** The listeners of the proxy that lead to a server, and what differs from one to the other. */
import { say, text } from '../../core/locale.ts';
import { Button } from '../../ui/basics.tsx';
import { CheckField, SelectField, TextField } from '../../ui/field.tsx';
import { type WayIn, knownListeners, wayIn } from './model.ts';

export const CLIENT_ADDRESSES = {
  none: say('It does not (X-Forwarded-For over plain HTTP only)'),
  'proxy-v1': say('PROXY protocol, version 1 (text)'),
  'proxy-v2': say('PROXY protocol, version 2 (binary)'),
  mapped: say('As the source of the connection: an IPv6 address that contains it'),
};

export function WaysIn({
  services,
  onChange,
  problemAt,
}: {
  services: readonly WayIn[];
  onChange: (services: readonly WayIn[]) => void;
  /** The problem at a path below `services`. */
  problemAt: (path: string) => string | undefined;
}) {
  const listeners = knownListeners();
  const toggle = (listener: string) => (isOn: boolean) =>
    onChange(
      isOn ? [...services, wayIn(listener)] : services.filter((service) => service.listener !== listener),
    );
  /** Another way in at a listener is for clients that offer a protocol. */
  const add = (listener: string) => onChange([...services, { ...wayIn(listener), alpn: 'acme-tls/1' }]);
  const tls = listeners.filter(
    ({ name, protocol }) => protocol === 'tls' && services.some(({ listener }) => listener === name),
  );
  const change = (index: number, fields: Partial<WayIn>) =>
    onChange(services.map((service, i) => (i === index ? { ...service, ...fields } : service)));
  const isPlain = services.every(
    ({ targetPort, clientAddress, alpn }) => targetPort === '' && clientAddress === '' && alpn === '',
  );
  const problem =
    problemAt('') ?? services.map((_, i) => problemAt(`/${i}`)).find((each) => each !== undefined);
  return (
    <fieldset class="stack tight">
      <legend class="group-label">{text('Ways in')}</legend>
      <div class="row">
        {listeners.map((listener) => (
          <CheckField
            key={listener.name}
            label={
              <>
                {listener.name} <span class="faint">{listener.port}</span>
              </>
            }
            isChecked={services.some((service) => service.listener === listener.name)}
            onChange={toggle(listener.name)}
          />
        ))}
      </div>
      <p class="hint">{text('Listeners of the appliance that lead here by name.')}</p>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {services.length > 0 && (
        <details open={!isPlain || undefined}>
          <summary>{text('Another port, PROXY protocol or ALPN for one of them')}</summary>
          <div class="stack">
            {services.map((service, index) => (
              <OneWay
                key={index}
                service={service}
                listener={listeners.find(({ name }) => name === service.listener)}
                onChange={(fields) => change(index, fields)}
                onRemove={
                  services.filter(({ listener }) => listener === service.listener).length > 1
                    ? () => onChange(services.filter((_, i) => i !== index))
                    : undefined
                }
                problemAt={(field) => problemAt(`/${index}/${field}`)}
              />
            ))}
            <div class="row">
              {tls.map(({ name }) => (
                <Button key={name} icon="plus" onClick={() => add(name)}>
                  {text('{listener}: another way in by ALPN', { listener: name })}
                </Button>
              ))}
            </div>
          </div>
        </details>
      )}
    </fieldset>
  );
}

function OneWay({
  service: { listener: name, targetPort, clientAddress, alpn },
  listener,
  onChange,
  onRemove,
  problemAt,
}: {
  service: WayIn;
  listener: { readonly port: number; readonly protocol: string } | undefined;
  onChange: (fields: Partial<WayIn>) => void;
  /** undefined: it is removed with its listener. */
  onRemove: (() => void) | undefined;
  problemAt: (field: string) => string | undefined;
}) {
  const hasAlpn = listener?.protocol === 'tls' || alpn !== '';
  return (
    <div class="columns">
      <TextField
        label={text('{listener}: port on the server', { listener: name })}
        isOptional
        isCode
        inputMode="numeric"
        placeholder={listener === undefined ? '' : String(listener.port)}
        value={targetPort}
        onInput={(value) => onChange({ targetPort: value })}
        problem={problemAt('targetPort')}
      />
      <SelectField
        label={text('{listener}: the client’s address', { listener: name })}
        value={clientAddress}
        options={[
          ['', text('as for the whole server')] as const,
          ...Object.entries(CLIENT_ADDRESSES).map(([value, title]) => [value, text(title)] as const),
        ]}
        onChange={(value) => onChange({ clientAddress: value })}
      />
      {hasAlpn && (
        <TextField
          label={text('{listener}: only for protocols (ALPN)', { listener: name })}
          hint={text(
            'Such as acme-tls/1 or h2: only for clients that offer one of them. Others need another way in.',
          )}
          isOptional
          isCode
          value={alpn}
          onInput={(value) => onChange({ alpn: value })}
          problem={problemAt('alpn')}
        />
      )}
      {onRemove !== undefined && (
        <div>
          <Button icon="close" onClick={onRemove}>
            {text('Remove this way in')}
          </Button>
        </div>
      )}
    </div>
  );
}
