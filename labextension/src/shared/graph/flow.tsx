// The picture itself: React Flow with our nodes, one tab stop, arrow keys between neighbours.
import { Background, BackgroundVariant, Controls, ReactFlow, useReactFlow, useViewport } from '@xyflow/react';
import { type MutableRefObject, useCallback, useEffect, useImperativeHandle, useMemo, useRef } from 'react';

import { GraphCanvas } from './canvas';
import { LaneEdgeView } from './edge';
import { edgesOf, type Element, elementsOf } from './elements';
import { FrameView, GroupView } from './group';
import type { Memory, Options } from './memory';
import { Minimap } from './minimap';
import { Actions, type GraphActions, StepView } from './node';
import { carried } from './labels';
import type { Laid, Picture } from './picture';
import type { Box, Placed, Scene } from './scene';
import { inSight, LEAST_ZOOM, useWindow, type View } from './viewport';
import { neighbour } from './walk';

const NODE_TYPES = { step: StepView, steps: GroupView, frame: FrameView };
const EDGE_TYPES = { lane: LaneEdgeView };
/** More boxes than this are painted on a canvas until one comes near. */
const LARGE = 80;
const NEAR_ZOOM = 0.5;
const NOTHING: ReadonlySet<string> = new Set();

/** What toolbar and keys ask of the picture. */
export interface Steer {
  fit: () => void;
  zoom: (by: number) => void;
  /** Into the middle and near. */
  zoomTo: (id: string) => void;
  /** Into sight; with `focus` the keyboard goes there too. */
  show: (id: string, focus: boolean) => void;
  pin: (id: string) => void;
  viewport: () => Memory['viewport'];
}

interface Props {
  picture: Picture;
  laid: Laid;
  width: number;
  options: Options;
  selected: string | null;
  cursor: string | null;
  found: ReadonlySet<string>;
  /** The match one stands at. */
  current: string | null;
  skew: number;
  memory: Memory | null;
  steer: MutableRefObject<Steer | null>;
  actions: Omit<GraphActions, 'walk' | 'skew'>;
  onCursor: (id: string) => void;
  onMoved: () => void;
}

