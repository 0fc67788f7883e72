// The graph view: toolbar, picture or list, search, keys, and what is remembered for the next time.
import { ReactFlowProvider } from '@xyflow/react';
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import type { StepNode, StepStatus } from '../../protocol';
import { copy } from '../copy';
import { drawMermaid } from './export-mermaid';
import { drawPng, drawSvg } from './export-svg';
import { matches } from './find';
import { cursorItem, Flow, selectorOf, type Steer } from './flow';
import { choices, isGroupId } from './groups';
import { cellOf, DEFAULTS, type Memory, type Options, recall, remember } from './memory';
import { Actions } from './node';
import { around, usePicture } from './picture';
import { download, fileName } from './save';
import type { Direction } from './scene';
import { StepList } from './step-list';
import { type Export, Toolbar } from './toolbar';

/** Below this width the graph runs from top to bottom. */
const NARROW = 620;
/** Fewer steps than this need no search to be found. */
const SMALL = 12;

export interface GraphProps {
  nodes: readonly StepNode[];
  /** The step that is open beside the graph. */
  selected: string | null;
  /** Kernel's clock minus the browser's, in seconds. */
  skew: number;
  onOpen: (step: string) => void;
  /** What viewport, groups and selection are remembered by, and the name of exported files. */
  workflow: string;
  /** The steps that set how long the run took; worked out from the durations when not given. */
  critical?: readonly string[];
  /** More buttons for the toolbar. */
  tools?: ReactNode;
}

