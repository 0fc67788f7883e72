// What the output came from and what came from it: two indented lists, over runs where outputs were reused.
import { useMemo, useState } from 'react';

import type { Lineage, LineageNode } from '../../../protocol';
import { CopyButton } from '../../copy';
import { bytes, count } from '../../format';
import { isAbort } from '../abort';
import type { Host } from '../types';
import { useAsking } from './use-asking';
import { useNews } from './use-news';

interface Props {
  host: Host;
  runId: string;
  step: string;
  onOpenStep?: (step: string) => void;
}

interface Line {
  node: LineageNode;
  level: number;
  argument: string;
  /** Drawn further up already, with all that belongs to it. */
  again: boolean;
}

export function LineageTab({ host, runId, step, onOpenStep }: Props): JSX.Element {
  const { ask } = host;
  const [lineage, setLineage] = useState<Lineage | null>(null);
  const [problem, setProblem] = useState('');
  const news = useNews(host, runId);
  useAsking(
    signal =>
      ask({ kind: 'lineage', run_id: runId, step }, { signal }).then(
        l => {
          setLineage(l);
          setProblem('');
        },
        (e: Error) => {
          if (!isAbort(e)) {
            setProblem(e.message);
          }
        }
      ),
    news
  );
  const lists = useMemo(() => lineage && { up: lines(lineage, 'up'), down: lines(lineage, 'down') }, [lineage]);
  if (problem && !lineage) {
    return <p className="aiosw-problem" role="alert">{problem}</p>;
  }
  if (!lineage || !lists) {
    return <p className="aiosw-quiet" role="status">Reading…</p>;
  }
  const outputs = new Set(lineage.down.filter(id => lineage.nodes.some(n => n.id === id && n.step !== null && n.hash !== null))).size;
  const list = (all: Line[], arrow: string, label: string): JSX.Element => (
    <ul className="aiosw-lineage" aria-label={label}>
      {all.map((l, i) => (
        <li key={i} style={{ paddingLeft: (l.level - 1) * 18 }} data-gone={(l.node.hash !== null && !l.node.exists) || undefined}>
          <span aria-hidden="true" className="aiosw-lineage-arrow">{arrow}</span>
          <Name node={l.node} />
          {l.argument && l.argument !== l.node.step && l.argument !== l.node.parameter && <span className="aiosw-quiet">as <code>{l.argument}</code></span>}
          {l.again ? <span className="aiosw-quiet">(see above)</span> : <About node={l.node} />}
        </li>
      ))}
    </ul>
  );
  return (
    <>
      <div className="aiosw-tools">
        <span className="aiosw-counted">
          {`${outputs === 0 ? 'Nothing' : outputs === 1 ? '1 output' : `${count(outputs)} outputs`} came from this.`}
          {lineage.truncated && ' Only the nearest are shown.'}
        </span>
        {lineage.code && <CopyButton text={lineage.code} what="the code of this lineage" label="Copy code" copy={host.copy} />}
      </div>
      <div className="aiosw-lineage-pair">
        <section aria-label="Came from">
          <h4>Came from</h4>
          {lists.up.length ? list(lists.up, '←', 'What it came from') : <p className="aiosw-quiet">No input: it begins here.</p>}
        </section>
        <section aria-label="Went into">
          <h4>Went into</h4>
          {lists.down.length ? list(lists.down, '→', 'What came from it') : <p className="aiosw-quiet">Nothing so far.</p>}
        </section>
      </div>
      {problem && <p className="aiosw-problem" role="alert">{problem}</p>}
    </>
  );

  function Name({ node }: { node: LineageNode }): JSX.Element {
    if (node.step === null) {
      return <span><span className="aiosw-quiet">parameter</span> <b>{node.parameter ?? '?'}</b></span>;
    }
    const name = node.step;
    const other = node.run_id !== runId;
    const go = other ? host.openRun && ((): void => host.openRun?.(node.run_id, name)) : onOpenStep && ((): void => onOpenStep(name));
    return (
      <span>
        {go ? <button type="button" className="aiosw-link" onClick={go}>{name}</button> : <b>{name}</b>}
        {other && <span className="aiosw-quiet"> in run <code>{node.run_id}</code></span>}
      </span>
    );
  }
}

function About({ node }: { node: LineageNode }): JSX.Element {
  return (
    <span className="aiosw-quiet">
      {[node.type, node.shape?.length ? node.shape.map(n => n.toLocaleString('en')).join(' × ') : '', node.bytes === null ? '' : bytes(node.bytes), node.exists ? '' : node.hash === null ? 'no output yet' : 'collected: not stored any more']
        .filter(Boolean)
        .join(', ')}
    </span>
  );
}

/** The focus is left out: it is what the reader has open. */
export function lines(lineage: Lineage, way: 'up' | 'down'): Line[] {
  const nodes = new Map(lineage.nodes.map(n => [n.id, n]));
  const next = new Map<string, { id: string; argument: string }[]>();
  for (const e of lineage.edges) {
    const [from, to] = way === 'up' ? [e.target, e.source] : [e.source, e.target];
    next.set(from, [...(next.get(from) ?? []), { id: to, argument: e.argument }]);
  }
  const out: Line[] = [];
  const seen = new Set<string>();
  const visit = (id: string, level: number): void => {
    for (const n of next.get(id) ?? []) {
      const node = nodes.get(n.id);
      if (node && out.length < 1000) {
        const again = seen.has(n.id) && (next.get(n.id)?.length ?? 0) > 0;
        seen.add(n.id);
        out.push({ node, level, argument: n.argument, again });
        if (!again && level < 60) {
          visit(n.id, level + 1);
        }
      }
    }
  };
  visit(lineage.focus, 1);
  return out;
}
