// Recall against what is turned between two searches of one index: a small picture per parameter.
import { useMemo, useState } from 'react';

import type { TuningPoint, TuningView } from '../../tuning_protocol';
import { useWidth } from '../inspector/use';
import { Nothing } from '../inspector/parts';
import { logTicks, scale } from '../scale';
import { FAMILIES } from './family';
import { nines, recallTicks } from './scale';
import { digits, recallText } from './words';

const NAMES: Record<string, string> = { nprobe: 'nprobe: lists scanned', ef_search: 'efSearch: candidates kept', refine: 'refine: candidates re-ranked, × k' };
const ORDER = ['nprobe', 'ef_search', 'refine'];
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 10, 8, 22];

interface Props {
  view: TuningView;
  shown: string | null;
  onChoose: (id: string) => void;
}

export function Curves({ view, shown, onChoose }: Props): JSX.Element {
  const knobs = useMemo(() => {
    const out = new Map<string, TuningPoint[][]>();
    const curves = new Map<string, TuningPoint[]>();
    for (const p of view.points) {
      if (p.knob !== null && p.setting !== null && p.setting > 0) {
        curves.set(p.curve, [...(curves.get(p.curve) ?? []), p]);
      }
    }
    for (const points of curves.values()) {
      const knob = points[0].knob as string;
      out.set(knob, [...(out.get(knob) ?? []), points.sort((a, b) => (a.setting as number) - (b.setting as number))]);
    }
    return ORDER.filter(k => out.has(k)).map(k => [k, out.get(k) as TuningPoint[][]] as const);
  }, [view.points]);
  if (knobs.length === 0) {
    return <Nothing title="No curves yet">Indexes with nprobe, efSearch or refine appear here as they are measured.</Nothing>;
  }
  return (
    <div className="aiosw-tun-curves">
      {knobs.map(([knob, curves]) => <Curve key={knob} knob={knob} curves={curves} view={view} shown={shown} onChoose={onChoose} />)}
    </div>
  );
}

function Curve({ knob, curves, view, shown, onChoose }: Props & { knob: string; curves: TuningPoint[][] }): JSX.Element {
  const [box, width] = useWidth<HTMLDivElement>();
  const [under, setUnder] = useState<TuningPoint | null>(null);
  const height = 208;
  const base = height - BOTTOM;
  const right = Math.max(LEFT + 40, width - RIGHT);
  const all = curves.flat();
  const x = scale(all.map(p => Math.log10(p.setting as number)), LEFT, right, 0.06);
  const y = scale([...all.map(p => nines(p.recall)), nines(view.constraints.recall)], base, TOP, 0.06);
  const at = (p: TuningPoint): [number, number] => [x(Math.log10(p.setting as number)), y(nines(p.recall))];
  const current = all.find(p => p.id === shown)?.curve;
  const target = y(nines(view.constraints.recall));
  const reached = curves.filter(c => c.some(p => p.recall >= view.constraints.recall)).length;
  const front = new Set(view.front);
  const find = (e: React.MouseEvent): TuningPoint | null => {
    const frame = e.currentTarget.getBoundingClientRect();
    const [px, py] = [e.clientX - frame.left, e.clientY - frame.top];
    let best: TuningPoint | null = null;
    let least = 14 ** 2;
    for (const p of all) {
      const [cx, cy] = at(p);
      const d = (cx - px) ** 2 + (cy - py) ** 2;
      if (d < least) {
        [best, least] = [p, d];
      }
    }
    return best;
  };
  return (
    <figure className="aiosw-tun-curve">
      <figcaption>
        {NAMES[knob]}
        <span aria-hidden="true">{under ? `${under.label}: recall ${recallText(under.recall)}, ${digits(under.qps)}/s` : ''}</span>
      </figcaption>
      <div ref={box} style={{ height }}>
        {width > 0 && (
          <svg
            width={width}
            height={height}
            role="img"
            aria-label={`Recall against ${knob}: ${curves.length} indexes, ${all.length} points; ${reached} of the indexes reach ${view.constraints.recall}. The table of everything tried has the figures.`}
            onMouseMove={e => setUnder(find(e))}
            onMouseLeave={() => setUnder(null)}
            onClick={e => {
              const p = find(e);
              if (p) {
                onChoose(p.id);
              }
            }}
          >
            <g className="aiosw-tun-grid">
              {logTicks(x, LEFT, right, digits, Math.max(3, Math.floor(width / 60))).map(t => (
                <g key={t.label}><path d={`M${t.at.toFixed(1)} ${TOP}V${base}`} /><text x={t.at} y={base + 15} textAnchor="middle">{t.label}</text></g>
              ))}
              {recallTicks(y, TOP, base, 22).map(t => (
                <g key={t.label}><path d={`M${LEFT} ${t.at.toFixed(1)}H${right}`} /><text x={LEFT - 5} y={t.at + 4} textAnchor="end">{t.label}</text></g>
              ))}
            </g>
            <g className="aiosw-tun-target"><path d={`M${LEFT} ${target.toFixed(1)}H${right}`} /></g>
            {curves.map(c => (
              <g key={c[0].curve} className="aiosw-tun-line" data-family={c[0].family} data-current={c[0].curve === current || c.includes(under as TuningPoint) || undefined} data-part={c[0].part || undefined}>
                <polyline points={c.map(p => at(p).map(v => v.toFixed(1)).join(',')).join(' ')} />
                {c.map(p => (
                  <path key={p.id} d={FAMILIES[p.family].path} data-front={front.has(p.id) || undefined} transform={`translate(${at(p).map(v => v.toFixed(1)).join(' ')}) scale(3.4)`} />
                ))}
              </g>
            ))}
            {all.filter(p => p.id === shown).map(p => <circle key={p.id} className="aiosw-tun-ring" cx={at(p)[0]} cy={at(p)[1]} r={8} />)}
          </svg>
        )}
      </div>
    </figure>
  );
}
