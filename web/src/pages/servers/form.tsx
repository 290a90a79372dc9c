/** The form of a server. Problems are shown beside their field while typing, from the appliance's own validation. */
import type { Signal } from '@preact/signals';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { config } from '../../core/config.ts';
import type { Problem } from '../../core/contract.ts';
import { text } from '../../core/locale.ts';
import { CheckField, SelectField, TextArea, TextField } from '../../ui/field.tsx';
import { problemAt } from '../../ui/problems.tsx';
import { type HostDocument, type HostForm, hostOf, problemsOf } from './model.ts';

const CHECK_DELAY_MS = 300;
/** The paths of the fields that a short form hides. */
const MORE = /^\/(services|clientAddress|ssh)/;

/** Problems of the present form, as validated by the appliance. A field shows its problem only once it has been left or saved. */
export function useHostProblems(
  form: Signal<HostForm>,
  before: HostDocument | undefined,
): Signal<readonly Problem[]> {
  const problems = useSignal<readonly Problem[]>([]);
  const value = form.value;
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      problemsOf(hostOf(value, before), before?.name, abort.signal).then(
        (found) => (problems.value = found),
        () => {},
      );
    }, CHECK_DELAY_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [value]);
  return problems;
}

export function HostFields({
  form,
  problems,
  showsAll,
  isShort = false,
}: {
  form: Signal<HostForm>;
  problems: readonly Problem[];
  showsAll: boolean;
  isShort?: boolean;
}) {
  const touched = useSignal<ReadonlySet<keyof HostForm>>(new Set());
  const set =
    <Key extends keyof HostForm>(key: Key) =>
    (value: HostForm[Key]) =>
      (form.value = { ...form.value, [key]: value });
  const touch = (key: keyof HostForm) => () => (touched.value = new Set(touched.value).add(key));
  const problem = (key: keyof HostForm, path: string) =>
    showsAll || touched.value.has(key) ? problemAt(problems, path) : undefined;
  const { hostnames, services, clientAddress, hasSsh } = form.value;
  type TextKey = 'name' | 'address' | 'sshPort' | 'sshTargetPort';
  const field = (key: TextKey, path: string) => ({
    isCode: true,
    value: form.value[key],
    onInput: set(key),
    onBlur: touch(key),
    problem: problem(key, path),
  });
  const more = (
    <>
      <WaysIn services={services} onChange={set('services')} problem={problem('services', '/services')} />
      <SelectField
        label={text('How the server learns the client’s address')}
        hint={text(
          'PROXY protocol must be switched on at the server too, and a mapped address needs a route there: the page of the server shows the settings.',
        )}
        value={clientAddress}
        options={Object.entries({
          none: text('It does not (X-Forwarded-For over plain HTTP only)'),
          'proxy-v1': text('PROXY protocol, version 1 (text)'),
          'proxy-v2': text('PROXY protocol, version 2 (binary)'),
          mapped: text('As the source of the connection: an IPv6 address that contains it'),
        })}
        onChange={set('clientAddress')}
        problem={problem('clientAddress', '/clientAddress')}
      />
      <CheckField
        label={text('Give it an SSH port on the IPv4 side')}
        isChecked={hasSsh}
        onChange={set('hasSsh')}
      />
      {hasSsh && (
        <div class="columns">
          <TextField
            label={text('Port on the IPv4 side')}
            hint={text('If this is empty, the appliance chooses a port and keeps it.')}
            isOptional
            inputMode="numeric"
            {...field('sshPort', '/ssh/port')}
          />
          <TextField
            label={text('Port of sshd on the server')}
            inputMode="numeric"
            {...field('sshTargetPort', '/ssh/targetPort')}
          />
        </div>
      )}
    </>
  );
  return (
    <>
      <TextField
        label={text('Name')}
        hint={text('A label of your own, such as web1.')}
        name="server-name"
        {...field('name', '/name')}
        autoFocus={!isShort}
      />
      <TextField
        label={text('IPv6 address')}
        hint={text('The address of the server itself, such as 2001:db8:1::10.')}
        name="server-address"
        {...field('address', '/address')}
      />
      <TextArea
        label={text('Host names')}
        hint={text('One per line. *.example.com stands for every name below example.com.')}
        rows={3}
        value={hostnames}
        onInput={set('hostnames')}
        problem={
          problem('hostnames', '/hostnames') ??
          (showsAll || hostnames !== '' ? problemAt(problems, '/hostnames') : undefined)
        }
      />
      {isShort ? (
        <details open={(showsAll && problems.some(({ path }) => MORE.test(path))) || undefined}>
          <summary>{text('More settings')}</summary>
          <div class="stack">{more}</div>
        </details>
      ) : (
        more
      )}
    </>
  );
}

/** The listeners of the proxy that lead to a server. */
function WaysIn({
  services,
  onChange,
  problem,
}: {
  services: readonly string[];
  onChange: (services: string[]) => void;
  problem: ReturnType<typeof problemAt>;
}) {
  const listeners = config.value?.effective.proxy.listeners ?? [];
  const toggle = (listener: string) => (isOn: boolean) =>
    onChange(isOn ? [...services, listener] : services.filter((each) => each !== listener));
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
            isChecked={services.includes(listener.name)}
            onChange={toggle(listener.name)}
          />
        ))}
      </div>
      <p class="hint">{text('Listeners of the appliance that lead here by name.')}</p>
      {problem !== undefined && <p class="problem">{problem}</p>}
    </fieldset>
  );
}
