// "What would 0.99 cost?": answered from what was measured, as fast as the slider moves.
import { useEffect, useId, useState } from 'react';

import type { Cost, TuningView } from '../../tuning_protocol';
import { useLatest } from '../asking';
import { isAbort } from '../inspector/abort';
import { fromNines, nines } from './scale';
import type { TuningHost } from './types';
import { digits, ms, recallText } from './words';

const [FROM, TO] = [nines(0.5), nines(1)];
const STEPS = 400;

function recallAt(step: number): number {
  const exact = fromNines(FROM + ((TO - FROM) * step) / STEPS);
  return Number(exact.toFixed(exact > 0.99 ? 4 : 3));
}
function stepOf(recall: number): number {
  return Math.round(((nines(recall) - FROM) / (TO - FROM)) * STEPS);
}

interface Props {
  view: TuningView;
  host: TuningHost;
  /** Asks for this recall from now on. */
  onTake: (recall: number) => void;
}

export function CostSlider({ view, host, onTake }: Props): JSX.Element {
  const [recall, setRecall] = useState(0.99);
  const [answer, setAnswer] = useState<Cost | null>(null);
  const id = useId();
  const { ask, canAct } = host;
  const { want: put, busy: asking } = useLatest((r: number) =>
    ask({ kind: 'cost', recall: r }, { seconds: 10 }).then(setAnswer, error => isAbort(error) || setAnswer(null))
  );
  const want = (r: number): void => {
    if (canAct) {
      put(r);
    } else {
      // Nobody to ask: the nearest recall that was answered before.
      setAnswer(view.costs.find(c => c.recall >= r - 1e-9) ?? { recall: r, point: null, qps: null, p95_ms: null, bytes_per_vector: null, slower: null });
    }
  };
  // Asked anew when something was measured, again or for the first time, or chosen; what is dragged asks by itself.
  const known = `${view.points.length}/${JSON.stringify(view.costs)}/${view.chosen ?? ''}/${JSON.stringify(view.constraints)}/${canAct}`;
  useEffect(() => {
    if (view.points.length > 0) {
      want(recall);
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [known]);
  const move = (r: number): void => {
    setRecall(r);
    want(r);
  };
  const said = words(answer, view);
  return (
    <section className="aiosw-tun-cost" aria-labelledby={`${id}-title`}>
      <div className="aiosw-section-head">
        <h4 id={`${id}-title`}><label htmlFor={id}>What would recall {recallText(recall).replace(/0+$/, '')} cost?</label></h4>
        <button type="button" className="aiosw-small" disabled={!canAct || answer?.point == null || recall === view.constraints.recall} onClick={() => onTake(recall)}>
          Ask for {recallText(recall).replace(/0+$/, '')}
        </button>
      </div>
      <input
        id={id}
        type="range"
        min={0}
        max={STEPS}
        step={1}
        value={stepOf(recall)}
        disabled={view.points.length === 0}
        aria-valuetext={`recall ${recall}: ${said}`}
        onChange={e => move(recallAt(Number(e.target.value)))}
      />
      <output className="aiosw-tun-answer" htmlFor={id} aria-busy={asking}>{said}</output>
      {view.costs.length > 0 && (
        <div className="aiosw-tun-costs" role="group" aria-label="Round recalls">
          {view.costs.map(c => (
            <button key={c.recall} type="button" className="aiosw-small" aria-pressed={c.recall === recall} onClick={() => move(c.recall)}>
              <b>{c.recall}</b> {c.qps === null ? 'not reached' : `${digits(c.qps)}/s`}
            </button>
          ))}
        </div>
      )}
    </section>
  );
}

function words(c: Cost | null, view: TuningView): string {
  if (view.points.length === 0) {
    return 'Nothing is measured yet.';
  }
  if (c === null) {
    return '…';
  }
  if (c.point === null) {
    return `No point measured reaches recall ${c.recall} within the constraints.`;
  }
  const p = view.points.find(q => q.id === c.point);
  const ratio = c.slower === null || Math.abs(c.slower - 1) < 0.005 ? '' : c.slower > 1 ? `, ${digits(c.slower)} times slower than the chosen` : `, ${digits(1 / c.slower)} times faster than the chosen`;
  return [
    `${digits(c.qps ?? 0)} queries a second${ratio}`,
    c.p95_ms === null ? '' : `p95 ${ms(c.p95_ms)}`,
    c.bytes_per_vector === null ? '' : `${digits(c.bytes_per_vector)} B a vector`,
    p?.label ?? ''
  ].filter(Boolean).join(' · ');
}
