// Where a run's time went, step by step: queue, attempts, pauses and waits, with the path that decided the length.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import type { Span, Timeline, TimelineStep } from '../../protocol';
import { clock, duration } from '../format';
import { StateMark } from '../states';
import { useNow } from '../tick';
import { Await, Code, many, Nothing, Search } from './parts';
import { clamped, moved, offset, type Stretch, ticks, zoomed } from './timescale';
import type { Host } from './types';
import { useAnswer, useWidth } from './use';
import { VirtualList } from './virtual';

const ROW = 28;
const AXIS = 26;
const NARROW = 560;

export function TimelinePage({ host, runId, step, onOpenStep }: { host: Host; runId: string; step: string | null; onOpenStep: (step: string) => void }): JSX.Element {
  const answer = useAnswer(host, { kind: 'timeline', run_id: runId }, runId);
  return (
    <Await of={answer} what="the timeline">
      {t =>
        t.steps.every(s => s.spans.length === 0) ? (
          <Nothing title="Nothing has happened yet.">The timeline appears with the first step.</Nothing>
        ) : t.end === null ? (
          <Growing host={host} timeline={t} step={step} onOpenStep={onOpenStep} />
        ) : (
          <Waterfall timeline={t} now={t.end} step={step} onOpenStep={onOpenStep} />
        )
      }
    </Await>
  );
}

/** Of its own, so that only a live timeline ticks. */
function Growing({ host, ...props }: { host: Host; timeline: Timeline; step: string | null; onOpenStep: (step: string) => void }): JSX.Element {
  useNow();
  return <Waterfall {...props} now={Math.max(host.now(), props.timeline.now)} />;
}

interface Props {
  timeline: Timeline;
  now: number;
  step: string | null;
  onOpenStep: (step: string) => void;
}

type Order = 'started' | 'longest' | 'defined';

export function Waterfall({ timeline: t, now, step, onOpenStep }: Props): JSX.Element {
  const [box, width] = useWidth<HTMLDivElement>();
  const [chosen, setChosen] = useState<Stretch | null>(null); // null: all of it, also as it grows
  const [search, setSearch] = useState('');
  const [order, setOrder] = useState<Order>('started');
  const [pathOnly, setPathOnly] = useState(false);
  const [cursor, setCursor] = useState(0);
  const [hovered, setHovered] = useState<number | null>(null);

  const whole = useMemo<Stretch>(() => ({ from: 0, to: Math.max((t.end ?? now) - t.start, 0.001) }), [t.start, t.end, now]);
  const view = chosen ? clamped(chosen, whole) : { from: 0, to: whole.to * 1.02 };
  const rows = useMemo(() => arranged(t.steps, order, pathOnly, search), [t.steps, order, pathOnly, search]);
  const narrow = width < NARROW;
  const names = narrow ? Math.round(width * 0.36) : Math.min(260, Math.max(140, Math.round(width * 0.24)));
  const chart = Math.max(60, width - names - 18);
  const zoom = useCallback((factor: number, around?: number) => setChosen(zoomed(view, whole, factor, around)), [view, whole]);
  const at = Math.min(cursor, Math.max(0, rows.length - 1));
  const told = rows[hovered ?? at];

  const onKey = (e: React.KeyboardEvent): boolean => {
    switch (e.key) {
      case '+':
      case '=':
        zoom(0.5, middle(rows[at], t, now));
        return true;
      case '-':
        zoom(2);
        return true;
      case '0':
        setChosen(null);
        return true;
      case 'ArrowLeft':
      case 'ArrowRight':
        setChosen(moved(view, whole, e.key === 'ArrowLeft' ? -0.2 : 0.2));
        return true;
      default:
        return false;
    }
  };

  return (
    <div className="aiosw-waterfall" ref={box}>
      <div className="aiosw-tools">
        <Search value={search} onChange={setSearch} label="Search steps" />
        <label>
          <span className="aiosw-hidden">Order</span>
          <select value={order} onChange={e => setOrder(e.target.value as Order)}>
            <option value="started">By start</option>
            <option value="longest">Longest first</option>
            <option value="defined">As defined</option>
          </select>
        </label>
        {t.critical_path.length > 0 && (
          <label className="aiosw-tick" title="The steps that decided how long the run took">
            <input type="checkbox" checked={pathOnly} onChange={e => setPathOnly(e.target.checked)} />
            Critical path only
          </label>
        )}
        <span className="aiosw-buttons aiosw-end" role="group" aria-label="Zoom">
          <button type="button" aria-label="Zoom in" title="Zoom in (+)" onClick={() => zoom(0.5)}>+</button>
          <button type="button" aria-label="Zoom out" title="Zoom out (−)" disabled={chosen === null} onClick={() => zoom(2)}>−</button>
          <button type="button" title="Show all of it (0)" disabled={chosen === null} onClick={() => setChosen(null)}>All</button>
        </span>
      </div>
      <Legend timeline={t} />
      {width > 0 && (rows.length === 0 ? (
        <Nothing title={search ? 'No step is called that.' : 'No step to show.'} />
      ) : (
        <VirtualList
          count={rows.length}
          rowHeight={ROW}
          height={620}
          headerHeight={AXIS}
          label="Timeline by step. Up and down move between steps, plus and minus zoom, left and right move in time, Enter opens the step."
          cursor={at}
          onCursor={setCursor}
          onOpen={i => onOpenStep(rows[i].step)}
          onKey={onKey}
          header={<Axis view={view} whole={whole} left={names} width={chart} start={t.start} onChoose={setChosen} onZoom={zoom} />}
          backdrop={
            <div className="aiosw-grid-lines" style={{ left: names + 10, width: chart }} aria-hidden="true">
              {ticks(view, chart).map(s => <i key={s} style={{ left: ((s - view.from) / (view.to - view.from)) * chart }} />)}
            </div>
          }
          row={i => ({
            key: rows[i].step,
            label: words(rows[i], t, now),
            status: rows[i].status,
            className: `aiosw-lane${rows[i].critical ? ' aiosw-critical' : ''}${rows[i].step === step ? ' aiosw-chosen' : ''}`,
            content: (
              <Lane row={rows[i]} timeline={t} now={now} view={view} names={names} chart={chart} onHover={on => setHovered(on ? i : null)} />
            )
          })}
        />
      ))}
      <p className="aiosw-told" aria-hidden="true">{told ? words(told, t, now) : ''}</p>
      <Code code={t.code} />
    </div>
  );
}

