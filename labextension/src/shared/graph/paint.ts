// How a graph looks on a canvas: boxes by state (mark and fill, not the colour alone), names as soon as they can be read.
import type { StepNode } from '../../protocol';
import { count } from '../format';
import { carried } from './labels';
import { FONT, MARKS } from './marks';
import type { Labels } from './memory';
import type { Laid } from './picture';
import type { Box, Item } from './scene';
import type { Summary } from './summary';

export interface Sight {
  x: number;
  y: number;
  zoom: number;
  width: number;
  height: number;
}

type Context = CanvasRenderingContext2D | null;
/** A name is painted from this width of its box on, in screen pixels. */
const READABLE = 54;
const TEXT = 10;

export function colour(el: Element, variable: string): string {
  return getComputedStyle(el).getPropertyValue(variable).trim() || '#888';
}

export function paintEdges(
  context: Context, laid: Laid, sight: Sight, critical: ReadonlySet<string>, byName: ReadonlyMap<string, StepNode> | null, labels: Labels
): void {
  if (!context) {
    return;
  }
  const { x, y, zoom, width, height } = sight;
  const wide = laid.direction === 'LR';
  const marked = new Path2D();
  const texts: [string, number, number][] = [];
  let thick = false;
  context.strokeStyle = colour(context.canvas, '--aiosw-edge');
  context.lineWidth = Math.max(0.4, 1.3 * zoom);
  context.globalAlpha = zoom < 0.3 ? 0.45 : 0.8;
  const plain = new Path2D();
  for (const link of laid.scene.links) {
    const from = laid.placed.at.get(link.from) as Box;
    const to = laid.placed.at.get(link.to) as Box;
    const x1 = x + (from.x + (wide ? from.width : from.width / 2)) * zoom;
    const y1 = y + (from.y + (wide ? from.height / 2 : from.height)) * zoom;
    const x2 = x + (to.x + (wide ? 0 : to.width / 2)) * zoom;
    const y2 = y + (to.y + (wide ? to.height / 2 : 0)) * zoom;
    if (Math.max(x1, x2) < 0 || Math.min(x1, x2) > width || Math.max(y1, y2) < 0 || Math.min(y1, y2) > height) {
      continue;
    }
    const path = critical.has(link.key) ? marked : plain;
    thick ||= path === marked;
    path.moveTo(x1, y1);
    if (zoom < 0.15) {
      path.lineTo(x2, y2);
    } else if (wide) {
      path.bezierCurveTo((x1 + x2) / 2, y1, (x1 + x2) / 2, y2, x2, y2);
    } else {
      path.bezierCurveTo(x1, (y1 + y2) / 2, x2, (y1 + y2) / 2, x2, y2);
    }
    if (byName && zoom >= 0.45 && texts.length < 400) {
      const text = carried(link, byName, labels);
      if (text) {
        texts.push([text, (x1 + x2) / 2, (y1 + y2) / 2]);
      }
    }
  }
  context.stroke(plain);
  context.globalAlpha = 1;
  if (thick) {
    context.strokeStyle = colour(context.canvas, '--aiosw-critical');
    context.lineWidth = Math.max(1.5, 3 * zoom);
    context.stroke(marked);
  }
  context.font = `${TEXT}px ${FONT}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineWidth = 3;
  context.lineJoin = 'round';
  context.strokeStyle = colour(context.canvas, '--aiosw-back');
  context.fillStyle = colour(context.canvas, '--aiosw-text2');
  for (const [text, a, b] of texts) {
    context.strokeText(text, a, b);
    context.fillText(text, a, b);
  }
}

export function paintBoxes(
  context: Context, laid: Laid, sight: Sight, byName: ReadonlyMap<string, StepNode>, summaries: ReadonlyMap<string, Summary>,
  critical: ReadonlySet<string>, found: ReadonlySet<string>, current: string | null
): void {
  if (!context) {
    return;
  }
  const { x, y, zoom, width, height } = sight;
  const back = colour(context.canvas, '--aiosw-raised');
  const byStatus = new Map<string, [Item, number, number, Box][]>();
  const rings: [number, number, number, number, number][] = [];
  for (const item of laid.scene.items) {
    const box = laid.placed.at.get(item.id) as Box;
    const [left, top, w, h] = [x + box.x * zoom, y + box.y * zoom, box.width * zoom, box.height * zoom];
    if (left > width || top > height || left + w < 0 || top + h < 0) {
      continue;
    }
    if (item.kind === 'frame') {
      paintFrame(context, item, left, top, w, h, zoom);
      continue;
    }
    const status = item.kind === 'group' ? summaries.get(item.id)?.worst : byName.get(item.id)?.status;
    if (status === undefined) {
      continue;
    }
    const list = byStatus.get(status);
    if (list) {
      list.push([item, left, top, box]);
    } else {
      byStatus.set(status, [[item, left, top, box]]);
    }
    if (found.has(item.id) || critical.has(item.id)) {
      rings.push([left, top, w, h, item.id === current ? 2 : found.has(item.id) ? 1 : 0]);
    }
  }
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.font = `${TEXT}px ${FONT}`;
  const text = colour(context.canvas, '--aiosw-text');
  byStatus.forEach((group, status) => {
    const strong = colour(context.canvas, `--aiosw-${status === 'skipped' ? 'pending' : status}`);
    const quiet = status === 'pending' || status === 'skipped';
    const full = status === 'running' || status === 'retrying' || status === 'failed' || status === 'waiting';
    const mark = new Path2D(MARKS[status]);
    for (const [item, left, top, box] of group) {
      const [w, h] = [box.width * zoom, box.height * zoom];
      context.fillStyle = back;
      context.fillRect(left, top, w, h);
      context.fillStyle = strong;
      // From afar colour has to carry further than on a box one can read.
      context.globalAlpha = w > READABLE ? (quiet ? 0 : 0.16) : quiet ? 0.08 : full ? 1 : 0.4;
      context.fillRect(left, top, w, h);
      context.globalAlpha = 1;
      if (w > 5) {
        context.strokeStyle = strong;
        context.lineWidth = item.kind === 'group' ? 1.6 : 1;
        context.strokeRect(left + 0.5, top + 0.5, w - 1, h - 1);
      }
      if (w > READABLE) {
        paintMark(context, mark, left + 4, top + h / 2 - 5, 10, strong);
        context.fillStyle = text;
        const label = item.group ? `${item.label} · ${count(item.group.steps.length)}` : item.label;
        context.fillText(clipped(label, w - 22), left + 18, top + h / 2);
      } else if (status === 'failed' && w > 5) {
        const size = Math.min(w, h) * 0.8;
        paintMark(context, mark, left + (w - size) / 2, top + (h - size) / 2, size, back);
      }
    }
  });
  for (const [left, top, w, h, hit] of rings) {
    context.strokeStyle = colour(context.canvas, hit ? '--aiosw-found' : '--aiosw-critical');
    context.lineWidth = 2 + hit * 1.5;
    context.strokeRect(left - 1 - hit, top - 1 - hit, w + 2 + 2 * hit, h + 2 + 2 * hit);
  }
}

function paintFrame(context: CanvasRenderingContext2D, item: Item, left: number, top: number, w: number, h: number, zoom: number): void {
  context.strokeStyle = colour(context.canvas, '--aiosw-line1');
  context.fillStyle = colour(context.canvas, '--aiosw-sunken');
  context.lineWidth = 1;
  context.globalAlpha = 0.5;
  context.fillRect(left, top, w, h);
  context.globalAlpha = 1;
  context.strokeRect(left + 0.5, top + 0.5, w - 1, h - 1);
  if (w > READABLE && zoom > 0.35) {
    context.font = `600 ${TEXT}px ${FONT}`;
    context.fillStyle = colour(context.canvas, '--aiosw-text2');
    context.textAlign = 'left';
    context.textBaseline = 'top';
    context.fillText(clipped(item.label, w - 8), left + 5, top + 4);
  }
}

function paintMark(context: CanvasRenderingContext2D, mark: Path2D, left: number, top: number, size: number, stroke: string): void {
  context.save();
  context.translate(left, top);
  context.scale(size / 16, size / 16);
  context.strokeStyle = stroke;
  context.lineWidth = 2;
  context.stroke(mark);
  context.restore();
}

/** Cut to a width, by the mean width of a letter: measuring thousands of names costs a frame. */
function clipped(text: string, room: number): string {
  const most = Math.floor(room / (TEXT * 0.56));
  return text.length <= most ? text : most < 2 ? '' : `${text.slice(0, most - 1)}…`;
}
