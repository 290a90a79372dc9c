/** The form of a server. Problems are shown beside their field while typing, from the appliance's own validation. */
import type { Signal } from '@preact/signals';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Problem } from '../../core/contract.ts';
import { text } from '../../core/locale.ts';
import { CheckField, SelectField, TextArea, TextField } from '../../ui/field.tsx';
import { problemAt } from '../../ui/problems.tsx';
import { HealthFields } from './health-fields.tsx';
import { type HostDocument, type HostForm, hostOf, problemsOf, splitNames } from './model.ts';
import { CLIENT_ADDRESSES, WaysIn } from './ways-in.tsx';

type TextKey = 'name' | 'address' | 'sshPort' | 'sshTargetPort';
type Setter = <Key extends keyof HostForm>(key: Key) => (value: HostForm[Key]) => void;

const CHECK_DELAY_MS = 300;
/** The paths of the fields that a short form hides. */
const MORE = /^\/(health|services|clientAddress|allow|redirectToHttps|ssh)/;

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
  /** For fields that cannot be left: their problem is shown at once. */
  const setShown =
    <Key extends keyof HostForm>(key: Key) =>
    (value: HostForm[Key]) => {
      touch(key)();
      set(key)(value);
    };
  const problem = (key: keyof HostForm, path: string) =>
    showsAll || touched.value.has(key) ? problemAt(problems, path) : undefined;
  const { address, balance, health, hostnames, services, clientAddress, hasSsh } = form.value;
  const field = (key: TextKey, path: string) => ({
    isCode: true,
    value: form.value[key],
    onInput: set(key),
    onBlur: touch(key),
    problem: problem(key, path),
  });
  const more = (
    <>
      <WaysIn
        services={services}
        onChange={set('services')}
        problemAt={(path) => problem('services', `/services${path}`)}
      />
      <SelectField
        label={text('How the server learns the client’s address')}
        hint={text(
          'PROXY protocol must be switched on at the server too, and a mapped address needs a route there: the page of the server shows the settings.',
        )}
        value={clientAddress}
        options={Object.entries(CLIENT_ADDRESSES).map(([value, title]) => [value, text(title)] as const)}
        onChange={set('clientAddress')}
        problem={problem('clientAddress', '/clientAddress')}
      />
      <HealthFields
        health={health}
        hostnames={hostnames}
        onChange={set('health')}
        onLeave={touch('health')}
        problemAt={(path) => problem('health', `/health${path}`)}
      />
      <Admission form={form} set={setShown} problem={problem} />
      <SshFields hasSsh={hasSsh} set={set} field={field} />
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
        hint={text(
          'The address of the server itself, such as 2001:db8:1::10; several are separated by spaces.',
        )}
        name="server-address"
        {...field('address', '/address')}
        problem={problem('address', '/address') ?? problem('address', '/addresses')}
      />
      {splitNames(address).length > 1 && (
        <SelectField
          label={text('Several addresses')}
          hint={text('One that does not answer is put aside for some seconds, and the next one is tried.')}
          value={balance}
          options={Object.entries({
            order: text('the first that answers'),
            'round-robin': text('each in turn'),
          })}
          onChange={set('balance')}
          problem={problem('balance', '/balance')}
        />
      )}
      <TextArea
        label={text('Host names')}
        hint={text(
          'One per line. *.example.com stands for names with one label more, **.example.com for any number more.',
        )}
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

/** What becomes of clients before they reach the server. */
function Admission({
  form,
  set,
  problem,
}: {
  form: Signal<HostForm>;
  set: Setter;
  problem: (key: keyof HostForm, path: string) => string | undefined;
}) {
  const { allow, redirectToHttps, enabled, maintenance } = form.value;
  return (
    <>
      <SelectField
        label={text('Plain HTTP')}
        hint={text(
          'A redirect keeps /.well-known/acme-challenge/ as it is, so that certificates can be renewed.',
        )}
        value={redirectToHttps}
        options={Object.entries({
          false: text('goes to the server'),
          308: text('is redirected to https (308, the method stays)'),
          301: text('is redirected to https (301, for old clients)'),
        })}
        onChange={set('redirectToHttps')}
        problem={problem('redirectToHttps', '/redirectToHttps')}
      />
      <TextArea
        label={text('Who may connect')}
        hint={text(
          'One per line: a prefix such as 192.0.2.0/24, “lan” for every network of the appliance, or “any”.',
        )}
        rows={2}
        value={allow}
        onInput={set('allow')}
        problem={problem('allow', '/allow')}
      />
      <CheckField
        label={text('In maintenance')}
        hint={text('Clients are turned away: 503 over HTTP, an alert over TLS, a reset at the SSH port.')}
        isChecked={maintenance}
        onChange={set('maintenance')}
      />
      <CheckField
        label={text('Switched off')}
        hint={text('It stays in the configuration, but nothing leads to it.')}
        isChecked={!enabled}
        onChange={(isOff) => set('enabled')(!isOff)}
      />
    </>
  );
}

function SshFields({
  hasSsh,
  set,
  field,
}: {
  hasSsh: boolean;
  set: Setter;
  field: (
    key: TextKey,
    path: string,
  ) => Pick<Parameters<typeof TextField>[0], 'isCode' | 'value' | 'onInput' | 'onBlur' | 'problem'>;
}) {
  return (
    <>
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
}
