// What the colours of points stand for.
import type { AxisInfo, Column } from '../../explain_protocol';
import { cellOf, valueOf } from './words';

const KINDS = 8;

export function ColourKey({ axis, column }: { axis: AxisInfo | null; column: Column | undefined }): JSX.Element | null {
  if (axis === null) {
    return null;
  }
  const values = axis.values.length > 0 ? axis.values : column?.kind === 'categorical' ? column.values : [];
  if (values.length > 0) {
    return (
      <span className="aiosw-ex-kinds">
        <b>{axis.title}</b>
        {values.slice(0, KINDS - 1).map((v, i) => <span key={i}><i style={{ background: `var(--ex-kind-${i})` }} />{cellOf(v)}</span>)}
        {(values.length > KINDS - 1 || (column?.more ?? 0) > 0) && <span><i style={{ background: `var(--ex-kind-${KINDS - 1})` }} />others</span>}
      </span>
    );
  }
  const [low, high] = [column?.quantiles?.[0] ?? column?.low, column?.quantiles?.[4] ?? column?.high];
  return (
    <span className="aiosw-ex-rampkey">
      <b>{axis.title}</b> <small>{column ? valueOf(column.kind, low) : 'low'}</small>
      <i className="aiosw-ex-ramp" />
      <small>{column ? valueOf(column.kind, high) : 'high'}</small>
    </span>
  );
}
