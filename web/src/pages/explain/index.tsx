import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiProblem, api } from '../../core/api.ts';
import { config, edit, edited } from '../../core/config.ts';
import type { AssertionResult, AssertionsAnswer, ExplainAnswer, ExplainOutcome, ExplainStep } from '../../core/contract.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { parameter, setParameters } from '../../core/router.ts';
import { toast } from '../../core/toast.ts';
import { Button, Card, Empty, PageHead, Shape, State, type StateName, Table } from '../../ui/basics.tsx';
import { Dialog, ask } from '../../ui/dialog.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { ErrorBox } from '../../ui/problems.tsx';
import { text as common } from '../../ui/text.ts';
import { text } from './text.ts';

type Protocol = 'tcp' | 'udp' | 'icmp';
interface Question {
  readonly from: string;
  readonly protocol: Protocol;
  readonly to: string;
  readonly port: string;
}
interface Assertion {
  name: string;
  from: string;
  protocol: Protocol;
  to: string;
  port?: number;
  expect: string;
}

const assertionsOf = (document: Readonly<Record<string, unknown>>) => (document['assertions'] ?? []) as readonly Assertion[];

export default function Explain() {
  const words = text.value;
  const form = useSignal<Question>({
    from: parameter('from') || '203.0.113.9',
    protocol: (parameter('protocol') || 'tcp') as Protocol,
    to: parameter('to'),
    port: parameter('port') || '443',
  });
  const asked = useSignal<Question | undefined>(undefined);
  const answer = useSignal<ExplainAnswer | undefined>(undefined);
  const isSaving = useSignal(false);
  const { run, isBusy, error } = useAction(async () => {
    const { from, protocol, to, port } = form.value;
    setParameters({ from, protocol, to, port });
    answer.value = undefined;
    answer.value = await api.post<ExplainAnswer>('explain', { from: from.trim(), protocol, to: to.trim(), ...(protocol !== 'icmp' && { port: Number(port) }) });
    asked.value = form.value;
  });
  useEffect(() => {
    if (parameter('to') !== '') void run();
  }, []);
  const set = <Key extends keyof Question>(key: Key) => (value: Question[Key]) => (form.value = { ...form.value, [key]: value });
  const problems = error.value instanceof ApiProblem ? error.value.problems : [];
  const problem = (name: string) => problems.find(({ path }) => path === `/${name}`)?.message;
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <Card>
        <form
          class="form inline"
          onSubmit={(event) => {
            event.preventDefault();
            void run();
          }}
        >
          <TextField label={words.from} hint={words.fromHint} isCode value={form.value.from} onInput={set('from')} problem={problem('from')} />
          <SelectField<Protocol> label={words.protocol} value={form.value.protocol} onChange={set('protocol')} options={[['tcp', 'TCP'], ['udp', 'UDP'], ['icmp', 'ICMP']]} />
          <TextField label={words.to} hint={words.toHint} isCode placeholder="www.example.com" value={form.value.to} onInput={set('to')} problem={problem('to')} />
          {form.value.protocol !== 'icmp' && <TextField label={words.port} isCode inputMode="numeric" size={6} value={form.value.port} onInput={set('port')} problem={problem('port')} />}
          <Button kind="primary" type="submit" isBusy={isBusy.value}>{words.explain}</Button>
        </form>
        {error.value !== undefined && problems.length === 0 && <ErrorBox error={error.value} />}
        <div aria-live="polite">
          {answer.value !== undefined && asked.value !== undefined ? (
            <div class="stack">
              <Outcome outcome={answer.value.outcome} />
              <Steps steps={answer.value.steps} />
              {expectationOf(answer.value.outcome) !== undefined && (
                <div>
                  <Button icon="plus" onClick={() => (isSaving.value = true)}>{words.keep}</Button>
                  <p class="hint">{words.keepHint}</p>
                </div>
              )}
            </div>
          ) : (
            error.value === undefined && <p class="faint">{words.nothingSent}</p>
          )}
        </div>
      </Card>
      {isSaving.value && asked.value !== undefined && answer.value !== undefined && <SaveDialog question={asked.value} outcome={answer.value.outcome} onClose={() => (isSaving.value = false)} />}
      <Assertions onShow={(assertion) => { form.value = { ...assertion, port: String(assertion.port ?? '') }; void run(); scrollTo(0, 0); }} />
    </>
  );
}

const STATES: Readonly<Record<ExplainOutcome['kind'], StateName>> = { server: 'ok', appliance: 'ok', nat64: 'ok', direct: 'ok', refused: 'refused', unknown: 'unknown' };

function Outcome({ outcome }: { outcome: ExplainOutcome }) {
  return (
    <p class="outcome">
      <State state={STATES[outcome.kind]} word={outcome.text} />
      {outcome.server !== null && <> <a href={`/servers/${encodeURIComponent(outcome.server)}`}>{outcome.server}</a></>}
    </p>
  );
}

