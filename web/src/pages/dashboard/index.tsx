import { computed } from '@preact/signals';
import { takeChecks } from '../../core/badge.ts';
import type { ChecksAnswer, HostsAnswer, SystemAnswer } from '../../core/contract.ts';
import { formatBytes, formatDuration, formatNumber, formatPercent } from '../../core/format.ts';
import { status } from '../../core/live.ts';
import { type Resource, useResource } from '../../core/resource.ts';
import { Card, Empty, LinkButton, Loading, PageHead, Shape, State, toneOf } from '../../ui/basics.tsx';
import { Facts, Gauge } from '../../ui/table.tsx';
import { PAGES } from '../all.ts';
import { LastHour } from '../history.tsx';
import { Picture } from './picture.tsx';
import { text } from './text.ts';
import './dashboard.css';

const REFRESH_MS = 15_000;
const SHOWN = 6;

const services = computed(() => status.value?.services ?? []);

export default function Dashboard() {
  const words = text.value;
  const hosts = useResource<HostsAnswer>('hosts', { everyMs: REFRESH_MS });
  const checks = useResource<ChecksAnswer>('checks', { everyMs: REFRESH_MS });
  if (checks.data.value !== undefined) takeChecks(checks.data.value);
  const overall = status.value?.status;
  const troubled = services.value.filter(({ state }) => toneOf(state) === 'warn' || toneOf(state) === 'fail');
  const servers = hosts.data.value?.hosts.map(({ name, health }) => ({ name, state: health.state }));
  return (
    <>
      <PageHead title={words.title} lead={words.lead[overall ?? 'unknown']} />
      <Picture publicIpv4={hosts.data.value?.publicIpv4} servers={servers} />
      {troubled.length > 0 && (
        <Card title={words.problems}>
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
        <Card title={words.serversTitle} actions={<a href="/servers">{words.allServers}</a>}>
          {hosts.data.value === undefined && <Loading of={hosts} />}
          {servers?.length === 0 && (
            <Empty title={words.noServers}>
              <p>{words.noServersHelp}</p>
              <LinkButton href="/add-server" kind="primary" icon="plus">
                {words.addServer}
              </LinkButton>
            </Empty>
          )}
          <ul class="plain-list">
            {hosts.data.value?.hosts.slice(0, SHOWN).map(({ name, hostnames, health }) => (
              <li key={name}>
                <a href={`/servers/${encodeURIComponent(name)}`}>{name}</a>
                <span class="faint clipped">{hostnames.join(', ')}</span>
                <State state={health.state} />
              </li>
            ))}
          </ul>
          {servers !== undefined && servers.length > SHOWN && (
            <p class="faint">{words.more(servers.length - SHOWN)}</p>
          )}
        </Card>
        <Checks checks={checks} />
        <Machine />
      </div>
      <LastHour words={words} />
    </>
  );
}

/** A service by its page; another part of the process in words, or by the name that it reports under. */
function PartName({ name }: { name: string }) {
  const page = PAGES.find(({ service }) => service?.name === name);
  if (page?.service !== undefined) return <a href={page.service.href}>{page.title()}</a>;
  return <b>{text.value.parts[name as 'storage'] ?? name}</b>;
}

function Checks({ checks }: { checks: Resource<ChecksAnswer> }) {
  const words = text.value;
  const answer = checks.data.value;
  const open = answer?.items.filter(({ state }) => state === 'fail' || state === 'warn') ?? [];
  open.sort((a, b) => a.state.localeCompare(b.state));
  return (
    <Card title={words.checksTitle} actions={<a href="/checks">{words.checksAll}</a>}>
      {answer === undefined && <Loading of={checks} />}
      {answer !== undefined && open.length === 0 && (
        <p>
          {answer.items.every(({ state }) => state === 'unknown') ? (
            <State state="unknown" word={words.checksNone} />
          ) : (
            <State state="ok" word={words.checksGood} />
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
      {open.length > SHOWN && <p class="faint">{words.more(open.length - SHOWN)}</p>}
    </Card>
  );
}

function Machine() {
  const words = text.value;
  const { data } = useResource<SystemAnswer>('system', { everyMs: REFRESH_MS });
  const system = data.value;
  if (system === undefined) return null;
  const { cpu, memory, temperatureCelsius, disk, throttled, uptimeSeconds, version } = system;
  const usedBytes = memory.totalBytes - memory.availableBytes;
  const usedDiskBytes = disk.totalBytes - disk.freeBytes;
  return (
    <Card title={words.machine} actions={<a href="/system">{system.model ?? system.hostname}</a>}>
      <Facts
        rows={[
          cpu.percent !== null && [
            words.cpu,
            <Gauge value={cpu.percent} max={100} label={words.cpu}>
              {formatPercent(cpu.percent)}
            </Gauge>,
          ],
          [
            words.memory,
            <Gauge value={usedBytes} max={memory.totalBytes} label={words.memory}>
              {words.ofTotal(formatBytes(usedBytes), formatBytes(memory.totalBytes))}
            </Gauge>,
          ],
          [
            words.disk,
            <Gauge value={usedDiskBytes} max={disk.totalBytes} label={words.disk}>
              {words.free(formatBytes(disk.freeBytes), formatBytes(disk.totalBytes))}
            </Gauge>,
          ],
          temperatureCelsius !== null && [words.temperature, `${formatNumber(temperatureCelsius)} °C`],
          throttled !== null &&
            (throttled.isUnderVoltage || throttled.wasUnderVoltage) && [
              words.power,
              <State
                state={throttled.isUnderVoltage ? 'fail' : 'warn'}
                word={throttled.isUnderVoltage ? words.underVoltage : words.wasUnderVoltage}
              />,
            ],
          [words.uptime, formatDuration(uptimeSeconds)],
          [words.version, version],
        ]}
      />
    </Card>
  );
}
