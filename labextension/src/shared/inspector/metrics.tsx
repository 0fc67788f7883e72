import { memo } from 'react';

import type { Metric } from '../../protocol';
import { figure } from '../format';

/** Units that are shown as a sign behind the figure: a share (0 to 1) and a percentage. */
const PERCENT = new Set(['%', 'share']);

export const Metrics = memo(function Metrics({ metrics }: { metrics: Metric[] }): JSX.Element | null {
  if (metrics.length === 0) {
    return null;
  }
  return (
    <dl className="aiosw-metrics" aria-label="Figures of this run">
      {metrics.map(m => (
        <div key={`${m.step}\u0001${m.name}`} title={`reported by ${m.step}`}>
          <dt>{m.name.replaceAll('_', ' ')}</dt>
          <dd>
            {shown(m)}
            {m.unit && !PERCENT.has(m.unit) && <small>{m.unit}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
});

function shown(m: Metric): string {
  if (m.value === null) {
    return m.text ?? '';
  }
  if (m.unit === 'share') {
    return `${figure(100 * m.value)} %`;
  }
  return m.unit === '%' ? `${figure(m.value)} %` : figure(m.value);
}
