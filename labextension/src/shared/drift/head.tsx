// The verdict in words, what was compared, the slices looked at, and what to take away.
import { useState } from 'react';

import type { DriftView, Slice, Verdict } from '../../drift_protocol';
import { CopyButton } from '../copy';
import { count, moment } from '../format';
import { download } from '../graph/save';
import { Python } from '../python';
import type { DriftHost } from './types';
import { useAsk } from './use-ask';
import { VerdictChip } from './verdict';
import { named, rulesWords, sideWords, sliceWords } from './words';

const MORE = 3;

interface Props {
  view: DriftView;
  host: DriftHost;
  busy: boolean;
  onSlices: (slices: Slice[]) => void;
}

export function Head({ view, host, busy, onSlices }: Props): JSX.Element {
  const verdict: Verdict = view.drifted === null ? 'few' : view.drifted ? 'drifted' : 'stable';
  const word = view.drifted === null ? 'not enough data' : view.drifted ? 'drifted' : 'no drift';
  return (
    <header className="aiosw-dr-header">
      <div className="aiosw-title">
        <strong>{named(view.title)}</strong>
        <VerdictChip verdict={verdict} word={word} />
      </div>
      <p className="aiosw-dr-summary">{view.summary}</p>
      {view.reasons.length > 0 && <Reasons said={view.reasons} />}
      <div className="aiosw-dr-sides">
        <span><i className="aiosw-key" data-side="A">reference</i> {sideWords(view.reference)}</span>
        <span><i className="aiosw-key" data-side="B">current</i> {sideWords(view.current)}{view.by !== null && `, by ${view.by}`}</span>
        <span className="aiosw-quiet" title={view.created_at > 0 ? moment(view.created_at) : undefined}>{rulesWords(view.rules)}; {view.engine}, {view.seconds.toFixed(1)} s</span>
      </div>
      {(view.slices.length > 0 || busy) && <Slices view={view} off={busy || !host.canAct} busy={busy} onSlices={onSlices} />}
      <Actions view={view} host={host} />
    </header>
  );
}

function Reasons({ said }: { said: string[] }): JSX.Element {
  const [all, setAll] = useState(false);
  const shown = all ? said : said.slice(0, MORE);
  return (
    <div className="aiosw-dr-reasons">
      <ul>{shown.map((r, i) => <li key={i}>{r}</li>)}</ul>
      {said.length > MORE && <button type="button" className="aiosw-link" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Fewer reasons' : `${count(said.length - MORE)} more reasons`}</button>}
    </div>
  );
}

function Slices({ view, off, busy, onSlices }: { view: DriftView; off: boolean; busy: boolean; onSlices: (slices: Slice[]) => void }): JSX.Element {
  const kinds = new Map(view.rows.map(r => [r.name, r.kind]));
  return (
    <div className="aiosw-dr-slices" role="group" aria-label="Rows looked at">
      <span>{view.slices.length === 0 ? 'All rows' : 'Only rows where'}</span>
      {view.slices.map((s, i) => {
        const words = sliceWords(s, kinds.get(s.column));
        return (
          <button key={i} type="button" className="aiosw-dr-slice" disabled={off} title={words} onClick={() => onSlices(view.slices.filter((_, j) => j !== i))}>
            <span><span className="aiosw-hidden">Take off </span>{words}</span> <span aria-hidden="true">✕</span>
          </button>
        );
      })}
      {view.slices.length > 1 && <button type="button" className="aiosw-link" disabled={off} onClick={() => onSlices([])}>All rows</button>}
      {busy && <span className="aiosw-quiet" role="status">Reading these rows…</span>}
    </div>
  );
}

function Actions({ view, host }: { view: DriftView; host: DriftHost }): JSX.Element {
  const gate = useAsk(host, 'text');
  const exported = useAsk(host, 'text');
  const [wrote, setWrote] = useState('');
  const off = !host.canAct;
  const text = (what: 'code' | 'contract') => async () => (await host.ask({ kind: 'text', what })).text;
  const take = async (what: 'html' | 'json'): Promise<void> => {
    const found = await exported.ask({ kind: 'text', what });
    if (found !== null) {
      download(found.file, found.text, what === 'html' ? 'text/html;charset=utf-8' : 'application/json;charset=utf-8');
    }
  };
  const insert = (code: string): void => {
    const edit = { title: 'Gate on drift', before: null, after: code, cell: null, below: null, diff: '', note: '', writable: true };
    host.writeCell?.(edit, false).then(() => setWrote('Written to a new cell.'), (e: Error) => setWrote(e.message));
  };
  const problem = gate.problem ?? exported.problem;
  const made = gate.data;
  return (
    <div className="aiosw-dr-actions">
      <span className="aiosw-buttons">
        <button type="button" className="aiosw-primary" disabled={off || gate.busy} onClick={() => { setWrote(''); void gate.ask({ kind: 'text', what: 'gate' }); }}>Make this a gate</button>
        {!off && <CopyButton text={text('code')} what="code that makes this report" label="Copy code" copy={host.copy} />}
        {!off && <CopyButton text={text('contract')} what="contract as YAML" label="Copy contract" copy={host.copy} />}
        <button type="button" disabled={off || exported.busy} onClick={() => void take('html')}>Export HTML</button>
        <button type="button" disabled={off || exported.busy} onClick={() => void take('json')}>Export JSON</button>
        {exported.data && <span className="aiosw-quiet" role="status">{`Saved ${exported.data.file}`}</span>}
      </span>
      {problem && <p className="aiosw-problem" role="alert">{problem.message}</p>}
      {made && (
        <div className="aiosw-dr-snippet" role="group" aria-label="Gate">
          <p><span role="status">Stops a workflow by these rules: {rulesWords(view.rules)}.</span></p>
          <pre tabIndex={0} aria-label="Code of the gate"><Python source={made.text} /></pre>
          <span className="aiosw-buttons">
            <CopyButton text={made.text} what="the gate" copy={host.copy} />
            {host.writeCell && <button type="button" className="aiosw-small" onClick={() => insert(made.text)}>Write to a new cell</button>}
            <button type="button" className="aiosw-small" onClick={gate.forget}>Close</button>
            <span className="aiosw-quiet" role="status">{wrote}</span>
          </span>
        </div>
      )}
    </div>
  );
}
