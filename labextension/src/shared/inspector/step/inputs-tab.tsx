// What the step was called with.
import { useState } from 'react';

import type { Preview, StepDetail, Value } from '../../../protocol';
import type { TableMode } from '../../grid/table-view';
import type { Host } from '../types';
import { ValueView } from './value-view';

interface Props {
  host: Host;
  runId: string | null;
  detail: StepDetail;
  onOpenStep?: (step: string) => void;
}

export function InputsTab({ host, runId, detail, onOpenStep }: Props): JSX.Element {
  if (detail.inputs.length === 0) {
    return <p className="aiosw-quiet">This step takes no input.</p>;
  }
  return (
    <ul className="aiosw-list">
      {detail.inputs.map(v => <Input key={`${v.name}/${v.hash ?? ''}`} value={v} host={host} runId={runId} step={detail.step} onOpenStep={onOpenStep} />)}
    </ul>
  );
}

interface InputProps {
  value: Value;
  host: Host;
  runId: string | null;
  step: string;
  onOpenStep?: (step: string) => void;
}

function Input({ value, host, runId, step, onOpenStep }: InputProps): JSX.Element {
  const [preview, setPreview] = useState<Preview | null>(null);
  const [problem, setProblem] = useState('');
  const [open, setOpen] = useState(false);
  const [mode, setMode] = useState<TableMode>('Rows');
  const { hash } = value;
  const from = value.source.startsWith('step ') ? value.source.slice(5) : null;
  const toggle = (): void => {
    setOpen(!open);
    if (!open && preview === null && hash !== null) {
      host.ask({ kind: 'preview', run_id: runId, hash, offset: 0, limit: 20 }).then(
        p => {
          setPreview(p);
          setProblem('');
        },
        (e: Error) => setProblem(e.message)
      );
    }
  };
  return (
    <li>
      <p className="aiosw-facts-line">
        <b>{value.name}</b>
        {from !== null && onOpenStep ? (
          <span className="aiosw-quiet">from step <button type="button" className="aiosw-link" onClick={() => onOpenStep(from)}>{from}</button></span>
        ) : (
          <span className="aiosw-quiet">{from === null ? value.source : `from ${value.source}`}</span>
        )}
        {value.type && <code>{value.type}</code>}
        <span className="aiosw-anywhere">{value.summary}</span>
        {hash !== null && <button type="button" aria-expanded={open} aria-label={`${open ? 'Hide' : 'Show'} ${value.name}`} onClick={toggle}>{open ? 'Hide' : 'Show'}</button>}
      </p>
      {open && problem && <p className="aiosw-problem" role="alert">{problem}</p>}
      {open && !preview && !problem && <p className="aiosw-quiet" role="status">Reading…</p>}
      {open && preview && hash !== null && (
        <div className="aiosw-inside">
          <ValueView
            host={host}
            runId={runId}
            artifact={{ hash, kind: preview.kind, type: preview.type, bytes: preview.bytes, shape: preview.shape }}
            first={preview}
            label={`Input ${value.name}`}
            code={`aios.run(${JSON.stringify(runId ?? '')})[${JSON.stringify(step)}].inputs[${JSON.stringify(value.name)}]`}
            mode={mode}
            onMode={setMode}
          />
        </div>
      )}
    </li>
  );
}
