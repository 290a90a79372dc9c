import { computed } from '@preact/signals';
import { takeChecks } from '../../core/badge.ts';
import type { ChecksAnswer, HostsAnswer, SystemAnswer } from '../../core/contract.ts';
import { formatBytes, formatDuration, formatNumber, formatPercent } from '../../core/format.ts';
import { status } from '../../core/live.ts';
import { say, text, textOf } from '../../core/locale.ts';
import { type Resource, useResource } from '../../core/resource.ts';
import { Card, Empty, LinkButton, Loading, PageHead, Shape, State, toneOf } from '../../ui/basics.tsx';
import { Facts, Gauge } from '../../ui/table.tsx';
import { PAGES } from '../all.ts';
import { LastHour } from '../history.tsx';
import { HostState } from '../servers/state.tsx';
import { Picture } from './picture.tsx';
import './dashboard.css';

const LEAD = {
  ok: say('Everything runs.'),
  degraded: say('Something does less than it should.'),
  failed: say('Something has failed.'),
  unknown: say('Waiting for the first figures…'),
};

const PARTS = {
  configuration: say('Configuration'),
  storage: say('Storage'),
  limits: say('Limits'),
  checks: say('Checks'),
  admin: say('Control panel'),
};

const REFRESH_MS = 15_000;
const SHOWN = 6;

const services = computed(() => status.value?.services ?? []);

export default function Dashboard() {
  const hosts = useResource<HostsAnswer>('hosts', { everyMs: REFRESH_MS });
  const checks = useResource<ChecksAnswer>('checks', { everyMs: REFRESH_MS });
  if (checks.data.value !== undefined) takeChecks(checks.data.value);
  const overall = status.value?.status;
  const troubled = services.value.filter(({ state }) => toneOf(state) === 'warn' || toneOf(state) === 'fail');
  const servers = hosts.data.value?.hosts.map(({ name, health }) => ({ name, state: health.state }));
  return (
    <>
      <PageHead title={text('Dashboard')} lead={text(LEAD[overall ?? 'unknown'])} />
      <Picture publicIpv4={hosts.data.value?.publicIpv4} servers={servers} />
      {troubled.length > 0 && (
        <Card title={text('What is wrong')}>
          <ul class="plain-list troubles">
            {troubled.map(({ name, state, problem }) => (
              <li key={name}>
                <State state={state} /> <PartName name={name} /> <span>{problem}</span>
              </li>
            ))}
          </ul>
        </Card>
      )}
      <div class="columns three">
        <Card title={text('Servers')} actions={<a href="/servers">{text('All servers')}</a>}>
          {hosts.data.value === undefined && <Loading of={hosts} />}
          {servers?.length === 0 && (
            <Empty title={text('No servers yet')}>
              <p>
                {text(
                  'A server is an IPv6 address and the names that lead to it. Add the first one, and its names are reachable from IPv4.',
                )}
              </p>
              <LinkButton href="/add-server" kind="primary" icon="plus">
                {text('Add a server')}
              </LinkButton>
            </Empty>
          )}
          <ul class="plain-list">
            {hosts.data.value?.hosts.slice(0, SHOWN).map((host) => (
              <li key={host.name}>
                <a href={`/servers/${encodeURIComponent(host.name)}`}>{host.name}</a>
                <span class="faint clipped">{host.hostnames.join(', ')}</span>
                <HostState host={host} health={host.health.state} />
              </li>
            ))}
          </ul>
          {servers !== undefined && servers.length > SHOWN && (
            <p class="faint">{text('and {count} more', { count: servers.length - SHOWN })}</p>
          )}
        </Card>
        <Checks checks={checks} />
        <Machine />
      </div>
      <LastHour />
    </>
  );
}

/** A service as a link to its page; another part of the process in words, or by the name in its report. */
function PartName({ name }: { name: string }) {
  const page = PAGES.find(({ service }) => service?.name === name);
  if (page?.service !== undefined) return <a href={page.service.href}>{page.title()}</a>;
  return <b>{textOf(PARTS, name)}</b>;
}

function Checks({ checks }: { checks: Resource<ChecksAnswer> }) {
  const answer = checks.data.value;
  const open = answer?.items.filter(({ state }) => state === 'fail' || state === 'warn') ?? [];
  open.sort((a, b) => a.state.localeCompare(b.state));
  return (
    <Card title={text('Checks')} actions={<a href="/checks">{text('All checks')}</a>}>
      {answer === undefined && <Loading of={checks} />}
      {answer !== undefined && open.length === 0 && (
        <p>
          {answer.items.every(({ state }) => state === 'unknown') ? (
            <State state="unknown" word={text('Nothing has been checked yet.')} />
          ) : (
            <State state="ok" word={text('Nothing is open.')} />
          )}
        </p>
      )}
      <ul class="plain-list">
        {open.slice(0, SHOWN).map(({ id, title, state }) => (
          <li key={id}>
            <Shape tone={toneOf(state)} />
            <a href={`/checks#${encodeURIComponent(id)}`}>{title}</a>
          </li>
        ))}
      </ul>
      {open.length > SHOWN && <p class="faint">{text('and {count} more', { count: open.length - SHOWN })}</p>}
    </Card>
  );
}

function Machine() {
  const { data } = useResource<SystemAnswer>('system', { everyMs: REFRESH_MS });
  const system = data.value;
  if (system === undefined) return null;
  const { cpu, memory, temperatureCelsius, disk, throttled, uptimeSeconds, version } = system;
  const usedBytes = memory.totalBytes - memory.availableBytes;
  const usedDiskBytes = disk.totalBytes - disk.freeBytes;
  return (
    <Card title={text('This machine')} actions={<a href="/system">{system.model ?? system.hostname}</a>}>
      <Facts
        rows={[
          cpu.percent !== null && [
            text('CPU'),
            <Gauge value={cpu.percent} max={100} label={text('CPU')}>
              {formatPercent(cpu.percent)}
            </Gauge>,
          ],
          [
            text('Memory'),
            <Gauge value={usedBytes} max={memory.totalBytes} label={text('Memory')}>
              {text('{part} of {total}', {
                part: formatBytes(usedBytes),
                total: formatBytes(memory.totalBytes),
              })}
            </Gauge>,
          ],
          [
            text('Disk'),
            <Gauge value={usedDiskBytes} max={disk.totalBytes} label={text('Disk')}>
              {text('{part} free of {total}', {
                part: formatBytes(disk.freeBytes),
                total: formatBytes(disk.totalBytes),
              })}
            </Gauge>,
          ],
          temperatureCelsius !== null && [text('Temperature'), `${formatNumber(temperatureCelsius)} °C`],
          throttled !== null &&
            (throttled.isUnderVoltage || throttled.wasUnderVoltage) && [
              text('Power'),
              <State
                state={throttled.isUnderVoltage ? 'fail' : 'warn'}
                word={throttled.isUnderVoltage ? text('too weak now') : text('was too weak once')}
              />,
            ],
          [text('Up for'), formatDuration(uptimeSeconds)],
          [text('Version'), version],
        ]}
      />
    </Card>
  );
}
