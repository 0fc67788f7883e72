import type { StepNode } from '../../protocol';
import { type Direction, NODE_HEIGHT, NODE_WIDTH, upstream } from './layout';

/** Where an arrow key leads from a node: along the edges, or to the next one of the same layer. */
export function neighbour(
  nodes: readonly StepNode[], at: Map<string, { x: number; y: number }>, name: string, key: string, direction: Direction
): string | null {
  if (key === 'Home' || key === 'End') {
    return (key === 'Home' ? nodes[0] : nodes[nodes.length - 1]).name;
  }
  const flip: Record<string, string> = { ArrowDown: 'ArrowRight', ArrowUp: 'ArrowLeft', ArrowRight: 'ArrowDown', ArrowLeft: 'ArrowUp' };
  const move = direction === 'LR' ? key : flip[key];
  const here = at.get(name) as { x: number; y: number };
  const [along, across] = direction === 'LR' ? (['x', 'y'] as const) : (['y', 'x'] as const);
  const me = nodes.find(n => n.name === name) as StepNode;
  let candidates: string[] = [];
  if (move === 'ArrowRight') {
    candidates = nodes.filter(n => upstream(n).includes(name)).map(n => n.name);
  } else if (move === 'ArrowLeft') {
    candidates = upstream(me);
  } else if (move === 'ArrowDown' || move === 'ArrowUp') {
    const sign = move === 'ArrowDown' ? 1 : -1;
    candidates = nodes.map(n => n.name).filter(n => {
      const p = at.get(n) as { x: number; y: number };
      return Math.abs(p[along] - here[along]) < (direction === 'LR' ? NODE_WIDTH : NODE_HEIGHT) && sign * (p[across] - here[across]) > 1;
    });
  }
  const distance = (n: string): number => {
    const p = at.get(n);
    return p ? Math.hypot(p.x - here.x, p.y - here.y) : Infinity;
  };
  return candidates.filter(n => at.has(n)).sort((a, b) => distance(a) - distance(b))[0] ?? null;
}
