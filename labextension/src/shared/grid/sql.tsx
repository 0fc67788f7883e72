// A question in SQL over one table, with its answer below.
import { useId, useMemo, useRef, useState } from 'react';

import type { TablePage } from '../../protocol';
import { CopyButton } from '../copy';
import { count, duration } from '../format';
import { DataGrid } from './grid';
import { Rows } from './source';

export interface SqlMemory {
  query: string;
  answer: TablePage | null;
}

interface Props {
  memory: SqlMemory;
  onMemory: (memory: SqlMemory) => void;
  ask: (query: string, signal: AbortSignal) => Promise<TablePage>;
  copy: (text: string) => Promise<void>;
}

export function SqlView({ memory, onMemory, ask, copy }: Props): JSX.Element {
  const id = useId();
  const [problem, setProblem] = useState('');
  const [running, setRunning] = useState<AbortController | null>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const { answer } = memory;
  const source = useMemo(() => answer && new Rows(answer.columns, answer.rows), [answer]);
  const visible = useMemo(() => answer?.columns.map((_, i) => i) ?? [], [answer]);
  const run = (): void => {
    const query = memory.query.trim().replace(/;\s*$/, '');
    if (!query || running) {
      return;
    }
    const controller = new AbortController();
    setRunning(controller);
    setProblem('');
    ask(query, controller.signal)
      .then(
        page => onMemory({ query: memory.query, answer: page }),
        (e: Error) => !controller.signal.aborted && setProblem(e.message)
      )
      .finally(() => setRunning(null));
  };
  return (
    <div className="aiosw-sql">
      <label htmlFor={id} className="aiosw-quiet">SQL over this table, which is called <code>output</code></label>
      <textarea
        id={id}
        ref={area}
        rows={Math.min(12, Math.max(3, memory.query.split('\n').length))}
        spellCheck={false}
        value={memory.query}
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? `${id}-problem` : undefined}
        onChange={e => onMemory({ ...memory, query: e.target.value })}
        onKeyDown={e => {
          if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
            e.preventDefault();
            e.stopPropagation();
            run();
          }
        }}
      />
      <div className="aiosw-tools">
        {running ? (
          <button type="button" onClick={() => running.abort()}>Stop</button>
        ) : (
          <button type="button" className="aiosw-primary" disabled={!memory.query.trim()} onClick={run}>Run query</button>
        )}
        <span className="aiosw-quiet" role="status">
          {running
            ? 'Asking…'
            : answer
              ? `${count(answer.rows.length)}${answer.truncated || (answer.total ?? 0) > answer.rows.length ? ` of ${answer.total === null ? 'more' : count(answer.total)}` : ''} rows in ${duration(answer.seconds)}`
              : 'Ctrl+Enter runs it'}
        </span>
        {answer?.code && <CopyButton text={answer.code} what="the code of this query" label="Copy code" copy={copy} />}
      </div>
      {problem && <p id={`${id}-problem`} className="aiosw-problem" role="alert">{problem}</p>}
      {answer && source && <DataGrid key={answer.sql + answer.rows.length} source={source} label="Answer" visible={visible} copy={copy} empty="The query gives no rows." />}
    </div>
  );
}

/** What to begin with: a query that runs. */
export function firstQuery(columns: { name: string; type: string }[]): string {
  const quoted = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
  const text = columns.find(c => /^(object|str|string|varchar|category|bool)/i.test(c.type));
  return text ? `select ${quoted(text.name)}, count(*) as n\nfrom output\ngroup by all\norder by n desc` : 'select *\nfrom output\nlimit 100';
}
