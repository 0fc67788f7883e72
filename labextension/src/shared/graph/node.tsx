// One step on the graph. A button: reached by arrow keys, opened by Enter.
import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { createContext, memo, useContext } from 'react';

import type { StepNode, StepStatus } from '../../protocol';
import { duration, ticking } from '../format';
import { StateMark } from '../states';
import { useNow } from '../tick';
import { NODE_HEIGHT, NODE_WIDTH } from './scene';

/** Whether the search has found it, and whether one stands at it. */
export type Found = 'yes' | 'current' | undefined;
export type GraphNode = Node<{ step: StepNode; reachable: boolean; found: Found; critical: boolean }, 'step'>;

export interface GraphActions {
  open: (step: string) => void;
  /** Moves the cursor; true when the key meant something. */
  walk: (id: string, key: string) => boolean;
  /** Opens or closes a group. */
  toggle: (group: string) => void;
  /** Goes to the first step of a group that is in this state. */
  first: (group: string, status: StepStatus) => void;
  /** Kernel's clock minus the browser's, in seconds. */
  skew: number;
}
export const Actions = createContext<GraphActions>({
  open: () => undefined, walk: () => false, toggle: () => undefined, first: () => undefined, skew: 0
});

const MOVING = new Set(['running', 'retrying', 'waiting']);

export function describe(step: StepNode): string {
  const words = [`${step.shape} ${step.name}`, step.status];
  if (step.attempts > 1) {
    words.push(`attempt ${step.attempts} of ${Math.max(step.max_attempts, step.attempts)}`);
  }
  if (step.duration !== null) {
    words.push(duration(step.duration));
  }
  if (step.cached) {
    words.push('from the cache');
  }
  if (step.stale) {
    words.push('stale: its code changed since this run');
  }
  if (step.error) {
    words.push(step.error);
  } else if (step.message) {
    words.push(step.message);
  }
  return words.join(', ');
}

export const StepView = memo(function StepView({ data, selected, sourcePosition, targetPosition }: NodeProps<GraphNode>): JSX.Element {
  const { step, reachable, found, critical } = data;
  const actions = useContext(Actions);
  const tries = Math.max(step.max_attempts, step.attempts);
  return (
    <>
    <Handle type="target" position={targetPosition ?? Position.Left} isConnectable={false} />
    <button
      type="button"
      className="aiosw-node nopan nodrag"
      data-status={step.status}
      data-kind={step.kind}
      data-shape={step.shape}
      data-stale={step.stale || undefined}
      data-step={step.name}
      data-found={found}
      data-critical={critical || undefined}
      aria-label={describe(step)}
      aria-pressed={selected}
      title={describe(step)}
      tabIndex={reachable ? 0 : -1}
      style={{ width: NODE_WIDTH, height: NODE_HEIGHT }}
      onClick={() => actions.open(step.name)}
      onKeyDown={e => {
        if (actions.walk(step.name, e.key)) {
          e.preventDefault();
          e.stopPropagation();
        }
      }}
    >
      <Outline shape={step.shape} />
      <span className="aiosw-node-name">
        <StateMark status={step.status} />
        <span className="aiosw-ellipsis">{step.name}</span>
      </span>
      <span className="aiosw-node-meta">
        <b>{step.status}</b>
        <Took step={step} />
        {SHAPES[step.shape] && <em className="aiosw-badge">{SHAPES[step.shape]}</em>}
        {step.attempts > 1 && <em className="aiosw-badge">{`${step.attempts}/${tries}`}</em>}
        {step.cached && <em className="aiosw-badge">cached</em>}
        {step.stale && <em className="aiosw-badge" data-tone="stale">stale</em>}
      </span>
      {step.status === 'running' && <Bar value={step.progress} />}
    </button>
    <Handle type="source" position={sourcePosition ?? Position.Right} isConnectable={false} />
    </>
  );
});

/** The word for what is no plain step; a gate has its outline. */
const SHAPES: Partial<Record<StepNode['shape'], string>> = { map: 'map', loop: 'loop', stream: 'stream' };

function Outline({ shape }: { shape: StepNode['shape'] }): JSX.Element {
  const [w, h, c] = [NODE_WIDTH, NODE_HEIGHT, 15];
  const hexagon = `M${c} 1H${w - c}L${w - 1} ${h / 2}L${w - c} ${h - 1}H${c}L1 ${h / 2}z`;
  return (
    <svg className="aiosw-outline" width={w} height={h} aria-hidden="true">
      {shape === 'gate' ? <path d={hexagon} /> : <rect x="1" y="1" width={w - 2} height={h - 2} rx="9" />}
      {shape === 'map' && <rect x="4.5" y="4.5" width={w - 9} height={h - 9} rx="6" />}
    </svg>
  );
}

function Took({ step }: { step: StepNode }): JSX.Element | null {
  const moving = MOVING.has(step.status) && step.started_at !== null;
  return moving ? (
    <Ticking since={step.started_at as number} />
  ) : step.duration !== null && !step.cached ? (
    <span>{duration(step.duration)}</span>
  ) : null;
}

export function Ticking({ since }: { since: number }): JSX.Element {
  const { skew } = useContext(Actions);
  const now = useNow();
  return <span>{ticking(now + skew - since)}</span>;
}

function Bar({ value }: { value: number | null }): JSX.Element {
  const known = value !== null;
  return (
    <span
      className="aiosw-bar"
      data-known={known || undefined}
      role="progressbar"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={known ? Math.round(value * 100) : undefined}
    >
      <span style={known ? { width: `${Math.min(1, Math.max(0, value)) * 100}%` } : undefined} />
    </span>
  );
}
