import { useSignal } from '@preact/signals';
import { api, query } from '../../core/api.ts';
import { text } from '../../core/locale.ts';
import type { Nat64ExplainAnswer } from '../../../../src/services/nat64/contract.ts';
import { useAction } from '../../core/resource.ts';
import { Button, Card, Shape, State } from '../../ui/basics.tsx';
import { Form, SelectField, TextField } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';

const EMPTY = { protocol: 'tcp', client: '', clientPort: '', destination: '', destinationPort: '' };

/** What NAT64 would do with one packet, by its present tables. */
export function Packet() {
  const form = useSignal(EMPTY);
  const answer = useSignal<Nat64ExplainAnswer | undefined>(undefined);
  const { run, isBusy, error } = useAction(async () => {
    answer.value = undefined;
    answer.value = await api.get<Nat64ExplainAnswer>(`nat64/explain${query(form.value)}`);
  });
  const set = (name: keyof typeof EMPTY) => (value: string) =>
    (form.value = { ...form.value, [name]: value });
  const field = (name: keyof typeof EMPTY) => ({
    value: form.value[name],
    onInput: set(name),
    problem: problemOf(error.value)(name),
  });
  const port = { isCode: true, inputMode: 'numeric', size: 6, placeholder: text('any') } as const;
  return (
    <Card>
      <Form class="form inline" onSend={run}>
        <SelectField
          label={text('Protocol')}
          value={form.value.protocol}
          onChange={set('protocol')}
          options={Object.entries({ tcp: text('TCP SYN'), udp: 'UDP', icmp: text('echo request') })}
        />
        <TextField label={text('From (IPv6)')} isCode placeholder="2001:db8:1::10" {...field('client')} />
        <TextField label={text('Source port')} {...port} {...field('clientPort')} />
        <TextField label={text('To')} isCode placeholder="203.0.113.9" {...field('destination')} />
        <TextField label={text('Destination port')} {...port} {...field('destinationPort')} />
        <Button kind="primary" type="submit" isBusy={isBusy.value}>
          {text('Explain')}
        </Button>
      </Form>
      <p class="faint">{text('Nothing is sent, and nothing changed.')}</p>
      <ErrorBox error={error.value} fields={Object.keys(EMPTY)} />
      <div aria-live="polite">
        {answer.value !== undefined && (
          <div class="stack">
            <State
              state={answer.value.isTranslated ? 'ok' : 'refused'}
              word={answer.value.isTranslated ? text('It would be translated') : text('It would be refused')}
            />
            <ol class="steps">
              {answer.value.steps.map(({ isOk, text: line, counter }) => (
                <li key={line}>
                  <Shape tone={isOk ? 'ok' : 'fail'} />
                  <span>
                    {line}{' '}
                    {counter !== null && (
                      <span class="faint">
                        {text('Counted as')} <code>{counter}</code>
                      </span>
                    )}
                  </span>
                </li>
              ))}
            </ol>
          </div>
        )}
      </div>
    </Card>
  );
}
