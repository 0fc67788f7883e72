// The code an edit stands for, and what can be done with it.
import { type ReactNode, useState } from 'react';

import type { CodeEdit } from '../../protocol';
import type { Host } from '../inspector/types';
import type { Preview } from './use-edit';

interface Props {
  host: Host;
  preview: Preview;
  /** The button for writing without running. */
  verb: string;
  onDone: (ran: boolean, said: string) => void;
  /** More buttons. */
  children?: ReactNode;
}

export function WriteBar({ host, preview, verb, onDone, children }: Props): JSX.Element {
  const { edit } = preview;
  const [working, setWorking] = useState(false);
  const [told, setTold] = useState<{ text: string; wrong: boolean } | null>(null);
  const changed = edit !== null && edit.before !== edit.after;
  const ready = changed && !preview.busy && !working;
  const writes = host.writeCell !== undefined && edit?.writable !== false;
  const general = preview.problem && Object.keys(preview.fields).length === 0 ? preview.problem : '';

  const write = (run: boolean): void => {
    if (!edit || !host.writeCell) {
      return;
    }
    setWorking(true);
    setTold(null);
    host.writeCell(edit, run).then(
      () => {
        setWorking(false);
        onDone(run, run ? 'Written and run.' : 'Written. It takes effect when the cell is run.');
      },
      (e: Error) => {
        setWorking(false);
        setTold({ text: e.message, wrong: true });
      }
    );
  };
  const copy = (): void => {
    if (edit) {
      host.copy(edit.writable ? edit.after : added(edit)).then(
        () => setTold({ text: 'Copied.', wrong: false }),
        () => setTold({ text: 'The browser does not allow copying; select the code instead.', wrong: true })
      );
    }
  };
  return (
    <div className="aiosw-edit-write">
      {changed && edit && <Diff edit={edit} stale={preview.busy} />}
      {edit?.note && changed && <p className="aiosw-quiet">{edit.note}</p>}
      {general && <p className="aiosw-problem" role="alert">{general}</p>}
      <span className="aiosw-buttons">
        {writes && (
          <>
            <button type="button" className="aiosw-primary" disabled={!ready || !host.canAct} onClick={() => write(true)}>Write and run</button>
            <button type="button" disabled={!ready || !host.canAct} onClick={() => write(false)}>{verb}</button>
          </>
        )}
        <button type="button" disabled={!ready} onClick={copy}>Copy code</button>
        {children}
      </span>
      <p role="status" className={told?.wrong ? 'aiosw-problem' : 'aiosw-quiet'}>
        {told ? told.text : working ? 'Writing…' : ''}
      </p>
    </div>
  );
}

function Diff({ edit, stale }: { edit: CodeEdit; stale: boolean }): JSX.Element {
  return (
    <pre className="aiosw-edit-diff" tabIndex={0} aria-label={edit.before === null ? 'The code of the new cell' : 'What changes in the code'} aria-busy={stale}>
      {edit.before === null ? <span>{edit.after}</span> : edit.diff.split('\n').filter(line => !/^(---|\+\+\+) /.test(line)).map((line, i) => (
        <span key={i} data-sign={line[0] === '+' ? 'in' : line[0] === '-' ? 'out' : line.startsWith('@@') ? 'at' : undefined}>
          {line.startsWith('@@') ? '⋯' : line}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}

/** The new lines of a change: what one types over in a file. */
function added(edit: CodeEdit): string {
  return edit.diff.split('\n').filter(l => l.startsWith('+') && !l.startsWith('+++ ')).map(l => l.slice(1)).join('\n');
}
