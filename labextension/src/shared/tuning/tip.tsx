// What a point says when it is pointed at, beside it.
import { useLayoutEffect, useRef, useState } from 'react';

import type { TuningPoint } from '../../tuning_protocol';
import { FamilyMark } from './family';
import { digits, memory, ms, recallText, seconds } from './words';

interface Props {
  p: TuningPoint;
  x: number;
  y: number;
  width: number;
  height: number;
  rows: number;
}

/** Said to screen readers by the point itself: this is for eyes. */
export function Tip({ p, x, y, width, height, rows }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<[number, number]>([220, 120]);
  useLayoutEffect(() => {
    const el = box.current;
    if (el && (el.offsetWidth !== size[0] || el.offsetHeight !== size[1])) {
      setSize([el.offsetWidth, el.offsetHeight]);
    }
  }, [p, size]);
  const left = x + 16 + size[0] > width ? Math.max(0, x - 16 - size[0]) : x + 16;
  const top = Math.max(0, Math.min(height - size[1], y - size[1] / 2));
  return (
    <div className="aiosw-tun-tip" ref={box} aria-hidden="true" style={{ left, top }}>
      <p><FamilyMark family={p.family} /> <b>{p.label}</b></p>
      <dl>
        <div><dt>recall</dt><dd>{recallText(p.recall)} <small>{recallText(p.recall_low)} to {recallText(p.recall_high)}</small></dd></div>
        <div><dt>speed</dt><dd>{digits(p.qps)}/s <small>{digits(p.qps_low)} to {digits(p.qps_high)}</small></dd></div>
        {p.p95_ms !== null && <div><dt>p95</dt><dd>{ms(p.p95_ms)}</dd></div>}
        <div><dt>memory</dt><dd>{memory(p, rows)} <small>{digits(p.bytes_per_vector)} B a vector</small></dd></div>
        <div><dt>build</dt><dd>{seconds(p.build_seconds)}</dd></div>
      </dl>
      {p.part && <p className="aiosw-quiet">A trial on {p.vectors.toLocaleString('en')} vectors: not to choose.</p>}
    </div>
  );
}
