// What every part of the explanation's screen is given.
import type { ExplainAnswers, ExplainQuestion, ExplainView } from '../../explain_protocol';
import type { Asks, Host } from '../host';

export type ExplainHost = Host<Asks<ExplainQuestion, ExplainAnswers>>;

/** Rows that somebody marked in a picture, or that a list named. */
export interface Marked {
  rows: number[];
  words: string;
}

/** What is looked at; every part shows the same. */
export interface Looked {
  view: ExplainView;
  host: ExplainHost;
  /** The place of the output looked at. */
  output: number;
  row: number | null;
  onRow: (row: number) => void;
  onColumn: (at: number) => void;
  marked: Marked | null;
  onMark: (marked: Marked | null) => void;
}
