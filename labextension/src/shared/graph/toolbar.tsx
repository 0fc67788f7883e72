// One row above the picture. Where it is narrow, all but the search moves below "More". A small graph is seen whole:
// its row stays calm, and search and groups come with "More", or with / for the search.
import { type ReactNode, type RefObject, useRef, useState } from 'react';

import type { GroupBy } from './groups';
import { Icon, type IconName } from './icons';
import type { Labels, Options } from './memory';
import { Search } from './search';

export type Export = 'svg' | 'png' | 'mermaid' | 'copy-mermaid' | 'copy-svg';

interface Props {
  options: Options;
  by: GroupBy;
  choices: readonly GroupBy[];
  /** Groups there are, and how many of them are open. */
  groups: number;
  opened: number;
  minimap: boolean;
  /** Few steps, and nobody asked for the search. */
  small: boolean;
  search: { query: string; total: number; at: number };
  searchRef: RefObject<HTMLInputElement>;
  selected: boolean;
  tools?: ReactNode;
  help: boolean;
  onHelp: (open: boolean) => void;
  onQuery: (query: string) => void;
  onStep: (by: 1 | -1) => void;
  onLeave: () => void;
  onOptions: (change: Partial<Options>) => void;
  onGroups: (what: 'open' | 'close') => void;
  onFit: () => void;
  onZoomTo: () => void;
  onExport: (what: Export) => Promise<string>;
}

const BY: Record<GroupBy, string> = { none: 'no groups', name: 'by name', tag: 'by tag', layer: 'by layer' };
const KEYS: readonly [string, string][] = [
  ['Arrows, Home, End', 'walk along the edges'], ['Enter', 'open a step or a group'], ['u', 'close the group around'],
  ['/ or Ctrl+F', 'find'], ['n, N', 'next, previous match'], ['g', 'fit'], ['z', 'zoom to the open step'], ['+, -', 'zoom'],
  ['c', 'critical path'], ['l', 'list'], ['m', 'minimap'], ['?', 'this help']
];

export function Toolbar(p: Props): JSX.Element {
  const { options, onOptions } = p;
  const [more, setMore] = useState(false);
  const [said, setSaid] = useState('');
  const moreButton = useRef<HTMLButtonElement>(null);
  const save = (what: Export): void => {
    p.onExport(what).then(setSaid, (e: Error) => setSaid(e.message));
  };
  const calm = p.small && !more && p.by === 'none' && !p.search.query && !options.unfinished;
  return (
    <div className="aiosw-toolbar" role="group" aria-label="Graph tools" data-more={more || undefined} data-calm={calm || undefined}>
      {!calm && <Search ref={p.searchRef} {...p.search} onQuery={p.onQuery} onStep={p.onStep} onLeave={p.onLeave} />}
      <div className="aiosw-toolbar-main">
        {!calm && (
          <label className="aiosw-pick">
            <span className="aiosw-hidden">Group steps</span>
            <select value={p.by} onChange={e => onOptions({ by: e.target.value as GroupBy, open: new Set() })}>
              {p.choices.map(c => <option key={c} value={c}>{BY[c]}</option>)}
            </select>
          </label>
        )}
        <Toggle icon="critical" label="Critical path" hint="The steps that set how long the run takes (c)" on={options.critical} onPress={critical => onOptions({ critical })} />
        <Toggle icon="list" label="List" hint="Steps as a table (l)" on={options.list} onPress={list => onOptions({ list })} />
        <button type="button" className="aiosw-tool" title="Fit the whole graph (g)" onClick={p.onFit}>
          <Icon name="fit" />
          <span>Fit</span>
        </button>
      </div>
      {p.tools}
      <button ref={moreButton} type="button" className="aiosw-tool" aria-expanded={more} aria-label="More graph tools" title="More" onClick={() => setMore(!more)}>
        <Icon name="more" />
      </button>
      {more && (
        <div className="aiosw-toolbar-more">
          <fieldset>
            <legend>Show</legend>
            <Check label="Only unfinished steps" on={options.unfinished} onChange={unfinished => onOptions({ unfinished })} />
            <Check label="Minimap" on={p.minimap} onChange={minimap => onOptions({ minimap })} />
            <label className="aiosw-pick">
              <span>On edges</span>
              <select value={options.labels} onChange={e => onOptions({ labels: e.target.value as Labels })}>
                <option value="none">nothing</option>
                <option value="rows">rows</option>
                <option value="bytes">size</option>
              </select>
            </label>
          </fieldset>
          <fieldset>
            <legend>Go</legend>
            <button type="button" disabled={!p.selected} onClick={p.onZoomTo}>Zoom to open step</button>
            {p.groups > 0 && <button type="button" disabled={p.opened === 0} onClick={() => p.onGroups('close')}>Close all groups</button>}
            {p.groups > 0 && <button type="button" disabled={p.groups > 60 || p.opened === p.groups} onClick={() => p.onGroups('open')}>Open all groups</button>}
            <button type="button" aria-expanded={p.help} onClick={() => p.onHelp(!p.help)}>Keys</button>
          </fieldset>
          <fieldset>
            <legend>Picture</legend>
            <button type="button" onClick={() => save('svg')}>SVG</button>
            <button type="button" onClick={() => save('png')}>PNG</button>
            <button type="button" onClick={() => save('mermaid')}>Mermaid</button>
            <button type="button" onClick={() => save('copy-svg')}>Copy SVG</button>
            <button type="button" onClick={() => save('copy-mermaid')}>Copy Mermaid</button>
          </fieldset>
          <span className="aiosw-quiet" role="status">{said}</span>
        </div>
      )}
      {p.help && (
        <div className="aiosw-keys-box">
          <dl className="aiosw-keys" aria-label="Keys">
            {KEYS.map(([key, what]) => (
              <div key={key}>
                <dt>{key}</dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
          <button
            type="button"
            onClick={() => {
              p.onHelp(false);
              moreButton.current?.focus(); // this button goes
            }}
          >
            Close
          </button>
        </div>
      )}
    </div>
  );
}

function Toggle({ icon, label, hint, on, onPress }: { icon: IconName; label: string; hint: string; on: boolean; onPress: (on: boolean) => void }): JSX.Element {
  return (
    <button type="button" className="aiosw-tool" aria-pressed={on} title={hint} onClick={() => onPress(!on)}>
      <Icon name={icon} />
      <span>{label}</span>
    </button>
  );
}

function Check({ label, on, onChange }: { label: string; on: boolean; onChange: (on: boolean) => void }): JSX.Element {
  return (
    <label className="aiosw-check">
      <input type="checkbox" checked={on} onChange={e => onChange(e.target.checked)} />
      {label}
    </label>
  );
}
