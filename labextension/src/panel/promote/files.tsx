// Files that would be written, each with what changes in it.
import { useState } from 'react';
import type { TargetFile, TargetFiles } from '../../api';
import { CopyButton } from '../../shared';

const WORDS = { new: '+ new', changed: '± changed', same: '= as it is', blocked: '✕ in the way' };
const DONE = { new: '+ written', changed: '± written', same: '= as it was', blocked: '✕ in the way' };

export function FileList({ files }: { files: TargetFiles }): JSX.Element {
  const [open, setOpen] = useState<string | null>(null);
  const words = files.written ? DONE : WORDS;
  return (
    <ul className="aios-files" aria-label="Files" data-testid="aios-files">
      {files.files.map(file => (
        <li key={file.path}>
          <button type="button" className="aios-file" aria-expanded={open === file.path} onClick={() => setOpen(open === file.path ? null : file.path)}>
            <span className={`aios-file-status aios-is-${file.status}`}>{words[file.status]}</span>
            <span className="aios-mono">{file.path}</span>
          </button>
          {file.problem && <div className="aios-field-error">{file.problem}</div>}
          {open === file.path && <Content file={file} />}
        </li>
      ))}
      <li className="aios-file">
        <span className={`aios-file-status aios-is-${files.bundle_status}`}>{words[files.bundle_status]}</span>
        <span className="aios-mono">{files.bundle}/</span>
        <span className="aios-dim" title={files.bundle_hash}>{`bundle ${files.bundle_hash.slice(0, 12)}`}</span>
      </li>
    </ul>
  );
}

function Content({ file }: { file: TargetFile }): JSX.Element {
  const [whole, setWhole] = useState(file.status !== 'changed');
  return (
    <div className="aios-file-content">
      <div className="aios-actions">
        {file.status === 'changed' && (
          <button type="button" className="aios-link" aria-pressed={whole} onClick={() => setWhole(!whole)}>
            {whole ? 'Show what changes' : 'Show the whole file'}
          </button>
        )}
        <CopyButton text={file.text} what={file.path} />
      </div>
      {whole ? (
        <pre className="aios-code" tabIndex={0} aria-label={`Content of ${file.path}`}>
          {file.text}
        </pre>
      ) : (
        <Diff text={file.diff} label={`What changes in ${file.path}`} />
      )}
    </div>
  );
}

/** A unified diff; what is added or removed has its sign as well as its colour. */
export function Diff({ text, label }: { text: string; label: string }): JSX.Element {
  return (
    <pre className="aios-code aios-diff" tabIndex={0} aria-label={label}>
      {text.split('\n').map((line, i) => (
        <span key={i} className={/^(\+\+\+|---|@@)/.test(line) ? 'aios-is-place' : line.startsWith('+') ? 'aios-is-new' : line.startsWith('-') ? 'aios-is-gone' : ''}>
          {`${line}\n`}
        </span>
      ))}
    </pre>
  );
}
