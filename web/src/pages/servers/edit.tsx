import { useSignal } from '@preact/signals';
import { config, configLoad, edit, edited } from '../../core/config.ts';
import { text } from '../../core/locale.ts';
import { useAction } from '../../core/resource.ts';
import { navigate } from '../../core/router.ts';
import { toast } from '../../core/toast.ts';
import { Button, LinkButton, Loading, PageHead } from '../../ui/basics.tsx';
import { Form } from '../../ui/field.tsx';
import { ErrorBox, ProblemList } from '../../ui/problems.tsx';
import { HostFields, useHostProblems } from './form.tsx';
import { EMPTY_FORM, type HostDocument, formOf, hostOf, hostsOf, problemsOf, withHost } from './model.ts';

/** `name` undefined: a new server. */
export function EditServer({ name }: { name?: string }) {
  if (config.value === undefined) return <Loading of={configLoad} />;
  const before = name === undefined ? undefined : hostsOf(edited.value).find((host) => host.name === name);
  if (name !== undefined && before === undefined)
    return (
      <PageHead
        title={text('There is no server called {name}', { name })}
        lead={text('It may have been renamed or removed.')}
        back={{ href: '/servers', title: text('Servers') }}
      />
    );
  return <EditForm key={name ?? ''} before={before} />;
}

function EditForm({ before }: { before: HostDocument | undefined }) {
  const form = useSignal(
    before === undefined
      ? EMPTY_FORM
      : formOf(
          before,
          config.value?.effective.hosts.find(({ name }) => name === before.name),
        ),
  );
  const showsAll = useSignal(false);
  const problems = useHostProblems(form, before);
  const { run, isBusy, error } = useAction(async () => {
    const host = hostOf(form.value, before);
    showsAll.value = true;
    problems.value = await problemsOf(host, before?.name);
    if (problems.value.length > 0) {
      requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
      return;
    }
    edit((document) => Object.assign(document, withHost(document, host, before?.name).document));
    toast(text('{name} is saved; it takes effect when you apply the change.', { name: host.name }));
    navigate(`/servers/${encodeURIComponent(host.name)}`);
  });
  const back = before === undefined ? '/servers' : `/servers/${encodeURIComponent(before.name)}`;
  // A problem that does not belong to one field.
  const others = problems.value.filter(({ path }) => path === '');
  return (
    <>
      <PageHead
        title={before === undefined ? text('Add a server') : text('Edit {name}', { name: before.name })}
        lead={text('It becomes reachable from IPv4 when you apply the change.')}
        back={{ href: back, title: before?.name ?? text('Servers') }}
      />
      <Form class="form card" isUnchecked onSend={run}>
        <HostFields form={form} problems={problems.value} showsAll={showsAll.value} />
        {showsAll.value && others.length > 0 && <ProblemList problems={others} />}
        <ErrorBox error={error.value} />
        <div class="actions">
          <Button kind="primary" type="submit" isBusy={isBusy.value}>
            {text('Save')}
          </Button>
          <LinkButton href={back}>{text('Cancel')}</LinkButton>
        </div>
      </Form>
    </>
  );
}
