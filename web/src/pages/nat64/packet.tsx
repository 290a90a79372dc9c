import { useSignal } from '@preact/signals';
import { ApiProblem, api, query } from '../../core/api.ts';
import type { Nat64ExplainAnswer } from '../../core/contract.ts';
import { useAction } from '../../core/resource.ts';
import { Button, Card, Shape, State } from '../../ui/basics.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { ErrorBox } from '../../ui/problems.tsx';
import { text } from './text.ts';

const EMPTY = { protocol: 'tcp', client: '', clientPort: '', destination: '', destinationPort: '' };

/** What NAT64 would do with one packet, by its tables of now. */
export function Packet() {
  const words = text.value;
  const form = useSignal(EMPTY);
  const answer = useSignal<Nat64ExplainAnswer | undefined>(undefined);
  const { run, isBusy, error } = useAction(async () => {
    answer.value = undefined;
    answer.value = await api.get<Nat64ExplainAnswer>(`nat64/explain${query(form.value)}`);
  });
  const set = (name: keyof typeof EMPTY) => (value: string) =>
    (form.value = { ...form.value, [name]: value });
  const problems = error.value instanceof ApiProblem ? error.value.problems : [];
  const problem = (name: string) => problems.find(({ path }) => path === `/${name}`)?.message;
  const { protocol, client, clientPort, destination, destinationPort } = form.value;
  return (
    <Card>
      <form
        class="form inline"
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <SelectField
          label={words.protocol}
          value={protocol}
          onChange={set('protocol')}
          options={Object.entries(words.kinds)}
        />
        <TextField
          label={words.from}
          isCode
          placeholder="2001:db8:1::10"
          value={client}
          onInput={set('client')}
          problem={problem('client')}
        />
        <TextField
          label={words.fromPort}
          isCode
          inputMode="numeric"
          size={6}
          placeholder={words.any}
          value={clientPort}
          onInput={set('clientPort')}
          problem={problem('clientPort')}
        />
        <TextField
          label={words.to}
          isCode
          placeholder="203.0.113.9"
          value={destination}
          onInput={set('destination')}
          problem={problem('destination')}
        />
        <TextField
          label={words.toPort}
          isCode
          inputMode="numeric"
          size={6}
          placeholder={words.any}
          value={destinationPort}
          onInput={set('destinationPort')}
          problem={problem('destinationPort')}
        />
        <Button kind="primary" type="submit" isBusy={isBusy.value}>
          {words.explain}
        </Button>
      </form>
      <p class="faint">{words.packetLead}</p>
      {error.value !== undefined && problems.length === 0 && <ErrorBox error={error.value} />}
      <div aria-live="polite">
        {answer.value !== undefined && (
          <div class="stack">
            <State
              state={answer.value.isTranslated ? 'ok' : 'refused'}
              word={answer.value.isTranslated ? words.translated : words.refused}
            />
            <ol class="steps">
              {answer.value.steps.map(({ isOk, text: line, counter }) => (
                <li key={line}>
                  <Shape tone={isOk ? 'ok' : 'fail'} />
                  <span>
                    {line}{' '}
                    {counter !== null && (
                      <span class="faint">
                        {words.countedAs} <code>{counter}</code>
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
