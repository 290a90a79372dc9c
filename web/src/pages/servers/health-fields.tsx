/** Health checks in the form of a server. */
import { say, text } from '../../core/locale.ts';
import { SelectField, TextField } from '../../ui/field.tsx';
import { DEFAULT_HEALTH, type HealthForm, splitNames } from './model.ts';

const CHECKS = {
  none: say('none: one that does not answer a client is put aside for some seconds'),
  tcp: say('does it take connections?'),
  tls: say('does it complete a TLS handshake for the name of the server?'),
  http: say('does it answer a request?'),
};

/** How a check is called where its result is shown. */
export const CHECK_NAMES = { tcp: say('connection'), tls: say('TLS handshake'), http: say('HTTP request') };

export function HealthFields({
  health,
  hostnames,
  onChange,
  onLeave,
  problemAt,
}: {
  health: HealthForm;
  hostnames: string;
  onChange: (health: HealthForm) => void;
  /** A field was left: its problem may be shown. */
  onLeave: () => void;
  /** The problem at a path below `health`. */
  problemAt: (path: string) => string | undefined;
}) {
  const { check } = health;
  const set = (key: keyof HealthForm) => (value: string) => onChange({ ...health, [key]: value });
  const field = (key: Exclude<keyof HealthForm, 'check'>) => ({
    isCode: true,
    value: health[key],
    placeholder: DEFAULT_HEALTH[key],
    onInput: set(key),
    onBlur: onLeave,
    problem: problemAt(`/${key}`) ?? (key === 'expect' ? problemAt('/expect/0') : undefined),
  });
  const number = (key: 'intervalSeconds' | 'failures' | 'successes') => ({
    ...field(key),
    inputMode: 'numeric' as const,
  });
  return (
    <fieldset class="stack tight">
      <legend class="group-label">{text('Health checks')}</legend>
      <SelectField
        label={text('What is checked at each address')}
        hint={text(
          'Clients are not led to an address that fails, unless all of them fail. Each check is a connection that the server may log.',
        )}
        value={check}
        options={Object.entries(CHECKS).map(([value, title]) => [value, text(title)] as const)}
        onChange={set('check')}
        problem={problemAt('/check')}
      />
      {check === 'http' && (
        <div class="columns">
          <TextField label={text('Path of the request')} {...field('path')} />
          <TextField
            label={text('Status that shows that all is well')}
            hint={text('Several are separated by spaces, such as 2xx 301.')}
            {...field('expect')}
          />
        </div>
      )}
      {(check === 'http' || check === 'tls') && (
        <TextField
          label={text('Name that the check asks for')}
          isOptional
          {...field('host')}
          placeholder={splitNames(hostnames).find((name) => !name.startsWith('*')) ?? ''}
        />
      )}
      {check !== 'none' && (
        <div class="columns">
          <TextField label={text('Seconds from one check to the next')} {...number('intervalSeconds')} />
          <TextField label={text('Failures in a row that take it out')} {...number('failures')} />
          <TextField label={text('Successes in a row that bring it back')} {...number('successes')} />
        </div>
      )}
    </fieldset>
  );
}
