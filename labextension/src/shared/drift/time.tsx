// Every column in every window: the darker, the larger the effect; a corner cut where it drifted.
import { memo, useMemo, useState } from 'react';

import type { DriftRow, DriftView } from '../../drift_protocol';
import { count } from '../format';
import { useWidth } from '../inspector/use';
import { VirtualList } from '../inspector/virtual';
import { VerdictMark } from './verdict';
import { LIKE, named, number } from './words';

const ROW = 30;
const HEAD = 78;
const MOST_HEIGHT = 460;

export function OverTime({ view, onOpen }: { view: DriftView; onOpen: (name: string) => void }): JSX.Element {
  const [cursor, setCursor] = useState(0);
  const [box, width] = useWidth<HTMLDivElement>();
  const { windows } = view;
  const rows = useMemo(() => {
    const drifted = (r: DriftRow): number => r.marks.split('d').length - 1;
    const most = (r: DriftRow): number => Math.max(0, ...r.trend.map(v => v ?? 0));
    return view.rows.filter(r => r.trend.length > 0).sort((a, b) => drifted(b) - drifted(a) || most(b) - most(a));
  }, [view.rows]);
  const perWindow = windows.map((_, i) => rows.filter(r => r.marks[i] === 'd').length);
  const top = Math.max(...perWindow, 1);
  const names = Math.max(110, Math.min(260, width * 0.3));
  const room = Math.max(60, width - names - 46);
  const limit = view.rules.effect || 0.1;
  return (
    <div ref={box}>
      <p className="aiosw-dr-hint">{`Columns drifted in each of ${count(windows.length)} windows, by ${view.by ?? 'window'}; below, every column’s effect: the darker, the larger, a dot where it drifted. Choose a column to open it.`}</p>
      {width > 0 && (
        <VirtualList
          count={rows.length}
          rowHeight={ROW}
          height={MOST_HEIGHT}
          label="Columns over time. Arrow keys move, Enter opens one."
          cursor={Math.min(cursor, rows.length - 1)}
          onCursor={setCursor}
          onOpen={i => onOpen(rows[i].name)}
          headerHeight={HEAD}
          header={
            <div className="aiosw-dr-timehead" style={{ height: HEAD }}>
              <svg width={room} height={HEAD - 4} style={{ marginLeft: names + 14 }} role="img" aria-label={`Columns drifted by window: ${windows.map((w, i) => `${w} ${perWindow[i]}`).join(', ')}`}>
                {perWindow.map((n, i) => {
                  const step = room / windows.length;
                  const h = (n / top) * 34;
                  return (
                    <g key={i}>
                      <rect className="aiosw-dr-count" x={i * step + 0.5} y={52 - h} width={Math.max(1, step - 1)} height={Math.max(n > 0 ? 1 : 0, h)}><title>{`${windows[i]}: ${n}`}</title></rect>
                      {step >= 15 && n > 0 && <text x={i * step + step / 2} y={49 - h} textAnchor="middle">{n}</text>}
                    </g>
                  );
                })}
                <path className="aiosw-dr-base" d={`M0 52H${room}`} />
                <text x={0} y={68}>{windows[0]?.slice(0, 20)}</text>
                {windows.length > 1 && <text x={room} y={68} textAnchor="end">{windows[windows.length - 1].slice(0, 20)}</text>}
              </svg>
            </div>
          }
          row={i => ({
            key: rows[i].name,
            label: words(rows[i], windows),
            status: LIKE[rows[i].verdict],
            className: 'aiosw-dr-timerow',
            content: (
              <>
                <VerdictMark verdict={rows[i].verdict} size={12} />
                <span className="aiosw-ellipsis" style={{ width: names - 22, flex: 'none' }}>{named(rows[i].name)}</span>
                <Strip row={rows[i]} windows={windows} width={room} limit={limit} />
              </>
            )
          })}
        />
      )}
    </div>
  );
}

const Strip = memo(function Strip({ row: r, windows, width, limit }: { row: DriftRow; windows: string[]; width: number; limit: number }): JSX.Element {
  const step = width / Math.max(1, windows.length);
  const changed = r.changepoint === null ? -1 : windows.indexOf(r.changepoint);
  return (
    <svg className="aiosw-dr-strip" width={width} height={ROW - 8} aria-hidden="true">
      {r.trend.map((v, i) => (
        <g key={i}>
          <title>{`${windows[i]}: ${v === null ? 'not enough data' : `effect ${number(v)}`}`}</title>
          <rect x={i * step + 0.5} y={0.5} width={Math.max(1, step - 1)} height={ROW - 9} fillOpacity={v === null ? 0 : 0.06 + 0.74 * Math.min(1, Math.max(0, v) / (3 * limit))} data-none={v === null || undefined} />
          {r.marks[i] === 'd' && <circle cx={(i + 0.5) * step} cy={(ROW - 8) / 2} r={Math.min(3, step / 3)} />}
        </g>
      ))}
      {changed >= 0 && <path className="aiosw-dr-changed" d={`M${changed * step} 0V${ROW - 8}`} />}
    </svg>
  );
});

function words(r: DriftRow, windows: string[]): string {
  const drifted = windows.filter((_, i) => r.marks[i] === 'd');
  const known = r.trend.filter((v): v is number => v !== null);
  return [
    named(r.name),
    drifted.length === 0 ? 'drifted in no window' : `drifted in ${drifted.length} of ${windows.length} windows, last in ${drifted[drifted.length - 1]}`,
    known.length ? `greatest effect ${number(Math.max(...known))}` : '',
    r.changepoint === null ? '' : `changed in ${r.changepoint}`
  ].filter(Boolean).join(', ');
}
