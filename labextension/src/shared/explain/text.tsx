// A text with what counted in it: raised is underlined solid, lowered is underlined in waves; the stronger the deeper.
import { useState } from 'react';

import type { RowPage, Token } from '../../explain_protocol';
import { Section } from '../inspector/parts';
import { signed } from './words';

type By = 'shap' | 'lime';

export function TextView({ page }: { page: RowPage }): JSX.Element {
  const { tokens } = page;
  const lime = tokens.some(t => t.lime !== null);
  const [by, setBy] = useState<By | 'both'>('both');
  const shown: By[] = !lime ? ['shap'] : by === 'both' ? ['shap', 'lime'] : [by];
  return (
    <Section
      title="What in the text counted"
      aside={lime && (
        <span className="aiosw-segments" role="group" aria-label="Method">
          <button type="button" aria-pressed={by === 'both'} onClick={() => setBy('both')}>Both</button>
          <button type="button" aria-pressed={by === 'shap'} onClick={() => setBy('shap')}>SHAP</button>
          <button type="button" aria-pressed={by === 'lime'} onClick={() => setBy('lime')}>LIME</button>
        </span>
      )}
    >
      <div className="aiosw-ex-texts">
        {shown.map(b => (
          <figure key={b}>
            {shown.length > 1 && <figcaption>{b === 'shap' ? 'SHAP' : 'LIME'}</figcaption>}
            <Marked tokens={tokens} by={b} />
          </figure>
        ))}
      </div>
      <p className="aiosw-ex-hint"><span className="aiosw-ex-token" data-sign="up" style={{ '--ex-share': '60%' } as React.CSSProperties}>straight line</span> raises the prediction, <span className="aiosw-ex-token" data-sign="down" style={{ '--ex-share': '60%' } as React.CSSProperties}>wavy line</span> lowers it{lime && ', ≠ the methods disagree'}.</p>
    </Section>
  );
}

function Marked({ tokens, by }: { tokens: Token[]; by: By }): JSX.Element {
  const most = Math.max(...tokens.map(t => Math.abs(t[by] ?? 0)), 1e-12);
  return (
    <p className="aiosw-ex-text">
      {tokens.map((t, i) => {
        const value = t[by];
        if (value === null || t.text.trim() === '' || Math.abs(value) < most * 0.02) {
          return t.text;
        }
        const strong = Math.abs(value) > most * 0.25;
        return (
          <span key={i} className="aiosw-ex-token" data-sign={value < 0 ? 'down' : 'up'} data-differ={(t.agrees === false && strong) || undefined} title={`${t.text.trim()}: ${signed(value)}`} style={{ '--ex-share': `${Math.round(8 + 62 * (Math.abs(value) / most))}%` } as React.CSSProperties}>
            {t.text}
            {strong && <span className="aiosw-hidden">{` (${signed(value)})`}</span>}
          </span>
        );
      })}
    </p>
  );
}
