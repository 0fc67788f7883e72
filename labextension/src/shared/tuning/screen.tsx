// A tuning on one screen: the trade-off, the answer, what it cost to find it.
import { Component, type ReactNode, useCallback, useDeferredValue, useEffect, useMemo, useState } from 'react';

import type { Family, TuningView } from '../../tuning_protocol';
import { Boundary } from '../inspector/boundary';
import { Tabs } from '../tabs';
import { Chosen } from './chosen';
import { ConstraintsForm } from './constraints';
import { CostSlider } from './cost';
import { LatencyView, Resources } from './costs';
import { Curves } from './curves';
import { FAMILIES, FamilyMark } from './family';
import { Head } from './head';
import { inside } from './picture';
import { Queries } from './queries';
import { Scatter } from './scatter';
import { PrunedView, Tried } from './tried';
import type { Axis, Brush, TuningHost } from './types';
import { useAsk } from './use-ask';

const TABS = ['Curves', 'Latency', 'Memory and build', 'Tried', 'Pruned', 'Queries'] as const;
type Tab = (typeof TABS)[number];
const NONE: ReadonlySet<Family> = new Set();

interface Props {
  view: TuningView;
  host: TuningHost;
  /** Empty: somebody is there. */
  lost: string;
}

export function TuningScreen({ view, host, lost }: Props): JSX.Element {
  const [axis, setAxis] = useState<Axis>('qps');
  const [hidden, setHidden] = useState<ReadonlySet<Family>>(NONE);
  const [brush, setBrush] = useState<Brush | null>(null);
  const [tab, setTab] = useState<Tab>('Curves');
  const [looked, setLooked] = useState<string | null>(null);
  const choosing = useAsk(host, 'choose');
  const constraining = useAsk(host, 'constrain');
  const { canAct } = host;
  const { points } = view;

  const { ask: choose } = choosing;
  const onChoose = useCallback(
    (id: string) => {
      const p = points.find(q => q.id === id);
      setLooked(id);
      if (p && !p.part && canAct) {
        void choose({ kind: 'choose', point: id });
      }
    },
    [points, canAct, choose]
  );
  // What the kernel has chosen meanwhile is what is shown.
  useEffect(() => setLooked(null), [view.chosen]);
  const shown = looked ?? view.chosen;
  const point = useMemo(() => points.find(p => p.id === shown) ?? null, [points, shown]);
  const families = (Object.keys(FAMILIES) as Family[]).filter(f => points.some(p => p.family === f));
  const marked = brush ? points.filter(p => inside(p, brush)).length : 0;
  const latencies = points.some(p => p.p95_ms !== null);
  // What is below may lag behind the chart by a moment: hundreds of points a few times a second.
  const later = useDeferredValue(view);
  const problem = choosing.problem ?? constraining.problem;
  return (
    <div className="aiosw aiosw-tuning" data-place="cell">
      <Head view={view} host={host} />
      {lost && <p className="aiosw-notice" data-tone="quiet" role="status">{lost}</p>}
      {view.error && <p className="aiosw-notice" data-tone="failed" role="alert">{view.error}</p>}
      {problem && <p className="aiosw-notice" data-tone="failed" role="alert">{problem.message}</p>}
      <div className="aiosw-tun-body">
        <div className="aiosw-tun-main">
          <div className="aiosw-tools aiosw-tun-tools">
            <span className="aiosw-segments" role="group" aria-label="Axis">
              <button type="button" aria-pressed={axis === 'qps'} onClick={() => setAxis('qps')}>Throughput</button>
              <button type="button" aria-pressed={axis === 'p95_ms'} disabled={!latencies} onClick={() => setAxis('p95_ms')}>Latency</button>
            </span>
            <span className="aiosw-tun-legend" role="group" aria-label="Families shown">
              {families.map(f => (
                <button
                  key={f}
                  type="button"
                  className="aiosw-plain"
                  role="switch"
                  aria-checked={!hidden.has(f)}
                  title={hidden.has(f) ? `Show ${FAMILIES[f].name}` : `Hide ${FAMILIES[f].name}`}
                  onClick={() => setHidden(now => toggled(now, f))}
                >
                  <FamilyMark family={f} /> {FAMILIES[f].name}
                </button>
              ))}
            </span>
          </div>
          <Boundary what="The chart">
            <Scatter view={view} axis={axis} hidden={hidden} shown={shown} brush={brush} onBrush={setBrush} onChoose={onChoose} />
          </Boundary>
          <p className="aiosw-tun-hint" role="status">
            {brush ? (
              <>
                {marked} of {points.length} points marked.{' '}
                <button type="button" className="aiosw-link" onClick={() => setTab('Tried')}>Show them below</button>{' '}
                <button type="button" className="aiosw-link" onClick={() => setBrush(null)}>Clear</button>
              </>
            ) : points.length > 0 ? 'Area: memory. Filled: on the front. Click chooses, dragging marks.' : ''}
          </p>
          <CostSlider view={view} host={host} onTake={recall => void constraining.ask({ kind: 'constrain', constraints: { ...view.constraints, recall } })} />
        </div>
        <div className="aiosw-tun-side">
          <ConstraintsForm view={view} host={host} />
          <Chosen view={view} point={point} host={host} onRelease={() => void choosing.ask({ kind: 'choose', point: null })} />
          <Notes view={view} />
        </div>
      </div>
      <Tabs
        tabs={TABS}
        tab={tab}
        label="More of this tuning"
        counts={{ Tried: points.length, Pruned: view.pruned.length }}
        onChoose={setTab}
        panel={(t, isShown) => (
          <Boundary what={t}>
            <Still moving={isShown}>
            {t === 'Curves' ? <Curves view={later} shown={shown} onChoose={onChoose} />
              : t === 'Latency' ? <LatencyView point={point} />
              : t === 'Memory and build' ? <Resources view={later} shown={shown} onChoose={onChoose} />
              : t === 'Tried' ? <Tried view={later} host={host} brush={brush} onChoose={onChoose} />
              : t === 'Pruned' ? <PrunedView view={later} />
              : <Queries view={later} host={host} point={point} shown={isShown} />}
            </Still>
          </Boundary>
        )}
      />
    </div>
  );
}

/** What is not on the screen is not drawn anew. */
class Still extends Component<{ moving: boolean; children: ReactNode }> {
  override shouldComponentUpdate(next: { moving: boolean }): boolean {
    return next.moving || this.props.moving;
  }
  override render(): ReactNode {
    return this.props.children;
  }
}

function toggled(now: ReadonlySet<Family>, family: Family): ReadonlySet<Family> {
  const next = new Set(now);
  if (!next.delete(family)) {
    next.add(family);
  }
  return next;
}

/** What was mended in the input, and what the tuner wants to be known. */
function Notes({ view }: { view: TuningView }): JSX.Element | null {
  const said = [...view.problem.repairs, ...view.notes];
  return said.length === 0 ? null : (
    <ul className="aiosw-tun-notes" aria-label="Notes">
      {said.map((n, i) => <li key={i}>{n}</li>)}
    </ul>
  );
}
