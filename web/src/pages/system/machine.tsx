import { api } from '../../core/api.ts';
import type { HardwareAnswer, SystemAnswer } from '../../core/contract.ts';
import { formatBytes, formatDuration, formatNumber, formatPercent, formatTime } from '../../core/format.ts';
import { text } from '../../core/locale.ts';
import { useResource } from '../../core/resource.ts';
import { toast } from '../../core/toast.ts';
import { Address, Button, Card, LinkButton, Loading, State } from '../../ui/basics.tsx';
import { Facts, Gauge } from '../../ui/table.tsx';
import { ask } from '../../ui/dialog.tsx';
import { HistoryCharts } from '../history.tsx';

const REFRESH_MS = 10_000;

export function Machine() {
  const answer = useResource<SystemAnswer>('system', { everyMs: REFRESH_MS });
  const hardware = useResource<HardwareAnswer>('system/hardware').data.value;
  const system = answer.data.value;
  if (system === undefined) return <Loading of={answer} />;
  return (
    <>
      <Card title={text('Machine')}>
        <MachineFacts system={system} />
      </Card>
      {hardware && (
        <Card title={text('Hardware')}>
          <Facts rows={hardware.lines.map(({ title, text }) => [title, text])} />
        </Card>
      )}
      <HistoryCharts
        title={text('The last day')}
        names={['cpuPercent', 'memoryUsedBytes', 'temperatureCelsius']}
        hours={24}
      />
      <div class="columns">
        <Card title={text('Support bundle')}>
          <p class="faint">
            {text(
              'One file with status, counters, log and configuration, for the person who helps you. It has no passwords, tokens or keys, but addresses of clients and names of your servers.',
            )}
          </p>
          <LinkButton href="/api/support-bundle" icon="download" download>
            {text('Download the bundle')}
          </LinkButton>
        </Card>
        <Danger system={system} />
      </div>
    </>
  );
}

function MachineFacts({ system }: { system: SystemAnswer }) {
  const { hostname, model, version, kernel, uptimeSeconds, cpu, memory, temperatureCelsius, disk, clock } =
    system;
  const usedBytes = memory.totalBytes - memory.availableBytes;
  return (
    <Facts
      rows={[
        [text('Host name'), <Address value={hostname} />],
        model !== null && [text('Model'), model],
        [text('Version'), <Address value={version} />],
        [text('Kernel'), kernel],
        [text('Up for'), formatDuration(uptimeSeconds)],
        [
          text('CPU'),
          <Gauge value={cpu.percent ?? 0} max={100} label={text('CPU')}>
            {cpu.percent !== null && `${formatPercent(cpu.percent)} · `}
            {text(cpu.cores === 1 ? '1 core' : '{count} cores', { count: cpu.cores })}, {text('load')}{' '}
            {formatNumber(cpu.loadOneMinute, 2)}
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
        [text('Tombolo itself'), formatBytes(memory.processRssBytes)],
        [
          text('Disk'),
          <Gauge value={disk.totalBytes - disk.freeBytes} max={disk.totalBytes} label={text('Disk')}>
            {text('{part} free of {total}', {
              part: formatBytes(disk.freeBytes),
              total: formatBytes(disk.totalBytes),
            })}
          </Gauge>,
        ],
        temperatureCelsius !== null && [text('Temperature'), `${formatNumber(temperatureCelsius)} °C`],
        system.throttled !== null && [text('Power'), <Power throttled={system.throttled} />],
        [
          text('Clock'),
          <>
            {formatTime(new Date(clock.at))}{' '}
            {clock.isSynchronized !== null && (
              <State
                state={clock.isSynchronized ? 'ok' : 'warn'}
                word={clock.isSynchronized ? text('synchronised') : text('not synchronised')}
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
  if (isUnderVoltage) return <State state="fail" word={text('too weak now')} />;
  if (isThrottled) return <State state="fail" word={text('slowed down now')} />;
  if (wasUnderVoltage) return <State state="warn" word={text('was too weak since the start')} />;
  if (wasThrottled) return <State state="warn" word={text('was slowed down since the start')} />;
  return <State state="ok" word={text('good')} />;
}

function Danger({ system: { capabilities, hostname } }: { system: SystemAnswer }) {
  const reboot = () =>
    ask({
      title: text('Reboot the appliance?'),
      consequences: [
        text('Every connection through it ends.'),
        text('For about a minute, the servers are not reachable from IPv4 and cannot reach it.'),
      ],
      undo: text('It comes back by itself with the active configuration.'),
      action: text('Reboot'),
      async perform() {
        await api.post('system/reboot');
        toast(text('The appliance reboots.'));
      },
    });
  const reset = () =>
    ask({
      title: text('Erase everything and start as a new appliance?'),
      consequences: [
        text('Every server, every setting, the password, tokens, history and statistics are erased.'),
        text('From IPv4, nothing leads to your servers any more, and they cannot reach IPv4.'),
        text('Whoever is first in your network can claim the appliance.'),
      ],
      undo: text('Only a backup brings it back: make one first.'),
      action: text('Factory reset'),
      phrase: { expected: hostname, label: text('Type the host name, {hostname}, to confirm', { hostname }) },
      password: text('Present password'),
      async perform(confirm, password) {
        await api.post('system/factory-reset', { confirm, password });
        toast(text('The appliance is being reset.'));
      },
    });
  return (
    <Card title={text('Restart and reset')}>
      {!capabilities.reboot && !capabilities.factoryReset && (
        <p class="faint">{text('This machine does not let the page reboot or reset it.')}</p>
      )}
      <div class="actions">
        {capabilities.reboot && (
          <Button icon="refresh" onClick={reboot}>
            {text('Reboot')}
          </Button>
        )}
        {capabilities.factoryReset && (
          <Button icon="remove" onClick={reset}>
            {text('Factory reset')}
          </Button>
        )}
      </div>
    </Card>
  );
}
