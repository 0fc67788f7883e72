// Where the boxes go: Sugiyama's method, level by level, so that an open group is a box of its own inside the others.
//
// One function with everything inside and nothing from outside: its text is also what the worker runs. A generator,
// so that a page without workers can do it in slices.
//
// Sources: K. Sugiyama, S. Tagawa, M. Toda, IEEE Trans. SMC 11(2), 1981; positions by isotonic regression (pool adjacent
// violators), which is the exact least-squares answer to "as near to your neighbours as the order allows".

/** Boxes by number; `parent` is the open group a box lies in, or -1. Boxes of open groups get their size from inside. */
export interface Plan {
  parent: number[];
  width: number[];
  height: number[];
  from: number[];
  to: number[];
  /** Left to right, otherwise top to bottom. */
  wide: boolean;
  /** Between layers. */
  gap: number;
}

export interface Arranged {
  x: number[];
  y: number[];
  width: number[];
  height: number[];
  /** Edge number -> x, y, x, y … of the middles of the lanes it takes through the layers between. */
  lanes: Record<number, number[]>;
  total: [number, number];
}

export function* arrange(plan: Plan): Generator<void, Arranged, void> {
  const SPACE = 18;
  const LANE = 14;
  /** Above this many boxes, or with a layer longer than that, layers become blocks of several columns. */
  const [MANY, LONG, MOST_LANES] = [400, plan.wide ? 26 : 6, 1500];
  const [HEAD, PAD, NARROWEST] = [34, 14, 190];
  const { parent, wide, gap } = plan;
  const n = parent.length;
  const x: number[] = new Array<number>(n).fill(0);
  const y: number[] = new Array<number>(n).fill(0);
  const width = plan.width.slice();
  const height = plan.height.slice();
  const lanes: Record<number, number[]> = {};

  const children = new Map<number, number[]>([[-1, []]]);
  const depth = new Array<number>(n).fill(0);
  for (let i = 0; i < n; i++) {
    // A group comes before what lies in it.
    depth[i] = parent[i] < 0 ? 0 : depth[parent[i]] + 1;
    const list = children.get(parent[i]);
    if (list) {
      list.push(i);
    } else {
      children.set(parent[i], [i]);
    }
  }
  // Each edge belongs to the level on which its two ends lie in different boxes.
  const edges = new Map<number, [number, number, number][]>();
  for (let e = 0; e < plan.from.length; e++) {
    let [a, b] = [plan.from[e], plan.to[e]];
    while (parent[a] !== parent[b]) {
      if (depth[a] >= depth[b]) {
        a = parent[a];
      } else {
        b = parent[b];
      }
    }
    if (a !== b) {
      const own = a === plan.from[e] && b === plan.to[e] ? e : -1;
      const list = edges.get(parent[a]);
      if (list) {
        list.push([a, b, own]);
      } else {
        edges.set(parent[a], [[a, b, own]]);
      }
    }
  }

  const across = (i: number): number => (wide ? height[i] : width[i]);
  const along = (i: number): number => (wide ? width[i] : height[i]);
  const put = (i: number, a: number, c: number): void => {
    x[i] = wide ? a : c;
    y[i] = wide ? c : a;
  };

  // Inner levels first: a group's size comes from what is in it.
  const levels = [...children.keys()].sort((a, b) => (b < 0 ? -1 : depth[b]) - (a < 0 ? -1 : depth[a]));
  let total: [number, number] = [0, 0];
  for (const level of levels) {
    const size = yield* place(children.get(level) as number[], edges.get(level) ?? []);
    const [w, h] = wide ? size : [size[1], size[0]];
    if (level < 0) {
      total = [w, h];
    } else {
      width[level] = Math.max(w + 2 * PAD, NARROWEST);
      height[level] = h + HEAD + PAD;
      const shift = (width[level] - w) / 2;
      for (const i of children.get(level) as number[]) {
        x[i] += shift;
        y[i] += HEAD;
      }
      for (const [, , e] of edges.get(level) ?? []) {
        if (lanes[e]) {
          lanes[e] = lanes[e].map((v, k) => v + (k % 2 ? HEAD : shift));
        }
      }
    }
  }
  for (let i = 0; i < n; i++) {
    if (parent[i] >= 0) {
      x[i] += x[parent[i]];
      y[i] += y[parent[i]];
    }
  }
  for (const level of levels) {
    if (level >= 0) {
      for (const [, , e] of edges.get(level) ?? []) {
        if (lanes[e]) {
          lanes[e] = lanes[e].map((v, k) => v + (k % 2 ? y[level] : x[level]));
        }
      }
    }
  }
  return { x, y, width, height, lanes, total };

  /** Places one level from (0, 0) on; returns its size along and across. */
  function* place(boxes: number[], links: [number, number, number][]): Generator<void, [number, number], void> {
    if (boxes.length === 0) {
      return [0, 0];
    }
    const rank = ranks(boxes, links);
    yield;
    const last = boxes.reduce((most, i) => Math.max(most, rank.get(i) as number), 0);
    const layers: number[][] = Array.from({ length: last + 1 }, () => []);
    boxes.forEach(i => layers[rank.get(i) as number].push(i));
    const longest = layers.reduce((most, l) => Math.max(most, l.length), 0);
    const forward = links.filter(([a, b]) => (rank.get(a) as number) < (rank.get(b) as number));
    const stand = forward.reduce((sum, [a, b]) => sum + (rank.get(b) as number) - (rank.get(a) as number) - 1, 0);
    const few = boxes.length <= MANY && longest <= LONG;

    // Stand-ins, numbered from n on, keep a lane free for an edge that crosses layers.
    const before = new Map<number, number[]>();
    const after = new Map<number, number[]>();
    const link = (a: number, b: number): void => {
      (after.get(a) ?? (after.set(a, []).get(a) as number[])).push(b);
      (before.get(b) ?? (before.set(b, []).get(b) as number[])).push(a);
    };
    const chain: [number, number[]][] = [];
    let next = n;
    const seen = new Set<string>();
    for (const [a, b, e] of forward) {
      if (e < 0 && seen.has(`${a} ${b}`)) {
        continue;
      }
      seen.add(`${a} ${b}`);
      let from = a;
      const own: number[] = [];
      for (let r = (rank.get(a) as number) + 1; few && stand <= MOST_LANES && r < (rank.get(b) as number); r++) {
        layers[r].push(next);
        own.push(next);
        link(from, next);
        from = next;
        next += 1;
      }
      link(from, b);
      if (e >= 0 && own.length) {
        chain.push([e, own]);
      }
    }
    yield* order(layers, before, after);
    if (!few) {
      return blocks(layers, boxes.length, rank, forward);
    }

    const sizeOf = (i: number): number => (i < n ? across(i) : LANE);
    const middle = yield* positions(layers, before, after, sizeOf);
    let low = Infinity;
    let high = -Infinity;
    middle.forEach((c, i) => {
      low = Math.min(low, c - sizeOf(i) / 2);
      high = Math.max(high, c + sizeOf(i) / 2);
    });
    let a = 0;
    const centre: number[] = [];
    layers.forEach((layer, r) => {
      const thick = layer.reduce((most, i) => (i < n ? Math.max(most, along(i)) : most), 0);
      for (const i of layer) {
        if (i < n) {
          put(i, a + (thick - along(i)) / 2, (middle.get(i) as number) - low - across(i) / 2);
        }
      }
      centre[r] = a + thick / 2;
      a += thick + gap;
    });
    for (const [e, own] of chain) {
      const from = rank.get(plan.from[e]) as number;
      lanes[e] = own.flatMap((s, k) => {
        const [p, q] = [centre[from + 1 + k], (middle.get(s) as number) - low];
        return wide ? [p, q] : [q, p];
      });
    }
    return [a - gap, high - low];
  }

  /** Longest path from the sources; an edge that closes a circle (groups may have them) does not count. */
  function ranks(boxes: number[], links: [number, number, number][]): Map<number, number> {
    const down = new Map<number, number[]>();
    const up = new Map<number, number>();
    links.forEach(([a, b]) => (down.get(a) ?? (down.set(a, []).get(a) as number[])).push(b));
    const found: number[] = [];
    const colour = new Map<number, number>();
    const back = new Set<string>();
    for (const start of boxes) {
      if (colour.has(start)) {
        continue;
      }
      const stack: [number, number][] = [[start, 0]];
      colour.set(start, 1);
      while (stack.length) {
        const top = stack[stack.length - 1];
        const to = down.get(top[0]);
        if (to === undefined || top[1] >= to.length) {
          colour.set(top[0], 2);
          found.push(top[0]);
          stack.pop();
          continue;
        }
        const b = to[top[1]++];
        if (colour.get(b) === 1) {
          back.add(`${top[0]} ${b}`);
        } else if (!colour.has(b)) {
          colour.set(b, 1);
          stack.push([b, 0]);
        }
      }
    }
    const rank = new Map<number, number>(boxes.map(i => [i, 0]));
    found.reverse();
    for (const a of found) {
      for (const b of down.get(a) ?? []) {
        if (!back.has(`${a} ${b}`)) {
          rank.set(b, Math.max(rank.get(b) as number, (rank.get(a) as number) + 1));
          up.set(b, 1);
        }
      }
    }
    // A source stands right before what first needs it, not far away at the beginning.
    for (const a of found) {
      if (!up.has(a)) {
        const near = (down.get(a) ?? []).filter(b => !back.has(`${a} ${b}`)).reduce((least, b) => Math.min(least, rank.get(b) as number), Infinity);
        if (Number.isFinite(near)) {
          rank.set(a, near - 1);
        }
      }
    }
    return rank;
  }

  /** Sorts each layer by the middles of its neighbours, forwards and backwards; keeps the order with fewest crossings. */
  function* order(layers: number[][], before: Map<number, number[]>, after: Map<number, number[]>): Generator<void, void, void> {
    const spot = new Map<number, number>();
    const number = (layer: number[]): void => layer.forEach((i, k) => spot.set(i, k / layer.length));
    layers.forEach(number);
    const small = layers.reduce((sum, l) => sum + l.length, 0) <= 600;
    let best = layers.map(l => l.slice());
    let fewest = small ? crossings(layers, after) : Infinity;
    for (let sweep = 0; sweep < (small ? 12 : 5) && fewest > 0; sweep++) {
      const forward = sweep % 2 === 0;
      const near = forward ? before : after;
      for (const layer of forward ? layers : layers.slice().reverse()) {
        const weight = new Map<number, number>();
        for (const i of layer) {
          const found = near.get(i);
          weight.set(i, found ? found.reduce((sum, m) => sum + (spot.get(m) as number), 0) / found.length : (spot.get(i) as number));
        }
        layer.sort((a, b) => (weight.get(a) as number) - (weight.get(b) as number));
        number(layer);
      }
      yield;
      if (small) {
        const now = crossings(layers, after);
        if (now < fewest) {
          fewest = now;
          best = layers.map(l => l.slice());
        }
      }
    }
    if (small) {
      best.forEach((l, r) => (layers[r] = l));
    }
  }

  function crossings(layers: number[][], after: Map<number, number[]>): number {
    let sum = 0;
    for (let r = 0; r + 1 < layers.length; r++) {
      const at = new Map(layers[r + 1].map((i, k) => [i, k]));
      const ends: number[] = [];
      for (const i of layers[r]) {
        const own = (after.get(i) ?? []).map(b => at.get(b)).filter(k => k !== undefined) as number[];
        ends.push(...own.sort((a, b) => a - b));
      }
      if (ends.length > 300) {
        continue;
      }
      for (let p = 0; p < ends.length; p++) {
        for (let q = p + 1; q < ends.length; q++) {
          sum += ends[p] > ends[q] ? 1 : 0;
        }
      }
    }
    return sum;
  }

  /** The middle of each box across the layers: in turn each layer goes as near to its neighbours as its order allows. */
  function* positions(
    layers: number[][], before: Map<number, number[]>, after: Map<number, number[]>, sizeOf: (i: number) => number
  ): Generator<void, Map<number, number>, void> {
    const middle = new Map<number, number>();
    for (const layer of layers) {
      const room = layer.reduce((sum, i) => sum + sizeOf(i) + SPACE, -SPACE);
      let c = -room / 2;
      for (const i of layer) {
        middle.set(i, c + sizeOf(i) / 2);
        c += sizeOf(i) + SPACE;
      }
    }
    for (let sweep = 0; sweep < 10; sweep++) {
      const forward = sweep % 2 === 0;
      for (const layer of forward ? layers : layers.slice().reverse()) {
        const offsets: number[] = [0];
        for (let k = 1; k < layer.length; k++) {
          offsets.push(offsets[k - 1] + (sizeOf(layer[k - 1]) + sizeOf(layer[k])) / 2 + SPACE);
        }
        const pools: { value: number; weight: number; count: number }[] = [];
        layer.forEach((i, k) => {
          const sides = sweep > 7 ? [before.get(i), after.get(i)] : [forward ? before.get(i) : after.get(i)];
          let [sum, weight] = [0, 0];
          for (const side of sides) {
            for (const m of side ?? []) {
              const w = i >= n || m >= n ? 3 : 1; // long edges stay straight
              sum += w * (middle.get(m) as number);
              weight += w;
            }
          }
          const want = weight ? sum / weight : (middle.get(i) as number);
          let pool = { value: want - offsets[k], weight: weight || 0.1, count: 1 };
          while (pools.length && pools[pools.length - 1].value > pool.value) {
            const p = pools.pop() as typeof pool;
            const w = p.weight + pool.weight;
            pool = { value: (p.value * p.weight + pool.value * pool.weight) / w, weight: w, count: p.count + pool.count };
          }
          pools.push(pool);
        });
        let k = 0;
        for (const pool of pools) {
          for (let j = 0; j < pool.count; j++, k++) {
            middle.set(layer[k], pool.value + offsets[k]);
          }
        }
      }
      yield;
    }
    return middle;
  }

  /** Layers as blocks of several columns, so that a fan-out of hundreds is no needle. */
  function blocks(
    layers: number[][], count: number, rank: Map<number, number>, forward: [number, number, number][]
  ): [number, number] {
    const every = layers.flat();
    const mean = every.reduce((sum, i) => sum + across(i) + SPACE, 0) / every.length;
    const rows = Math.max(wide ? 6 : 4, Math.ceil(Math.sqrt(count) * (wide ? 1.1 : 0.4)));
    const limit = every.reduce((most, i) => Math.max(most, across(i)), rows * mean);
    const bands: { items: number[]; tall: number; thick: number }[][] = layers.map(layer => {
      const whole = layer.reduce((sum, i) => sum + across(i) + SPACE, 0);
      const columns = Math.ceil(whole / limit);
      const out = Array.from({ length: columns }, () => ({ items: [] as number[], tall: 0, thick: 0 }));
      let c = 0;
      for (const i of layer) {
        const now = out[Math.min(columns - 1, Math.floor(((c + across(i) / 2) / whole) * columns))];
        c += across(i) + SPACE;
        now.items.push(i);
        now.tall += across(i) + SPACE;
        now.thick = Math.max(now.thick, along(i));
      }
      return out.filter(column => column.items.length);
    });
    const tallest = bands.flat().reduce((most, b) => Math.max(most, b.tall), 0);
    // Few edges between two layers need little room.
    const busy = new Map<number, number>();
    forward.forEach(([, b]) => busy.set(rank.get(b) as number, (busy.get(rank.get(b) as number) ?? 0) + 1));
    let a = 0;
    let least = Infinity;
    bands.forEach((band, r) => {
      a += r ? Math.min(40 + (busy.get(r) ?? 0), 160) : 0;
      // The columns of a block begin at one height: a grid, not brickwork.
      const top = (tallest - band.reduce((most, b) => Math.max(most, b.tall), 0)) / 2;
      band.forEach((column, k) => {
        let c = top;
        least = Math.min(least, c);
        a += k ? SPACE : 0;
        for (const i of column.items) {
          put(i, a + (column.thick - along(i)) / 2, c);
          c += across(i) + SPACE;
        }
        a += column.thick;
      });
    });
    every.forEach(i => put(i, wide ? x[i] : y[i], (wide ? y[i] : x[i]) - least));
    return [a, tallest - SPACE];
  }
}

/** The whole layout at once. */
export function arrangeNow(plan: Plan): Arranged {
  const work = arrange(plan);
  for (;;) {
    const step = work.next();
    if (step.done) {
      return step.value;
    }
  }
}
