// A sign and a check's level are a mark, a word and a colour: a reader who misses one still has the others.
import type { Level } from '../../explain_protocol';
import { LEVEL_LIKE, LEVEL_WORDS } from './words';

const STROKE = { stroke: 'currentColor', strokeWidth: 1.9, strokeLinecap: 'round', strokeLinejoin: 'round', fill: 'none' } as const;
const PATHS: Record<Level, string> = {
  fail: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  warn: 'M8 2L14.4 13.6H1.6zM8 6.4v3.4M8 11.7h.01',
  ok: 'M2.6 8.6l3.7 3.7L13.6 4',
  skipped: 'M3 8h10'
};

export function LevelMark({ level, size = 14 }: { level: Level; size?: number }): JSX.Element {
  return (
    <svg className="aiosw-mark aiosw-ex-level" data-status={LEVEL_LIKE[level]} viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
      <path d={PATHS[level]} {...STROKE} />
    </svg>
  );
}

export function LevelChip({ level, words = LEVEL_WORDS[level] }: { level: Level; words?: string }): JSX.Element {
  return <span className="aiosw-chip" data-status={LEVEL_LIKE[level]}><LevelMark level={level} /> {words}</span>;
}

/** What raises points right, what lowers points left. */
export function SignKey(): JSX.Element {
  return (
    <span className="aiosw-ex-signs">
      <span><svg width="18" height="12" aria-hidden="true"><path className="aiosw-ex-bar" data-sign="up" d="M1 1H11L17 6L11 11H1z" /></svg> raises the prediction</span>
      <span><svg width="18" height="12" aria-hidden="true"><path className="aiosw-ex-bar" data-sign="down" d="M17 1H7L1 6L7 11H17z" /></svg> lowers it</span>
    </span>
  );
}
