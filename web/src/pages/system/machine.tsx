import { api } from '../../core/api.ts';
import type { HardwareAnswer, SystemAnswer } from '../../core/contract.ts';
import { formatBytes, formatDuration, formatNumber, formatPercent, formatTime } from '../../core/format.ts';
import { useResource } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Address, Button, Card, LinkButton, Loading, State } from '../../ui/basics.tsx';
import { Facts, Gauge } from '../../ui/table.tsx';
import { ask } from '../../ui/dialog.tsx';
import { HistoryCharts } from '../history.tsx';
import { text } from './text.ts';

const REFRESH_MS = 10_000;

export function Machine() {
  const words = text.value;
  const answer = useResource<SystemAnswer>('system', { everyMs: REFRESH_MS });
  const hardware = useResource<HardwareAnswer>('system/hardware').data.value;
  const system = answer.data.value;
  if (system === undefined) return <Loading of={answer} />;
  return (
    <>
      <Card title={words.machine}>
        <MachineFacts system={system} />
      </Card>
      {hardware && (
        <Card title="Hardware">
          <Facts rows={hardware.lines.map(({ title, text }) => [title, text])} />
        </Card>
      )}
      <HistoryCharts
        title={words.charts}
        names={['cpuPercent', 'memoryUsedBytes', 'temperatureCelsius']}
        hours={24}
      />
      <div class="columns">
        <Card title={words.support}>
          <p class="faint">{words.supportLead}</p>
          <LinkButton href="/api/support-bundle" icon="download" download>
            {words.supportGet}
          </LinkButton>
        </Card>
        <Danger system={system} />
      </div>
    </>
  );
}

function MachineFacts({ system }: { system: SystemAnswer }) {
  const words = text.value;
  const { hostname, model, version, kernel, uptimeSeconds, cpu, memory, temperatureCelsius, disk, clock } =
    system;
  const usedBytes = memory.totalBytes - memory.availableBytes;
  return (
    <Facts
      rows={[
        [words.facts.hostname, <Address value={hostname} />],
        model !== null && [words.facts.model, model],
        [words.facts.version, <Address value={version} />],
        [words.facts.kernel, kernel],
        [words.facts.uptime, formatDuration(uptimeSeconds)],
        [
          words.facts.cpu,
          <Gauge value={cpu.percent ?? 0} max={100} label={words.facts.cpu}>
            {cpu.percent !== null && `${formatPercent(cpu.percent)} · `}
            {words.cores(cpu.cores)}, {words.facts.load} {formatNumber(cpu.loadOneMinute, 2)}
          </Gauge>,
        ],
        [
          words.facts.memory,
          <Gauge value={usedBytes} max={memory.totalBytes} label={words.facts.memory}>
            {words.ofTotal(formatBytes(usedBytes), formatBytes(memory.totalBytes))}
          </Gauge>,
        ],
        [words.facts.process, formatBytes(memory.processRssBytes)],
        [
          words.facts.disk,
          <Gauge value={disk.totalBytes - disk.freeBytes} max={disk.totalBytes} label={words.facts.disk}>
            {words.free(formatBytes(disk.freeBytes), formatBytes(disk.totalBytes))}
          </Gauge>,
        ],
        temperatureCelsius !== null && [words.facts.temperature, `${formatNumber(temperatureCelsius)} °C`],
        system.throttled !== null && [words.facts.power, <Power throttled={system.throttled} />],
        [
          words.facts.clock,
          <>
            {formatTime(new Date(clock.at))}{' '}
            {clock.isSynchronized !== null && (
              <State
                state={clock.isSynchronized ? 'ok' : 'warn'}
                word={clock.isSynchronized ? words.synchronized : words.notSynchronized}
              />
            )}
          </>,
        ],
      ]}
    />
  );
}

function Power({
  throttled: { isUnderVoltage, isThrottled, wasUnderVoltage, wasThrottled },
}: {
  throttled: NonNullable<SystemAnswer['throttled']>;
}) {
  const words = text.value.power;
  if (isUnderVoltage) return <State state="fail" word={words.under} />;
  if (isThrottled) return <State state="fail" word={words.throttled} />;
  if (wasUnderVoltage) return <State state="warn" word={words.was} />;
  if (wasThrottled) return <State state="warn" word={words.wasThrottled} />;
  return <State state="ok" word={words.good} />;
}

function Danger({ system: { capabilities, hostname } }: { system: SystemAnswer }) {
  const words = text.value;
  const reboot = () =>
    ask({
      title: words.rebootTitle,
      consequences: words.rebootConsequences,
      undo: words.rebootUndo,
      action: words.reboot,
      async perform() {
        await api.post('system/reboot');
        toast(words.rebooting);
      },
    });
  const reset = () =>
    ask({
      title: words.resetTitle,
      consequences: words.resetConsequences,
      undo: words.resetUndo,
      action: words.reset,
      phrase: { expected: hostname, label: words.resetPhrase(hostname) },
      password: words.passwordNow,
      async perform(confirm, password) {
        await api.post('system/factory-reset', { confirm, password });
        toast(words.resetDone);
      },
    });
  return (
    <Card title={words.danger}>
      {!capabilities.reboot && !capabilities.factoryReset && <p class="faint">{words.notHere}</p>}
      <div class="actions">
        {capabilities.reboot && (
          <Button icon="refresh" onClick={reboot}>
            {words.reboot}
          </Button>
        )}
        {capabilities.factoryReset && (
          <Button icon="remove" onClick={reset}>
            {words.reset}
          </Button>
        )}
      </div>
    </Card>
  );
}
