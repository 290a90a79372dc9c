/** Events, newest first. Filters are in the address. Pausing stops the list, not the appliance. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { api, query } from '../../core/api.ts';
import { config } from '../../core/config.ts';
import type { EventsAnswer, LiveEvent } from '../../core/contract.ts';
import { formatNumber } from '../../core/format.ts';
import { onEvents, onStreamOpen } from '../../core/live.ts';
import { text } from '../../core/locale.ts';
import { usePages } from '../../core/resource.ts';
import { parameter, setParameters } from '../../core/router.ts';
import { Button, Empty, More } from '../../ui/basics.tsx';
import { CheckField, Form, SelectField, TextField } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';
import { EventRow } from './event-row.tsx';
import { ROWS } from './rows.ts';

const KINDS = ROWS.map(({ kind }) => kind);
const PAGE_ROWS = 100;
const KEPT_ROWS = 400;
/** A filtered list is requested again when there are new events, but not more often than this. */
const REFRESH_MS = 2000;

export function Timeline() {
  const filters = {
    kind: parameter('kind'),
    client: parameter('client'),
    server: parameter('server'),
    text: parameter('text'),
  };
  const key = query(filters);
  const isFiltered = key !== '';
  const waiting = useSignal<readonly LiveEvent[]>([]);
  const isPaused = useSignal(false);
  const lost = useSignal(0);
  /** The latest events of the stream, oldest first. */
  const heard = useRef<readonly LiveEvent[]>([]);
  const pages = usePages<LiveEvent>(async (cursor) => {
    const answer = await api.get<EventsAnswer>(`events${query({ ...filters, cursor, limit: PAGE_ROWS })}`);
    lost.value = answer.lost;
    // What came by the stream while the list was on its way is not lost.
    const rows = cursor === undefined && !isFiltered ? merge(heard.current, answer.events) : answer.events;
    return { rows, nextCursor: answer.nextCursor };
  });
  const events = pages.rows;
  const latest = useRef(pages.reload);
  latest.current = pages.reload;

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    void latest.current();
    // The list is loaded again once the stream has begun, so that nothing between the two is missing.
    const stopOpen = onStreamOpen(() => {
      if (!isPaused.value) void latest.current();
    });
    const stop = onEvents((fresh) => {
      heard.current = [...heard.current, ...fresh].slice(-KEPT_ROWS);
      if (isPaused.value) waiting.value = [...waiting.value, ...fresh].slice(-KEPT_ROWS);
      else if (isFiltered)
        timer ??= setTimeout(() => {
          timer = undefined;
          void latest.current();
        }, REFRESH_MS);
      else events.value = merge(fresh, events.value ?? []);
    });
    return () => {
      stop();
      stopOpen();
      clearTimeout(timer);
    };
  }, [key]);

  const resume = () => {
    isPaused.value = false;
    if (isFiltered) void pages.reload();
    else events.value = merge(waiting.value, events.value ?? []);
    waiting.value = [];
  };
  return (
    <section class="card" aria-label={text('Timeline')}>
      <Filters key={key} filters={filters} error={pages.error.value} />
      <div class="row spread">
        <p role="status" class="faint">
          {isPaused.value &&
            text(
              waiting.value.length === 0
                ? 'Paused.'
                : waiting.value.length === 1
                  ? 'Paused; 1 new event is waiting.'
                  : 'Paused; {count} new events are waiting.',
              { count: waiting.value.length },
            )}
          {lost.value > 0 &&
            ` ${text('{count} events came too fast and were not recorded.', { count: formatNumber(lost.value) })}`}
        </p>
        <Button
          icon={isPaused.value ? 'play' : 'pause'}
          onClick={() => (isPaused.value ? resume() : (isPaused.value = true))}
        >
          {isPaused.value ? text('Go on') : text('Pause')}
        </Button>
      </div>
      {events.value?.length === 0 && (
        <Empty title={isFiltered ? text('No event matches the filters') : text('Nothing has happened yet')}>
          {!isFiltered && (
            <p>
              {text(
                'Connections, queries and mappings appear here as they happen: open a site through the appliance, or ask its resolver.',
              )}
            </p>
          )}
        </Empty>
      )}
      <ol class="timeline">
        {events.value?.map((event) => (
          <EventRow key={event.id} event={event} />
        ))}
      </ol>
      <More of={pages} />
    </section>
  );
}

/** `fresh` is oldest first, the list is newest first; an event that is in both is shown once. */
function merge(fresh: readonly LiveEvent[], list: readonly LiveEvent[]): readonly LiveEvent[] {
  const newest = list[0]?.id ?? -1;
  const added = fresh.filter(({ id }) => id > newest).reverse();
  return [...added, ...list].slice(0, KEPT_ROWS);
}

interface FiltersProps {
  readonly filters: {
    readonly kind: string;
    readonly client: string;
    readonly server: string;
    readonly text: string;
  };
  readonly error: unknown;
}

function Filters({ filters, error }: FiltersProps) {
  const form = useSignal(filters);
  const kinds = new Set(form.value.kind === '' ? KINDS : form.value.kind.split(','));
  const hosts = config.value?.effective.hosts ?? [];
  const problem = problemOf(error);
  const toggle = (kind: string) => (isOn: boolean) => {
    const next = KINDS.filter((each) => (each === kind ? isOn : kinds.has(each)));
    setParameters({
      ...form.value,
      kind: next.length === KINDS.length || next.length === 0 ? '' : next.join(','),
    });
  };
  return (
    <Form class="form inline" onSend={() => setParameters(form.value)}>
      <fieldset>
        <legend class="group-label">{text('Show')}</legend>
        <div class="row kinds">
          {ROWS.map(({ kind, title }) => (
            <CheckField key={kind} label={title()} isChecked={kinds.has(kind)} onChange={toggle(kind)} />
          ))}
        </div>
      </fieldset>
      <SelectField
        label={text('Server')}
        value={form.value.server}
        options={[['', text('all')], ...hosts.map(({ name }) => [name, name] as const)]}
        onChange={(server) => setParameters({ ...form.value, server })}
      />
      <TextField
        label={text('Client')}
        isCode
        placeholder="203.0.113.9"
        value={form.value.client}
        onInput={(client) => (form.value = { ...form.value, client })}
        problem={problem('client')}
      />
      <TextField
        label={text('Contains')}
        value={form.value.text}
        onInput={(wanted) => (form.value = { ...form.value, text: wanted })}
        problem={problem('text')}
      />
      <Button type="submit">{text('Filter')}</Button>
      {query(filters) !== '' && (
        <Button onClick={() => setParameters({ kind: '', client: '', server: '', text: '' })}>
          {text('Show everything')}
        </Button>
      )}
      <ErrorBox error={error} fields={['client', 'text']} />
    </Form>
  );
}