export function Flow(p: Props): JSX.Element {
  const { picture, laid, width, options, selected, cursor, found, current, skew, actions, onCursor } = p;
  const { scene, placed, direction } = laid;
  const flow = useReactFlow();
  const root = useRef<HTMLDivElement>(null);
  const window_ = useWindow(laid, width, p.memory);
  const { height, first, fitAll, hold, reveal, pin } = window_;

  const reachable = cursorItem(scene, cursor);
  const large = scene.items.length > LARGE;
  const view = useViewport();
  const near = !large || view.zoom >= NEAR_ZOOM;
  const sight = useMemo(
    () => (large ? (near ? inSight(placed, view, width, height) : NOTHING) : null),
    // Moving by less than a step shows nothing new: the margin is larger.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [large, placed, near, width, height, Math.round(view.x / 100), Math.round(view.y / 100), view.zoom]
  );
  const foundIn = useMemo(() => countIn(scene, found), [scene, found]);
  const ringed = useMemo(() => (foundIn.size ? new Set([...found, ...foundIn.keys()]) : found), [found, foundIn]);
  const kept = useRef<ReadonlyMap<string, Element>>(new Map());
  const elements = useMemo(() => {
    const next = elementsOf(picture, laid, sight, { reachable, selected, found, foundIn, current }, kept.current);
    kept.current = next;
    return [...next.values()];
  }, [picture, laid, sight, reachable, selected, found, foundIn, current]);

  const { critical, byName } = picture;
  const labels = options.labels;
  const said = large || labels === 'none' ? '' : scene.links.map(l => carried(l, byName, labels)).join('\u0001');
  const edges = useMemo(
    () => (large ? [] : edgesOf(laid, critical, labels === 'none' ? null : byName, labels)),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `said` is all that labels take from `byName`
    [large, laid, critical, labels, said]
  );

  const show = useCallback(
    (id: string, focus: boolean) => {
      onCursor(id);
      const box = placed.at.get(id);
      if (box) {
        reveal(box);
      }
      const find = (left: number): void => {
        const button = root.current?.querySelector<HTMLElement>(selectorOf(id));
        if (button) {
          button.focus({ preventScroll: true });
        } else if (left > 0) {
          requestAnimationFrame(() => find(left - 1)); // not drawn yet: it was out of sight
        }
      };
      if (focus) {
        find(10); // at once, so that the next key starts from here
      }
    },
    [placed, reveal, onCursor]
  );
  const walk = useCallback(
    (id: string, key: string): boolean => {
      const known = key.startsWith('Arrow') || key === 'Home' || key === 'End';
      const to = known ? neighbour(scene, placed, id, key, direction) : null;
      if (to !== null) {
        show(to, true);
      }
      return known;
    },
    [scene, placed, direction, show]
  );
  const all = useMemo<GraphActions>(() => ({ ...actions, walk, skew }), [actions, walk, skew]);

  useImperativeHandle(
    p.steer,
    () => ({
      fit: fitAll,
      zoom: by => {
        hold();
        void flow.zoomTo(flow.getZoom() * by);
      },
      zoomTo: id => {
        const box = placed.at.get(id);
        if (box) {
          reveal(box, true);
        }
      },
      show,
      pin,
      viewport: () => (window_.held.current ? { ...flow.getViewport(), width, height } : null)
    }),
    [fitAll, hold, flow, placed, reveal, show, pin, window_.held, width, height]
  );
  const moved = useRef(p.onMoved);
  useEffect(() => {
    moved.current = p.onMoved;
  });

  // Where all is in sight a minimap would only hide some of it.
  const beyond = placed.width * view.zoom > 1.1 * width || placed.height * view.zoom > 1.1 * height;
  const minimap = options.minimap ?? (beyond && scene.items.length > 8);
  return (
    <Actions.Provider value={all}>
      <div ref={root} className="aiosw-graph" style={{ height }} role="group" aria-label={sentence(scene, large)}>
        <ReactFlow
          nodes={elements}
          edges={edges}
          nodeTypes={NODE_TYPES}
          edgeTypes={EDGE_TYPES}
          defaultViewport={first}
          minZoom={LEAST_ZOOM}
          maxZoom={1.6}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          disableKeyboardA11y
          zoomOnScroll={false}
          zoomOnDoubleClick={false}
          preventScrolling={false}
          deleteKeyCode={null}
          selectionKeyCode={null}
          multiSelectionKeyCode={null}
          panActivationKeyCode={null}
          proOptions={{ hideAttribution: true }}
          onPaneClick={event => {
            const id = near ? null : under(flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }), scene, placed);
            if (id !== null) {
              onCursor(id);
              if (scene.byId.get(id)?.kind === 'step') {
                actions.open(id);
              } else {
                actions.toggle(id);
              }
            }
          }}
          onPaneMouseMove={event => {
            const el = root.current;
            if (el && !near) {
              el.title = under(flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }), scene, placed, true) ?? '';
            }
          }}
          onMoveStart={event => event && hold()}
          onMoveEnd={() => moved.current()}
        >
          {large ? (
            <GraphCanvas picture={picture} laid={laid} width={width} height={height} near={near} labels={labels} found={ringed} current={current} />
          ) : (
            <Background variant={BackgroundVariant.Dots} gap={18} size={1} />
          )}
          <Controls
            showInteractive={false}
            position="bottom-right"
            aria-label="Zoom"
            onZoomIn={hold}
            onZoomOut={hold}
            onFitView={fitAll}
          />
        </ReactFlow>
        {minimap && width >= 480 && height >= 180 && (
          <Minimap picture={picture} laid={laid} width={width} height={height} found={ringed} onMove={hold} />
        )}
        {picture.busy && <p className="aiosw-busy" role="status">Laying out…</p>}
      </div>
    </Actions.Provider>
  );
}

/** The item the keyboard is on: what stands for it now, or the first. */
export function cursorItem(scene: Scene, cursor: string | null): string | null {
  if (cursor !== null) {
    const item = scene.byId.get(cursor);
    if (item && item.kind !== 'frame') {
      return cursor;
    }
    const inside = scene.shown.get(cursor);
    if (inside !== undefined) {
      return inside;
    }
  }
  return scene.items.find(i => i.kind !== 'frame')?.id ?? null;
}

export function selectorOf(id: string): string {
  return `[data-step="${CSS.escape(id)}"], [data-group="${CSS.escape(id)}"]`;
}

function sentence(scene: Scene, large: boolean): string {
  const painted = large ? ' Far away they are painted: the list view shows all of them as a table.' : '';
  return `Steps. Arrow keys move between them, Enter opens one, ? lists all keys.${painted}${scene.items.length ? '' : ' None is shown.'}`;
}

/** Collapsed group -> how many of the steps found lie in it. */
function countIn(scene: Scene, found: ReadonlySet<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  found.forEach(name => {
    const id = scene.shown.get(name);
    if (id !== undefined && id !== name) {
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  });
  return counts;
}

function under(point: View | { x: number; y: number }, scene: Scene, placed: Placed, label = false): string | null {
  for (let i = scene.items.length - 1; i >= 0; i--) {
    const item = scene.items[i];
    const p = placed.at.get(item.id) as Box;
    if (point.x >= p.x && point.x <= p.x + p.width && point.y >= p.y && point.y <= p.y + p.height) {
      return label ? item.label : item.id;
    }
  }
  return null;
}