/** A rule of the configuration as a place of the panel. */
function ruleHref(configPath: string): string {
  const host = /^\/hosts\/(\d+)/.exec(configPath);
  const name = host === null ? undefined : config.value?.effective.hosts[Number(host[1])]?.name;
  return name === undefined ? `/configuration?view=json&path=${encodeURIComponent(configPath)}` : `/servers/${encodeURIComponent(name)}`;
}

export function Steps({ steps }: { steps: readonly ExplainStep[] }) {
  const words = text.value;
  return (
    <ol class="steps">
      {steps.map(({ isOk, service, text: line, counter, configPath }) => (
        <li key={line}>
          <Shape tone={isOk ? 'ok' : 'fail'} />
          <span>
            <span class="tag">{service}</span> {line}{' '}
            {configPath !== undefined && <a href={ruleHref(configPath)} aria-label={`${words.rule}: ${configPath}`}>{words.rule}</a>}
            {counter !== undefined && <span class="faint"> {words.countedAs} <code>{counter}</code></span>}
          </span>
        </li>
      ))}
    </ol>
  );
}

const expectationOf = ({ kind, server }: ExplainOutcome): string | undefined => (kind === 'server' ? (server ?? undefined) : kind === 'nat64' || kind === 'refused' ? kind : undefined);

function SaveDialog({ question, outcome, onClose }: { question: Question; outcome: ExplainOutcome; onClose: () => void }) {
  const words = text.value;
  const expected = expectationOf(outcome) ?? '';
  const name = useSignal(words.suggested(question.to, expected));
  const save = () => {
    const { from, protocol, to, port } = question;
    const assertion: Assertion = { name: name.value.trim(), from: from.trim(), protocol, to: to.trim(), ...(protocol !== 'icmp' && { port: Number(port) }), expect: expected };
    edit((document) => (document['assertions'] = [...assertionsOf(document), assertion]));
    toast(words.saved);
    onClose();
  };
  return (
    <Dialog title={words.keep} onClose={onClose} footer={<><Button onClick={onClose}>{common.value.cancel}</Button><Button kind="primary" isDisabled={name.value.trim() === ''} onClick={save}>{common.value.save}</Button></>}>
      <p>{words.expects(`${question.from} → ${question.to}${question.protocol === 'icmp' ? '' : `#${question.port}`}`, words.expectations[expected as 'nat64'] ?? expected)}</p>
      <TextField label={words.name} value={name.value} onInput={(value) => (name.value = value)} />
    </Dialog>
  );
}

function Assertions({ onShow }: { onShow: (assertion: Assertion) => void }) {
  const words = text.value;
  const { data, problem, reload } = useResource<AssertionsAnswer>('assertions');
  const revision = config.value?.revision;
  useEffect(() => void reload(), [revision]);
  const test = useAction(reload);
  const results = new Map(data.value?.rows.map((row) => [row.name, row]));
  const written = assertionsOf(edited.value);
  const remove = (assertion: Assertion) =>
    ask({
      title: words.removeTitle(assertion.name),
      consequences: [words.removeConsequence],
      undo: words.removeUndo,
      action: common.value.remove,
      perform: async () => edit((document) => (document['assertions'] = assertionsOf(document).filter(({ name }) => name !== assertion.name))),
    });
  const stateOf = (result: AssertionResult | undefined): StateName => (result === undefined ? 'unknown' : result.state);
  return (
    <Card title={words.assertions} actions={written.length > 0 && <Button isSmall icon="refresh" isBusy={test.isBusy.value} onClick={() => void test.run()}>{words.testAgain}</Button>}>
      <p class="faint">{words.assertionsLead}</p>
      {problem.value !== undefined && <p class="problem">{problem.value}</p>}
      {written.length === 0 ? (
        <Empty title={words.none}><p>{words.noneHelp}</p></Empty>
      ) : (
        <Table
          caption={words.assertions}
          rows={written}
          keyOf={({ name }) => name}
          columns={[
            { title: words.name, cell: (assertion) => <button type="button" class="link" onClick={() => onShow(assertion)}>{assertion.name}</button> },
            { title: words.connection, cell: ({ from, to, port, protocol }) => <code>{protocol} {from} → {to}{port === undefined ? '' : `#${port}`}</code> },
            { title: words.expected, cell: ({ expect }) => words.expectations[expect as 'nat64'] ?? expect },
            { title: words.holds, cell: ({ name }) => <><State state={stateOf(results.get(name))} word={results.get(name) === undefined ? words.notApplied : results.get(name)?.state === 'failed' ? words.broken : undefined} />{results.get(name)?.state === 'failed' && <div class="faint">{results.get(name)?.message}</div>}</> },
            { title: '', cell: (assertion) => <Button isSmall icon="remove" label={`${common.value.remove}: ${assertion.name}`} onClick={() => remove(assertion)} /> },
          ]}
        />
      )}
    </Card>
  );
}
