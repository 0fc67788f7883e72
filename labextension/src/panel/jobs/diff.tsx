// What differs between two versions of a job, or between one and the notebook as it is saved.
import type { CellChange, FileChange, JobDiff } from '../../api';
import { CodeDiff } from '../../shared/inspector/code-diff';
import { brief, plural } from '../format';

export function DiffView({ diff, label }: { diff: JobDiff; label: string }): JSX.Element {
  if (diff.same) {
    return (
      <p className="aios-same" role="status">
        <b aria-hidden="true">= </b>Nothing differs.
      </p>
    );
  }
  return (
    <div className="aios-diff" data-testid="aios-diff" aria-label={label} role="region">
      <Changed title="Options" rows={diff.spec.map(o => ({ name: o.option, old: o.old, new: o.new }))} />
      {diff.cells.length > 0 && <h5 className="aios-label">{`Cells: ${tally(diff.cells)}`}</h5>}
      {diff.cells.map((cell, i) => (
        <Cell key={i} cell={cell} label={label} />
      ))}
      <Files title="Files" files={diff.files} label={label} />
      <Changed title="Packages" rows={diff.packages.map(p => ({ name: p.package, old: p.old, new: p.new }))} />
      <Files title="Data" files={diff.data} label={label} />
      {nothingShown(diff) && <p className="aios-sub">What differs has no words: something inside the bundle, such as its bill of materials.</p>}
    </div>
  );
}

const nothingShown = (d: JobDiff): boolean => [d.spec, d.cells, d.files, d.packages, d.data].every(found => found.length === 0);

const SIGNS = { added: '+ ', removed: '− ', changed: '± ', moved: '↕ ' } as const;
const HUNK = /^@@ /m;
const KINDS = { added: 'added', removed: 'removed', changed: 'changed', moved: 'moved' } as const;

function tally(cells: CellChange[]): string {
  return Object.values(KINDS)
    .map(kind => ({ kind, count: cells.filter(c => c.kind === kind).length }))
    .filter(t => t.count > 0)
    .map(t => `${t.count} ${t.kind}`)
    .join(', ');
}

function Cell({ cell, label }: { cell: CellChange; label: string }): JSX.Element {
  const where = cell.kind === 'moved' ? `from ${cell.old} to ${cell.new}` : `${cell.new ?? cell.old}`;
  return (
    <div className="aios-diff-cell" data-kind={cell.kind}>
      <p className="aios-sub">
        <b>{SIGNS[cell.kind]}</b>
        {`Cell ${where} ${cell.kind}`}
      </p>
      {HUNK.test(cell.diff) && <CodeDiff diff={cell.diff} label={`${label}: cell ${where}`} />}
    </div>
  );
}

interface Change {
  name: string;
  old: unknown;
  new: unknown;
}

function Files({ title, files, label }: { title: string; files: FileChange[]; label: string }): JSX.Element | null {
  if (files.length === 0) {
    return null;
  }
  return (
    <>
      <h5 className="aios-label">{`${title}: ${plural(files.length, 'difference')}`}</h5>
      {files.map(file => (
        <div key={file.path} className="aios-diff-cell" data-kind={file.kind}>
          <p className="aios-sub">
            <b>{SIGNS[file.kind]}</b>
            {`${file.path} ${file.kind}`}
          </p>
          {HUNK.test(file.diff) ? <CodeDiff diff={file.diff} label={`${label}: ${file.path}`} /> : <p className="aios-sub">{file.diff}</p>}
        </div>
      ))}
    </>
  );
}

interface Change {
  name: string;
  old: unknown;
  new: unknown;
}

function Changed({ title, rows }: { title: string; rows: Change[] }): JSX.Element | null {
  if (rows.length === 0) {
    return null;
  }
  return (
    <>
      <h5 className="aios-label">{`${title}: ${plural(rows.length, 'difference')}`}</h5>
      <ul className="aios-changes">
        {rows.map((r, i) => (
          <li key={i}>
            <b>{r.name}</b>
            {!nothing(r.old) && <del title={brief(r.old, 2000)}>{`− ${brief(r.old, 200)}`}</del>}
            {!nothing(r.new) && <ins title={brief(r.new, 2000)}>{`+ ${brief(r.new, 200)}`}</ins>}
          </li>
        ))}
      </ul>
    </>
  );
}

const nothing = (value: unknown): boolean => value === null || value === undefined;
