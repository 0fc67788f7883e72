// What can be wrong with the explanation, measured: a strip that is always in sight; a click says it in words.
import { useState } from 'react';

import type { Check } from '../../explain_protocol';
import { count } from '../format';
import { LevelMark } from './marks';
import type { Looked } from './types';
import { LEVEL_LIKE, LEVEL_WORDS, LEVELS, named, number, worst } from './words';

const MOST_ROWS = 12;

export function Checks({ checks, onRow, onMark }: { checks: Check[] } & Pick<Looked, 'onRow' | 'onMark'>): JSX.Element | null {
  const ordered = [...checks].sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
  const [open, setOpen] = useState<string | null>(() => (ordered[0]?.level === 'fail' ? ordered[0].name : null));
  if (checks.length === 0) {
    return null;
  }
  const shown = checks.find(c => c.name === open) ?? null;
  const many = (level: Check['level']): number => checks.filter(c => c.level === level).length;
  return (
    <section className="aiosw-ex-checks" aria-label="Checks" data-status={LEVEL_LIKE[worst(checks)]}>
      <p className="aiosw-hidden">{`${checks.length} checks: ${many('fail')} failed, ${many('warn')} to look at, ${many('ok')} fine, ${many('skipped')} not made.`}</p>
      <div className="aiosw-ex-strip">
        {ordered.map(c => (
          <button key={c.name} type="button" className="aiosw-plain aiosw-ex-check" data-status={LEVEL_LIKE[c.level]} aria-expanded={open === c.name} title={c.words} onClick={() => setOpen(open === c.name ? null : c.name)}>
            <LevelMark level={c.level} /> <span>{c.title}</span><span className="aiosw-hidden">{`: ${LEVEL_WORDS[c.level]}`}</span>{c.value !== null && <small>{number(c.value)}</small>}
          </button>
        ))}
      </div>
      {shown !== null && (
        <div className="aiosw-ex-checkwords" data-status={LEVEL_LIKE[shown.level]}>
          <p><b>{`${shown.title}, ${LEVEL_WORDS[shown.level]}.`}</b> {shown.words}{shown.value !== null && shown.threshold !== null && <span className="aiosw-quiet">{` Measured ${number(shown.value)}, threshold ${number(shown.threshold)}.`}</span>}</p>
          {shown.columns.length > 0 && <p>{`Columns: ${shown.columns.slice(0, 20).map(named).join(', ')}${shown.columns.length > 20 ? ` and ${count(shown.columns.length - 20)} more` : ''}`}</p>}
          {shown.rows.length > 0 && (
            <p className="aiosw-buttons">
              {shown.rows.slice(0, MOST_ROWS).map(r => <button key={r} type="button" className="aiosw-small" onClick={() => onRow(r)}>{`Row ${count(r)}`}</button>)}
              {shown.rows.length > 1 && <button type="button" className="aiosw-small" onClick={() => onMark({ rows: shown.rows, words: shown.title })}>{`Mark all ${count(shown.rows.length)}`}</button>}
            </p>
          )}
        </div>
      )}
    </section>
  );
}
