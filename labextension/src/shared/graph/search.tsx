import { forwardRef } from 'react';

import { count } from '../format';
import { Icon } from './icons';

interface Props {
  query: string;
  /** How many were found, and which of them one stands at (-1: none yet). */
  total: number;
  at: number;
  onQuery: (query: string) => void;
  onStep: (by: 1 | -1) => void;
  onLeave: () => void;
}

export const Search = forwardRef<HTMLInputElement, Props>(function Search({ query, total, at, onQuery, onStep, onLeave }, ref): JSX.Element {
  const asked = query.trim() !== '';
  return (
    <div className="aiosw-search" role="search">
      <Icon name="search" />
      <input
        ref={ref}
        type="text"
        inputMode="search"
        enterKeyHint="search"
        spellCheck={false}
        autoComplete="off"
        aria-label="Find steps by name, tag or state"
        placeholder="Find steps"
        title="A name or a tag; also state:failed, tag:nightly, kind:gate, is:stale, is:cached"
        value={query}
        onChange={e => onQuery(e.target.value)}
        onKeyDown={e => {
          if (e.key === 'Enter') {
            e.preventDefault();
            onStep(e.shiftKey ? -1 : 1);
          } else if (e.key === 'Escape') {
            e.stopPropagation();
            if (query) {
              onQuery('');
            } else {
              onLeave();
            }
          }
        }}
      />
      <span className="aiosw-search-count" role="status">
        {!asked ? '' : total === 0 ? 'none' : at < 0 ? count(total) : `${count(at + 1)} of ${count(total)}`}
      </span>
      {asked && total > 0 && (
        <>
          <button type="button" className="aiosw-icon" aria-label="Previous match" title="Previous match (Shift+Enter)" onClick={() => onStep(-1)}>
            <Icon name="previous" />
          </button>
          <button type="button" className="aiosw-icon" aria-label="Next match" title="Next match (Enter)" onClick={() => onStep(1)}>
            <Icon name="next" />
          </button>
        </>
      )}
    </div>
  );
});
