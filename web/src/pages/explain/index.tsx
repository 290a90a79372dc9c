import { type Signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api } from '../../core/api.ts';
import type { ExplainAnswer } from '../../core/contract.ts';
import { locale, text } from '../../core/locale.ts';
import { useAction } from '../../core/resource.ts';
import { parameter, setParameters } from '../../core/router.ts';
import { Button, Card, PageHead } from '../../ui/basics.tsx';
import { Form, SelectField, TextField, bound } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';
import { Outcome, Steps } from './answer.tsx';
import { Assertions, SaveDialog } from './assertions.tsx';
import { splitNames } from '../servers/model.ts';
import { expectationOf, type Protocol, type Question } from './model.ts';

export default function Explain() {
  const form = useSignal<Question>({
    from: parameter('from') || '203.0.113.9',
    protocol: (parameter('protocol') || 'tcp') as Protocol,
    to: parameter('to'),
    port: parameter('port') || '443',
  });
  /** Of TLS clients: protocols, separated by spaces or commas. */
  const alpn = useSignal(parameter('alpn'));
  const asked = useSignal<Question | undefined>(undefined);
  const answer = useSignal<ExplainAnswer | undefined>(undefined);
  const isSaving = useSignal(false);
  const { run, isBusy, error } = useAction(async () => {
    const { from, protocol, to, port } = form.value;
    const offered = protocol === 'tcp' ? splitNames(alpn.value) : [];
    setParameters({ from, protocol, to, port, alpn: offered.join(' ') });
    answer.value = undefined;
    answer.value = await api.post<ExplainAnswer>('explain', {
      from: from.trim(),
      protocol,
      to: to.trim(),
      ...(protocol !== 'icmp' && { port: Number(port) }),
      ...(offered.length > 0 && { alpn: offered }),
    });
    asked.value = form.value;
  });
  useEffect(() => {
    if (parameter('to') !== '') void run();
  }, [locale.value]);
  const problem = problemOf(error.value);
  return (
    <>
      <PageHead
        title={text('Explain')}
        lead={text(
          'What would happen to a connection, step by step: which listener, which rule, which server.',
        )}
      />
      <Card>
        <Form class="form inline" onSend={run}>
          <Fields form={form} alpn={alpn} problem={problem} />
          <Button kind="primary" type="submit" isBusy={isBusy.value}>
            {text('Explain')}
          </Button>
        </Form>
        <ErrorBox error={error.value} fields={['from', 'to', 'port', 'alpn']} />
        <div aria-live="polite">
          {answer.value !== undefined && asked.value !== undefined ? (
            <Found answer={answer.value} onKeep={() => (isSaving.value = true)} />
          ) : (
            error.value === undefined && (
              <p class="faint">
                {text('Nothing is sent: the answer comes from the configuration and the present state.')}
              </p>
            )
          )}
        </div>
      </Card>
      {isSaving.value && asked.value !== undefined && answer.value !== undefined && (
        <SaveDialog
          question={asked.value}
          outcome={answer.value.outcome}
          onClose={() => (isSaving.value = false)}
        />
      )}
      <Assertions
        onShow={(assertion) => {
          form.value = { ...assertion, port: String(assertion.port ?? '') };
          void run();
          scrollTo(0, 0);
        }}
      />
    </>
  );
}

/** What is asked. */
function Fields({
  form,
  alpn,
  problem,
}: {
  form: Signal<Question>;
  alpn: Signal<string>;
  problem: (name: string) => string | undefined;
}) {
  const set =
    <Key extends keyof Question>(key: Key) =>
    (value: Question[Key]) =>
      (form.value = { ...form.value, [key]: value });
  return (
    <>
      <TextField
        label={text('From')}
        hint={text('IPv4: from the Internet. IPv6: from a server.')}
        isCode
        value={form.value.from}
        onInput={set('from')}
        problem={problem('from')}
      />
      <SelectField<Protocol>
        label={text('Protocol')}
        value={form.value.protocol}
        onChange={set('protocol')}
        options={[
          ['tcp', 'TCP'],
          ['udp', 'UDP'],
          ['icmp', 'ICMP'],
        ]}
      />
      <TextField
        label={text('To')}
        hint={text('A host name or an address.')}
        isCode
        placeholder="www.example.com"
        value={form.value.to}
        onInput={set('to')}
        problem={problem('to')}
      />
      {form.value.protocol !== 'icmp' && (
        <TextField
          label={text('Port')}
          isCode
          inputMode="numeric"
          size={6}
          value={form.value.port}
          onInput={set('port')}
          problem={problem('port')}
        />
      )}
      {form.value.protocol === 'tcp' && (
        <TextField
          label={text('ALPN')}
          hint={text('What a TLS client offers, such as h2.')}
          isOptional
          isCode
          size={12}
          {...bound(alpn)}
          problem={problem('alpn')}
        />
      )}
    </>
  );
}

function Found({ answer, onKeep }: { answer: ExplainAnswer; onKeep: () => void }) {
  return (
    <div class="stack">
      <Outcome outcome={answer.outcome} />
      <Steps steps={answer.steps} />
      {expectationOf(answer.outcome) !== undefined && (
        <div>
          <Button icon="plus" onClick={onKeep}>
            {text('Keep as an assertion')}
          </Button>
          <p class="hint">
            {text('From then on, a change that would alter this is refused before it is applied.')}
          </p>
        </div>
      )}
    </div>
  );
}
