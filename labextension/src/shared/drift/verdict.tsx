// A verdict is a mark, a word and a colour: a reader who misses one still has the others.
import type { Verdict } from '../../drift_protocol';
import { LIKE, WORDS } from './words';

const STROKE = { stroke: 'currentColor', strokeWidth: 1.8, strokeLinecap: 'round', strokeLinejoin: 'round' } as const;
/** In a box of 16 by 16. What drifted is filled. */
export const PATHS: Record<Verdict, string> = {
  drifted: 'M8 2L14.4 13.6H1.6z',
  small: 'M8 3L13.4 12.8H2.6z',
  stable: 'M2.6 8.6l3.7 3.7L13.6 4',
  few: 'M3 8h.01M8 8h.01M13 8h.01',
  skipped: 'M3 8h10'
};

export function VerdictMark({ verdict, size = 14 }: { verdict: Verdict; size?: number }): JSX.Element {
  return (
    <svg className="aiosw-mark aiosw-dr-mark" data-status={LIKE[verdict]} viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
      <path d={PATHS[verdict]} {...STROKE} strokeWidth={verdict === 'few' ? 3 : 1.8} fill={verdict === 'drifted' ? 'currentColor' : 'none'} />
    </svg>
  );
}

export function VerdictChip({ verdict, word = WORDS[verdict] }: { verdict: Verdict; word?: string }): JSX.Element {
  return (
    <span className="aiosw-chip" data-status={LIKE[verdict]}>
      <VerdictMark verdict={verdict} />
      {word}
    </span>
  );
}
