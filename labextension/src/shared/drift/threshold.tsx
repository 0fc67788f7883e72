// What would drift at another threshold: every column a mark on the axis of effects, and a line to move.
import { useId } from 'react';

import type { DriftRow, DriftView } from '../../drift_protocol';
import { useWidth } from '../inspector/use';
import { type Scale, scale, ticks } from '../scale';
import { compared, counted } from './picture';
import type { DriftHost } from './types';
import type { Rejudging } from './use-ask';
import { PATHS } from './verdict';
import { LIKE, number, VERDICTS } from './words';

const HEIGHT = 46;
const BASE = 30;
const STEPS = 200;
/** More marks than this are no longer told apart: they are counted. */
const MOST_MARKS = 120;
const STEP = 7;

interface Props {
  view: DriftView;
  host: DriftHost;
  rejudging: Rejudging;
  open: string | null;
}

export function Threshold({ view, host, rejudging, open }: Props): JSX.Element | null {
  const id = useId();
  const [box, width] = useWidth<HTMLDivElement>();
  const { rules, set, busy } = rejudging;
  const known = view.rows.filter(r => r.effect !== null);
  if (rules.kind === 'evidently' || known.length === 0) {
    return null;
  }
  const counts = counted(view.rows);
  const top = Math.max(0.5, Math.min(1, ...[Math.max(...known.map(r => r.effect as number)) * 1.08]), rules.effect, view.defaults.effect);
  const x = scale([0, top], 8, Math.max(60, width - 8), 0, 1e-9);
  const changed = JSON.stringify(rules) !== JSON.stringify(view.defaults);
  const said = `${counts.drifted} of ${compared(counts)} columns drifted`;
  return (
    <section className="aiosw-dr-threshold" aria-labelledby={`${id}-title`}>
      <div className="aiosw-section-head">
        <h4 id={`${id}-title`}><label htmlFor={id}>Drifted from an effect of {number(rules.effect)} on</label></h4>
        <span className="aiosw-section-aside">
          <output htmlFor={id} aria-busy={busy}>{said}</output>{' '}
          {changed && <button type="button" className="aiosw-small" disabled={!host.canAct} onClick={() => set(view.defaults)}>Back to the report’s rules</button>}
        </span>
      </div>
      <div ref={box} style={{ height: HEIGHT }}>
        {width > 0 && (
          <svg width={width} height={HEIGHT} aria-hidden="true">
            <g className="aiosw-dr-axis">
              <path d={`M8 ${BASE}H${width - 8}`} />
              {ticks(x, 8, width - 8, number, Math.max(2, Math.floor(width / 90))).map(t => <text key={t.label} x={t.at} y={HEIGHT - 3} textAnchor="middle">{t.label}</text>)}
            </g>
            <path className="aiosw-dr-limit" d={`M${x(Math.min(rules.effect, top)).toFixed(1)} 0V${BASE + 3}`} />
            {known.length > MOST_MARKS ? <Counts rows={known} x={x} top={top} /> : <Marks rows={known} x={x} top={top} open={open} />}
          </svg>
        )}
      </div>
      <input
        id={id}
        type="range"
        min={0}
        max={STEPS}
        step={1}
        value={Math.round((Math.min(rules.effect, top) / top) * STEPS)}
        disabled={!host.canAct}
        aria-valuetext={`effect ${number(rules.effect)}: ${said}`}
        onChange={e => set({ ...rules, effect: Number(((Number(e.target.value) / STEPS) * top).toPrecision(3)) })}
      />
    </section>
  );
}

function Marks({ rows, x, top, open }: { rows: DriftRow[]; x: Scale; top: number; open: string | null }): JSX.Element {
  const taken = new Map<number, number>();
  return (
    <>
      {rows.map(r => {
        const at = x(Math.max(0, Math.min(top, r.effect as number)));
        // Marks that would lie on each other stand above each other.
        const slot = Math.round(at / 9);
        const level = taken.get(slot) ?? 0;
        taken.set(slot, level + 1);
        return (
          <g key={r.name} className="aiosw-dr-dot" data-status={LIKE[r.verdict]} data-open={r.name === open || undefined} transform={`translate(${(at - 5).toFixed(1)} ${BASE - 11 - 7 * Math.min(level, 2)}) scale(0.62)`}>
            <path d={PATHS[r.verdict]} fill={r.verdict === 'drifted' ? 'currentColor' : 'none'} />
          </g>
        );
      })}
    </>
  );
}

/** How many columns have about this effect, by their verdicts. */
function Counts({ rows, x, top }: { rows: DriftRow[]; x: Scale; top: number }): JSX.Element {
  const slots = new Map<number, DriftRow[]>();
  for (const r of rows) {
    const slot = Math.floor(x(Math.max(0, Math.min(top, r.effect as number))) / STEP);
    slots.set(slot, [...(slots.get(slot) ?? []), r]);
  }
  const most = Math.max(...[...slots.values()].map(s => s.length));
  return (
    <>
      {[...slots].map(([slot, there]) => {
        let base = BASE;
        return VERDICTS.map(v => {
          const n = there.filter(r => r.verdict === v).length;
          const height = (n / most) * (BASE - 3);
          base -= height;
          return n > 0 && <rect key={`${slot}${v}`} className="aiosw-dr-stack" data-status={LIKE[v]} data-verdict={v} x={slot * STEP} y={base} width={STEP - 1} height={Math.max(1, height)} />;
        });
      })}
    </>
  );
}