function arranged(steps: TimelineStep[], order: Order, pathOnly: boolean, search: string): TimelineStep[] {
  const text = search.trim().toLowerCase();
  const some = steps.filter(s => (!pathOnly || s.critical) && (!text || s.step.toLowerCase().includes(text)));
  const begun = (s: TimelineStep): number => s.ready_at ?? s.spans[0]?.start ?? Infinity;
  if (order === 'started') {
    return [...some].sort((a, b) => begun(a) - begun(b) || 0);
  }
  return order === 'longest' ? [...some].sort((a, b) => spent(b) - spent(a)) : some;
}

function spent(s: TimelineStep): number {
  return s.spans.reduce((sum, p) => sum + (p.kind === 'run' || p.kind === 'retry' ? (p.end ?? Infinity) - p.start : 0), 0);
}

function middle(s: TimelineStep | undefined, t: Timeline, now: number): number | undefined {
  return s && s.spans.length > 0 ? (s.spans[0].start + (s.spans[s.spans.length - 1].end ?? now)) / 2 - t.start : undefined;
}

function words(s: TimelineStep, t: Timeline, now: number): string {
  const parts = s.spans.map(p => spanWords(p, now));
  const notes = [
    s.cached ? 'taken from the cache' : '',
    s.critical ? 'on the critical path' : s.slack !== null && s.slack > 0 ? `could take ${duration(s.slack)} longer without delaying the run` : ''
  ].filter(Boolean);
  const begins = s.spans.length > 0 ? `from ${offset(Math.max(0, s.spans[0].start - t.start), { from: 0, to: Math.max(now - t.start, 1) })}` : 'not begun';
  return [`${s.step}: ${s.status}`, begins, ...parts, ...notes].join(', ');
}

function spanWords(p: Span, now: number): string {
  const long = duration((p.end ?? now) - p.start);
  const open = p.end === null ? ' so far' : '';
  switch (p.kind) {
    case 'queue':
      return `queued ${long}${open}`;
    case 'retry':
      return `pause before the next attempt ${long}${open}`;
    case 'wait':
      return `waiting for a decision ${long}${open}`;
    default: {
      const failed = p.status === 'failed' || p.status === 'cancelled' || p.status === 'lost' ? ` ${p.status}` : '';
      return `attempt ${p.attempt ?? 1}${failed}: ${long}${open}${p.executor ? ` on ${p.executor}` : ''}`;
    }
  }
}

interface LaneProps {
  row: TimelineStep;
  timeline: Timeline;
  now: number;
  view: Stretch;
  names: number;
  chart: number;
  onHover: (on: boolean) => void;
}

function Lane({ row, timeline: t, now, view, names, chart, onHover }: LaneProps): JSX.Element {
  const x = (at: number): number => ((at - t.start - view.from) / (view.to - view.from)) * chart;
  const last = row.spans[row.spans.length - 1];
  const end = last ? x(last.end ?? now) : 0;
  const begin = row.spans.length > 0 ? x(row.spans[0].start) : 0;
  const total = row.spans.reduce((sum, p) => sum + (p.kind === 'queue' ? 0 : (p.end ?? now) - p.start), 0);
  const said = row.cached ? 'cached' : duration(total);
  return (
    <span className="aiosw-lane-inside" onMouseEnter={() => onHover(true)} onMouseLeave={() => onHover(false)}>
      <span className="aiosw-lane-name" style={{ width: names }} title={row.step}>
        <StateMark status={row.status} />
        <span className="aiosw-ellipsis">{row.step}</span>
        {row.critical && <i className="aiosw-diamond" aria-hidden="true">◆</i>}
      </span>
      <span className="aiosw-lane-chart" style={{ width: chart }}>
        {row.spans.map((p, i) => {
          const [left, right] = [Math.max(-4, x(p.start)), Math.min(chart + 4, x(p.end ?? now))];
          const across = Math.max(right - left, p.kind === 'run' ? 3 : 1);
          return right < 0 || left > chart ? null : (
            <i key={i} data-span={p.kind} data-status={p.kind === 'run' ? p.status || row.status : undefined} data-open={p.end === null || undefined} style={{ left, width: across }}>
              {p.kind === 'run' && tried(row) && across > 22 ? String(p.attempt ?? '') : ''}
            </i>
          );
        })}
        {last && end > 0 && begin < chart && (end < chart - 64 ? <small style={{ left: end + 6 }}>{said}</small> : begin > 64 && <small style={{ right: chart - begin + 6 }}>{said}</small>)}
      </span>
    </span>
  );
}

