// Asking the kernel about a tuning from a part of the screen.
import type { TuningAnswers, TuningQuestion } from '../../tuning_protocol';
import { asker } from '../host';

export const useAsk = asker<TuningQuestion, TuningAnswers>();
