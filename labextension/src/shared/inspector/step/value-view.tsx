// Any stored value in the view that suits it.
import { useMemo, useState } from 'react';

import type { Artifact, Preview } from '../../../protocol';
import { CopyButton } from '../../copy';
import { bytes } from '../../format';
import { DataGrid } from '../../grid/grid';
import { Rows } from '../../grid/source';
import { type TableAsk, type TableMode, TableView } from '../../grid/table-view';
import type { Host } from '../types';
import { JsonView } from './json-view';
import { MediaView, useMedia } from './media-view';
import { type Model, MODEL, ModelView } from './model-view';
import { readRepr, RecordView } from './record-view';
import { TextView } from './text-view';

interface Props {
  host: Host;
  runId: string | null;
  artifact: Artifact;
  first: Preview;
  label: string;
  /** The Python expression that gives the value. */
  code: string;
  mode: TableMode;
  onMode: (mode: TableMode) => void;
}

export function ValueView(props: Props): JSX.Element {
  const { first } = props;
  const picture = first.media?.startsWith('image/') ?? false;
  if (first.columns.length > 0) {
    return picture ? <Picture {...props} /> : <Table {...props} />;
  }
  if (picture || first.media === MODEL || (first.kind !== 'json' && first.media?.includes('json'))) {
    return <Shown {...props} />;
  }
  return first.kind === 'json' ? <Plain {...props} /> : <Other {...props} />;
}

function Table({ host, runId, artifact, first, label, mode, onMode }: Props): JSX.Element {
  const { ask } = host;
  const table = useMemo<TableAsk>(() => {
    const { hash } = artifact;
    return {
      page: ({ where, ...query }, signal) =>
        ask({ kind: 'table', run_id: runId, hash, query: { ...query, ...(where.trim() ? { where } : {}) } }, { signal }),
      profile: (columns, signal) => ask({ kind: 'profile', run_id: runId, hash, columns }, { signal, seconds: 300 }),
      sql: (query, signal) => ask({ kind: 'sql', run_id: runId, hash, query }, { signal, seconds: 300 })
    };
  }, [ask, runId, artifact]);
  return <TableView key={artifact.hash} first={first} label={label} ask={table} copy={host.copy} mode={mode} onMode={onMode} />;
}

/** A picture that is also numbers. */
function Picture(props: Props): JSX.Element {
  const [drawn, setDrawn] = useState(true);
  return (
    <>
      <span className="aiosw-segments" role="group" aria-label="Shown as">
        <button type="button" aria-pressed={drawn} onClick={() => setDrawn(true)}>Picture</button>
        <button type="button" aria-pressed={!drawn} onClick={() => setDrawn(false)}>Numbers</button>
      </span>
      {drawn ? <Shown {...props} /> : <Table {...props} />}
    </>
  );
}

/** What was made to be looked at when the value was stored: a picture, a model's parameters, a chart's JSON. */
function Shown(props: Props): JSX.Element {
  const { host, runId, artifact, label, code } = props;
  const { media, problem } = useMedia(host, runId, artifact.hash);
  const data = useMemo(() => (media && /json/.test(media.mime) ? tryJson(media.data) : null), [media]);
  return (
    <>
      {problem ? (
        <p className="aiosw-problem" role="alert">{problem}</p>
      ) : !media ? (
        <p className="aiosw-quiet" role="status">Drawing…</p>
      ) : media.mime === MODEL && data ? (
        <ModelView host={host} model={data.value as Model} label={label} />
      ) : data ? (
        <JsonView host={host} value={data.value} label={label} />
      ) : (
        <MediaView host={host} media={media} label={label} />
      )}
      <LoadLine host={host} code={code} />
    </>
  );
}

