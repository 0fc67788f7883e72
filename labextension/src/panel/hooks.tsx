// Small pieces every section uses.
import { type ReactNode, type RefObject, useCallback, useEffect, useId, useRef, useState } from 'react';
import type { ApiError } from '../api';
import { asApiError, type PanelModel } from './model';

/** Redraw when the model changed. */
export function useModel(model: PanelModel): void {
  const [, redraw] = useState(0);
  useEffect(() => {
    const onChange = () => redraw(n => n + 1);
    model.changed.connect(onChange);
    onChange(); // what changed between the first drawing and this effect
    return () => {
      model.changed.disconnect(onChange);
    };
  }, [model]);
}

/** The server's time, ticking every second while something moves, else twice a minute. */
export function useNow(model: PanelModel, moving: boolean): number {
  const [now, setNow] = useState(() => model.now());
  useEffect(() => {
    setNow(model.now());
    const timer = window.setInterval(() => setNow(model.now()), moving ? 1000 : 30_000);
    return () => window.clearInterval(timer);
  }, [model, moving]);
  return Math.max(now, 0);
}

export interface Loaded<T> {
  data: T | null;
  error: ApiError | null;
  again: () => void;
}

/** Ask the server, and ask again whenever `keys` change; the old answer stays until the new one is there. */
export function useAsk<T>(ask: () => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ data: T | null; error: ApiError | null }>({ data: null, error: null });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let live = true;
    ask().then(
      data => live && setState({ data, error: null }),
      (e: unknown) => live && setState(old => ({ data: old.data, error: asApiError(e) }))
    );
    return () => {
      live = false;
    };
  }, [...keys, round]);
  const again = useCallback(() => setRound(n => n + 1), []);
  return { data: state.data, error: state.error, again };
}

export interface Action {
  busy: boolean;
  error: ApiError | null;
  go: (work: () => Promise<unknown>) => void;
  clear: () => void;
}

/** Something a button does: once at a time, its failure kept to be shown beside it. */
export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const live = useRef(true);
  useEffect(() => {
    live.current = true;
    return () => {
      live.current = false;
    };
  }, []);
  const go = (work: () => Promise<unknown>) => {
    if (busy) {
      return;
    }
    setBusy(true);
    setError(null);
    work().then(
      () => live.current && setBusy(false),
      (e: unknown) => {
        if (live.current) {
          setBusy(false);
          setError(asApiError(e));
        }
      }
    );
  };
  return { busy, error, go, clear: () => setError(null) };
}

/** A failure in words, with what to do next. */
export function Failure(props: { error: ApiError | null; retry?: () => void }): JSX.Element | null {
  if (!props.error) {
    return null;
  }
  return (
    <div className="aios-failure" role="alert">
      <span className="aios-failure-mark" aria-hidden="true">!</span>
      <div className="aios-failure-text">
        <div>{props.error.message}</div>
        {props.error.hint && <div className="aios-dim">{props.error.hint}</div>}
        {props.retry && (
          <button type="button" className="aios-link" onClick={props.retry}>
            Try again
          </button>
        )}
      </div>
    </div>
  );
}

/** What to do when there is nothing yet. */
export function Empty(props: { title: string; children?: ReactNode }): JSX.Element {
  return (
    <div className="aios-empty">
      <div className="aios-empty-title">{props.title}</div>
      {props.children}
    </div>
  );
}

/** Grey bars in the shape of a list that is on its way. */
export function Skeleton(props: { rows?: number; label?: string }): JSX.Element {
  return (
    <div className="aios-skeleton" role="status" aria-label={props.label ?? 'Loading'}>
      {Array.from({ length: props.rows ?? 3 }, (_, i) => (
        <div key={i} className="aios-skeleton-row" />
      ))}
    </div>
  );
}

/** A row that opens: the whole head is a button, beside it what one does most; the body is only there when open. */
export function Fold(props: {
  open: boolean;
  onToggle: () => void;
  head: ReactNode;
  children: ReactNode;
  aside?: ReactNode;
  /** Below the head whether it is open or not: what has keys of its own cannot be inside a button. */
  below?: ReactNode;
  testId?: string;
  id?: string;
}): JSX.Element {
  const body = useId();
  return (
    <li className={`aios-fold${props.open ? ' aios-mod-open' : ''}`} data-testid={props.testId} data-id={props.id}>
      <div className="aios-fold-row">
        <button type="button" className="aios-fold-head" aria-expanded={props.open} aria-controls={props.open ? body : undefined} onClick={props.onToggle}>
          <span className="aios-caret" aria-hidden="true" />
          <span className="aios-fold-main">{props.head}</span>
        </button>
        {props.aside}
      </div>
      {props.below}
      {props.open && (
        <div className="aios-fold-body" id={body}>
          {props.children}
        </div>
      )}
    </li>
  );
}

/** A small button with a picture; the label is its name and its tooltip. */
export function IconButton(props: { label: string; children: ReactNode; onClick: () => void; disabled?: boolean; pressed?: boolean }): JSX.Element {
  return (
    <button
      type="button"
      className="aios-icon-button"
      title={props.label}
      aria-label={props.label}
      aria-pressed={props.pressed}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

/** Open the item the model points at, once it is in the list, and bring it into sight. */
export function useFocused(model: PanelModel, ids: readonly string[], open: (id: string) => void): RefObject<HTMLDivElement> {
  const list = useRef<HTMLDivElement>(null);
  const wanted = model.focused;
  useEffect(() => {
    if (wanted && ids.includes(wanted)) {
      model.focused = null;
      open(wanted);
      const head = list.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(wanted)}"] .aios-fold-head`);
      head?.scrollIntoView({ block: 'nearest' });
      head?.focus();
    }
  }, [wanted, ids, model, open]);
  return list;
}

/** A button of the panel; says so while it works. */
export function Button(props: {
  children: ReactNode;
  onClick?: () => void;
  kind?: 'primary' | 'danger' | 'plain';
  disabled?: boolean;
  title?: string;
  submit?: boolean;
  label?: string;
  expanded?: boolean;
}): JSX.Element {
  return (
    <button
      type={props.submit ? 'submit' : 'button'}
      className={`aios-button aios-mod-${props.kind ?? 'plain'}`}
      onClick={props.onClick}
      disabled={props.disabled}
      title={props.title}
      aria-label={props.label}
      aria-expanded={props.expanded}
    >
      {props.children}
    </button>
  );
}
