// The whole graph small, with the window on it; a click or a drag moves the window.
import { useReactFlow, useViewport } from '@xyflow/react';
import { useLayoutEffect, useRef } from 'react';

import { begin } from './canvas';
import { colour } from './paint';
import type { Laid, Picture } from './picture';
import type { Box } from './scene';

const [WIDE, HIGH, PAD] = [150, 92, 5];

interface Props {
  picture: Picture;
  laid: Laid;
  /** The window's size. */
  width: number;
  height: number;
  found: ReadonlySet<string>;
  onMove: () => void;
}

export function Minimap({ picture, laid, width, height, found, onMove }: Props): JSX.Element {
  const flow = useReactFlow();
  const view = useViewport();
  const boxes = useRef<HTMLCanvasElement>(null);
  const { placed, scene } = laid;
  const scale = Math.min((WIDE - 2 * PAD) / Math.max(placed.width, 1), (HIGH - 2 * PAD) / Math.max(placed.height, 1));
  const [left, top] = [(WIDE - placed.width * scale) / 2, (HIGH - placed.height * scale) / 2];
  const { byName, summaries } = picture;
  useLayoutEffect(() => {
    const context = begin(boxes.current, WIDE, HIGH);
    if (!context) {
      return;
    }
    const colours = new Map<string, string>();
    const of = (status: string): string => {
      const known = colours.get(status) ?? colour(context.canvas, `--aiosw-${status === 'skipped' ? 'pending' : status}`);
      colours.set(status, known);
      return known;
    };
    for (const item of scene.items) {
      const box = placed.at.get(item.id) as Box;
      const [x, y] = [left + box.x * scale, top + box.y * scale];
      const [w, h] = [Math.max(1, box.width * scale), Math.max(1, box.height * scale)];
      if (item.kind === 'frame') {
        context.strokeStyle = colour(context.canvas, '--aiosw-line1');
        context.strokeRect(x, y, w, h);
        continue;
      }
      const status = item.group ? summaries.get(item.id)?.worst : byName.get(item.id)?.status;
      context.fillStyle = of(status ?? 'pending');
      const quiet = status === 'pending' || status === 'skipped';
      context.globalAlpha = quiet ? 0.35 : status === 'succeeded' ? 0.6 : 1;
      context.fillRect(x, y, w, h);
      context.globalAlpha = 1;
      if (found.has(item.id)) {
        context.strokeStyle = colour(context.canvas, '--aiosw-found');
        context.strokeRect(x - 1, y - 1, w + 2, h + 2);
      }
    }
  }, [placed, scene, byName, summaries, found, left, top, scale]);

  const go = (e: React.PointerEvent<HTMLDivElement>): void => {
    const at = e.currentTarget.getBoundingClientRect();
    onMove();
    void flow.setCenter((e.clientX - at.left - left) / scale, (e.clientY - at.top - top) / scale, { zoom: view.zoom });
  };
  return (
    <div
      className="aiosw-minimap nopan nodrag nowheel"
      style={{ width: WIDE, height: HIGH }}
      aria-hidden="true"
      onPointerDown={e => {
        e.currentTarget.setPointerCapture(e.pointerId);
        go(e);
      }}
      onPointerMove={e => e.buttons > 0 && go(e)}
    >
      <canvas ref={boxes} style={{ width: WIDE, height: HIGH }} />
      <span
        className="aiosw-minimap-window"
        style={{
          left: left + (-view.x / view.zoom) * scale,
          top: top + (-view.y / view.zoom) * scale,
          width: (width / view.zoom) * scale,
          height: (height / view.zoom) * scale
        }}
      />
    </div>
  );
}
