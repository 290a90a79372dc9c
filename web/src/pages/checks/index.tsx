import { useEffect } from 'preact/hooks';
import { api } from '../../core/api.ts';
import { takeChecks } from '../../core/badge.ts';
import type { CheckItem, ChecksAnswer } from '../../core/contract.ts';
import { dictionary } from '../../core/locale.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { toast, toastError } from '../../core/toast.ts';
import { Ago, Button, Card, Empty, Loading, PageHead, Shape, State, toneOf } from '../../ui/basics.tsx';
import { ErrorBox } from '../../ui/problems.tsx';
import { PAGES } from '../all.ts';
import './checks.css';

const text = dictionary(
  {
    title: 'Checks',
    lead: 'Looks at the whole setup from inside, and as far as it can from outside. Whatever is open says what is wrong, why it matters and how to mend it.',
    all: 'Check everything again',
    again: 'Check again',
    why: 'Why it matters',
    mend: 'How to mend it',
    open: (count: number) => (count === 1 ? '1 needs you' : `${count} need you`),
    allGood: 'Nothing is open',
    allGoodHelp: 'Everything that could be checked is well.',
    unknown: 'Not known yet',
    unknownLead: 'What has not been looked at, or cannot be told from here.',
    good: (count: number) => `${count} are well`,
    running: 'Checking…',
    done: 'Checked again.',
    server: 'To the server',
    none: 'Nothing has been checked yet',
    noneHelp: 'The first round runs by itself shortly after the start.',
    areas: {
      network: 'Network',
      ports: 'Ports',
      servers: 'Servers',
      names: 'Names',
      system: 'System',
    },
  },
  {
    title: 'Prüfungen',
    lead: 'Sieht sich die ganze Einrichtung von innen an, und so weit möglich von außen. Alles Offene sagt, was nicht stimmt, warum es zählt und wie es zu beheben ist.',
    all: 'Alles noch einmal prüfen',
    again: 'Noch einmal prüfen',
    why: 'Warum es zählt',
    mend: 'So wird es behoben',
    open: (count) => (count === 1 ? '1 braucht Sie' : `${count} brauchen Sie`),
    allGood: 'Nichts ist offen',
    allGoodHelp: 'Alles, was sich prüfen ließ, ist in Ordnung.',
    unknown: 'Noch nicht bekannt',
    unknownLead: 'Was noch nicht geprüft wurde oder sich von hier aus nicht sagen lässt.',
    good: (count) => `${count} sind in Ordnung`,
    running: 'Wird geprüft …',
    done: 'Noch einmal geprüft.',
    server: 'Zum Server',
    none: 'Noch ist nichts geprüft',
    noneHelp: 'Die erste Runde läuft kurz nach dem Start von selbst.',
    areas: {
      network: 'Netz',
      ports: 'Ports',
      servers: 'Server',
      names: 'Namen',
      system: 'System',
    },
  },
);

const REFRESH_MS = 10_000;

/** Of the appliance, or of a service. */
const areaTitle = (area: string): string =>
  text.value.areas[area as 'network'] ?? PAGES.find(({ service }) => service?.name === area)?.title() ?? area;

export default function Checks() {
  const words = text.value;
  const checks = useResource<ChecksAnswer>('checks', { everyMs: REFRESH_MS });
  const { data } = checks;
  if (data.value !== undefined) takeChecks(data.value);
  const runAll = useAction(async () => {
    data.value = await api.post<ChecksAnswer>('checks/run');
    toast(words.done);
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
  // A link to one check leads to it once it is there.
  useEffect(() => {
    if (answer !== undefined && location.hash !== '')
      document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  }, [answer === undefined]);
  const isRunning = runAll.isBusy.value || answer?.isRunning === true;
  return (
    <>
      <PageHead
        title={words.title}
        lead={words.lead}
        actions={
          <Button kind="primary" icon="refresh" isBusy={isRunning} onClick={() => void runAll.run()}>
            {isRunning ? words.running : words.all}
          </Button>
        }
      />
      <ErrorBox error={runAll.error.value} />
      {answer === undefined && <Loading of={checks} />}
      {answer?.items.length === 0 && (
        <Empty title={words.none}>
          <p>{words.noneHelp}</p>
        </Empty>
      )}
      {good.length > 0 && open.length === 0 && (
        <Card>
          <p class="all-good">
            <State state="ok" word={words.allGood} />
          </p>
          <p class="faint">{words.allGoodHelp}</p>
        </Card>
      )}
      {open.length > 0 && (
        <section class="stack" aria-labelledby="open-title">
          <h2 id="open-title">{words.open(open.length)}</h2>
          {open.map((item) => (
            <OpenItem key={item.id} item={item} onAgain={runOne} />
          ))}
        </section>
      )}
      {unknown.length > 0 && (
        <Quiet title={words.unknown} lead={words.unknownLead} items={unknown} onAgain={runOne} />
      )}
      {good.length > 0 && <Quiet title={words.good(good.length)} items={good} onAgain={runOne} />}
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
      label={`${text.value.again}: ${title}`}
      onClick={() => void run()}
    >
      {text.value.again}
    </Button>
  );
}

function OpenItem({ item, onAgain }: ItemProps) {
  const words = text.value;
  const { id, area, state, title, what, why, mend, server, checkedAt } = item;
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
          <dt>{words.why}</dt>
          <dd>{why}</dd>
        </div>
        {mend !== null && (
          <div>
            <dt>{words.mend}</dt>
            <dd>{mend}</dd>
          </div>
        )}
      </dl>
      <div class="row">
        <Again item={item} onAgain={onAgain} />
        {server !== null && (
          <a href={`/servers/${encodeURIComponent(server)}`}>
            {words.server} {server}
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
