// A window on a data frame. Every name and value is text: a column may be called <img onerror=…>.
import { useState } from 'react';

import type { Preview } from '../protocol';
import { bytes, cell, count } from './format';

const NUMBER = /^(u?(tiny|small|big|huge)?int(eger)?\d*|float\d*|double|real|decimal.*|number)$/i;

interface Props {
  first: Preview;
  label: string;
  /** Fetches other rows; without it there is no paging. */
  fetchPage?: (offset: number, limit: number) => Promise<Preview>;
}

export function PreviewView({ first, label, fetchPage }: Props): JSX.Element {
  const [page, setPage] = useState(first);
  const [of, setOf] = useState(first);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  if (of !== first) {
    setOf(first);
    setPage(first);
  }
  if (page.columns.length === 0) {
    return <pre className="aiosw-text">{page.text ?? '(empty)'}{page.truncated ? '\n…' : ''}</pre>;
  }
  const size = Math.max(first.rows.length, 1);
  const total = page.total ?? page.offset + page.rows.length;
  const go = (offset: number): void => {
    if (!fetchPage) {
      return;
    }
    setBusy(true);
    setProblem('');
    fetchPage(offset, size).then(setPage, e => setProblem(String(e.message ?? e))).finally(() => setBusy(false));
  };
  const last = Math.max(0, Math.floor((total - 1) / size) * size);
  return (
    <div className="aiosw-table-box">
      <div className="aiosw-scroll" tabIndex={0} role="region" aria-label={label} aria-busy={busy}>
        <table className="aiosw-table">
          <thead>
            <tr>
              <th scope="col" className="aiosw-rownum"><span className="aiosw-hidden">row</span></th>
              {page.columns.map((c, i) => (
                <th scope="col" key={i} data-number={NUMBER.test(c.type) || undefined}>
                  {c.name}
                  <small>{c.type}</small>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {page.rows.map((row, r) => (
              <tr key={page.offset + r}>
                <td className="aiosw-rownum">{count(page.offset + r)}</td>
                {row.map((value, i) => (
                  <td key={i} data-number={typeof value === 'number' || undefined} title={cell(value)}>
                    {value === null ? <i className="aiosw-null">null</i> : cell(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="aiosw-pager">
        <span>
          {page.rows.length ? `rows ${count(page.offset)} to ${count(page.offset + page.rows.length - 1)} of ${count(total)}` : `${count(total)} rows`}
          {`, ${page.columns.length} columns`}
          {page.bytes ? `, ${bytes(page.bytes)}` : ''}
        </span>
        {fetchPage && total > size && (
          <span className="aiosw-buttons">
            <button type="button" disabled={busy || page.offset === 0} onClick={() => go(0)}>First</button>
            <button type="button" disabled={busy || page.offset === 0} onClick={() => go(Math.max(0, page.offset - size))}>
              Previous
            </button>
            <button type="button" disabled={busy || page.offset + page.rows.length >= total} onClick={() => go(page.offset + size)}>
              Next
            </button>
            <button type="button" disabled={busy || page.offset >= last} onClick={() => go(last)}>Last</button>
          </span>
        )}
      </div>
      {problem && <p className="aiosw-problem" role="alert">{problem}</p>}
    </div>
  );
}
