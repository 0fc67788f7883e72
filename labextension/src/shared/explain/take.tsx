// What can be taken away of a picture: an image, or a place in the model card.
import { useState } from 'react';

import type { Picture, Written } from '../../explain_protocol';
import { download } from '../graph/save';
import type { Looked } from './types';
import { useAsk } from './use-ask';

const NAMES: Record<Picture, string> = {
  overview: 'Overview', importance: 'Importance', beeswarm: 'Beeswarm', waterfall: 'Waterfall', force: 'Force', compare: 'SHAP and LIME',
  dependence: 'Dependence', agreement: 'Agreement', interactions: 'Interactions'
};

/** Hands over what the kernel wrote. */
export function save({ file, text, mime, base64 }: Written): void {
  download(file, base64 ? new Blob([Uint8Array.from(atob(text), c => c.charCodeAt(0))], { type: mime }) : text, mime);
}

export function isDark(): boolean {
  return document.body.dataset.jpThemeLight === 'false' || document.body.classList.contains('vscode-dark');
}

interface Props {
  looked: Looked;
  /** The first is chosen at first. */
  picture: Picture[];
  row?: number;
  column?: number;
}

export function Take({ looked, picture, row, column }: Props): JSX.Element {
  const { view, host, output } = looked;
  const [chosen, setChosen] = useState(picture[0]);
  const taking = useAsk(host, 'text');
  const pinning = useAsk(host, 'pin');
  const now = picture.includes(chosen) ? chosen : picture[0];
  const off = !host.canAct || taking.busy;
  const of = { picture: now, output, row: row ?? null, column: column ?? null };
  const pinned = view.pinned.some(p => p.picture === now && p.output === output && p.row === of.row && p.column === of.column);
  const take = async (what: 'svg' | 'png'): Promise<void> => {
    const found = await taking.ask({ kind: 'text', what, ...of, dark: isDark() });
    if (found !== null) {
      save(found);
    }
  };
  const problem = taking.problem ?? pinning.problem;
  return (
    <span className="aiosw-buttons aiosw-ex-take">
      {picture.length > 1 && (
        <select aria-label="Picture to take away" value={now} onChange={e => setChosen(e.target.value as Picture)}>
          {picture.map(p => <option key={p} value={p}>{NAMES[p]}</option>)}
        </select>
      )}
      <button type="button" className="aiosw-small" disabled={off} aria-label={`Export ${NAMES[now]} as SVG`} onClick={() => void take('svg')}>SVG</button>
      <button type="button" className="aiosw-small" disabled={off} aria-label={`Export ${NAMES[now]} as PNG`} onClick={() => void take('png')}>PNG</button>
      <button type="button" className="aiosw-small" disabled={!host.canAct || pinning.busy} data-pinned={pinned || undefined} aria-label={`${pinned ? 'In the model card' : 'Add to model card'}: ${NAMES[now]}`} title={pinned ? 'Take it out again' : 'It becomes a picture of the model card'} onClick={() => void pinning.ask({ kind: 'pin', ...of, remove: pinned })}>{pinned ? <><span aria-hidden="true">✓ </span>In the model card</> : 'Add to model card'}</button>
      {problem && <span className="aiosw-problem" role="alert">{problem.message}</span>}
    </span>
  );
}
