// Tabs by the book: arrows move, one stop in the tab order. Panels once opened stay, so that nothing typed is lost.
import { useEffect, useId, useRef, useState } from 'react';

interface Props<T extends string> {
  tabs: readonly T[];
  tab: T;
  label: string;
  /** A small figure behind a name. */
  counts?: Partial<Record<T, number>>;
  onChoose: (tab: T) => void;
  panel: (tab: T, shown: boolean) => JSX.Element | null;
}

export function Tabs<T extends string>({ tabs, tab, label, counts, onChoose, panel }: Props<T>): JSX.Element {
  const id = useId();
  // A space would make one reference two.
  const of = (t: T): string => `${id}-${t.replaceAll(' ', '-')}`;
  const list = useRef<HTMLDivElement>(null);
  const [visited, setVisited] = useState<ReadonlySet<T>>(new Set([tab]));
  if (!visited.has(tab)) {
    setVisited(new Set([...visited, tab]));
  }
  useEffect(() => {
    const chosen = list.current?.querySelector<HTMLElement>('[aria-selected="true"]');
    const box = list.current;
    // A tab bar narrower than its tabs shows the chosen one; scrollIntoView would move the page as well.
    if (chosen && box && (chosen.offsetLeft < box.scrollLeft || chosen.offsetLeft + chosen.offsetWidth > box.scrollLeft + box.clientWidth)) {
      box.scrollLeft = chosen.offsetLeft - box.clientWidth / 3;
    }
  }, [tab]);
  const onKeyDown = (e: React.KeyboardEvent): void => {
    const at = tabs.indexOf(tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[e.key];
    if (to !== undefined) {
      e.preventDefault();
      const next = (to + tabs.length) % tabs.length;
      onChoose(tabs[next]);
      (list.current?.children[next] as HTMLElement).focus();
    }
  };
  return (
    <>
      <div className="aiosw-tabs" role="tablist" aria-label={label} ref={list} onKeyDown={onKeyDown}>
        {tabs.map(t => (
          <button
            key={t}
            type="button"
            role="tab"
            id={of(t)}
            aria-selected={t === tab}
            aria-controls={`${of(t)}-panel`}
            tabIndex={t === tab ? 0 : -1}
            onClick={() => onChoose(t)}
          >
            {t}
            {(counts?.[t] ?? 0) > 1 && <small> {counts?.[t]}</small>}
          </button>
        ))}
      </div>
      {tabs.map(t => (
        <div key={t} className="aiosw-panel" role="tabpanel" id={`${of(t)}-panel`} aria-labelledby={of(t)} hidden={t !== tab}>
          {(t === tab || visited.has(t)) && panel(t, t === tab)}
        </div>
      ))}
    </>
  );
}
