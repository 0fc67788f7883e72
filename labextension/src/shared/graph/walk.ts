import type { Box, Direction, Placed, Scene } from './scene';

/** Where an arrow key leads from an item: along the edges, also into and out of groups, or to the next one beside it. */
export function neighbour(scene: Scene, placed: Placed, id: string, key: string, direction: Direction): string | null {
  const real = scene.items.filter(i => i.kind !== 'frame');
  if (key === 'Home' || key === 'End') {
    return end(real.map(i => i.id), placed, direction, key === 'End');
  }
  const here = placed.at.get(id);
  if (!here) {
    return null;
  }
  const flip: Record<string, string> = { ArrowDown: 'ArrowRight', ArrowUp: 'ArrowLeft', ArrowRight: 'ArrowDown', ArrowLeft: 'ArrowUp' };
  const move = direction === 'LR' ? key : flip[key];
  const me = middle(here);
  const distance = (other: string): number => {
    const box = placed.at.get(other);
    return box ? Math.hypot(middle(box).x - me.x, middle(box).y - me.y) : Infinity;
  };
  const nearest = (ids: readonly string[]): string | null => {
    let best: string | null = null;
    for (const other of ids) {
      if (best === null || distance(other) < distance(best)) {
        best = other;
      }
    }
    return best;
  };
  if (move === 'ArrowRight') {
    return nearest(scene.after.get(id) ?? []);
  }
  if (move === 'ArrowLeft') {
    return nearest(scene.before.get(id) ?? []);
  }
  if (move !== 'ArrowDown' && move !== 'ArrowUp') {
    return null;
  }
  const sign = move === 'ArrowDown' ? 1 : -1;
  const wide = direction === 'LR';
  const beyond = (b: Box): number => sign * (wide ? middle(b).y - me.y : middle(b).x - me.x);
  const beside = (b: Box): boolean =>
    wide ? b.x < here.x + here.width && b.x + b.width > here.x : b.y < here.y + here.height && b.y + b.height > here.y;
  const ids = real.filter(i => i.id !== id && beyond(placed.at.get(i.id) as Box) > 1).map(i => i.id);
  return nearest(ids.filter(i => beside(placed.at.get(i) as Box)));
}

/** The first or the last item of the picture, as one reads it. */
function end(ids: readonly string[], placed: Placed, direction: Direction, last: boolean): string | null {
  const place = (id: string): [number, number] => {
    const b = placed.at.get(id) as Box;
    return direction === 'LR' ? [b.x, b.y] : [b.y, b.x];
  };
  let best: string | null = null;
  for (const id of ids) {
    const [a, c] = place(id);
    const [p, q] = best === null ? [NaN, NaN] : place(best);
    const later = a > p || (a === p && c > q);
    if (best === null || (last ? later : !later)) {
      best = id;
    }
  }
  return best;
}

function middle(box: Box): { x: number; y: number } {
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
