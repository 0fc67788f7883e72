// Where the window on the graph is: fitted until somebody moves it, after that it never jumps.
import { useReactFlow } from '@xyflow/react';
import { useCallback, useLayoutEffect, useMemo, useRef, type MutableRefObject } from 'react';

import type { Memory } from './memory';
import type { Laid } from './picture';
import type { Box, Placed } from './scene';

const MOST_HEIGHT = { LR: 460, TB: 560 };
const LEAST_HEIGHT = 96;
const PADDING = 20;
export const LEAST_ZOOM = 0.01;

export interface View {
  x: number;
  y: number;
  zoom: number;
}

export interface Window {
  height: number;
  /** Where it begins. */
  first: View;
  fitAll: () => void;
  /** From now on the window stays where it is. */
  hold: () => void;
  /** Held by a person, or brought back from before. */
  held: MutableRefObject<boolean>;
  /** Puts a box into the middle, near enough to be read; a box in sight moves nothing unless `always`. */
  reveal: (box: Box, always?: boolean) => void;
  /** What stays where it is when the next layout comes. */
  pin: (id: string) => void;
}

export function useWindow(laid: Laid, width: number, memory: Memory | null): Window {
  const flow = useReactFlow();
  const { placed, direction } = laid;
  const held = useRef(memory?.viewport !== null && memory?.viewport !== undefined);
  const pinned = useRef<string | null>(null);
  const last = useRef<{ placed: Placed; width: number } | null>(null);

  const scale = Math.min(1, (width - 2 * PADDING) / Math.max(placed.width, 1));
  const size = held.current ? flow.getZoom() : scale;
  const wanted = Math.round(Math.min(MOST_HEIGHT[direction], Math.max(LEAST_HEIGHT, placed.height * size + 2 * PADDING)));
  const tall = useRef(memory?.viewport?.height ?? 0);
  // A held picture never gets lower: the page below would jump.
  const height = held.current ? Math.max(tall.current, wanted) : wanted;
  tall.current = height;

  const fit = useMemo(() => fitted(placed, width, height), [placed, width, height]);
  useLayoutEffect(() => {
    const before = last.current;
    last.current = { placed, width };
    if (!held.current) {
      void flow.setViewport(fit);
      return;
    }
    if (before === null || before.placed === placed) {
      return;
    }
    const view = flow.getViewport();
    const id = pinned.current !== null && placed.at.has(pinned.current) ? pinned.current : nearest(before.placed, placed, view, before.width, height);
    pinned.current = null;
    const [old, now] = [before.placed.at.get(id ?? ''), placed.at.get(id ?? '')];
    if (old && now) {
      void flow.setViewport({ x: view.x + (old.x - now.x) * view.zoom, y: view.y + (old.y - now.y) * view.zoom, zoom: view.zoom });
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `height` follows from `placed`
  }, [flow, fit, placed, width]);

  const hold = useCallback(() => {
    held.current = true;
  }, []);
  const fitAll = useCallback(() => {
    held.current = false;
    void flow.setViewport(fit);
  }, [flow, fit]);
  const reveal = useCallback(
    (box: Box, always = false) => {
      const { x, y, zoom } = flow.getViewport();
      const [left, top] = [box.x * zoom + x, box.y * zoom + y];
      const visible = left >= 0 && top >= 0 && left + box.width * zoom <= width && top + box.height * zoom <= height;
      if (always || !visible || zoom < 0.45) {
        held.current = true;
        void flow.setCenter(box.x + box.width / 2, box.y + box.height / 2, { zoom: always ? 1 : Math.max(zoom, 0.6) });
      }
    },
    [flow, width, height]
  );
  const pin = useCallback((id: string) => {
    pinned.current = id;
    held.current = true;
  }, []);
  const back = memory?.viewport;
  // The middle stays the middle, however wide the cell is now.
  const first = back ? { x: back.x + (width - back.width) / 2, y: back.y, zoom: back.zoom } : fit;
  return { height, first, fitAll, hold, held, reveal, pin };
}

/** The item of both layouts that was nearest to the middle of the window. */
function nearest(before: Placed, now: Placed, view: View, width: number, height: number): string | null {
  const [cx, cy] = [(width / 2 - view.x) / view.zoom, (height / 2 - view.y) / view.zoom];
  let best: string | null = null;
  let least = Infinity;
  before.at.forEach((b, id) => {
    if (now.at.has(id)) {
      const d = Math.hypot(b.x + b.width / 2 - cx, b.y + b.height / 2 - cy);
      if (d < least) {
        least = d;
        best = id;
      }
    }
  });
  return best;
}

function fitted(placed: Placed, width: number, height: number): View {
  const room = (size: number, of: number): number => (size - 2 * PADDING) / Math.max(of, 1);
  const zoom = Math.max(LEAST_ZOOM, Math.min(1, room(width, placed.width), room(height, placed.height)));
  return { x: (width - placed.width * zoom) / 2, y: (height - placed.height * zoom) / 2, zoom };
}

/** Names of the items in or near the window. */
export function inSight(placed: Placed, view: View, width: number, height: number): Set<string> {
  const found = new Set<string>();
  const margin = 260;
  const [left, top] = [-view.x / view.zoom - margin, -view.y / view.zoom - margin];
  const [right, bottom] = [left + width / view.zoom + 2 * margin, top + height / view.zoom + 2 * margin];
  placed.at.forEach((p, id) => {
    if (p.x + p.width > left && p.x < right && p.y + p.height > top && p.y < bottom) {
      found.add(id);
    }
  });
  return found;
}
