// Small pieces all pages are made of.
import { type ReactNode, useId } from 'react';

import { CopyButton } from '../copy';
import type { Answered, Problem } from './use';

export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }): JSX.Element {
  const id = useId();
  return (
    <section className="aiosw-section" aria-labelledby={id}>
      <div className="aiosw-section-head">
        <h4 id={id}>{title}</h4>
        {aside && <span className="aiosw-section-aside">{aside}</span>}
      </div>
      {children}
    </section>
  );
}

/** A failure in words, with what to do next. */
export function Trouble({ problem, again, stale }: { problem: Problem; again?: () => void; stale?: boolean }): JSX.Element {
  return (
    <div className="aiosw-trouble" role="alert">
      <p>
        <b>{problem.message}</b>
        {problem.hint && <span>{problem.hint}</span>}
        {stale && <span>What is shown is the last that was known.</span>}
      </p>
      {again && <button type="button" onClick={again}>Try again</button>}
    </div>
  );
}

/** Grey bars in the place of what is on its way. */
export function Loading({ what, rows = 4 }: { what: string; rows?: number }): JSX.Element {
  return (
    <div className="aiosw-loading-bars" role="status" aria-label={`Reading ${what}`}>
      {Array.from({ length: rows }, (_, i) => <i key={i} style={{ width: `${92 - 17 * (i % 3)}%` }} />)}
    </div>
  );
}

/** What an answer looks like before it is there, when it fails, and when it is there. */
export function Await<T>({ of, what, children }: { of: Answered<T>; what: string; children: (data: T) => ReactNode }): JSX.Element {
  return (
    <>
      {of.problem && <Trouble problem={of.problem} again={of.again} stale={of.data !== null} />}
      {of.data !== null ? children(of.data) : !of.problem && <Loading what={what} />}
    </>
  );
}

export function Nothing({ title, children }: { title: string; children?: ReactNode }): JSX.Element {
  return (
    <div className="aiosw-nothing">
      <p><b>{title}</b></p>
      {children && <p>{children}</p>}
    </div>
  );
}

export interface Item {
  name: string;
  value: ReactNode;
  title?: string;
}

export function Facts({ items }: { items: (Item | null | false)[] }): JSX.Element {
  return (
    <dl className="aiosw-facts">
      {items.map(item => item && (
        <div key={item.name} title={item.title}>
          <dt>{item.name}</dt>
          <dd>{item.value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The Python that gives the same. */
export function Code({ code }: { code: string }): JSX.Element | null {
  return code ? (
    <div className="aiosw-code">
      <span className="aiosw-quiet">In Python</span>
      <code tabIndex={0}>{code}</code>
      <CopyButton text={code} what="the Python for this page" />
    </div>
  ) : null;
}

/** A run's id, as a link where runs can be opened. */
export function RunLink({ runId, open, children }: { runId: string; open?: (runId: string) => void; children?: ReactNode }): JSX.Element {
  return open ? (
    <button type="button" className="aiosw-link" title={runId} onClick={() => open(runId)}>{children ?? runId}</button>
  ) : (
    <code>{runId}</code>
  );
}

export function Search({ value, onChange, label, placeholder }: { value: string; onChange: (value: string) => void; label: string; placeholder?: string }): JSX.Element {
  return (
    <input
      type="search"
      className="aiosw-search"
      aria-label={label}
      placeholder={placeholder ?? label}
      value={value}
      onChange={e => onChange(e.target.value)}
      onKeyDown={e => {
        if (e.key === 'Escape' && value) {
          e.stopPropagation();
          onChange('');
        }
      }}
    />
  );
}

/** "1 step", "2 steps". */
export function many(n: number, one: string, more = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : more}`;
}

export function percent(share: number | null): string {
  return share === null ? '' : `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}