function tryJson(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

/** JSON: text as text, a list of records also as a table, everything else as a tree. */
function Plain(props: Props): JSX.Element {
  const { host, first, label } = props;
  const parsed = useMemo(() => parse(first), [first]);
  const records = useMemo(() => (parsed ? asRows(parsed.value) : null), [parsed]);
  const [table, setTable] = useState(true);
  if (!parsed) {
    return <TextView host={host} text={first.text ?? ''} truncated={first.truncated} what={label} />;
  }
  const { value } = parsed;
  if (value === null) {
    return <p><code>None</code> <span className="aiosw-quiet">The step returned nothing.</span></p>;
  }
  if (typeof value === 'string') {
    return <TextView host={host} text={value} truncated={false} what={label} />;
  }
  if (typeof value !== 'object') {
    return <p className="aiosw-scalar"><code>{first.type === 'bool' ? (value ? 'True' : 'False') : (first.text ?? String(value))}</code></p>;
  }
  return (
    <>
      {records && (
        <span className="aiosw-segments" role="group" aria-label="Shown as">
          <button type="button" aria-pressed={table} onClick={() => setTable(true)}>Table</button>
          <button type="button" aria-pressed={!table} onClick={() => setTable(false)}>Tree</button>
        </span>
      )}
      {records && table ? <DataGrid source={records} label={label} visible={records.columns.map((_, i) => i)} copy={host.copy} /> : <JsonView host={host} value={value} label={label} />}
    </>
  );
}

/** null for what is cut, and for NaN and Infinity, which JSON does not have. */
function parse(first: Preview): { value: unknown } | null {
  return first.truncated || first.text === null ? null : tryJson(first.text);
}

function asRows(value: unknown): Rows | null {
  if (!Array.isArray(value) || value.length === 0) {
    return null;
  }
  const names = new Set<string>();
  for (const record of value) {
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      return null;
    }
    Object.keys(record).forEach(k => names.add(k));
  }
  if (names.size === 0 || names.size > 200) {
    return null;
  }
  const columns = [...names].map(name => {
    const kinds = new Set(value.map(r => (r as Record<string, unknown>)[name]).filter(v => v !== null && v !== undefined).map(v => (typeof v === 'number' ? 'number' : typeof v === 'string' ? 'text' : typeof v === 'boolean' ? 'bool' : 'json')));
    return { name, type: kinds.size === 1 ? [...kinds][0] : 'mixed' };
  });
  return new Rows(columns, value.map(r => columns.map(c => (r as Record<string, unknown>)[c.name] ?? null)));
}

/** What else has no rows: parameters where it prints them, else its text as it was when it was stored. */
function Other({ host, artifact, first, label, code }: Props): JSX.Element {
  const text = first.text ?? '';
  const printed = useMemo(() => (first.truncated ? null : readRepr(text)), [first, text]);
  return (
    <>
      {printed ? <RecordView printed={printed} type={artifact.type} /> : <TextView host={host} text={text || artifact.type} truncated={first.truncated} what={label} />}
      <LoadLine host={host} code={code} />
    </>
  );
}

function LoadLine({ host, code }: { host: Host; code: string }): JSX.Element {
  return (
    <p className="aiosw-load">
      <span className="aiosw-quiet">Load it with</span> <code>{code}</code>
      <CopyButton text={code} what="the code that loads it" copy={host.copy} />
    </p>
  );
}

export function ArtifactLine({ host, artifact, answeredBy }: { host: Host; artifact: Artifact; answeredBy?: string | null }): JSX.Element {
  return (
    <p className="aiosw-facts-line">
      <code>{artifact.type}</code>
      {artifact.shape && artifact.shape.length > 0 && <span>{artifact.shape.map(n => n.toLocaleString('en')).join(' × ')}</span>}
      <span>{bytes(artifact.bytes)}</span>
      <span title={artifact.hash}>artifact <code>{artifact.hash.slice(0, 12)}</code></span>
      <CopyButton text={artifact.hash} what="the artifact's hash" label="Copy hash" copy={host.copy} />
      {answeredBy && <span>answered by <b>{answeredBy}</b></span>}
    </p>
  );
}
