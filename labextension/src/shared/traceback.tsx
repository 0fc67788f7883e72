// A traceback whose lines in notebook cells are buttons that lead there.
import { useState } from 'react';

import type { CellRef, ErrorInfo } from '../protocol';
import { CopyButton } from './copy';
import type { Host } from './inspector/types';

/** What to say once a cell was looked for; empty when it is in view as it was run. */
export function revealed(found: boolean | 'changed'): string {
  if (found === 'changed') {
    return 'The cell was changed since this step ran, so the line may be another.';
  }
  return found ? '' : 'No open notebook has this cell any more.';
}

interface Props {
  error: ErrorInfo;
  host: Pick<Host, 'revealCell'>;
}

export function Traceback({ error, host }: Props): JSX.Element {
  const [said, setSaid] = useState('');
  const reveal = (cell: CellRef): void => {
    setSaid('');
    host.revealCell?.(cell).then(
      found => setSaid(revealed(found)),
      (e: Error) => setSaid(e.message)
    );
  };
  return (
    <div className="aiosw-traceback">
      {error.frames.length > 0 && (
        <ol className="aiosw-frames" aria-label="Calls, the last one failed">
          {error.frames.map((frame, i) => {
            const { cell } = frame;
            const where = cell ? `cell ${cell.label || 'of the notebook'}, line ${cell.line ?? frame.line}` : `${frame.file}, line ${frame.line}`;
            return (
              <li key={i} data-own={cell ? true : undefined}>
                <span className="aiosw-frame-where">
                  {cell && host.revealCell ? (
                    <button type="button" className="aiosw-link" title="Show this line in the notebook" onClick={() => reveal(cell)}>{where}</button>
                  ) : (
                    <span className="aiosw-quiet">{where}</span>
                  )}
                  {frame.function && <code>{frame.function}</code>}
                </span>
                {frame.text && <pre>{frame.text}</pre>}
              </li>
            );
          })}
        </ol>
      )}
      {said && <p className="aiosw-quiet" role="status">{said}</p>}
      {error.traceback && (
        <details open={error.frames.length === 0}>
          <summary>Whole traceback</summary>
          <div className="aiosw-pre" data-tone="failed">
            <div className="aiosw-pre-box">
              <pre tabIndex={0}>{error.traceback}</pre>
              <CopyButton text={error.traceback} what="traceback" />
            </div>
          </div>
        </details>
      )}
    </div>
  );
}
