// The step's source as it ran, and how it is run.
import { useState } from 'react';

import type { CellRef, StepDetail } from '../../../protocol';
import { CopyButton } from '../../copy';
import { Python } from '../../python';
import { revealed } from '../../traceback';
import type { Host } from '../types';

export function CodeTab({ host, detail, stale }: { host: Host; detail: StepDetail; stale: boolean }): JSX.Element {
  const [said, setSaid] = useState('');
  return (
    <>
      {detail.doc && <p className="aiosw-doc">{detail.doc}</p>}
      <div className="aiosw-tools">
        {detail.cell && <span className="aiosw-quiet">{detail.cell}</span>}
        {stale && <em className="aiosw-badge" data-tone="stale">changed since this run</em>}
        {said && <span className="aiosw-quiet" role="status">{said}</span>}
        <span className="aiosw-buttons">
          {host.revealCell && detail.cell_ref && (
            <button type="button" onClick={() => void reveal(host, detail.cell_ref as CellRef).then(setSaid)}>Open in notebook</button>
          )}
          {detail.code && <CopyButton text={detail.code} what="the code" copy={host.copy} />}
        </span>
      </div>
      <div className="aiosw-pre">
        <pre tabIndex={0} aria-label="Code">{detail.code ? <Python source={detail.code} /> : '(the source is not known)'}</pre>
      </div>
      {detail.policy.length > 0 && (
        <dl className="aiosw-facts">
          {detail.policy.map(p => (
            <div key={p.name}><dt>{p.name}</dt><dd>{p.summary}</dd></div>
          ))}
        </dl>
      )}
    </>
  );
}

/** What to tell the reader afterwards; empty when the cell is in view. */
export async function reveal(host: Host, cell: CellRef): Promise<string> {
  try {
    return revealed((await host.revealCell?.(cell)) ?? false);
  } catch (e) {
    return (e as Error).message;
  }
}
