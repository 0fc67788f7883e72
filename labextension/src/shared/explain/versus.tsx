// SHAP and LIME on one axis, column by column; where they differ by more than their errors it is said.
import { useMemo } from 'react';

import type { Bar, Column, RowPage } from '../../explain_protocol';
import { useWidth } from '../inspector/use';
import { ticks } from '../scale';
import { barAxis, signOf, whisker } from './bars';
import { Label } from './label';
import { nameAt, number, signed, withError } from './words';

const ROW = 40;
const [TOP, BOTTOM] = [6, 24];

interface Props {
  row: RowPage;
  columns: Column[];
  most: number;
  /** In the order of how far they differ instead of how much they matter. */
  apart: boolean;
  onColumn?: (at: number) => void;
}

export function Versus({ row, columns, most, apart, onColumn }: Props): JSX.Element {
  const [box, width] = useWidth<HTMLDivElement>();
  const shown = useMemo(() => {
    const both = row.bars.filter(c => c.lime !== null);
    const size = (c: Bar): number => (apart ? Number(c.agrees === false) * 1e9 + Math.abs(c.shap - (c.lime ?? 0)) : Math.max(Math.abs(c.shap), Math.abs(c.lime ?? 0)));
    return both.sort((a, b) => size(b) - size(a)).slice(0, most);
  }, [row, most, apart]);
  const ends = (c: Bar): number[] => [c.shap, c.lime ?? 0].flatMap((v, i) => { const e = 1.96 * ((i === 0 ? c.error : c.lime_error) ?? 0); return [v - e, v + e]; });
  const longest = Math.max(...shown.flatMap(c => [withError(c.shap, c.error).length, withError(c.lime ?? 0, c.lime_error).length]), 6);
  const x = barAxis(shown.flatMap(ends), width, width < 420 ? 52 : 12 + 6.4 * longest);
  const height = TOP + shown.length * ROW + BOTTOM;
  const base = TOP + shown.length * ROW;
  const zero = x(0);
  const differ = shown.filter(c => c.agrees === false);
  const bar = (value: number): { x: number; width: number } => ({ x: Math.min(zero, x(value)), width: Math.max(1, Math.abs(x(value) - zero)) });
  const figure = (value: number, error: number | null | undefined, y: number, by: 'shap' | 'lime'): JSX.Element => {
    const words = width < 420 ? signed(value) : withError(value, error);
    const far = x(value + (value < 0 ? -1 : 1) * 1.96 * (error ?? 0));
    const left = value < 0;
    return <text className="aiosw-ex-out" data-by={by} x={left ? Math.min(far, zero) - 4 : Math.max(far, zero) + 4} y={y + 4} textAnchor={left ? 'end' : 'start'}>{words}</text>;
  };
  return (
    <div className="aiosw-ex-rows" data-two style={{ '--ex-row': `${ROW}px`, '--ex-top': `${TOP}px` } as React.CSSProperties}>
      <ul className="aiosw-ex-labels">
        {shown.map((c, i) => (
          <li key={i} data-differ={c.agrees === false || undefined}>
            <Label columns={columns} at={c.at} value={row.image === null ? c.value : undefined} onColumn={onColumn} />
            {c.agrees === false && <em className="aiosw-badge aiosw-ex-differ">≠ {c.shap * (c.lime ?? 0) < 0 ? 'other sign' : 'other rank'}</em>}
          </li>
        ))}
      </ul>
      <div ref={box} className="aiosw-ex-plot" style={{ height }}>
        {width > 0 && (
          <svg width={width} height={height} role="img" aria-label={`SHAP and LIME for ${shown.length} columns on one axis. ${differ.length === 0 ? 'They agree.' : `They disagree on ${differ.map(c => nameAt(columns, c.at)).join(', ')}.`} The table has all figures.`}>
            {shown.map((c, i) => c.agrees === false && <rect key={i} className="aiosw-ex-differing" x={0} y={TOP + i * ROW} width={width} height={ROW} />)}
            <g className="aiosw-ex-axis">
              {ticks(x, 4, width - 4, number, Math.max(3, Math.floor(width / 90))).map((t, i) => <g key={i}><path d={`M${t.at.toFixed(1)} ${TOP}V${base}`} /><text x={t.at} y={base + 16} textAnchor={t.at < 24 ? 'start' : t.at > width - 24 ? 'end' : 'middle'}>{t.label}</text></g>)}
            </g>
            <path className="aiosw-ex-zero" d={`M${zero.toFixed(1)} ${TOP}V${base}`} />
            {shown.map((c, i) => {
              const y = TOP + i * ROW;
              const lime = c.lime ?? 0;
              return (
                <g key={i}>
                  <rect className="aiosw-ex-bar" data-sign={signOf(c.shap)} {...bar(c.shap)} y={y + 5} height={13} />
                  <path className="aiosw-ex-whisker" d={whisker(x, c.shap, c.error, y + 11.5)} />
                  {figure(c.shap, c.error, y + 11.5, 'shap')}
                  <rect className="aiosw-ex-bar" data-by="lime" data-sign={signOf(lime)} {...bar(lime)} y={y + 21} height={13} />
                  <path className="aiosw-ex-whisker" d={whisker(x, lime, c.lime_error, y + 27.5)} />
                  {figure(lime, c.lime_error, y + 27.5, 'lime')}
                </g>
              );
            })}
          </svg>
        )}
      </div>
    </div>
  );
}
