// Large graphs: edges and far-away boxes are painted on two canvases; only near boxes are elements.
import { useViewport } from '@xyflow/react';
import { useLayoutEffect, useRef } from 'react';

import { paintBoxes, paintEdges, type Sight } from './paint';
import type { Laid, Picture } from './picture';
import type { Labels } from './memory';

interface Props {
  picture: Picture;
  laid: Laid;
  width: number;
  height: number;
  /** Boxes are elements already: paint the edges only. */
  near: boolean;
  labels: Labels;
  found: ReadonlySet<string>;
  current: string | null;
}

export function GraphCanvas({ picture, laid, width, height, near, labels, found, current }: Props): JSX.Element {
  const { x, y, zoom } = useViewport();
  const lines = useRef<HTMLCanvasElement>(null);
  const boxes = useRef<HTMLCanvasElement>(null);
  const { byName, summaries, critical } = picture;
  const sight: Sight = { x, y, zoom, width, height };
  // The edges move with the viewport only, unless they are labelled; the boxes change with every state.
  const carrying = labels === 'none' ? null : byName;
  useLayoutEffect(() => {
    paintEdges(begin(lines.current, width, height), laid, sight, critical, carrying, labels);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `sight` is x, y, zoom, width, height
  }, [laid, x, y, zoom, width, height, critical, carrying, labels]);
  useLayoutEffect(() => {
    const context = begin(boxes.current, width, height);
    if (!near) {
      paintBoxes(context, laid, sight, byName, summaries, critical, found, current);
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [laid, byName, summaries, critical, found, current, x, y, zoom, near, width, height]);
  return (
    <>
      <canvas ref={lines} className="aiosw-canvas" style={{ width, height }} aria-hidden="true" />
      <canvas ref={boxes} className="aiosw-canvas" style={{ width, height }} aria-hidden="true" />
    </>
  );
}

export function begin(canvas: HTMLCanvasElement | null, width: number, height: number): CanvasRenderingContext2D | null {
  const context = canvas?.getContext('2d') ?? null;
  if (canvas && context) {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
  }
  return context;
}
