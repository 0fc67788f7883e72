// What is tuned, how far it is, what it is trying and why; stop, pause, go on.
import { useEffect, useRef, useState } from 'react';

import type { TuningStatus, TuningView } from '../../tuning_protocol';
import { count, ticking } from '../format';
import { StateMark } from '../states';
import { useNow } from '../tick';
import type { TuningHost } from './types';
import { useAsk } from './use-ask';
import { digits, recallText } from './words';

/** The colours of a state are shared with runs. */
const LIKE: Record<TuningStatus, string> = { running: 'running', paused: 'waiting', finished: 'succeeded', stopped: 'cancelled', failed: 'failed' };
const METRICS = { l2: 'Euclidean', ip: 'inner product', cosine: 'cosine' };
/** Spoken at most this often. */
const SAY_SECONDS = 6;

export function Head({ view, host, children }: { view: TuningView; host: TuningHost; children?: React.ReactNode }): JSX.Element {
  const control = useAsk(host, 'control');
  const { problem: p, status } = view;
  const live = status === 'running' || status === 'paused';
  const act = (action: 'stop' | 'pause' | 'resume') => () => void control.ask({ kind: 'control', action });
  const off = control.busy || !host.canAct;
  return (
    <header className="aiosw-header aiosw-tun-header">
      <div className="aiosw-title">
        <strong>{p.source || 'vectors'}</strong>
        <span className="aiosw-chip" data-status={LIKE[status]}>
          <StateMark status={status === 'paused' ? 'paused' : LIKE[status]} />
          {status}
        </span>
        <Elapsed view={view} lost={!host.canAct} />
      </div>
      <div className="aiosw-buttons">
        {status === 'running' && <button type="button" disabled={off} onClick={act('pause')}>Pause</button>}
        {status === 'paused' && <button type="button" className="aiosw-primary" disabled={off} onClick={act('resume')}>Resume</button>}
        {live && <button type="button" disabled={off} title="Keep what was measured; the best of it is the answer" onClick={act('stop')}>Stop</button>}
        {children}
      </div>
      <div className="aiosw-run aiosw-tun-facts">
        <span>{count(p.rows)} × {count(p.dimensions)}, {METRICS[p.metric]}</span>
        <span>{p.k} neighbours</span>
        <span title={p.queries_given ? 'Your queries' : 'Rows held out; a row never counts itself'}>
          {count(p.tuning_queries)} queries to search with{p.held_out_queries > 0 && `, ${count(p.held_out_queries)} to verify with`}
        </span>
        <span title={p.machine}>{p.threads} {p.threads === 1 ? 'thread' : 'threads'}, seed {p.seed}</span>
      </div>
      {live && (
        <p className="aiosw-tun-doing">
          {view.phase && <b>{view.phase}</b>}
          <span>{view.doing || 'Starting…'}</span>
        </p>
      )}
      {control.problem && <p className="aiosw-problem" role="alert">{control.problem.message}</p>}
      <Said view={view} />
    </header>
  );
}

function useElapsed(view: TuningView, lost: boolean): number {
  const now = useNow();
  const heard = useRef({ seq: -1, at: 0 });
  if (heard.current.seq !== view.seq) {
    heard.current = { seq: view.seq, at: Date.now() / 1000 };
  }
  const since = view.status === 'running' && !lost ? Math.max(0, now - heard.current.at) : 0;
  return view.elapsed + since;
}

function Elapsed({ view, lost }: { view: TuningView; lost: boolean }): JSX.Element {
  const elapsed = useElapsed(view, lost);
  const budget = view.problem.budget_seconds;
  const share = Math.max(0, Math.min(1, budget > 0 ? elapsed / budget : 0));
  const said = `${ticking(elapsed)} of ${ticking(budget)}`;
  return (
    <span className="aiosw-tun-elapsed">
      <span className="aiosw-tun-progress" role="progressbar" aria-label="Budget spent" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)} aria-valuetext={said}>
        <i style={{ width: `${100 * share}%` }} />
      </span>
      <span className="aiosw-quiet">{said}</span>
    </span>
  );
}

/** What happens, in words for screen readers: every few seconds, and at once when it ends. */
function Said({ view }: { view: TuningView }): JSX.Element {
  const [said, say] = useState('');
  const last = useRef({ at: 0, status: '' });
  useEffect(() => {
    const chosen = view.points.find(p => p.id === view.chosen);
    const best = chosen ? ` Chosen: ${chosen.label}, recall ${recallText(chosen.recall)}, ${digits(chosen.qps)} queries a second.` : '';
    const text = `Tuning ${view.status}${view.status === 'running' && view.phase ? `: ${view.phase}` : ''}. ${view.points.length} points measured.${best}`;
    const wait = last.current.status === view.status ? SAY_SECONDS - (Date.now() / 1000 - last.current.at) : 0;
    const timer = setTimeout(() => {
      last.current = { at: Date.now() / 1000, status: view.status };
      say(text);
    }, Math.max(0, wait) * 1000);
    return () => clearTimeout(timer);
  }, [view.status, view.phase, view.points, view.chosen]);
  return <span className="aiosw-hidden" role="status">{said}</span>;
}
