// What happened to a run, in order, live.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import type { Event } from '../../protocol';
import { CopyButton } from '../copy';
import { clock, moment } from '../format';
import { isAbort } from './abort';
import { Loading, many, Nothing, Search, Trouble } from './parts';
import type { Host } from './types';
import { onNews, type Problem, problemOf } from './use';
import { VirtualList } from './virtual';

const ROW = 26;
const AT_ONCE = 500;
/** Older ones are left out on screen: the page must stay quick in a run of days. */
const MOST = 20_000;
const PAUSE_MILLISECONDS = 400;

interface Got {
  events: Event[];
  left: number;
  read: boolean;
  problem: Problem | null;
}

/** All events so far, and those that come. */
function useEvents(host: Host, runId: string): Got & { again: () => void } {
  const { ask, news } = host;
  const [got, setGot] = useState<Got>({ events: [], left: 0, read: false, problem: null });
  const [round, setRound] = useState(0);
  const last = useRef({ runId: '', seq: 0 });
  useEffect(() => {
    if (last.current.runId !== runId) {
      last.current = { runId, seq: 0 };
      setGot({ events: [], left: 0, read: false, problem: null });
    }
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let [flying, wanted] = [false, false];
    const next = (): void => {
      [flying, wanted, timer] = [true, false, undefined];
      ask({ kind: 'events', run_id: runId, after: last.current.seq, limit: AT_ONCE }, { signal: stop.signal }).then(
        page => {
          flying = false;
          const fresh = page.events.filter(e => e.seq > last.current.seq);
          if (fresh.length > 0) {
            last.current.seq = fresh[fresh.length - 1].seq;
          }
          setGot(now => {
            const all = fresh.length ? [...now.events, ...fresh] : now.events;
            const over = Math.max(0, all.length - MOST);
            return { events: over ? all.slice(over) : all, left: now.left + over, read: now.read || !page.more, problem: null };
          });
          if ((page.more && fresh.length > 0) || wanted) {
            soon(page.more ? 0 : PAUSE_MILLISECONDS);
          }
        },
        (error: unknown) => {
          flying = false;
          if (!isAbort(error)) {
            setGot(now => ({ ...now, problem: problemOf(error) }));
          }
        }
      );
    };
    const soon = (milliseconds = PAUSE_MILLISECONDS): void => {
      if (flying) {
        wanted = true;
      } else {
        timer ??= setTimeout(next, milliseconds);
      }
    };
    next();
    const off = onNews(news, runId, () => soon());
    return () => {
      stop.abort();
      clearTimeout(timer);
      off();
    };
  }, [ask, news, runId, round]);
  const again = useCallback(() => setRound(n => n + 1), []);
  return { ...got, again };
}

export function EventsPage({ host, runId, onOpenStep }: { host: Host; runId: string; onOpenStep: (step: string) => void }): JSX.Element {
  const { events, left, read, problem, again } = useEvents(host, runId);
  const [search, setSearch] = useState('');
  const [kind, setKind] = useState('');
  const [cursor, setCursor] = useState(-1);
  const kinds = useMemo(() => {
    const counts = new Map<string, number>();
    events.forEach(e => counts.set(e.kind, (counts.get(e.kind) ?? 0) + 1));
    return [...counts].sort(([a], [b]) => a.localeCompare(b));
  }, [events]);
  const shown = useMemo(() => {
    const text = search.trim().toLowerCase();
    return events.filter(
      e => (!kind || e.kind === kind) && (!text || `${e.seq} ${e.kind} ${e.step ?? ''} ${e.text} ${JSON.stringify(e.data)}`.toLowerCase().includes(text))
    );
  }, [events, kind, search]);
  const chosen = cursor >= 0 ? shown[cursor] : undefined;
  if (!read && events.length === 0) {
    return problem ? <Trouble problem={problem} again={again} /> : <Loading what="the events" rows={8} />;
  }
  return (
    <div className="aiosw-events">
      {problem && <Trouble problem={problem} again={again} stale />}
      <div className="aiosw-tools">
        <Search value={search} onChange={setSearch} label="Search events" />
        <label>
          <span className="aiosw-hidden">Kind</span>
          <select value={kind} onChange={e => setKind(e.target.value)}>
            <option value="">All kinds</option>
            {kinds.map(([k, n]) => <option key={k} value={k}>{`${k} (${n})`}</option>)}
          </select>
        </label>
        <span className="aiosw-quiet aiosw-end" role="status">
          {shown.length === events.length ? many(events.length, 'event') : `${shown.length.toLocaleString('en')} of ${many(events.length, 'event')}`}
          {left > 0 && `, the ${left.toLocaleString('en')} before are not shown`}
        </span>
      </div>
      {shown.length === 0 ? (
        <Nothing title={events.length === 0 ? 'Nothing has happened yet.' : 'No event fits.'} />
      ) : (
        <VirtualList
          count={shown.length}
          rowHeight={ROW}
          height={520}
          label="Events, oldest first"
          cursor={cursor}
          onCursor={setCursor}
          follow
          row={i => {
            const e = shown[i];
            return {
              key: String(e.seq),
              label: [`event ${e.seq}`, clock(e.at), e.kind, e.step, e.text].filter(Boolean).join(', '),
              className: 'aiosw-event',
              content: (
                <>
                  <span className="aiosw-event-seq">{e.seq}</span>
                  <time>{clock(e.at)}</time>
                  <b data-status={statusOf(e)}>{e.kind}</b>
                  {e.step !== null && <span className="aiosw-event-step">{e.step}</span>}
                  <span className="aiosw-ellipsis">{shortened(e)}</span>
                </>
              )
            };
          }}
        />
      )}
      {chosen && <Details event={chosen} onOpenStep={onOpenStep} />}
    </div>
  );
}

/** Without the step's name, which stands in a column of its own. */
function shortened(e: Event): string {
  const said = e.step === null ? [] : [`step '${e.step}'`, `gate '${e.step}'`];
  const start = said.find(words => e.text.startsWith(words));
  return start === undefined ? e.text : e.text.slice(start.length).replace(/^[:\s]+/, '');
}

function statusOf(e: Event): string | undefined {
  return typeof e.data.status === 'string' ? e.data.status : undefined;
}

function Details({ event: e, onOpenStep }: { event: Event; onOpenStep: (step: string) => void }): JSX.Element {
  const text = JSON.stringify(e.data, null, 2);
  return (
    <div className="aiosw-event-details">
      <p className="aiosw-facts-line">
        <b>{e.kind}</b>
        <span>{moment(e.at)}</span>
        {e.step !== null && <button type="button" className="aiosw-link" onClick={() => onOpenStep(e.step as string)}>{e.step}</button>}
      </p>
      {e.text && <p className="aiosw-doc">{e.text}</p>}
      {Object.keys(e.data).length > 0 && (
        <div className="aiosw-pre"><div className="aiosw-pre-box"><pre tabIndex={0}>{text}</pre><CopyButton text={text} what="the event" /></div></div>
      )}
    </div>
  );
}
