// The graph as Mermaid text, with the groups as they are on screen. Python's `wf.to_mermaid()` writes the same for steps.
import { count } from '../format';
import type { Laid, Picture } from './picture';
import type { Item } from './scene';
import { inWords } from './summary';

/** A label between quotes. All that Mermaid might read as its own (directives, entities, markdown, HTML) is a code. */
export function mermaidText(value: string): string {
  // eslint-disable-next-line no-control-regex
  const line = value.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim();
  // A first "1." or "-" would be taken for a list.
  return line.replace(/[!-'*+;-@[-^`{-~]|^-|(?<=^\d+)\./g, c => `#${c.charCodeAt(0)};`);
}

export function drawMermaid(picture: Picture, laid: Laid): string {
  const { scene } = laid;
  const lines = [`flowchart ${laid.direction}`];
  const id = (item: Item): string => (item.kind === 'step' ? `s${item.index}` : `g${item.index}`);
  const byStatus = new Map<string, string[]>();
  const inner = new Map<string | null, Item[]>();
  scene.items.forEach(i => (inner.get(i.parent) ?? (inner.set(i.parent, []).get(i.parent) as Item[])).push(i));
  const write = (parent: string | null, indent: string): void => {
    for (const item of inner.get(parent) ?? []) {
      const label = mermaidText(item.label);
      if (item.kind === 'frame') {
        lines.push(`${indent}subgraph ${id(item)}["${label}"]`);
        write(item.id, `${indent}  `);
        lines.push(`${indent}end`);
        continue;
      }
      const summary = picture.summaries.get(item.id);
      const step = picture.byName.get(item.id);
      const status = summary?.worst ?? step?.status ?? 'pending';
      byStatus.set(status, [...(byStatus.get(status) ?? []), id(item)]);
      lines.push(
        summary
          ? `${indent}${id(item)}[["${label}<br/>${count(summary.total)} steps<br/>${mermaidText(inWords(summary))}"]]`
          : `${indent}${id(item)}${step?.kind === 'gate' ? `{{"${label}"}}` : `["${label}"]`}`
      );
    }
  };
  write(null, '  ');
  for (const link of scene.links) {
    const [from, to] = [scene.byId.get(link.from) as Item, scene.byId.get(link.to) as Item];
    lines.push(`  ${id(from)} ${link.order ? '-.->' : '-->'} ${id(to)}`);
  }
  for (const [status, ids] of byStatus) {
    if (LOOKS[status]) {
      lines.push(`  classDef ${status} ${LOOKS[status]}`, `  class ${ids.join(',')} ${status}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** As in widgets/picture.py, readable on white and on dark pages alike. */
const LOOKS: Record<string, string> = {
  running: 'fill:#ddf4ff,stroke:#0550ae,color:#0550ae',
  retrying: 'fill:#fff1e0,stroke:#8a4600,color:#8a4600',
  waiting: 'fill:#fbefff,stroke:#6639ba,color:#6639ba',
  succeeded: 'fill:#e6f6ea,stroke:#116329,color:#116329',
  failed: 'fill:#ffebe9,stroke:#a40e26,color:#a40e26',
  cancelled: 'fill:#f0f0f0,stroke:#57606a,color:#57606a',
  skipped: 'fill:#f6f8fa,stroke:#57606a,color:#57606a'
};
