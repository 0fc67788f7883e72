// What differs between two versions of a job, or between one and the notebook as it is saved.
import type { CellChange, JobDiff } from '../../api';
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
      <Changed title="Files" rows={diff.files.map(row)} />
      <Changed title="Packages" rows={diff.packages.map(row)} />
      <Changed title="Data" rows={diff.data.map(row)} />
    </div>
  );
}

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
        <b>{{ added: '+ ', removed: '− ', changed: '± ', moved: '↕ ' }[cell.kind]}</b>
        {`Cell ${where} ${cell.kind}`}
      </p>
      {cell.diff !== '' && <CodeDiff diff={cell.diff} label={`${label}: cell ${where}`} />}
    </div>
  );
}

interface Change {
  name: string;
  old: unknown;
  new: unknown;
}

/** Whatever names a thing that differs: a file by its path, a package by its name. */
function row(found: Record<string, unknown>): Change {
  const name = ['name', 'path', 'file', 'package', 'option'].map(key => found[key]).find(v => typeof v === 'string');
  return { name: String(name ?? brief(found)), old: found.old ?? null, new: found.new ?? null };
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