export function GraphView(props: GraphProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [memory, setMemory] = useState<Memory | null>(null);
  useLayoutEffect(() => {
    const el = box.current as HTMLDivElement;
    setMemory(recall(el, props.workflow));
    const measure = (): void => setWidth(Math.round(el.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(el);
    return () => observer.disconnect();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- what is remembered is asked for once
  }, []);
  return (
    <div ref={box} className="aiosw-graph-box">
      {width > 0 && (
        <ReactFlowProvider>
          <Body {...props} width={width} memory={memory} box={box} />
        </ReactFlowProvider>
      )}
    </div>
  );
}

interface BodyProps extends GraphProps {
  width: number;
  memory: Memory | null;
  box: React.RefObject<HTMLDivElement>;
}

function Body({ nodes, selected, skew, onOpen, workflow, critical, tools, width, memory, box }: BodyProps): JSX.Element {
  const [options, setOptions] = useState<Options>(memory?.options ?? DEFAULTS);
  const [cursor, setCursor] = useState<string | null>(memory?.selected ?? null);
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(-1);
  const [help, setHelp] = useState(false);
  const [finding, setFinding] = useState(false);
  const [goal, setGoal] = useState<{ id: string; focus: boolean } | null>(null);
  const steer = useRef<Steer | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const direction: Direction = width < NARROW ? 'TB' : 'LR';
  const picture = usePicture(nodes, options, direction, critical, skew);
  const { laid, grouping, byName } = picture;

  const hits = useMemo(() => matches(nodes, query), [nodes, query]);
  const found = useStable(hits);
  const possible = useMemo(() => choices(nodes),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- groupings follow from the shape, as `grouping` does
    [grouping]);
  const change = useCallback((part: Partial<Options>) => setOptions(old => ({ ...old, ...part })), []);
  const keep = useMemory(box, workflow, options, selected, steer, memory, byName, onOpen);

  /** Goes to a step wherever it is: opens the groups around it, shows it though it is over. */
  const jump = useCallback(
    (id: string, focus: boolean) => {
      const closed = around(grouping, id).filter(g => !options.open.has(g));
      if (closed.length || picture.hidden.has(id)) {
        steer.current?.pin(closed[0] ?? id);
        setOptions(old => ({ ...old, open: new Set([...old.open, ...closed]), unfinished: old.unfinished && !picture.hidden.has(id) }));
      }
      setGoal({ id, focus });
    },
    [grouping, options.open, picture.hidden]
  );
  useEffect(() => {
    if (goal && laid?.scene.byId.has(goal.id)) {
      steer.current?.show(goal.id, goal.focus);
      setGoal(null);
    }
  }, [goal, laid]);

  const toggle = useCallback(
    (group: string) => {
      steer.current?.pin(group);
      const opening = !options.open.has(group);
      const open = new Set(options.open);
      if (opening) {
        open.add(group);
      } else {
        open.delete(group);
      }
      change({ open });
      const inside = grouping.groups.get(group);
      const first = inside?.children[0];
      setGoal({ id: opening && first !== undefined ? (typeof first === 'string' ? first : first.id) : group, focus: true });
    },
    [options.open, change, grouping]
  );
  const first = useCallback(
    (group: string, status: StepStatus) => {
      const step = grouping.groups.get(group)?.steps.find(s => byName.get(s)?.status === status);
      if (step !== undefined) {
        jump(step, true);
      }
    },
    [grouping, byName, jump]
  );
  const open = useCallback(
    (step: string) => {
      setCursor(step);
      onOpen(step);
    },
    [onOpen]
  );
  const actions = useMemo(() => ({ open, toggle, first }), [open, toggle, first]);
  const step = (by: 1 | -1): void => {
    if (hits.length === 0) {
      return;
    }
    const next = (at < 0 && by < 0 ? hits.length - 1 : at + by + hits.length) % hits.length;
    setAt(next);
    jump(hits[next], false);
  };
  const find = (): void => {
    setFinding(true);
    search.current?.select();
  };
  useEffect(() => {
    if (finding) {
      search.current?.select(); // only now is it there
    }
  }, [finding]);
  const leave = (): void => {
    setFinding(false);
    const id = laid && cursorItem(laid.scene, cursor);
    if (id) {
      box.current?.querySelector<HTMLElement>(selectorOf(id))?.focus({ preventScroll: true });
    }
  };
  const zoomTo = (): void => {
    const id = selected === null ? null : (laid?.scene.shown.get(selected) ?? null);
    if (id !== null) {
      steer.current?.zoomTo(id);
    }
  };
  const save = async (what: Export): Promise<string> => {
    if (!laid || !box.current) {
      return '';
    }
    if (what === 'mermaid' || what === 'copy-mermaid') {
      const source = drawMermaid(picture, laid);
      return what === 'mermaid' ? saved(fileName(workflow, 'mmd'), source) : copy(source).then(() => 'Mermaid copied');
    }
    const drawing = drawSvg(box.current, workflow, picture, laid, options.labels);
    return what === 'png'
      ? saved(fileName(workflow, 'png'), await drawPng(drawing))
      : what === 'svg' ? saved(fileName(workflow, 'svg'), drawing.svg, 'image/svg+xml') : copy(drawing.svg).then(() => 'SVG copied');
  };

  const keys: Record<string, () => void> = {
    '/': find,
    g: () => steer.current?.fit(),
    z: zoomTo,
    c: () => change({ critical: !options.critical }),
    l: () => change({ list: !options.list }),
    m: () => change({ minimap: !(options.minimap ?? true) }),
    n: () => step(1),
    N: () => step(-1),
    '+': () => steer.current?.zoom(1.25),
    '-': () => steer.current?.zoom(0.8),
    '?': () => setHelp(!help),
    u: () => {
      const id = laid && cursorItem(laid.scene, cursor);
      const parent = id ? around(grouping, id).pop() : undefined;
      if (parent !== undefined) {
        toggle(parent);
      }
    }
  };
  const onKey = (e: KeyboardEvent<HTMLDivElement>): void => {
    const typing = (e.target as HTMLElement).matches('input:not([type="checkbox"]), select, textarea');
    const find = (e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'f';
    const act = find ? keys['/'] : typing || e.ctrlKey || e.metaKey || e.altKey ? undefined : keys[e.key];
    if (act && Object.hasOwn(keys, find ? '/' : e.key)) {
      e.preventDefault();
      act();
    } else if (e.key === 'Escape' && help) {
      setHelp(false);
    }
  };
  const listed = useMemo(() => (query.trim() ? nodes.filter(n => found.has(n.name)) : nodes).filter(n => !picture.hidden.has(n.name)),
    [nodes, found, query, picture.hidden]);

  return (
    <div onKeyDown={onKey}>
      <Toolbar
        options={options}
        by={grouping.by}
        choices={possible}
        groups={grouping.groups.size}
        opened={[...options.open].filter(id => grouping.groups.has(id)).length}
        minimap={options.minimap ?? true}
        small={nodes.length < SMALL && !finding}
        search={{ query, total: hits.length, at }}
        searchRef={search}
        selected={selected !== null}
        tools={tools}
        help={help}
        onHelp={setHelp}
        onQuery={text => {
          setQuery(text);
          setAt(-1);
        }}
        onStep={step}
        onLeave={leave}
        onOptions={change}
        onGroups={what => change({ open: new Set(what === 'open' ? grouping.groups.keys() : []) })}
        onFit={() => steer.current?.fit()}
        onZoomTo={zoomTo}
        onExport={save}
      />
      {options.list ? (
        <Actions.Provider value={{ ...actions, walk: () => false, skew }}>
          <StepList nodes={listed} selected={selected} onOpen={onOpen} />
        </Actions.Provider>
      ) : laid === null ? (
        <p className="aiosw-busy" role="status">Laying out {nodes.length.toLocaleString('en')} steps…</p>
      ) : laid.scene.items.length === 0 ? (
        <p className="aiosw-nothing">All steps are over. <button type="button" onClick={() => change({ unfinished: false })}>Show them</button></p>
      ) : (
        <Flow
          picture={picture}
          laid={laid}
          width={width}
          options={options}
          selected={selected}
          cursor={cursor}
          found={found}
          current={hits[at] ?? null}
          skew={skew}
          memory={memory}
          steer={steer}
          actions={actions}
          onCursor={setCursor}
          onMoved={keep}
        />
      )}
    </div>
  );
}

function saved(name: string, content: Blob | string, type?: string): string {
  download(name, content, type);
  return `Saved ${name}`;
}

/** The same set while the same steps are found, however often their states change. */
function useStable(hits: readonly string[]): ReadonlySet<string> {
  const last = useRef<ReadonlySet<string>>(new Set());
  if (last.current.size !== hits.length || !hits.every(h => last.current.has(h))) {
    last.current = new Set(hits);
  }
  return last.current;
}

/** Opens again what was open, and keeps what the next view in this place has to know. */
function useMemory(
  box: React.RefObject<HTMLDivElement>, workflow: string, options: Options, selected: string | null, steer: React.RefObject<Steer | null>,
  memory: Memory | null, byName: ReadonlyMap<string, StepNode>, onOpen: (step: string) => void
): () => void {
  const now = useRef({ options, selected });
  const view = useRef<Memory['viewport']>(memory?.viewport ?? null);
  const keep = useCallback(() => {
    view.current = steer.current ? steer.current.viewport() : view.current;
    const cell = box.current ? cellOf(box.current) : null;
    if (cell) {
      remember(cell, workflow, { ...now.current, viewport: view.current });
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- refs
  }, [workflow]);
  useLayoutEffect(() => {
    now.current = { options, selected };
    keep(); // at once: a cell's output may be taken off before anybody is told
  }, [box, keep, options, selected]);
  useEffect(() => {
    if (memory?.selected && selected === null && !isGroupId(memory.selected) && byName.has(memory.selected)) {
      onOpen(memory.selected);
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once
  }, []);
  useEffect(() => {
    const cell = box.current ? cellOf(box.current) : null;
    return () => remember(cell, workflow, { ...now.current, viewport: view.current });
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [workflow]);
  return keep;
}
