// A dot for every row in every column's line, on one canvas: a hundred thousand of them.
import { useEffect, useMemo, useRef, useState } from 'react';

import type { Column, Swarm } from '../../explain_protocol';
import { count } from '../format';
import { type Scale, ticks } from '../scale';
import { codes, numbers, type WithBuffers } from './packed';
import { Dots, type Palette, pen, usePalette } from './palette';
import type { Marked } from './types';
import { nameAt, number, signed } from './words';

/** Room above the first line and below the last, for the axis. */
export const EDGE = 24;
const NEAR = 7;

interface Props {
  swarm: Swarm & WithBuffers;
  columns: Column[];
  /** The places of the columns in the order of the lines. */
  lines: number[];
  line: number;
  width: number;
  x: Scale;
  row: number | null;
  marked: Marked | null;
  onRow: (row: number) => void;
}

/** The colour of a dot: along the ramp for numbers, one of a few for categories. */
export function colourOf(palette: Palette, column: Column | undefined, code: number): string {
  if (column?.kind === 'categorical' || column?.kind === 'text') {
    return code === 255 ? palette.ramp[255] : palette.kinds[Math.min(code, palette.kinds.length - 1)];
  }
  return palette.ramp[code];
}

export function SwarmCanvas({ swarm, columns, lines, line, width, x, row, marked, onRow }: Props): JSX.Element {
  const [canvas, setCanvas] = useState<HTMLCanvasElement | null>(null);
  const palette = usePalette(canvas);
  const over = useRef<HTMLCanvasElement>(null);
  const [under, setUnder] = useState<{ at: number; i: number; px: number; py: number } | null>(null);
  const points = useMemo(() => ({ rows: codes(swarm.rows, swarm), x: numbers(swarm.x, swarm), colour: codes(swarm.colour, swarm), offset: codes(swarm.offset, swarm) }), [swarm]);
  const n = points.rows.length;
  const height = lines.length * line + 2 * EDGE;
  // The lines the swarm has, at which of its columns they begin.
  const where = useMemo(() => lines.map(at => swarm.columns.indexOf(at)), [lines, swarm]);
  const chosen = useMemo(() => (marked === null ? null : new Set(marked.rows)), [marked]);
  const half = line / 2 - 3;
  const radius = n > 1500 ? 1.6 : n > 500 ? 2 : 2.6;
  const place = (of: number, slot: number, i: number): [number, number] => [x(points.x[of * n + i]), EDGE + (slot + 0.5) * line + (points.offset[of * n + i] / 127) * half];

  useEffect(() => {
    if (canvas === null || palette === null || width <= 0) {
      return;
    }
    const to = pen(canvas, width, height);
    if (to === null) {
      return;
    }
    to.strokeStyle = palette.line;
    where.forEach((_, slot) => {
      to.beginPath();
      to.moveTo(0, EDGE + (slot + 0.5) * line);
      to.lineTo(width, EDGE + (slot + 0.5) * line);
      to.stroke();
    });
    const full = new Dots(radius, 0.85);
    const faint = new Dots(radius, 0.16);
    where.forEach((of, slot) => {
      if (of < 0) {
        return;
      }
      const column = columns[lines[slot]];
      for (const front of chosen === null ? [true] : [false, true]) {
        for (let i = 0; i < n; i++) {
          if (chosen === null || chosen.has(points.rows[i]) === front) {
            const [px, py] = place(of, slot, i);
            (front ? full : faint).draw(to, px, py, colourOf(palette, column, points.colour[of * n + i]));
          }
        }
      }
    });
    to.strokeStyle = palette.quiet;
    to.beginPath();
    to.moveTo(Math.round(x(0)) + 0.5, EDGE - 4);
    to.lineTo(Math.round(x(0)) + 0.5, height - EDGE + 4);
    to.stroke();
    // `place` follows from what is listed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [canvas, palette, points, where, lines, columns, width, height, line, x, chosen]);

  // The row that is open, a ring in every line.
  useEffect(() => {
    const to = over.current && pen(over.current, width, height);
    const i = row === null ? -1 : points.rows.indexOf(row as never);
    if (!to || palette === null || i < 0) {
      return;
    }
    to.lineWidth = 2;
    to.strokeStyle = palette.text;
    where.forEach((of, slot) => {
      if (of >= 0) {
        const [px, py] = place(of, slot, i);
        to.beginPath();
        to.arc(px, py, radius + 2.6, 0, 2 * Math.PI);
        to.stroke();
      }
    });
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [palette, points, where, width, height, line, x, row]);

  const find = (e: React.MouseEvent): typeof under => {
    const frame = e.currentTarget.getBoundingClientRect();
    const [mx, my] = [e.clientX - frame.left, e.clientY - frame.top];
    const slot = Math.floor((my - EDGE) / line);
    const of = where[slot] ?? -1;
    let best = -1;
    let least = NEAR ** 2;
    for (let i = 0; of >= 0 && i < n; i++) {
      const [px, py] = place(of, slot, i);
      const d = (px - mx) ** 2 + (py - my) ** 2;
      if (d < least) {
        [best, least] = [i, d];
      }
    }
    if (best < 0) {
      return null;
    }
    const [px, py] = place(of, slot, best);
    return { at: lines[slot], i: best, px, py };
  };
  const told = under === null ? '' : `row ${count(points.rows[under.i])}: ${nameAt(columns, under.at)} ${signed(points.x[swarm.columns.indexOf(under.at) * n + under.i])}`;
  return (
    <div className="aiosw-ex-swarm" style={{ height }} data-can={under !== null || undefined} onMouseMove={e => setUnder(find(e))} onMouseLeave={() => setUnder(null)} onClick={e => { const f = find(e); if (f !== null) { onRow(points.rows[f.i]); } }}>
      <canvas ref={setCanvas} style={{ width, height }} role="img" aria-label={`Beeswarm: ${count(n)} rows in ${lines.length} columns, a dot's place is the contribution, its colour the value. ${n < swarm.of ? `A sample of ${count(swarm.of)} rows.` : ''}`} />
      <canvas ref={over} style={{ width, height }} aria-hidden="true" />
      <svg width={width} height={height} aria-hidden="true">
        <g className="aiosw-ex-axis">
          {ticks(x, 4, width - 4, number, Math.max(3, Math.floor(width / 80))).flatMap((t, i) => [14, height - 9].map(y => <text key={`${i} ${y}`} x={t.at} y={y} textAnchor={t.at < 20 ? 'start' : t.at > width - 20 ? 'end' : 'middle'}>{t.label}</text>))}
        </g>
        {under !== null && <circle className="aiosw-ex-under" cx={under.px} cy={under.py} r={radius + 3} />}
      </svg>
      {under !== null && <p className="aiosw-ex-tip" style={{ top: under.py + 12, ...(under.px > width / 2 ? { right: width - under.px + 8 } : { left: under.px + 8 }) }}>{told}</p>}
    </div>
  );
}
