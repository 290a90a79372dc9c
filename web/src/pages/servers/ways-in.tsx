/** The listeners of the proxy that lead to a server, and what differs from one to the other. */
import { say, text } from '../../core/locale.ts';
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
  const change = (index: number, fields: Partial<WayIn>) =>
    onChange(services.map((service, i) => (i === index ? { ...service, ...fields } : service)));
  const isPlain = services.every(
    ({ targetPort, clientAddress }) => targetPort === '' && clientAddress === '',
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
          <summary>{text('Another port or PROXY protocol for one of them')}</summary>
          <div class="stack">
            {services.map((service, index) => (
              <OneWay
                key={service.listener}
                service={service}
                port={listeners.find(({ name }) => name === service.listener)?.port}
                onChange={(fields) => change(index, fields)}
                problem={problemAt(`/${index}/targetPort`)}
              />
            ))}
          </div>
        </details>
      )}
    </fieldset>
  );
}

function OneWay({
  service: { listener, targetPort, clientAddress },
  port,
  onChange,
  problem,
}: {
  service: WayIn;
  port: number | undefined;
  onChange: (fields: Partial<WayIn>) => void;
  problem: string | undefined;
}) {
  return (
    <div class="columns">
      <TextField
        label={text('{listener}: port on the server', { listener })}
        isOptional
        isCode
        inputMode="numeric"
        placeholder={port === undefined ? '' : String(port)}
        value={targetPort}
        onInput={(value) => onChange({ targetPort: value })}
        problem={problem}
      />
      <SelectField
        label={text('{listener}: the client’s address', { listener })}
        value={clientAddress}
        options={[
          ['', text('as for the whole server')] as const,
          ...Object.entries(CLIENT_ADDRESSES).map(([value, title]) => [value, text(title)] as const),
        ]}
        onChange={(value) => onChange({ clientAddress: value })}
      />
    </div>
  );
}
