// Walking a list by keyboard: arrows or j and k between the heads of its items, Home and End to its ends.
import type { KeyboardEvent } from 'react';

const HEAD = '.aios-fold-head';

/** True where letters are text to type, not commands. */
export function typing(target: EventTarget): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Move the focus; returns the head that now has it, or null when the key means nothing here. */
export function walk(e: KeyboardEvent<HTMLElement>): HTMLElement | null {
  if (typing(e.target) || e.ctrlKey || e.metaKey || e.altKey) {
    return null;
  }
  const heads = Array.from(e.currentTarget.querySelectorAll<HTMLElement>(HEAD));
  const item = (e.target as HTMLElement).closest('.aios-fold');
  const at = heads.findIndex(head => head.closest('.aios-fold') === item);
  const onHead = (e.target as HTMLElement).closest(HEAD) !== null;
  // Inside an open item the arrows scroll its tables; only the letters still walk.
  const to = {
    j: at + 1,
    k: at - 1,
    ...(onHead ? { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: heads.length - 1 } : {})
  }[e.key];
  const next = to === undefined ? undefined : heads[Math.max(0, Math.min(heads.length - 1, to))];
  if (!next) {
    return null;
  }
  e.preventDefault();
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
  return next;
}

/** The id of the item the event happened in. */
export function itemOf(e: KeyboardEvent<HTMLElement>): string | null {
  return (e.target as HTMLElement).closest<HTMLElement>('[data-id]')?.dataset.id ?? null;
}
