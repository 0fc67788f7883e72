// Both sides of a column of numbers over each other. A value that many rows have stands out as a spike of its own.
import { useId, useMemo, useState } from 'react';

import type { ColumnDrift, Histogram } from '../../drift_protocol';
import { percent } from '../grid/spark';
import { useWidth } from '../inspector/use';
import { scale, ticks } from '../scale';
import type { OnSlice } from './types';
import { named, valueOf } from './words';

const [LEFT, RIGHT, TOP, BOTTOM] = [8, 8, 10, 24];
const HEIGHT = 210;

interface Bar {
  low: number;
  high: number;
  reference: number;
  current: number;
  atom: boolean;
}

interface Props {
  column: ColumnDrift;
  of: Histogram;
  onSlice: OnSlice;
}

/** Bins and single values in their order. */
export function bars(h: Histogram): Bar[] {
  const bins = h.reference.map((reference, i) => ({ low: h.edges[i], high: h.edges[i + 1], reference, current: h.current[i] ?? 0, atom: false }));
  const atoms = h.atoms.map((value, i) => ({ low: value, high: value, reference: h.reference_atoms[i] ?? 0, current: h.current_atoms[i] ?? 0, atom: true }));
  return [...bins, ...atoms].sort((a, b) => a.low - b.low || Number(b.atom) - Number(a.atom));
}

