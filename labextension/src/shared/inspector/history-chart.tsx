// Bars of durations, oldest first. A bar's state is its colour and the mark on top of it.
import { useRef, useState } from 'react';

import type { HistoryRun } from '../../protocol';
import { duration, moment } from '../format';
import { StateMark } from '../states';
import { useWidth } from './use';

const HEIGHT = 150;
const LEFT = 62;
const MARK = 16;

interface Props {
  runs: HistoryRun[];
  p50: number | null;
  current: string | null;
  onOpen?: (runId: string) => void;
}

export function HistoryChart({ runs, p50, current, onOpen }: Props): JSX.Element {
  const [box, width] = useWidth<HTMLDivElement>();
  const [cursor, setCursor] = useState<number | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const oldest = [...runs].reverse();
  const room = Math.max(1, width - LEFT - 4);
  const across = Math.min(34, room / Math.max(1, oldest.length));
  const most = Math.max(1, Math.floor(room / Math.max(across, 6)));
  const shown = oldest.slice(-most);
  const top = nice(Math.max(...shown.map(r => r.duration ?? 0), 0.001));
  const y = (seconds: number): number => (seconds / top) * (HEIGHT - MARK - 4);
  const at = cursor === null ? shown.length - 1 : Math.min(cursor, shown.length - 1);
  const told = cursor === null ? undefined : shown[at];
  const go = (index: number): void => {
    const to = Math.max(0, Math.min(shown.length - 1, index));
    setCursor(to);
    (list.current?.children[to] as HTMLElement | undefined)?.focus();
  };
  const onKeyDown = (e: React.KeyboardEvent): void => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: shown.length - 1 }[e.key];
    if (to !== undefined) {
      e.preventDefault();
      go(to);
    }
  };
  return (
    <div className="aiosw-chart" ref={box}>
      {width > 0 && (
        <>
          <div className="aiosw-chart-area" style={{ height: HEIGHT }}>
            {[top, top / 2, 0].map(v => (
              <span key={v} className="aiosw-chart-line" style={{ bottom: y(v) }} aria-hidden="true"><small>{v === 0 ? '0' : duration(v)}</small></span>
            ))}
            {p50 !== null && p50 <= top && <span className="aiosw-chart-line aiosw-chart-p50" style={{ bottom: y(p50) }} aria-hidden="true"><small>p50</small></span>}
            <div className="aiosw-bars" style={{ left: LEFT }} role="group" aria-label="Runs by duration, oldest first. Left and right move, Enter opens." ref={list} onKeyDown={onKeyDown} onMouseLeave={() => setCursor(null)}>
              {shown.map((r, i) => (
                <button
                  key={r.run_id}
                  type="button"
                  className="aiosw-barbutton"
                  data-status={r.status}
                  aria-current={r.run_id === current || undefined}
                  tabIndex={i === at ? 0 : -1}
                  style={{ width: across }}
                  aria-label={words(r)}
                  aria-disabled={!onOpen || undefined}
                  onFocus={() => setCursor(i)}
                  onBlur={() => setCursor(null)}
                  onMouseEnter={() => setCursor(i)}
                  onClick={() => onOpen?.(r.run_id)}
                >
                  {across >= 13 && <StateMark status={r.status} />}
                  <i style={{ height: Math.max(3, y(r.duration ?? 0)) }} />
                </button>
              ))}
            </div>
          </div>
          <p className="aiosw-told" aria-hidden="true">{told ? words(told) : onOpen ? 'Choose a bar to open its run.' : ''}</p>
        </>
      )}
    </div>
  );
}

function words(r: HistoryRun): string {
  return [
    `${moment(r.created_at)}: ${r.status}${r.failed_step ? ` at ${r.failed_step}` : ''}`,
    r.duration !== null ? `took ${duration(r.duration)}` : '',
    r.retries > 0 ? `${r.retries} ${r.retries === 1 ? 'retry' : 'retries'}` : '',
    r.run_id
  ].filter(Boolean).join(', ');
}

/** The next round number. */
function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 3, 4, 6, 8, 10].find(n => n * power >= value) ?? 10) * power;
}

const [W, H] = [110, 22];

export function Sparkline({ values, label }: { values: (number | null)[]; label: string }): JSX.Element {
  const known = values.filter((v): v is number => v !== null);
  if (known.length < 2) {
    return <span className="aiosw-quiet">–</span>;
  }
  const top = Math.max(...known, 1e-12);
  const x = (i: number): number => 2 + (i / Math.max(1, values.length - 1)) * (W - 4);
  const y = (v: number): number => H - 2 - (v / top) * (H - 4);
  const points = values.map((v, i) => (v === null ? null : `${x(i).toFixed(1)},${y(v).toFixed(1)}`)).filter(Boolean);
  const last = values.length - 1 - [...values].reverse().findIndex(v => v !== null);
  return (
    <svg className="aiosw-spark" viewBox={`0 0 ${W} ${H}`} width={W} height={H} role="img" aria-label={`${label}: from ${duration(Math.min(...known))} to ${duration(top)}`}>
      <polyline points={points.join(' ')} />
      <circle cx={x(last)} cy={y(values[last] as number)} r="2" />
    </svg>
  );
}
