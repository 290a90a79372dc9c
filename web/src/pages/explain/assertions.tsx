/** Assertions: the list, and how an answer becomes one. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { config, edit, edited } from '../../core/config.ts';
import type { AssertionResult, AssertionsAnswer, ExplainOutcome } from '../../core/contract.ts';
import { text } from '../../core/locale.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Button, Card, Empty, State, type StateName } from '../../ui/basics.tsx';
import { ask, Dialog } from '../../ui/dialog.tsx';
import { bound, TextField } from '../../ui/field.tsx';
import { Table } from '../../ui/table.tsx';
import { PAGES } from '../all.ts';
import { type Assertion, assertionsOf, expectationOf, type Question } from './model.ts';

/** A server, a service that leads out, or nowhere. */
const expectationTitle = (expected: string): string =>
  expected === 'refused'
    ? text('nowhere (refused)')
    : (PAGES.find(({ service }) => service?.direction === 'out' && service.name === expected)?.title() ??
      expected);

export function SaveDialog({
  question,
  outcome,
  onClose,
}: {
  question: Question;
  outcome: ExplainOutcome;
  onClose: () => void;
}) {
  const expected = expectationOf(outcome) ?? '';
  const name = useSignal(text('{to} leads to {expected}', { to: question.to, expected }));
  const save = () => {
    const { from, protocol, to, port } = question;
    const assertion: Assertion = {
      name: name.value.trim(),
      from: from.trim(),
      protocol,
      to: to.trim(),
      ...(protocol !== 'icmp' && { port: Number(port) }),
      expect: expected,
    };
    edit((document) => (document['assertions'] = [...assertionsOf(document), assertion]));
    toast(text('The assertion is in the draft; it takes effect when you apply the change.'));
    onClose();
  };
  return (
    <Dialog
      title={text('Keep as an assertion')}
      onClose={onClose}
      onSend={save}
      footer={
        <>
          <Button onClick={onClose}>{text('Cancel')}</Button>
          <Button kind="primary" type="submit" isDisabled={name.value.trim() === ''}>
            {text('Save')}
          </Button>
        </>
      }
    >
      <p>
        {text('{what} must lead to: {expected}', {
          what: `${question.from} → ${question.to}${question.protocol === 'icmp' ? '' : `#${question.port}`}`,
          expected: expectationTitle(expected),
        })}
      </p>
      <TextField label={text('Name')} {...bound(name)} isRequired />
    </Dialog>
  );
}

export function Assertions({ onShow }: { onShow: (assertion: Assertion) => void }) {
  const { data, problem, reload } = useResource<AssertionsAnswer>('assertions');
  const revision = config.value?.revision;
  useEffect(() => void reload(), [revision]);
  const test = useAction(reload);
  const results = new Map(data.value?.rows.map((row) => [row.name, row]));
  const written = assertionsOf(edited.value);
  const remove = (assertion: Assertion) =>
    ask({
      title: text('Remove the assertion “{name}”?', { name: assertion.name }),
      consequences: [text('Changes that break this connection are no longer refused.')],
      undo: text(
        'Nothing happens before you apply the change. Afterwards you can bring it back from the history.',
      ),
      action: text('Remove'),
      perform: async () =>
        edit(
          (document) =>
            (document['assertions'] = assertionsOf(document).filter(({ name }) => name !== assertion.name)),
        ),
    });
  const stateOf = (result: AssertionResult | undefined): StateName =>
    result === undefined ? 'unknown' : result.state;
  return (
    <Card
      title={text('Assertions')}
      actions={
        written.length > 0 && (
          <Button isSmall icon="refresh" isBusy={test.isBusy.value} onClick={() => void test.run()}>
            {text('Test again')}
          </Button>
        )
      }
    >
      <p class="faint">{text('What must stay true. Each is tested before a change is applied.')}</p>
      {problem.value !== undefined && <p class="problem">{problem.value}</p>}
      {written.length === 0 ? (
        <Empty title={text('No assertions yet')}>
          <p>{text('Explain a connection that matters to you, then keep the answer as an assertion.')}</p>
        </Empty>
      ) : (
        <Table
          caption={text('Assertions')}
          rows={written}
          keyOf={({ name }) => name}
          columns={[
            {
              title: text('Name'),
              cell: (assertion) => (
                <button type="button" class="link" onClick={() => onShow(assertion)}>
                  {assertion.name}
                </button>
              ),
            },
            {
              title: text('Connection'),
              cell: ({ from, to, port, protocol }) => (
                <code>
                  {protocol} {from} → {to}
                  {port === undefined ? '' : `#${port}`}
                </code>
              ),
            },
            {
              title: text('Must lead to'),
              cell: ({ expect }) => expectationTitle(expect),
            },
            {
              title: text('Holds?'),
              cell: ({ name }) => (
                <>
                  <State
                    state={stateOf(results.get(name))}
                    word={
                      results.get(name) === undefined
                        ? text('not applied yet')
                        : results.get(name)?.state === 'failed'
                          ? text('does not hold')
                          : undefined
                    }
                  />
                  {results.get(name)?.state === 'failed' && (
                    <div class="faint">{results.get(name)?.message}</div>
                  )}
                </>
              ),
            },
            {
              title: '',
              cell: (assertion) => (
                <Button
                  isSmall
                  icon="remove"
                  label={`${text('Remove')}: ${assertion.name}`}
                  onClick={() => remove(assertion)}
                />
              ),
            },
          ]}
        />
      )}
    </Card>
  );
}