export function Distribution({ column: c, of: h, onSlice }: Props): JSX.Element {
  const id = useId();
  const [box, width] = useWidth<HTMLDivElement>();
  const [cursor, setCursor] = useState<number | null>(null);
  const [focused, setFocused] = useState(false);
  const all = useMemo(() => bars(h), [h]);
  const base = HEIGHT - BOTTOM;
  const right = Math.max(LEFT + 40, width - RIGHT);
  const [low, high] = [Math.min(h.edges[0], ...h.atoms), Math.max(h.edges[h.edges.length - 1], ...h.atoms)];
  const x = useMemo(() => scale([low, high], LEFT + 3, right - 3, 0, Math.max(Math.abs(low), 1) * 1e-9), [low, high, right]);
  // Bins are as high as they are dense: they may differ in width. The densest is as high as its share.
  const { heightOf, shares } = useMemo(() => {
    const bins = all.filter(b => !b.atom);
    const dense = (b: Bar, share: number): number => share / Math.max(b.high - b.low, 1e-300);
    const densest = Math.max(...bins.flatMap(b => [dense(b, b.reference), dense(b, b.current)]), 1e-300);
    const most = Math.max(...bins.flatMap(b => [b.reference, b.current]), 1e-9);
    const tallest = Math.max(most, ...all.flatMap(b => [b.reference, b.current]));
    return {
      shares: tallest,
      heightOf: (b: Bar, share: number) => (b.atom ? share / tallest : ((dense(b, share) / densest) * most) / tallest) * (base - TOP)
    };
  }, [all, base]);
  const path = (side: 'reference' | 'current'): string =>
    `M${x(h.edges[0]).toFixed(1)} ${base}` + all.filter(b => !b.atom).map(b => `V${(base - heightOf(b, b[side])).toFixed(1)}H${x(b.high).toFixed(1)}`).join('') + `V${base}`;
  const words = (b: Bar): string => `${b.atom ? `exactly ${valueOf(c.kind, b.low)}` : `${valueOf(c.kind, b.low)} to ${valueOf(c.kind, b.high)}`}: reference ${percent(b.reference, 1)}, current ${percent(b.current, 1)}`;
  const at = cursor === null ? null : (all[cursor] ?? null);
  const take = (b: Bar | null): void => {
    if (b !== null && onSlice !== null) {
      // An end that counts no row above it must hold the greatest value.
      const last = b.high >= high;
      onSlice({ column: c.name, value: null, low: b.low, high: b.atom || last ? next(b.high) : b.high });
    }
  };
  const find = (e: React.MouseEvent): number | null => {
    const px = e.clientX - e.currentTarget.getBoundingClientRect().left;
    let best = -1;
    let least = 7;
    all.forEach((b, i) => {
      const d = b.atom ? Math.abs(x(b.low) - px) : px >= x(b.low) && px <= x(b.high) ? 6.5 : 1e9;
      if (d < least) {
        [best, least] = [i, d];
      }
    });
    return best < 0 ? null : best;
  };
  const onKeyDown = (e: React.KeyboardEvent): void => {
    const now = cursor ?? -1;
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: all.length - 1 }[e.key];
    if (to !== undefined) {
      setCursor(Math.max(0, Math.min(all.length - 1, to)));
    } else if ((e.key === 'Enter' || e.key === ' ') && at) {
      take(at);
    } else {
      return;
    }
    e.preventDefault();
  };
  return (
    <>
      <div ref={box} style={{ height: HEIGHT }} className="aiosw-dr-chart" data-can={onSlice !== null || undefined}>
        {width > 0 && (
          <svg width={width} height={HEIGHT} onMouseMove={e => setCursor(find(e))} onMouseLeave={() => !focused && setCursor(null)} onClick={e => { const i = find(e); take(i === null ? null : all[i]); }}>
            <g aria-hidden="true">
              {at && !at.atom && <rect className="aiosw-dr-under" x={x(at.low)} y={TOP - 6} width={Math.max(2, x(at.high) - x(at.low))} height={base - TOP + 6} />}
              <path className="aiosw-dr-b" d={path('current')} />
              <path className="aiosw-dr-a" d={path('reference')} />
              {all.map((b, i) => b.atom && (
                <g key={i} className="aiosw-dr-spike" data-under={i === cursor || undefined}>
                  <path className="aiosw-dr-spike-b" d={`M${(x(b.low) + 2).toFixed(1)} ${base}V${(base - heightOf(b, b.current)).toFixed(1)}`} />
                  <path className="aiosw-dr-spike-a" d={`M${(x(b.low) - 2).toFixed(1)} ${base}V${(base - heightOf(b, b.reference)).toFixed(1)}`} />
                  <circle className="aiosw-dr-spike-a" cx={x(b.low) - 2} cy={base - heightOf(b, b.reference)} r={2.6} />
                </g>
              ))}
              <path className="aiosw-dr-base" d={`M${LEFT} ${base}H${right}`} />
              <g className="aiosw-dr-axis">
                {(c.kind === 'datetime' ? [low, (low + high) / 2, high].map(v => ({ at: x(v), label: valueOf(c.kind, Math.round(v / 86400) * 86400) })) : ticks(x, LEFT, right, v => valueOf(c.kind, v), Math.max(2, Math.floor(width / 76)))).map((t, i, list) => (
                  <text key={i} x={t.at} y={base + 16} textAnchor={t.at < 30 ? 'start' : t.at > width - 30 || (c.kind === 'datetime' && i === list.length - 1) ? 'end' : 'middle'}>{t.label}</text>
                ))}
              </g>
              <text className="aiosw-dr-most" x={right} y={TOP}>{`highest bar: ${percent(shares, 1)} of the rows`}</text>
            </g>
            <g
              role="listbox"
              tabIndex={0}
              aria-label={`Distribution of ${named(c.name)}, ${all.length} bars. Left and right move${onSlice ? ', Enter looks at those rows alone' : ''}.`}
              aria-activedescendant={at ? `${id}-${cursor}` : undefined}
              onKeyDown={onKeyDown}
              onFocus={() => { setFocused(true); setCursor(now => now ?? 0); }}
              onBlur={() => { setFocused(false); setCursor(null); }}
            >
              {focused && <rect className="aiosw-dr-focus" role="presentation" x={1} y={1} width={width - 2} height={HEIGHT - 2} />}
              {all.map((b, i) => (
                <rect key={i} id={`${id}-${i}`} role="option" aria-selected={i === cursor} aria-label={words(b)} className="aiosw-dr-hit" data-bar={i} x={b.atom ? x(b.low) - 4 : x(b.low)} y={TOP} width={b.atom ? 8 : Math.max(1, x(b.high) - x(b.low))} height={base - TOP} />
              ))}
            </g>
          </svg>
        )}
      </div>
      <p className="aiosw-told" aria-hidden="true">{at ? words(at) : ''}</p>
    </>
  );
}

/** The next number a float can be: a range that ends below it holds the value. */
function next(value: number): number {
  return value === 0 ? Number.MIN_VALUE : value + Math.abs(value) * 2 ** -52;
}
