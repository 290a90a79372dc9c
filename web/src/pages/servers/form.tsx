/** The form of a server. What is wrong is said beside its field while typing, by the appliance's own validation. */
import type { Signal } from '@preact/signals';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { config } from '../../core/config.ts';
import type { Problem } from '../../core/contract.ts';
import { CheckField, SelectField, TextArea, TextField } from '../../ui/field.tsx';
import { problemAt } from '../../ui/problems.tsx';
import { type HostDocument, type HostForm, hostOf, problemsOf } from './model.ts';
import { text } from './text.ts';

const CHECK_DELAY_MS = 300;
/** Where the fields are that a short form hides. */
const MORE = /^\/(services|clientAddress|ssh)/;

/** Problems of what the form says now, as the appliance sees them; of a field only once it has been left or saved. */
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
  const words = text.value.form;
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
  const listeners = config.value?.effective.proxy.listeners ?? [];
  const toggle = (listener: string) => (isOn: boolean) =>
    set('services')(isOn ? [...services, listener] : services.filter((each) => each !== listener));
  const more = (
    <>
      <fieldset class="stack tight">
        <legend class="group-label">{words.services}</legend>
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
        <p class="hint">{words.servicesHint}</p>
        {problem('services', '/services') !== undefined && (
          <p class="problem">{problem('services', '/services')}</p>
        )}
      </fieldset>
      <SelectField
        label={words.client}
        hint={words.clientHint}
        value={clientAddress}
        options={Object.entries(words.clients)}
        onChange={set('clientAddress')}
        problem={problem('clientAddress', '/clientAddress')}
      />
      <CheckField label={words.ssh} isChecked={hasSsh} onChange={set('hasSsh')} />
      {hasSsh && (
        <div class="columns">
          <TextField
            label={words.sshPort}
            hint={words.sshPortHint}
            isOptional
            inputMode="numeric"
            {...field('sshPort', '/ssh/port')}
          />
          <TextField
            label={words.sshTarget}
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
        label={words.name}
        hint={words.nameHint}
        name="server-name"
        {...field('name', '/name')}
        autoFocus={!isShort}
      />
      <TextField
        label={words.address}
        hint={words.addressHint}
        name="server-address"
        {...field('address', '/address')}
      />
      <TextArea
        label={words.names}
        hint={words.namesHint}
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
          <summary>{words.more}</summary>
          <div class="stack">{more}</div>
        </details>
      ) : (
        more
      )}
    </>
  );
}
