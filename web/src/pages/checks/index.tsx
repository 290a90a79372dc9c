import { useEffect } from 'preact/hooks';
import { api } from '../../core/api.ts';
import { takeChecks } from '../../core/badge.ts';
import type { CheckItem, ChecksAnswer } from '../../core/contract.ts';
import { say, text, textOf } from '../../core/locale.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { toast, toastError } from '../../core/toast.ts';
import { Ago, Button, Card, Empty, Loading, PageHead, Shape, State, toneOf } from '../../ui/basics.tsx';
import { ErrorBox } from '../../ui/problems.tsx';
import { PAGES } from '../all.ts';
import './checks.css';

const AREAS = {
  network: say('Network'),
  ports: say('Ports'),
  servers: say('Servers'),
  names: say('Names'),
  system: say('System'),
};

const REFRESH_MS = 10_000;

/** The title of an area of the appliance, or of a service. */
const areaTitle = (area: string): string =>
  PAGES.find(({ service }) => service?.name === area)?.title() ?? textOf(AREAS, area);

export default function Checks() {
  const checks = useResource<ChecksAnswer>('checks', { everyMs: REFRESH_MS });
  const { data } = checks;
  if (data.value !== undefined) takeChecks(data.value);
  const runAll = useAction(async () => {
    data.value = await api.post<ChecksAnswer>('checks/run');
    toast(text('Checked again.'));
  });
  const runOne = async (id: string) => {
    data.value = await api.post<ChecksAnswer>('checks/run', { id });
  };
  const answer = data.value;
  const of = (...states: CheckItem['state'][]) =>
    answer?.items.filter(({ state }) => states.includes(state)) ?? [];
  const open = [...of('fail'), ...of('warn')];
  const unknown = of('unknown');
  const good = of('ok');
  // A link to one check scrolls to it once it is shown.
  useEffect(() => {
    if (answer !== undefined && location.hash !== '')
      document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  }, [answer === undefined]);
  const isRunning = runAll.isBusy.value || answer?.isRunning === true;
  return (
    <>
      <PageHead
        title={text('Checks')}
        lead={text(
          'Checks the whole setup from inside and, as far as possible, from outside. Each open check says what is wrong, why it matters and how to fix it.',
        )}
        actions={
          <Button kind="primary" icon="refresh" isBusy={isRunning} onClick={() => void runAll.run()}>
            {isRunning ? text('Checking…') : text('Check everything again')}
          </Button>
        }
      />
      <ErrorBox error={runAll.error.value} />
      {answer === undefined && <Loading of={checks} />}
      {answer?.items.length === 0 && (
        <Empty title={text('Nothing has been checked yet')}>
          <p>{text('The checks run by themselves shortly after the start.')}</p>
        </Empty>
      )}
      {good.length > 0 && open.length === 0 && (
        <Card>
          <p class="all-good">
            <State state="ok" word={text('No open checks')} />
          </p>
          <p class="faint">{text('Everything that could be checked is fine.')}</p>
        </Card>
      )}
      {open.length > 0 && (
        <section class="stack" aria-labelledby="open-title">
          <h2 id="open-title">
            {text(open.length === 1 ? '1 to fix' : '{count} to fix', { count: open.length })}
          </h2>
          {open.map((item) => (
            <OpenItem key={item.id} item={item} onAgain={runOne} />
          ))}
        </section>
      )}
      {unknown.length > 0 && (
        <Quiet
          title={text('Not known yet')}
          lead={text('Not checked yet, or not visible from here.')}
          items={unknown}
          onAgain={runOne}
        />
      )}
      {good.length > 0 && (
        <Quiet title={text('{count} are fine', { count: good.length })} items={good} onAgain={runOne} />
      )}
    </>
  );
}

interface ItemProps {
  readonly item: CheckItem;
  readonly onAgain: (id: string) => Promise<void>;
}

function Again({ item: { id, title }, onAgain }: ItemProps) {
  const { run, isBusy } = useAction(async () => {
    await onAgain(id).catch(toastError);
  });
  return (
    <Button
      isSmall
      icon="refresh"
      isBusy={isBusy.value}
      label={`${text('Check again')}: ${title}`}
      onClick={() => void run()}
    >
      {text('Check again')}
    </Button>
  );
}

function OpenItem({ item, onAgain }: ItemProps) {
  const { id, area, state, title, what, why, remedy, server, checkedAt } = item;
  return (
    <article class={`check tone-edge-${toneOf(state)}`} id={id}>
      <header>
        <State state={state} word={undefined} />
        <h3>{title}</h3>
        <span class="tag">{areaTitle(area)}</span>
      </header>
      <p>{what}</p>
      <dl class="facts">
        <div>
          <dt>{text('Why it matters')}</dt>
          <dd>{why}</dd>
        </div>
        {remedy !== null && (
          <div>
            <dt>{text('How to fix it')}</dt>
            <dd>{remedy}</dd>
          </div>
        )}
      </dl>
      <div class="row">
        <Again item={item} onAgain={onAgain} />
        {server !== null && (
          <a href={`/servers/${encodeURIComponent(server)}`}>
            {text('To the server')} {server}
          </a>
        )}
        <span class="faint">
          <Ago at={checkedAt} />
        </span>
      </div>
    </article>
  );
}

function Quiet({
  title,
  lead,
  items,
  onAgain,
}: {
  title: string;
  lead?: string;
  items: readonly CheckItem[];
  onAgain: ItemProps['onAgain'];
}) {
  return (
    <Card title={title}>
      {lead !== undefined && <p class="faint">{lead}</p>}
      <ul class="quiet-checks">
        {items.map((item) => (
          <li key={item.id} id={item.id}>
            <Shape tone={toneOf(item.state)} />
            <details>
              <summary>
                {item.title} <span class="faint">{areaTitle(item.area)}</span>
              </summary>
              <p>{item.what}</p>
              <p class="faint">{item.why}</p>
              <div class="row">
                <Again item={item} onAgain={onAgain} />{' '}
                <span class="faint">
                  <Ago at={item.checkedAt} />
                </span>
              </div>
            </details>
          </li>
        ))}
      </ul>
    </Card>
  );
}
