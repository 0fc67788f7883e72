// Plain data as a tree that opens branch by branch.
import { useMemo, useRef, useState } from 'react';

import { CopyButton } from '../../copy';
import { count } from '../../format';
import { marked } from '../../mark';
import type { Host } from '../types';

type Path = (string | number)[];

interface Entry {
  id: string;
  path: Path;
  name: string | number | null;
  value: unknown;
  level: number;
  size: number;
  /** Children left out; this line stands for them. */
  rest: number;
}

const AT_ONCE = 100;

/** A branch as Python reaches it. */
export function pathOf(path: Path): string {
  return path.map(p => (typeof p === 'number' ? `[${p}]` : `[${JSON.stringify(p)}]`)).join('');
}

function children(value: unknown): [string | number, unknown][] {
  if (Array.isArray(value)) {
    return value.map((v, i) => [i, v]);
  }
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

export function JsonView({ host, value, label }: { host: Host; value: unknown; label: string }): JSX.Element {
  const [search, setSearch] = useState('');
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set(children(value).length > 60 ? [''] : firstOpen(value)));
  const [more, setMore] = useState<Record<string, number>>({});
  const [at, setAt] = useState('');
  const list = useRef<HTMLDivElement>(null);
  const wanted = search.trim().toLowerCase();
  const found = useMemo(() => (wanted ? matching(value, wanted) : null), [value, wanted]);
  const lines = useMemo(() => {
    const out: Entry[] = [];
    walk(value, null, [], 0);
    return out;
    function walk(v: unknown, name: string | number | null, path: Path, level: number): void {
      const id = pathOf(path);
      const all = children(v);
      out.push({ id, path, name, value: v, level, size: all.length, rest: 0 });
      if (all.length && (found ? found.open.has(id) : open.has(id))) {
        const kept = found ? all.filter(([k]) => found.kept.has(pathOf([...path, k]))) : all;
        const limit = AT_ONCE + (more[id] ?? 0);
        kept.slice(0, limit).forEach(([k, child]) => walk(child, k, [...path, k], level + 1));
        if (kept.length > limit) {
          out.push({ id: `${id}…`, path, name: null, value: undefined, level: level + 1, size: 0, rest: kept.length - limit });
        }
      }
    }
  }, [value, open, found, more]);
  const active = lines.some(l => l.id === at) ? at : '';
  const current = lines.find(l => l.id === active) as Entry;

  const toggle = (line: Entry, to?: boolean): void => {
    if (line.rest) {
      const parent = pathOf(line.path);
      setMore(m => ({ ...m, [parent]: (m[parent] ?? 0) + 10 * AT_ONCE }));
    } else if (line.size) {
      setOpen(old => {
        const next = new Set(old);
        if (to ?? !old.has(line.id)) {
          next.add(line.id);
        } else {
          next.delete(line.id);
        }
        return next;
      });
    }
  };
  const focus = (line: Entry | undefined): void => {
    if (line) {
      setAt(line.id);
      list.current?.querySelectorAll<HTMLElement>('[role="treeitem"]')[lines.indexOf(line)]?.focus();
    }
  };
  const onKeyDown = (e: React.KeyboardEvent): void => {
    const place = lines.indexOf(current);
    const isOpen = found ? found.open.has(current.id) : open.has(current.id);
    switch (e.key) {
      case 'ArrowDown':
        focus(lines[place + 1]);
        break;
      case 'ArrowUp':
        focus(lines[place - 1]);
        break;
      case 'Home':
        focus(lines[0]);
        break;
      case 'End':
        focus(lines[lines.length - 1]);
        break;
      case 'ArrowRight':
        if (current.size && !isOpen) {
          toggle(current, true);
        } else {
          focus(lines[place + 1]);
        }
        break;
      case 'ArrowLeft':
        if (current.size && isOpen && !found) {
          toggle(current, false);
        } else {
          focus(lines.find(l => l.id === pathOf(current.path.slice(0, -1))));
        }
        break;
      case 'Enter':
      case ' ':
        toggle(current);
        break;
      default:
        return;
    }
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div className="aiosw-json">
      <div className="aiosw-tools">
        <input type="search" aria-label={`Search ${label}`} placeholder="Search names and values" value={search} onChange={e => setSearch(e.target.value)} />
        {found && <span className="aiosw-counted" role="status">{`${count(found.hits)} found`}</span>}
        <span className="aiosw-buttons">
          <button type="button" onClick={() => setOpen(new Set(everything(value)))}>Open all</button>
          <button type="button" onClick={() => setOpen(new Set())}>Close all</button>
          <CopyButton text={() => pathOf(current.path) || '(the whole)'} what="the path of the marked line" label="Copy path" copy={host.copy} />
          <CopyButton text={() => JSON.stringify(current.value ?? null, null, 2)} what="the value of the marked line" label="Copy value" copy={host.copy} />
        </span>
      </div>
      <div className="aiosw-tree" role="tree" aria-label={label} ref={list} onKeyDown={onKeyDown}>
        {lines.map(l => {
          const isOpen = l.size > 0 && (found ? found.open.has(l.id) : open.has(l.id));
          return (
            <div
              key={l.id}
              role="treeitem"
              aria-level={l.level + 1}
              aria-expanded={l.size > 0 ? isOpen : undefined}
              aria-selected={l.id === active}
              tabIndex={l.id === active ? 0 : -1}
              style={{ paddingLeft: 6 + l.level * 16 }}
              title={pathOf(l.path) || undefined}
              onClick={() => {
                setAt(l.id);
                toggle(l);
              }}
            >
              <span className="aiosw-twist" aria-hidden="true">{l.size > 0 ? (isOpen ? '▾' : '▸') : ''}</span>
              {l.rest > 0 ? (
                <span className="aiosw-link">{`${count(l.rest)} more…`}</span>
              ) : (
                <>
                  {l.name !== null && <span className="aiosw-json-name">{marked(String(l.name), search)}<i>: </i></span>}
                  <Leaf value={l.value} size={l.size} search={search} open={isOpen} />
                </>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Leaf({ value, size, search, open }: { value: unknown; size: number; search: string; open: boolean }): JSX.Element {
  if (value === null) {
    return <i className="aiosw-null">null</i>;
  }
  if (Array.isArray(value) || typeof value === 'object') {
    const list = Array.isArray(value);
    const some = !open && size > 0 ? JSON.stringify(value).slice(0, 90) : '';
    return (
      <span className="aiosw-quiet">
        {list ? `list of ${count(size)}` : `${count(size)} ${size === 1 ? 'name' : 'names'}`}
        {some && <code className="aiosw-json-some"> {some}{some.length === 90 ? '…' : ''}</code>}
      </span>
    );
  }
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return <code data-token={typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : 'constant'}>{marked(text, search)}</code>;
}

/** The first two levels, as far as that is not much. */
function firstOpen(value: unknown): string[] {
  const out = [''];
  children(value).forEach(([k, v]) => {
    const n = children(v).length;
    if (n > 0 && n <= 12 && out.length < 6) {
      out.push(pathOf([k]));
    }
  });
  return out;
}

function everything(value: unknown, path: Path = [], out: string[] = []): string[] {
  const all = children(value);
  if (all.length && out.length < 2000) {
    out.push(pathOf(path));
    all.forEach(([k, v]) => everything(v, [...path, k], out));
  }
  return out;
}

function matching(value: unknown, wanted: string): { open: Set<string>; kept: Set<string>; hits: number } {
  const open = new Set<string>(['']);
  const kept = new Set<string>(['']);
  let hits = 0;
  visit(value, []);
  return { open, kept, hits };
  function visit(v: unknown, path: Path): boolean {
    const name = path.length ? String(path[path.length - 1]).toLowerCase() : '';
    const all = children(v);
    let here = name.includes(wanted);
    if (all.length === 0 && v !== null && typeof v !== 'object' && String(v).toLowerCase().includes(wanted)) {
      here = true;
    }
    hits += here ? 1 : 0;
    let below = false;
    for (const [k, child] of all) {
      below = visit(child, [...path, k]) || below;
    }
    if (here || below) {
      kept.add(pathOf(path));
    }
    if (below) {
      open.add(pathOf(path));
    }
    return here || below;
  }
}
