/** The machine, the log, and actions that need root. */
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from '../../config/json-schema.ts';
import type { LogLevel } from '../../runtime/log.ts';
import { HISTORY_SERIES } from '../../state/history-series.ts';
import { LOG_LEVELS } from '../../state/log-ring.ts';
import type { AdminDeps } from '../deps.ts';
import { ErrorAnswer, strict } from '../contract/common.ts';
import {
  FactoryResetBody,
  HardwareAnswer,
  LogsAnswer,
  SystemActionAnswer,
  SystemAnswer,
} from '../contract/system.ts';
import { invalidInput, notPossibleHere } from '../api-error.ts';
import { translated } from '../language.ts';
import { say } from '../../texts/text.ts';

const DEFAULT_LINES = 200;

const LogsQuery = Type.Object(
  {
    level: Type.Optional(
      Type.Union(
        LOG_LEVELS.map((level) => Type.Literal(level)),
        { title: 'Lines of this level and above', expected: LOG_LEVELS.join(', ') },
      ),
    ),
    cursor: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,15}$',
        title: 'Where to go on',
        expected: 'the nextCursor of the answer before',
      }),
    ),
    limit: Type.Optional(
      Type.String({
        pattern: '^([1-9][0-9]{0,2}|1000)$',
        title: 'Lines at most',
        expected: 'a whole number from 1 to 1000',
      }),
    ),
  },
  strict,
);

const CPU_PERCENT = Object.keys(HISTORY_SERIES).indexOf('cpuPercent');

export const systemRoutes = (deps: AdminDeps) => async (app: FastifyInstance) => {
  const { machine, history, logs, actions, places } = deps.live;

  app.get(
    '/system',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'The machine: processor, memory, temperature, disk, power, clock',
        response: { 200: SystemAnswer },
      },
    },
    async (): Promise<SystemAnswer> => {
      const percent = history.latest?.values[CPU_PERCENT] ?? Number.NaN;
      return {
        hostname: machine.hostname,
        version: deps.version,
        model: machine.model,
        kernel: machine.kernel,
        uptimeSeconds: machine.uptimeSeconds(),
        cpu: {
          cores: machine.cores,
          percent: Number.isFinite(percent) ? percent : null,
          loadOneMinute: machine.loadOneMinute(),
        },
        memory: { ...machine.memory(), processRssBytes: process.memoryUsage.rss() },
        temperatureCelsius: machine.temperatureCelsius(),
        disk: { path: places.stateDirectory, ...machine.disk(places.stateDirectory) },
        throttled: machine.throttled(),
        clock: { at: new Date().toISOString(), isSynchronized: machine.isClockSynchronized() },
        capabilities: {
          reboot: actions.reboot !== undefined,
          factoryReset: actions.factoryReset !== undefined,
          ssh: actions.ssh !== undefined,
        },
      };
    },
  );

  app.get(
    '/system/hardware',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Board, processor, memory, disks, interfaces and operating system of the machine',
        response: { 200: HardwareAnswer },
      },
    },
    async (request): Promise<HardwareAnswer> => {
      const { hardwareLines } = await import('../../state/hardware.ts');
      const hardware = await deps.live.hardware();
      return translated(request, { ...hardware, lines: hardwareLines(hardware) });
    },
  );

  app.get<{ Querystring: { level?: LogLevel; cursor?: string; limit?: string } }>(
    '/logs',
    {
      config: { scope: 'read', audit: true },
      schema: {
        summary: "Gives the process's last log lines, newest first",
        querystring: LogsQuery,
        response: { 200: LogsAnswer },
      },
    },
    async ({ query }): Promise<LogsAnswer> => {
      const cursor = query.cursor === undefined ? undefined : Number(query.cursor);
      return logs.page(query.level ?? 'debug', cursor, Number(query.limit ?? DEFAULT_LINES));
    },
  );

  const response = { 202: SystemActionAnswer, 409: ErrorAnswer };

  app.post(
    '/system/reboot',
    { config: { scope: 'system' }, schema: { summary: 'Reboots the appliance', response } },
    async (request, reply) => {
      if (actions.reboot === undefined) throw notPossibleHere();
      await actions.reboot();
      const message = say('The appliance reboots; expect it back within a minute.');
      return reply.code(202).send(translated(request, { message }));
    },
  );

  app.post<{ Body: Static<typeof FactoryResetBody> }>(
    '/system/factory-reset',
    {
      // After this, the first visitor can claim the appliance.
      config: { scope: 'system', ownerOnly: true, presence: '/password' },
      schema: {
        summary: 'Resets the appliance: everything is erased',
        body: FactoryResetBody,
        response,
      },
    },
    async (request, reply) => {
      const { body } = request;
      if (body.confirm !== machine.hostname) {
        const expected = say('"{hostname}", the hostname of this appliance', { hostname: machine.hostname });
        const message = say('"{given}" does not match; expected {expected}', {
          given: body.confirm.slice(0, 100),
          expected,
        });
        throw invalidInput('/confirm', expected, message);
      }
      if (actions.factoryReset === undefined) throw notPossibleHere();
      await actions.factoryReset();
      const message = say('The appliance reboots and starts as a new one; its screen shows its address.');
      return reply.code(202).send(translated(request, { message }));
    },
  );
};
