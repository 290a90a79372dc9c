/** What must stay true: the list, and how an answer becomes one. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { config, edit, edited } from '../../core/config.ts';
import type { AssertionResult, AssertionsAnswer, ExplainOutcome } from '../../core/contract.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Button, Card, Empty, State, type StateName } from '../../ui/basics.tsx';
import { ask, Dialog } from '../../ui/dialog.tsx';
import { bound, TextField } from '../../ui/field.tsx';
import { Table } from '../../ui/table.tsx';
import { text as common } from '../../ui/text.ts';
import { type Assertion, assertionsOf, expectationOf, type Question } from './model.ts';
import { text } from './text.ts';

export function SaveDialog({
  question,
  outcome,
  onClose,
}: {
  question: Question;
  outcome: ExplainOutcome;
  onClose: () => void;
}) {
  const words = text.value;
  const expected = expectationOf(outcome) ?? '';
  const name = useSignal(words.suggested(question.to, expected));
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
    toast(words.saved);
    onClose();
  };
  return (
    <Dialog
      title={words.keep}
      onClose={onClose}
      onSend={save}
      footer={
        <>
          <Button onClick={onClose}>{common.value.cancel}</Button>
          <Button kind="primary" type="submit" isDisabled={name.value.trim() === ''}>
            {common.value.save}
          </Button>
        </>
      }
    >
      <p>
        {words.expects(
          `${question.from} → ${question.to}${question.protocol === 'icmp' ? '' : `#${question.port}`}`,
          words.expectations[expected as 'refused'] ?? expected,
        )}
      </p>
      <TextField label={words.name} {...bound(name)} isRequired />
    </Dialog>
  );
}

export function Assertions({ onShow }: { onShow: (assertion: Assertion) => void }) {
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
      title={words.assertions}
      actions={
        written.length > 0 && (
          <Button isSmall icon="refresh" isBusy={test.isBusy.value} onClick={() => void test.run()}>
            {words.testAgain}
          </Button>
        )
      }
    >
      <p class="faint">{words.assertionsLead}</p>
      {problem.value !== undefined && <p class="problem">{problem.value}</p>}
      {written.length === 0 ? (
        <Empty title={words.none}>
          <p>{words.noneHelp}</p>
        </Empty>
      ) : (
        <Table
          caption={words.assertions}
          rows={written}
          keyOf={({ name }) => name}
          columns={[
            {
              title: words.name,
              cell: (assertion) => (
                <button type="button" class="link" onClick={() => onShow(assertion)}>
                  {assertion.name}
                </button>
              ),
            },
            {
              title: words.connection,
              cell: ({ from, to, port, protocol }) => (
                <code>
                  {protocol} {from} → {to}
                  {port === undefined ? '' : `#${port}`}
                </code>
              ),
            },
            {
              title: words.expected,
              cell: ({ expect }) => words.expectations[expect as 'refused'] ?? expect,
            },
            {
              title: words.holds,
              cell: ({ name }) => (
                <>
                  <State
                    state={stateOf(results.get(name))}
                    word={
                      results.get(name) === undefined
                        ? words.notApplied
                        : results.get(name)?.state === 'failed'
                          ? words.broken
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
                  label={`${common.value.remove}: ${assertion.name}`}
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
