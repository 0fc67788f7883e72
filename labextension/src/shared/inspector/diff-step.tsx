// One step in two runs: its code, what went in, and how what came out is distributed.
import type { ColumnDiff, ColumnProfile, OutputDiff } from '../../protocol';
import { bytes, cell, count, figure } from '../format';
import { CodeDiff } from './code-diff';
import { Overlay, Paired } from './overlay';
import { Await, Code, Section } from './parts';
import type { Host } from './types';
import { useAnswer } from './use';
import { Values } from './values';

export function StepDiffView({ host, a, b, step }: { host: Host; a: string; b: string; step: string }): JSX.Element {
  const answer = useAnswer(host, { kind: 'diff_step', run_id: a, other: b, step });
  return (
    <div className="aiosw-step-diff">
      <Await of={answer} what={`the difference of ${step}`}>
        {d => (
          <>
            {d.why.length > 0 && <p className="aiosw-why-line"><b>Why it ran again:</b> {d.why.join('; ')}</p>}
            <Section title="Code">
              {d.code_diff ? <CodeDiff diff={d.code_diff} label={`Code of ${step}, A and B`} /> : <p className="aiosw-same">The code is identical.</p>}
            </Section>
            <Values title="Inputs" values={d.inputs} same="The inputs are identical." />
            <Values title="Policy" values={d.policy} same="The policy is identical." />
            {d.output && <Output output={d.output} />}
            <Code code={d.code} />
          </>
        )}
      </Await>
    </div>
  );
}

function Output({ output: o }: { output: OutputDiff }): JSX.Element {
  const lines: [name: string, a: string, b: string][] = [
    ['type', o.type_a ?? '', o.type_b ?? ''],
    ['shape', shape(o.shape_a), shape(o.shape_b)],
    ['size', size(o.bytes_a), size(o.bytes_b)],
    ['hash', (o.hash_a ?? '').slice(0, 12), (o.hash_b ?? '').slice(0, 12)]
  ];
  const changed = o.columns.filter(c => c.change !== 'same' || (c.distance ?? 0) > 0);
  return (
    <Section title="Output">
      {o.same ? (
        <p className="aiosw-same">The output is identical, to the last byte.</p>
      ) : (
        <table className="aiosw-table aiosw-values aiosw-plain">
          <thead><tr><th scope="col"><span className="aiosw-hidden">Property</span></th><th scope="col">A</th><th scope="col">B</th></tr></thead>
          <tbody>
            {lines.filter(([, a, b]) => a || b).map(([name, a, b]) => (
              <tr key={name} data-change={a === b ? 'same' : 'changed'}>
                <th scope="row">{name}</th><td data-side="A">{a || '–'}</td><td data-side="B">{b || '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {o.note && <p className="aiosw-quiet">{o.note}</p>}
      {o.columns.length > 0 && !o.same && <Columns columns={changed.length > 0 ? changed : o.columns} left={changed.length > 0 ? o.columns.length - changed.length : 0} />}
      {(o.text_a !== null || o.text_b !== null) && !o.same && (
        <div className="aiosw-texts">
          {([['A', o.text_a], ['B', o.text_b]] as const).map(([letter, text]) => (
            <div key={letter} className="aiosw-pre"><p><b className="aiosw-letter" data-side={letter}>{letter}</b></p><pre tabIndex={0}>{text ?? 'nothing'}</pre></div>
          ))}
        </div>
      )}
    </Section>
  );
}

function shape(of: number[] | null): string {
  return of === null ? '' : of.map(count).join(' × ');
}

function size(n: number | null): string {
  return n === null ? '' : bytes(n);
}

function Columns({ columns, left }: { columns: ColumnDiff[]; left: number }): JSX.Element {
  return (
    <>
      <div className="aiosw-scroll aiosw-tall" tabIndex={0} role="region" aria-label="Columns compared">
        <table className="aiosw-table aiosw-coldiff">
          <thead>
            <tr>
              <th scope="col">Column</th>
              <th scope="col">Distribution <span className="aiosw-key" data-side="A">A</span> <span className="aiosw-key" data-side="B">B</span></th>
              <th scope="col" title="Jensen-Shannon distance: 0 the same, 1 nothing in common">Distance</th>
              <th scope="col">Nulls</th>
              <th scope="col">Mean</th>
              <th scope="col">Range</th>
            </tr>
          </thead>
          <tbody>
            {columns.map(c => (
              <tr key={c.name} data-change={c.change}>
                <th scope="row">
                  {c.name}
                  <small>{types(c)}</small>
                  {(c.change === 'added' || c.change === 'removed') && <em className="aiosw-badge" data-change={c.change}>{c.change === 'added' ? '+ only in B' : '− only in A'}</em>}
                </th>
                <td>{c.a?.histogram || c.b?.histogram ? <Overlay a={c.a?.histogram ?? null} b={c.b?.histogram ?? null} label={c.name} /> : <Paired a={c.a} b={c.b} />}</td>
                <td><Distance value={c.distance} /></td>
                <td>{pair(c, p => (p.rows ? `${figure((100 * p.nulls) / p.rows)} %` : '–'))}</td>
                <td>{pair(c, p => (p.mean === null ? '–' : figure(p.mean)))}</td>
                <td>{pair(c, p => (p.min === null || p.min === undefined ? '–' : `${short(p.min)} to ${short(p.max)}`))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {left > 0 && <p className="aiosw-quiet">{`${left} more ${left === 1 ? 'column is' : 'columns are'} identical.`}</p>}
    </>
  );
}

function types(c: ColumnDiff): string {
  return c.a && c.b && c.a.type !== c.b.type ? `${c.a.type} → ${c.b.type}` : (c.b ?? c.a)?.type ?? '';
}

function short(value: unknown): string {
  const text = typeof value === 'number' ? figure(value) : cell(value);
  return text.length > 18 ? `${text.slice(0, 17)}…` : text;
}

function pair(c: ColumnDiff, read: (p: ColumnProfile) => string): JSX.Element | string {
  const [a, b] = [c.a ? read(c.a) : '–', c.b ? read(c.b) : '–'];
  return a === b ? a : <span className="aiosw-pair"><span data-side="A">{a}</span><span data-side="B">{b}</span></span>;
}

function Distance({ value }: { value: number | null }): JSX.Element {
  if (value === null) {
    return <span className="aiosw-quiet">–</span>;
  }
  const word = value === 0 ? 'the same' : value < 0.1 ? 'close' : value < 0.3 ? 'moved' : 'far';
  return (
    <span className="aiosw-distance" data-word={word}>
      <span className="aiosw-distance-bar" aria-hidden="true"><i style={{ width: `${100 * Math.min(1, value)}%` }} /></span>
      <small>{`${value.toFixed(2)}, ${word}`}</small>
    </span>
  );
}
