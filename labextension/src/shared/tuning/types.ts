// What every part of the tuning's screen is given.
import type { TuningAnswers, TuningQuestion } from '../../tuning_protocol';
import type { Asks, Host } from '../host';

export type TuningAsk = Asks<TuningQuestion, TuningAnswers>;
export type TuningHost = Host<TuningAsk>;

export interface Brush {
  /** Recall, from and to. */
  recall: [number, number];
  /** Of the axis shown: queries a second, or milliseconds. */
  value: [number, number];
  axis: Axis;
}

export type Axis = 'qps' | 'p95_ms';
