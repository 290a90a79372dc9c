/** The signature picture: mainland, sand bar, island, and the flows over the bar. It is drawn in two shapes: wide and tall. */
import { computed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { ShapePath, STATE_WORDS, type StateName, type Tone, toneOf } from '../../ui/basics.tsx';
import type { HostsAnswer } from '../../core/contract.ts';
import { text } from '../../core/locale.ts';
import { type Flow, flows } from './flows.ts';

const current = computed(flows);

export interface Ends {
  /** The mainland's data; each is undefined while unknown. */
  readonly publicIpv4: HostsAnswer['publicIpv4'] | undefined;
  readonly servers: readonly { readonly name: string; readonly state: StateName }[] | undefined;
}

export function Picture(ends: Ends) {
  const all = current.value;
  const described = all.map((flow) => label(flow)).join('; ');
  return (
    <div
      class="picture"
      role="group"
      aria-label={text('What flows between the IPv4 Internet and the IPv6 servers')}
    >
      <Wide all={all} ends={ends} />
      <Tall all={all} ends={ends} />
      <p class="visually-hidden">
        {text('Between the mainland, the IPv4 Internet, and the island of IPv6 servers: {parts}.', {
          parts: described,
        })}
      </p>
    </div>
  );
}

function label({ service, state, amount: full }: Flow, title = service.title(), amount = full): string {
  const direction = service.direction === 'in' ? text('in') : text('out');
  return text('{title} {amount}, {direction}: {state}', {
    title,
    amount: shownAmount(state, amount),
    direction,
    state: text(STATE_WORDS[state]),
  });
}

const addressOf = ({ publicIpv4 }: Ends): string =>
  publicIpv4 === undefined
    ? ''
    : (publicIpv4.address ?? (publicIpv4.kind === 'none' ? text('no IPv4 address') : text('behind NAT')));

const countOf = ({ servers }: Ends): string =>
  servers === undefined
    ? ''
    : text(servers.length === 1 ? '1 server' : '{count} servers', { count: servers.length });

/** A service that does not run has no traffic: its state is shown instead of the amount. */
const shownAmount = (state: StateName, amount: string): string =>
  state === 'disabled' || state === 'failed' ? text(STATE_WORDS[state]) : amount;

const LEAST_PX = 3;
const WIDEST_PX = 17;
const widthOf = ({ width }: Flow) => LEAST_PX + width * (WIDEST_PX - LEAST_PX);

function Lane({
  flow,
  title,
  amount = flow.amount,
  path,
  arrow,
  children,
}: {
  flow: Flow;
  title: string;
  amount?: string;
  path: string;
  arrow: string;
  children: ComponentChildren;
}) {
  const tone = toneOf(flow.state);
  return (
    <a class={`flow tone-${tone}`} href={flow.service.href} aria-label={label(flow, title, amount)}>
      <path class="flow-hit" d={path} />
      <path class="flow-line" d={path} stroke-width={widthOf(flow)} />
      <path class="flow-arrow" d={arrow} />
      {children}
    </a>
  );
}

/** A state icon of the panel, for use inside the drawing. */
function Mark({ tone, x, y, size = 13 }: { tone: Tone; x: number; y: number; size?: number }) {
  return (
    <g class={`shape tone-${tone}`} transform={`translate(${x} ${y}) scale(${size / 16})`} aria-hidden="true">
      <ShapePath tone={tone} />
    </g>
  );
}

const LANE_PX = 47;

function Wide({ all, ends }: { all: readonly Flow[]; ends: Ends }) {
  const height = 142 + Math.max(3, all.length) * LANE_PX;
  const middle = height / 2;
  const first = middle - ((all.length - 1) * LANE_PX) / 2 + 8;
  const shown = (ends.servers ?? []).slice(0, Math.floor((height - 120) / 22));
  // The bar is narrower in the middle, like sand between two currents. Every lane must fit in its narrowest part.
  const half = (all.length * LANE_PX) / 2 + 10;
  const [top, bottom] = [middle - half, middle + half];
  // From the mainland's upper coast along the bar, around the island, and back.
  const coast = `M0 0H150C188 ${top * 0.4} 150 ${top} 238 ${top}C420 ${top + 14} 560 ${top + 14} 720 ${top}C772 ${top - 4} 764 26 826 18C880 8 946 26 964 ${middle * 0.52}C984 ${middle * 0.8} 984 ${middle * 1.2} 964 ${middle * 1.48}C946 ${height - 26} 880 ${height - 8} 826 ${height - 18}C764 ${height - 26} 772 ${bottom + 4} 720 ${bottom}C560 ${bottom - 14} 420 ${bottom - 14} 238 ${bottom}C150 ${bottom} 188 ${height - top * 0.4} 150 ${height}H0`;
  return (
    <svg class="picture-wide" viewBox={`0 0 1000 ${height}`}>
      <Waves width={1000} height={height} />
      <path class="land" d={`${coast}V0Z`} />
      <path class="shore" d={coast} />
      <g aria-hidden="true">
        <text class="place-name" x="26" y={middle - 22}>
          {text('Mainland')}
        </text>
        <text class="place-sub" x="26" y={middle + 2}>
          {text('IPv4 Internet')}
        </text>
        <text class="place-code" x="26" y={middle + 26}>
          {addressOf(ends)}
        </text>
        <text class="place-name" x="808" y={middle - 22 - (shown.length * 22) / 2}>
          {text('Island')}
        </text>
        <text class="place-sub" x="808" y={middle + 2 - (shown.length * 22) / 2}>
          {countOf(ends)}
        </text>
      </g>
      {shown.map(({ name, state }, index) => {
        const y = middle + 26 + index * 22 - (shown.length * 22) / 2;
        return (
          <a
            key={name}
            class="place-server"
            href={`/servers/${encodeURIComponent(name)}`}
            aria-label={`${name}: ${text(STATE_WORDS[state])}`}
          >
            <Mark tone={toneOf(state)} x={808} y={y - 11} />
            <text x="827" y={y}>
              {name.length > 15 ? `${name.slice(0, 14)}…` : name}
            </text>
          </a>
        );
      })}
      {all.map((flow, index) => {
        const y = first + index * LANE_PX;
        const isIn = flow.service.direction === 'in';
        const arrow = isIn ? `M764 ${y}l-13 -9v18z` : `M222 ${y}l13 -9v18z`;
        return (
          <Lane
            key={flow.service.name}
            flow={flow}
            title={flow.service.title()}
            path={isIn ? `M222 ${y}H752` : `M234 ${y}H764`}
            arrow={arrow}
          >
            <Mark tone={toneOf(flow.state)} x={272} y={y - 26} />
            <text class="flow-name" x="291" y={y - 15}>
              {flow.service.title()}
            </text>{' '}
            <text class="flow-amount" x="716" y={y - 15}>
              {shownAmount(flow.state, flow.amount)}
            </text>
          </Lane>
        );
      })}
    </svg>
  );
}

const COLUMN_PX = 84;

function Tall({ all, ends }: { all: readonly Flow[]; ends: Ends }) {
  const half = (Math.max(all.length, 3) * COLUMN_PX) / 2 - 4;
  const left = 180 - ((all.length - 1) * COLUMN_PX) / 2;
  return (
    <svg class="picture-tall" viewBox="0 0 360 424">
      <Waves width={360} height={424} />
      <path
        class="land"
        d={`M0 0H360V64C330 88 ${180 + half} 74 ${180 + half} 112C${174 + half} 180 ${174 + half} 240 ${180 + half} 312C348 320 352 360 340 388C320 424 40 424 20 388C8 360 12 320 ${180 - half} 312C${186 - half} 240 ${186 - half} 180 ${180 - half} 112C${180 - half} 74 30 88 0 64Z`}
      />
      <g aria-hidden="true" class="centred">
        <text class="place-name" x="180" y="28">
          {text('Mainland')} · {text('IPv4 Internet')}
        </text>
        <text class="place-code" x="180" y="52">
          {addressOf(ends)}
        </text>
        <text class="place-name" x="180" y="366">
          {text('Island')}
        </text>
        <text class="place-sub" x="180" y="388">
          {countOf(ends)}
        </text>
      </g>
      {all.map((flow, index) => {
        const x = left + index * COLUMN_PX;
        const isIn = flow.service.direction === 'in';
        const arrow = isIn ? `M${x} 318l-9 -13h18z` : `M${x} 92l-9 13h18z`;
        return (
          <Lane
            key={flow.service.name}
            flow={flow}
            title={flow.service.short()}
            amount={flow.shortAmount}
            path={isIn ? `M${x} 92V306` : `M${x} 104V318`}
            arrow={arrow}
          >
            <rect class="flow-plate" x={x - 39} y="172" width="78" height="72" rx="8" />
            <Mark tone={toneOf(flow.state)} x={x - 6.5} y={178} />
            <text class="flow-name centred" x={x} y="210">
              {flow.service.short()}
            </text>{' '}
            <text class="flow-amount centred" x={x} y="229">
              {shownAmount(flow.state, flow.shortAmount)}
            </text>
          </Lane>
        );
      })}
    </svg>
  );
}

/** Three short crests where there is only water. */
function Waves({ width, height }: { width: number; height: number }) {
  const spots = [
    [0.27, 0.09],
    [0.45, 0.07],
    [0.63, 0.1],
    [0.31, 0.93],
    [0.54, 0.91],
    [0.68, 0.95],
  ] as const;
  return (
    <g class="waves" aria-hidden="true">
      {width > 500 &&
        spots.map(([x, y]) => <path key={x} d={`M${x * width} ${y * height}q7 -6 14 0t14 0t14 0`} />)}
    </g>
  );
}
