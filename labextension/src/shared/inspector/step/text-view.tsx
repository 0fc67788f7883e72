// Text of any kind: wrapped or not, searched.
import { useState } from 'react';

import { CopyButton } from '../../copy';
import { count } from '../../format';
import { hits, marked } from '../../mark';
import type { Host } from '../types';

/** Text shorter than this in both directions needs no tools. */
const SMALL = 400;

interface Props {
  host: Host;
  text: string;
  truncated: boolean;
  what: string;
}

export function TextView({ host, text, truncated, what }: Props): JSX.Element {
  const [wrap, setWrap] = useState(true);
  const [search, setSearch] = useState('');
  const large = text.length > SMALL || text.split('\n').length > 8;
  return (
    <div className="aiosw-pre-box">
      {large && (
        <div className="aiosw-tools">
          <input type="search" aria-label={`Search ${what}`} placeholder="Search" value={search} onChange={e => setSearch(e.target.value)} />
          <label className="aiosw-check"><input type="checkbox" checked={wrap} onChange={e => setWrap(e.target.checked)} /> Wrap</label>
          <span className="aiosw-counted" role="status">
            {search.trim() ? `${count(hits(text, search))} found` : `${count(text.length)} characters${truncated ? ', cut' : ''}`}
          </span>
          <CopyButton text={text} what={what} copy={host.copy} />
        </div>
      )}
      <pre className="aiosw-text" tabIndex={0} data-wrap={wrap || undefined}>{text === '' ? <i className="aiosw-null">empty text</i> : marked(text, search)}</pre>
      {!large && text !== '' && <CopyButton text={text} what={what} copy={host.copy} />}
      {truncated && <p className="aiosw-note">It goes on: only the first part is shown.</p>}
    </div>
  );
}
