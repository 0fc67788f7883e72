// The graph: React Flow with our nodes, one tab stop, arrow keys between neighbours, and a viewport that stays put.
import { Background, BackgroundVariant, Controls, MarkerType, Position, ReactFlow, ReactFlowProvider, useReactFlow, useViewport } from '@xyflow/react';
import { type ReactNode, useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react';

import type { StepNode } from '../../protocol';
import { GraphCanvas } from './canvas';
import { type LaneEdge, LaneEdgeView } from './edge';
import { type Direction, edgeKey, layout, NODE_HEIGHT, NODE_WIDTH, type Placed, upstream } from './layout';
import { Actions, type GraphNode, StepView } from './node';
import { neighbour } from './walk';

const NODE_TYPES = { step: StepView };
const EDGE_TYPES = { lane: LaneEdgeView };
const NARROW = 620;
/** More nodes than this are painted on a canvas until one comes near. */
const LARGE = 80;
const NEAR_ZOOM = 0.5;
const MOST_HEIGHT = 460;
const TALLEST = 560;
const PADDING = 20;

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
  useLayoutEffect(() => {
    const el = box.current as HTMLDivElement;
    const measure = (): void => setWidth(Math.round(el.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(el);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={box} className="aiosw-graph-box">
      {props.tools}
      {width > 0 && (
        <ReactFlowProvider>
          <Flow {...props} width={width} />
        </ReactFlowProvider>
      )}
    </div>
  );
}

function Flow({ nodes, selected, skew, onOpen, width }: GraphProps & { width: number }): JSX.Element {
  const flow = useReactFlow();
  const root = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const touched = useRef(false);
  const direction: Direction = width < NARROW ? 'TB' : 'LR';
  const shape = nodes.map(n => `${n.name}\u0001${n.kind}\u0001${n.deps.join('\u0002')}\u0001${n.after.join('\u0002')}`).join('\u0003');
  // eslint-disable-next-line react-hooks/exhaustive-deps -- `shape` is all of `nodes` that places and edges depend on
  const placed = useMemo(() => layout(nodes, direction), [shape, direction]);
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const edges = useMemo(() => (nodes.length > LARGE ? [] : edgesOf(nodes, placed)), [placed]);
  const reachable = cursor !== null && placed.at.has(cursor) ? cursor : (nodes[0]?.name ?? null);
  const large = nodes.length > LARGE;
  const view = useViewport();
  const near = !large || view.zoom >= NEAR_ZOOM;
  const inSight = useMemo(
    () => (large ? sight(placed, near ? view : null, width) : null),
    // Moving by less than a step shows nothing new: the margin is larger.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [large, placed, near, width, Math.round(view.x / 100), Math.round(view.y / 100), view.zoom]
  );
  const kept = useRef(new Map<string, GraphNode>());
  const drawn = useMemo(() => {
    const next = new Map<string, GraphNode>();
    for (const step of nodes) {
      if (inSight && !inSight.has(step.name) && step.name !== selected && step.name !== reachable) {
        continue;
      }
      const at = placed.at.get(step.name) ?? { x: 0, y: 0 };
      const old = kept.current.get(step.name);
      const same =
        old && old.data.step === step && old.position === at && old.selected === (step.name === selected) &&
        old.data.reachable === (step.name === reachable) && (old.sourcePosition === Position.Right) === (direction === 'LR');
      next.set(step.name, same ? old : nodeOf(step, at, step.name === selected, step.name === reachable, direction));
    }
    kept.current = next;
    return [...next.values()];
  }, [nodes, placed, selected, reachable, direction, inSight]);

  const scale = Math.min(1, (width - 2 * PADDING) / Math.max(placed.width, 1));
  const most = direction === 'TB' ? TALLEST : MOST_HEIGHT;
  const height = Math.round(Math.min(most, Math.max(96, placed.height * scale + 2 * PADDING)));
  const fit = useMemo(() => fitted(placed, width, height), [placed, width, height]);
  useLayoutEffect(() => {
    // Until somebody moves it, the picture fits; after that it never moves by itself.
    if (!touched.current) {
      void flow.setViewport(fit);
    }
  }, [flow, fit]);

  const focus = useCallback(
    (name: string) => {
      setCursor(name);
      const at = placed.at.get(name);
      const el = root.current;
      if (at && el) {
        // Only a node that is out of sight moves the viewport.
        const { x, y, zoom } = flow.getViewport();
        const [left, top] = [at.x * zoom + x, at.y * zoom + y];
        const visible = left >= 0 && top >= 0 && left + NODE_WIDTH * zoom <= el.clientWidth && top + NODE_HEIGHT * zoom <= el.clientHeight;
        if (!visible) {
          touched.current = true;
          void flow.setCenter(at.x + NODE_WIDTH / 2, at.y + NODE_HEIGHT / 2, { zoom: Math.max(zoom, 0.6) });
        }
      }
      const find = (left: number): void => {
        const button = root.current?.querySelector<HTMLElement>(`[data-step="${CSS.escape(name)}"]`);
        if (button) {
          button.focus({ preventScroll: true });
        } else if (left > 0) {
          requestAnimationFrame(() => find(left - 1)); // not drawn yet: it was out of sight
        }
      };
      find(10); // at once, so that the next key starts from here
    },
    [flow, placed]
  );

  const walk = useCallback(
    (name: string, key: string): boolean => {
      const to = neighbour(nodes, placed.at, name, key, direction);
      if (to !== null) {
        focus(to);
      }
      return key.startsWith('Arrow') || key === 'Home' || key === 'End';
    },
    [nodes, placed, direction, focus]
  );
  const open = useCallback(
    (name: string) => {
      setCursor(name);
      onOpen(name);
    },
    [onOpen]
  );
  const actions = useMemo(() => ({ open, walk, skew }), [open, walk, skew]);

  return (
    <Actions.Provider value={actions}>
      <div ref={root} className="aiosw-graph" style={{ height }} role="group" aria-label="Steps. Arrow keys move between them, Enter opens one.">
        <ReactFlow
          nodes={drawn}
          edges={edges}
          nodeTypes={NODE_TYPES}
          edgeTypes={EDGE_TYPES}
          defaultViewport={fit}
          minZoom={0.02}
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
            const name = near ? null : under(flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }), placed);
            if (name !== null) {
              open(name);
            }
          }}
          onMoveStart={event => {
            if (event) {
              touched.current = true;
            }
          }}
        >
          {large ? (
            <GraphCanvas nodes={nodes} placed={placed} width={width} height={height} wide={direction === 'LR'} near={near} />
          ) : (
            <Background variant={BackgroundVariant.Dots} gap={18} size={1} />
          )}
          <Controls
            showInteractive={false}
            position="bottom-right"
            aria-label="Zoom"
            onZoomIn={() => (touched.current = true)}
            onZoomOut={() => (touched.current = true)}
            onFitView={() => {
              touched.current = false;
              void flow.setViewport(fit);
            }}
          />
        </ReactFlow>
      </div>
    </Actions.Provider>
  );
}

