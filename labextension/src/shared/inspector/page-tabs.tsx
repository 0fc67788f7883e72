// The row of pages: tabs. In a cell they fold: the open one clicked again closes it.
import { type ReactNode, useRef } from 'react';

import { PAGE_TITLES, type PageName } from './pages';

interface Props {
  pages: readonly PageName[];
  page: PageName;
  folding?: boolean;
  onPage: (page: PageName) => void;
  children?: ReactNode;
}

export function PageTabs({ pages, page, folding = false, onPage, children }: Props): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const at = pages.indexOf(page);
  const onKeyDown = (e: React.KeyboardEvent): void => {
    const focused = [...(list.current?.children ?? [])].indexOf(document.activeElement as Element);
    const to = { ArrowRight: focused + 1, ArrowLeft: focused - 1, Home: 0, End: pages.length - 1 }[e.key];
    if (to !== undefined && focused >= 0) {
      e.preventDefault();
      const next = (to + pages.length) % pages.length;
      (list.current?.children[next] as HTMLElement).focus();
      if (!folding) {
        onPage(pages[next]);
      }
    }
  };
  const buttons = pages.map((p, i) => (
    <button
      key={p}
      type="button"
      role={folding ? undefined : 'tab'}
      className="aiosw-pagetab"
      aria-selected={folding ? undefined : p === page}
      aria-expanded={folding ? p === page : undefined}
      tabIndex={i === Math.max(0, at) ? 0 : -1}
      onClick={() => onPage(folding && p === page ? 'steps' : p)}
    >
      {PAGE_TITLES[p]}
    </button>
  ));
  return (
    <div className="aiosw-pagetabs" data-folding={folding || undefined} data-open={folding && page !== 'steps' ? '' : undefined}>
      <div className="aiosw-pagetabs-list" hidden={pages.length === 0} role={folding ? 'group' : 'tablist'} aria-label="Pages of this run" ref={list} onKeyDown={onKeyDown}>{buttons}</div>
      {children}
    </div>
  );
}
