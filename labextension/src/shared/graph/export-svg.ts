// The picture as a file: drawn from the data, so that it is whole whatever the screen shows. Colours are the theme's.
import type { StepNode } from '../../protocol';
import { count, duration } from '../format';
import { middle, wire, entry } from './edge';
import { carried } from './labels';
import { FONT, MARKS } from './marks';
import type { Labels } from './memory';
import { colour } from './paint';
import type { Laid, Picture } from './picture';
import type { Box, Item } from './scene';
import { inWords } from './summary';

const MARGIN = 20;
const HEAD = 34;

export interface Drawing {
  svg: string;
  width: number;
  height: number;
}

/** `el` lies in the widget: it tells the colours. */
export function drawSvg(el: Element, title: string, picture: Picture, laid: Laid, labels: Labels): Drawing {
  const paint = palette(el);
  const { placed, scene } = laid;
  const wide = laid.direction === 'LR';
  const width = Math.ceil(Math.max(placed.width, 240) + 2 * MARGIN);
  const height = Math.ceil(placed.height + HEAD + 2 * MARGIN);
  const edges: string[] = [];
  const texts: string[] = [];
  for (const link of scene.links) {
    const [a, b] = [placed.at.get(link.from) as Box, placed.at.get(link.to) as Box];
    const from = wide ? { x: a.x + a.width, y: a.y + a.height / 2 } : { x: a.x + a.width / 2, y: a.y + a.height };
    const to = wide ? { x: b.x, y: b.y + b.height / 2 } : { x: b.x + b.width / 2, y: b.y };
    const lanes = placed.lanes.get(link.key) ?? [];
    const marked = picture.critical.has(link.key);
    const look = marked ? ` stroke="${paint('--aiosw-critical')}" stroke-width="3"` : '';
    const tip = wide ? `M${to.x - 6} ${to.y - 4}L${to.x} ${to.y}L${to.x - 6} ${to.y + 4}` : `M${to.x - 4} ${to.y - 6}L${to.x} ${to.y}L${to.x + 4} ${to.y - 6}`;
    edges.push(`<path d="${wire(from, lanes, to, wide)}"${look}${link.order ? ' stroke-dasharray="5 4"' : ''}/><path d="${tip}"${look}/>`);
    const said = carried(link, picture.byName, labels);
    if (said) {
      const at = middle(from, lanes[0] ? entry(lanes[0], wide) : to);
      texts.push(
        `<text x="${at.x}" y="${at.y + 4}" text-anchor="middle" font-size="11" fill="${paint('--aiosw-text2')}" stroke="${paint('--aiosw-back')}" ` +
        `stroke-width="3" paint-order="stroke">${text(said)}</text>`
      );
    }
  }
  const boxes = scene.items.map(i => box(i, placed.at.get(i.id) as Box, picture, paint));
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="${text(FONT)}">` +
    `<title>${text(title)}</title><rect width="${width}" height="${height}" fill="${paint('--aiosw-back')}"/>` +
    `<text x="${MARGIN}" y="${MARGIN + 10}" font-size="15" font-weight="600" fill="${paint('--aiosw-text')}">${text(cut(title, width / 8.5))}</text>` +
    `<g transform="translate(${MARGIN} ${MARGIN + HEAD})">${boxes.filter((_, i) => scene.items[i].kind === 'frame').join('')}` +
    `<g fill="none" stroke="${paint('--aiosw-edge')}" stroke-width="1.5">${edges.join('')}</g>` +
    `${boxes.filter((_, i) => scene.items[i].kind !== 'frame').join('')}${texts.join('')}</g></svg>\n`;
  return { svg, width, height };
}

function box(item: Item, at: Box, picture: Picture, paint: (variable: string) => string): string {
  if (item.kind === 'frame') {
    return (
      `<g transform="translate(${at.x} ${at.y})"><rect width="${at.width}" height="${at.height}" rx="10" fill="${paint('--aiosw-sunken')}" fill-opacity="0.5" ` +
      `stroke="${paint('--aiosw-line1')}"/><text x="12" y="21" font-size="12" font-weight="600" fill="${paint('--aiosw-text2')}">` +
      `${text(cut(item.label, at.width / 7.5))}</text></g>`
    );
  }
  const step = picture.byName.get(item.id);
  const summary = picture.summaries.get(item.id);
  const status = summary?.worst ?? step?.status ?? 'pending';
  const strong = paint(`--aiosw-${status === 'skipped' ? 'pending' : status}`);
  const label = summary ? `${item.label} · ${count(summary.total)} steps` : item.label;
  const words = summary ? inWords(summary) : step ? stepWords(step) : '';
  const [w, h, c] = [at.width, at.height, 15];
  const outline = step?.kind === 'gate' ? `<path d="M${c} 0H${w - c}L${w} ${h / 2}L${w - c} ${h}H${c}L0 ${h / 2}z"` : `<rect width="${w}" height="${h}" rx="9"`;
  const ring = picture.critical.has(item.id) ? ` stroke="${paint('--aiosw-critical')}" stroke-width="3"` : ` stroke="${strong}" stroke-width="1.4"`;
  const room = step?.kind === 'gate' ? 22 : 14;
  const lines = `${outline} fill="${paint('--aiosw-raised')}"/>${outline} fill="${strong}" fill-opacity="${status === 'pending' || status === 'skipped' ? 0 : 0.12}"${ring}` +
    `${step?.stale ? ' stroke-dasharray="6 3"' : ''}/>`;
  return (
    `<g transform="translate(${at.x} ${at.y})"><title>${text(`${label}: ${words}`)}</title>${lines}` +
    `<path transform="translate(${room} ${h / 2 - 20}) scale(0.9)" d="${MARKS[status] ?? MARKS.pending}" fill="none" stroke="${strong}" stroke-width="1.8"/>` +
    `<text x="${room + 22}" y="${h / 2 - 7}" font-size="13" font-weight="600" fill="${paint('--aiosw-text')}">${text(cut(label, (w - room - 30) / 7.4))}</text>` +
    `<text x="${room}" y="${h / 2 + 14}" font-size="11.5" fill="${strong}">${text(cut(words, (w - room - 8) / 6.2))}</text></g>`
  );
}

function stepWords(n: StepNode): string {
  const words = [n.status as string];
  if (n.duration !== null) {
    words.push(duration(n.duration));
  }
  if (n.attempts > 1) {
    words.push(`${n.attempts}/${Math.max(n.max_attempts, n.attempts)}`);
  }
  return [...words, ...(n.cached ? ['cached'] : []), ...(n.stale ? ['stale'] : [])].join(' · ');
}

/** Theme colours as #rrggbb: a file has no CSS variables, and not every program reads rgba(). */
function palette(el: Element): (variable: string) => string {
  const context = document.createElement('canvas').getContext('2d');
  const known = new Map<string, string>();
  return variable => {
    let found = known.get(variable);
    if (found === undefined) {
      found = '#888888';
      if (context) {
        context.fillStyle = '#888888';
        context.fillStyle = colour(el, variable);
        const parts = /^rgba?\((\d+), (\d+), (\d+)/.exec(context.fillStyle);
        found = parts ? `#${parts.slice(1, 4).map(p => Number(p).toString(16).padStart(2, '0')).join('')}` : context.fillStyle;
      }
      known.set(variable, found);
    }
    return found;
  };
}

/** Escaped, and without what XML cannot hold. */
export function text(value: string): string {
  // eslint-disable-next-line no-control-regex
  const clean = value.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '');
  return clean.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`);
}

/** Wide characters (Chinese, emoji) take the room of two. */
function cut(value: string, room: number): string {
  let left = Math.floor(room);
  let out = '';
  for (const c of value) {
    left -= (c.codePointAt(0) as number) >= 0x1100 ? 2 : 1;
    if (left < 0) {
      return `${out.slice(0, -1)}…`;
    }
    out += c;
  }
  return out;
}

/** The drawing as a PNG, twice as fine where a canvas can be that large. */
export async function drawPng(drawing: Drawing): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawing.svg)}`;
  await image.decode();
  // Browsers refuse canvases of more than about 16,000 on a side, or 130 million dots.
  const { width, height } = drawing;
  const scale = Math.min(2, 16000 / width, 16000 / height, Math.sqrt(1.2e8 / (width * height)));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext('2d');
  context?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob(blob => (blob ? resolve(blob) : reject(new Error('The browser could not make a PNG of this size: save the SVG.'))), 'image/png')
  );
}