/** More than one attempt: then each is numbered. */
function tried(row: TimelineStep): boolean {
  return row.spans.filter(p => p.kind === 'run').length > 1;
}

interface AxisProps {
  view: Stretch;
  whole: Stretch;
  left: number;
  width: number;
  start: number;
  onChoose: (view: Stretch | null) => void;
  onZoom: (factor: number, around?: number) => void;
}

/** Marks of time; dragging over them chooses a stretch, a double click shows all. */
function Axis({ view, whole, left, width, start, onChoose, onZoom }: AxisProps): JSX.Element {
  const [drag, setDrag] = useState<{ a: number; b: number } | null>(null);
  const area = useRef<HTMLDivElement>(null);
  const at = (e: { clientX: number }): number => Math.min(width, Math.max(0, e.clientX - (area.current?.getBoundingClientRect().left ?? 0)));
  const time = (x: number): number => view.from + (x / width) * (view.to - view.from);
  useEffect(() => {
    const el = area.current;
    const onWheel = (e: WheelEvent): void => {
      if (e.ctrlKey || e.metaKey) {
        e.preventDefault();
        onZoom(e.deltaY > 0 ? 1.25 : 0.8, time(at(e)));
      }
    };
    el?.addEventListener('wheel', onWheel, { passive: false });
    return () => el?.removeEventListener('wheel', onWheel);
  });
  const done = (): void => {
    if (drag && Math.abs(drag.b - drag.a) > 4) {
      const [a, b] = [time(Math.min(drag.a, drag.b)), time(Math.max(drag.a, drag.b))];
      onChoose(clamped({ from: a, to: Math.max(b, a + 1e-4) }, whole));
    }
    setDrag(null);
  };
  return (
    <div className="aiosw-axis" style={{ height: AXIS }}>
      <span className="aiosw-axis-name" style={{ width: left }} title={`Counted from ${clock(start)}`}>from {clock(start)}</span>
      <div
        ref={area}
        className="aiosw-axis-area"
        style={{ width }}
        title="Drag to zoom into a stretch, double click to show all"
        onPointerDown={e => {
          e.currentTarget.setPointerCapture(e.pointerId);
          setDrag({ a: at(e), b: at(e) });
        }}
        onPointerMove={e => drag && setDrag({ ...drag, b: at(e) })}
        onPointerUp={done}
        onPointerCancel={() => setDrag(null)}
        onDoubleClick={() => onChoose(null)}
      >
        {ticks(view, width).map(s => (
          <span key={s} className="aiosw-axis-mark" style={{ left: ((s - view.from) / (view.to - view.from)) * width }}>{offset(s, view)}</span>
        ))}
        {drag && <span className="aiosw-brush" style={{ left: Math.min(drag.a, drag.b), width: Math.abs(drag.b - drag.a) }} />}
      </div>
    </div>
  );
}

const KINDS: { kind: Span['kind']; word: string }[] = [
  { kind: 'queue', word: 'queued' },
  { kind: 'retry', word: 'pause before a retry' },
  { kind: 'wait', word: 'waiting for a decision' }
];

function Legend({ timeline: t }: { timeline: Timeline }): JSX.Element {
  const there = new Set(t.steps.flatMap(s => s.spans.map(p => p.kind)));
  const ends = new Set(t.steps.flatMap(s => s.spans.filter(p => p.kind === 'run').map(p => p.status || s.status)));
  const critical = t.steps.filter(s => s.critical).length;
  return (
    <ul className="aiosw-legend" aria-label="What the bars mean">
      {[...ends].sort().map(status => (
        <li key={status}><i data-span="run" data-status={status} aria-hidden="true" />{`attempt ${status}`}</li>
      ))}
      {KINDS.filter(k => there.has(k.kind)).map(k => (
        <li key={k.kind}><i data-span={k.kind} aria-hidden="true" />{k.word}</li>
      ))}
      {critical > 0 && <li><i className="aiosw-diamond" aria-hidden="true">◆</i>{`critical path: ${many(critical, 'step')}`}</li>}
      {t.parallelism !== null && <li className="aiosw-quiet">{`${t.parallelism.toFixed(1)} steps at a time on average`}</li>}
    </ul>
  );
}
