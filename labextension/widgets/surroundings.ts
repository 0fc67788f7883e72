// What is around a widget: the kernel, which may go, and a JupyterLab, which may be there.
import { useEffect, useMemo, useState } from 'react';

import { copy } from '../src/shared/copy';
import type { Host } from '../src/shared/host';
import { heard, request } from '../src/shared/inspector/do';
import type { CodeEdit } from '../src/protocol';

export interface Place<A> {
  ask: A;
  /** What the widget is drawn in: from here JupyterLab is reached. */
  el: HTMLElement;
  onLost: (listener: (lost: boolean) => void) => () => void;
}

/** Whether the kernel is gone, and whether a JupyterLab hears what is asked of it. */
export function useReached({ el, onLost }: Omit<Place<unknown>, 'ask'>): { lost: boolean; lab: boolean } {
  const [lost, setLost] = useState(false);
  useEffect(() => onLost(setLost), [onLost]);
  // Asked once it hangs in the page: JupyterLab hears what bubbles up to the document.
  const [lab, setLab] = useState(false);
  useEffect(() => {
    const observer = new ResizeObserver(() => el.isConnected && heard(el) && setLab(true));
    observer.observe(el);
    return () => observer.disconnect();
  }, [el]);
  return { lost, lab };
}

export function useSurroundings<A>({ ask, el, onLost }: Place<A>): Host<A> {
  const { lost, lab } = useReached({ el, onLost });
  return useMemo(
    () => ({
      ask,
      copy,
      canAct: !lost,
      ...(lab && { writeCell: (edit: CodeEdit, run: boolean) => request(el, { action: 'write_cell', edit, run }).then(() => undefined) })
    }),
    [ask, lost, lab, el]
  );
}
