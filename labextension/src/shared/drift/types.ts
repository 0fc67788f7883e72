// What every part of the drift report's screen is given.
import type { DriftAnswers, DriftQuestion, Slice } from '../../drift_protocol';
import type { Asks, Host } from '../host';

export type DriftAsk = Asks<DriftQuestion, DriftAnswers>;
export type DriftHost = Host<DriftAsk>;

/** Looks at some rows alone; null where that cannot be done. */
export type OnSlice = ((slice: Slice) => void) | null;