/** Names of the nodes in or near the window. */
function sight(placed: Placed, view: { x: number; y: number; zoom: number } | null, width: number): Set<string> {
  const found = new Set<string>();
  if (view) {
    const margin = 260;
    const [left, top] = [-view.x / view.zoom - margin, -view.y / view.zoom - margin];
    const [right, bottom] = [left + width / view.zoom + 2 * margin, top + TALLEST / view.zoom + 2 * margin];
    placed.at.forEach((p, name) => {
      if (p.x + NODE_WIDTH > left && p.x < right && p.y + NODE_HEIGHT > top && p.y < bottom) {
        found.add(name);
      }
    });
  }
  return found;
}

function under(point: { x: number; y: number }, placed: Placed): string | null {
  for (const [name, p] of placed.at) {
    if (point.x >= p.x && point.x <= p.x + NODE_WIDTH && point.y >= p.y && point.y <= p.y + NODE_HEIGHT) {
      return name;
    }
  }
  return null;
}

function nodeOf(step: StepNode, at: { x: number; y: number }, selected: boolean, reachable: boolean, direction: Direction): GraphNode {
  const [w, h] = [NODE_WIDTH, NODE_HEIGHT];
  const wide = direction === 'LR';
  const [source, target] = wide ? [Position.Right, Position.Left] : [Position.Bottom, Position.Top];
  return {
    id: step.name,
    type: 'step',
    position: at,
    data: { step, reachable },
    selected,
    width: w,
    height: h,
    sourcePosition: source,
    targetPosition: target,
    // Given, so that nothing has to be measured: edges are right in the first frame, also to nodes out of sight.
    handles: [
      { type: 'target', position: target, x: wide ? 0 : w / 2, y: wide ? h / 2 : 0, width: 1, height: 1 },
      { type: 'source', position: source, x: wide ? w : w / 2, y: wide ? h / 2 : h, width: 1, height: 1 }
    ]
  };
}

function edgesOf(nodes: readonly StepNode[], placed: Placed): LaneEdge[] {
  const marker = { type: MarkerType.ArrowClosed, width: 15, height: 15, color: 'var(--aiosw-edge)' };
  return nodes.flatMap(n =>
    upstream(n)
      .filter(up => placed.at.has(up))
      .map(up => ({
        id: edgeKey(up, n.name),
        type: 'lane' as const,
        source: up,
        target: n.name,
        data: { lanes: placed.lanes.get(edgeKey(up, n.name)) ?? [] },
        markerEnd: marker,
        focusable: false,
        className: n.deps.includes(up) ? 'aiosw-edge' : 'aiosw-edge aiosw-edge-after'
      }))
  );
}

function fitted(placed: Placed, width: number, height: number): { x: number; y: number; zoom: number } {
  const zoom = Math.max(0.02, Math.min(1, (width - 2 * PADDING) / Math.max(placed.width, 1), (height - 2 * PADDING) / Math.max(placed.height, 1)));
  return { x: (width - placed.width * zoom) / 2, y: (height - placed.height * zoom) / 2, zoom };
}
