// Numbers of a tuning as people read them.
import type { TuningPoint } from '../../tuning_protocol';
import { bytes, digits } from '../format';

export { digits };

/** As many digits as it takes to see how far from 1 it is. */
export function recallText(recall: number): string {
  return recall.toFixed(recall > 0.99 ? 4 : 3);
}

export function ms(value: number | null): string {
  return value === null ? '–' : `${digits(value)} ms`;
}

export function perVector(p: TuningPoint): string {
  return `${digits(p.bytes_per_vector)} B a vector`;
}

export function memory(p: TuningPoint, rows: number): string {
  return bytes(p.bytes_per_vector * rows);
}

export function seconds(value: number): string {
  return value < 60 ? `${digits(value)} s` : `${digits(value / 60)} min`;
}

/** A point in one line, for tooltips and for those who hear it. */
export function inWords(p: TuningPoint): string {
  return [
    p.label,
    `recall ${recallText(p.recall)}, ${recallText(p.recall_low)} to ${recallText(p.recall_high)}`,
    `${digits(p.qps)} queries a second`,
    p.p95_ms === null ? '' : `p95 ${ms(p.p95_ms)}`,
    perVector(p),
    p.part ? `a trial on ${p.vectors.toLocaleString('en')} vectors` : ''
  ].filter(Boolean).join('; ');
}
