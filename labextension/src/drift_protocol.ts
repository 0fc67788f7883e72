// Generated from aios_workbench/widgets/drift_protocol.py by `python -m aios_workbench.widgets.generate_ts`. Do not edit.

import type { Done, Preview } from './protocol';

export type Verdict = 'drifted' | 'small' | 'stable' | 'few' | 'skipped';
export type Kind = 'numeric' | 'categorical' | 'boolean' | 'datetime' | 'text' | 'embedding' | 'id';
export type Text = 'gate' | 'code' | 'contract' | 'html' | 'json';

/** A figure of how two columns differ; `low` and `high` hold it for certain, or at 95 % where it is of a sample. `rows` is how many rows of both sides it was computed from. `effect` is the value without what the noise of two samples of these sizes would show; only of those statistics by which a column can be drifted. */
export interface Statistic {
  value: number;
  effect: number | null;
  low: number | null;
  high: number | null;
  p_value: number | null;
  method: 'exact' | 'bounds' | 'sample';
  rows: number | null;
}

/** One side of a column in figures; `quantiles` at `LEVELS`, `top` the most frequent values. */
export interface Side {
  rows: number;
  nulls: number;
  infinite: number;
  distinct: number | null;
  distinct_exact: boolean;
  mean: number | null;
  std: number | null;
  minimum: number | null;
  maximum: number | null;
  quantiles: number[] | null;
}

/** Both sides in the same bins: shares of the rows that are neither null nor infinite. `edges` has one more entry. `atoms` are single values that many rows have; their shares are not in the bins. */
export interface Histogram {
  edges: number[];
  reference: number[];
  current: number[];
  atoms: number[];
  reference_atoms: number[];
  current_atoms: number[];
}

/** A value and how many rows have it; `rest` stands for all that are not shown. */
export interface Category {
  label: string;
  reference: number;
  current: number;
  rest: boolean;
}

/** The values of a column, the most frequent first; `new` and `gone` count those one side has alone. */
export interface Categories {
  values: Category[];
  new: number;
  gone: number;
  new_share: number;
  gone_share: number;
}

/** A column in one window of the current side, against the reference. */
export interface WindowDrift {
  window: string;
  rows: number;
  verdict: 'drifted' | 'small' | 'stable' | 'few' | 'skipped';
  effect: number | null;
  p_value: number | null;
  p_adjusted: number | null;
  null_share: number | null;
  median: number | null;
  statistics: Record<string, Statistic>;
}

/** How a column differs between reference and current. `effect` is the noise-corrected size that `rules` compare, `effect_of` the statistic it was made from, `threshold` what it is compared with. `parts` are what a text or an embedding is compared by (its length, its words …). */
export interface ColumnDrift {
  name: string;
  kind: 'numeric' | 'categorical' | 'boolean' | 'datetime' | 'text' | 'embedding' | 'id';
  role: 'feature' | 'target' | 'prediction' | 'score';
  verdict: 'drifted' | 'small' | 'stable' | 'few' | 'skipped';
  reasons: string[];
  test: 'psi' | 'jensenshannon' | 'ks' | 'wasserstein' | 'chisquare' | 'total_variation' | 'hellinger' | 'kl_div' | 'anderson' | 'cramer_von_mises' | 'cramers_v' | 'quantile_shift' | 'null_shift' | 'new_share' | 'mmd' | 'domain_auc' | 'chisquare_one_sample' | 'z' | null;
  p_value: number | null;
  p_adjusted: number | null;
  effect: number | null;
  effect_of: 'psi' | 'jensenshannon' | 'ks' | 'wasserstein' | 'chisquare' | 'total_variation' | 'hellinger' | 'kl_div' | 'anderson' | 'cramer_von_mises' | 'cramers_v' | 'quantile_shift' | 'null_shift' | 'new_share' | 'mmd' | 'domain_auc' | 'chisquare_one_sample' | 'z' | null;
  threshold: number | null;
  statistics: Record<string, Statistic>;
  reference: Side | null;
  current: Side | null;
  histogram: Histogram | null;
  categories: Categories | null;
  windows: WindowDrift[];
  changepoint: string | null;
  parts: ColumnDrift[];
}

/** A change of what the data looks like, before any distribution is compared. `grave`: it makes the data drifted. */
export interface SchemaChange {
  column: string;
  change: 'missing' | 'new' | 'renamed' | 'type' | 'new_categories' | 'gone_categories' | 'nulls' | 'range' | 'duplicates' | 'cardinality' | 'constant' | 'empty';
  grave: boolean;
  words: string;
  reference: string | null;
  current: string | null;
}

/** How much a column tells the two sides apart. */
export interface Importance {
  column: string;
  importance: number;
}

/** Spearman's correlation of two columns on both sides. */
export interface CorrelationChange {
  a: string;
  b: string;
  reference: number;
  current: number;
  p_value: number;
  p_adjusted: number;
  verdict: 'drifted' | 'small' | 'stable' | 'few' | 'skipped';
}

/** How well a model tells current from reference rows: an area under the ROC curve of .5 means not at all. */
export interface DomainClassifier {
  auc: number;
  low: number;
  high: number;
  p_value: number;
  rows: number;
  verdict: 'drifted' | 'small' | 'stable' | 'few' | 'skipped';
  importances: Importance[];
}

/** Error of rows rebuilt from the reference's principal components, in the reference's standard deviations. From `low` to `high`: where the mean errors of chunks of the reference lie. */
export interface Reconstruction {
  components: number;
  reference: number;
  current: number;
  low: number | null;
  high: number | null;
  p_value: number;
  rows: number;
  verdict: 'drifted' | 'small' | 'stable' | 'few' | 'skipped';
}

/** Maximum mean discrepancy of an embedding column, with a permutation test. */
export interface Discrepancy {
  column: string;
  mmd: number;
  p_value: number;
  rows: number;
  verdict: 'drifted' | 'small' | 'stable' | 'few' | 'skipped';
  mean_shift: number | null;
}

/** What no column shows alone. */
export interface Multivariate {
  verdict: 'drifted' | 'small' | 'stable' | 'few' | 'skipped';
  reasons: string[];
  classifier: DomainClassifier | null;
  reconstruction: Reconstruction | null;
  embeddings: Discrepancy[];
  correlations: CorrelationChange[];
}

/** A figure of a model on some rows, with its 95 % interval. */
export interface Measured {
  value: number;
  low: number;
  high: number;
}

/** A model in one window: `measured` where labels are there, `estimated` (CBPE) where they are not. */
export interface PerformanceWindow {
  window: string;
  rows: number;
  labelled: number;
  measured: Record<string, Measured>;
  estimated: Record<string, Measured>;
  verdict: 'drifted' | 'small' | 'stable' | 'few' | 'skipped';
  reasons: string[];
}

/** A change point that a stream detector found in a model's errors: after `row` rows. */
export interface StreamAlarm {
  detector: string;
  row: number;
  window: string | null;
}

/** How a model does: on the reference, and window by window on the current side. `caveat` is always to be shown. */
export interface Performance {
  task: 'classification' | 'regression';
  metrics: string[];
  reference: PerformanceWindow;
  windows: PerformanceWindow[];
  verdict: 'drifted' | 'small' | 'stable' | 'few' | 'skipped';
  reasons: string[];
  alarms: StreamAlarm[];
  caveat: string;
}

/** What makes a column drifted. `honest`: p-value below `alpha` after correction for many columns (Benjamini-Hochberg), and a noise-corrected effect of at least `effect`. `evidently`: that library's own choice of test and threshold. Either way `columns` holds a person's own thresholds: ``{"income": {"psi": 0.2}}`` is drifted at a PSI of .2 or more, whatever else. The data is drifted when more than `max_share` of the compared columns are; None: when any is. */
export interface Rules {
  kind: 'honest' | 'evidently';
  alpha: number;
  effect: number;
  min_rows: number;
  max_share: number | null;
  in_a_row: number;
  columns: Record<string, Record<string, number>>;
}

/** Where one side came from; never a value of it. */
export interface SourceInfo {
  name: string;
  rows: number;
  columns: number;
  stored: boolean;
  first: string | null;
  last: string | null;
}

/** Both sides as small bars, 0 to 99 of the highest; `values` where a bar is a value, not a range. */
export interface Spark {
  reference: number[];
  current: number[];
  values: boolean;
}

/** A column in the table: what it is, how it is judged, and its main statistic. `trend` is its effect window by window, the last windows only; `marks` has a letter for each window's verdict: its first, and `-` for one that was skipped. */
export interface DriftRow {
  name: string;
  kind: 'numeric' | 'categorical' | 'boolean' | 'datetime' | 'text' | 'embedding' | 'id';
  role: 'feature' | 'target' | 'prediction' | 'score';
  verdict: 'drifted' | 'small' | 'stable' | 'few' | 'skipped';
  reasons: string[];
  p_adjusted: number | null;
  effect: number | null;
  effect_of: 'psi' | 'jensenshannon' | 'ks' | 'wasserstein' | 'chisquare' | 'total_variation' | 'hellinger' | 'kl_div' | 'anderson' | 'cramer_von_mises' | 'cramers_v' | 'quantile_shift' | 'null_shift' | 'new_share' | 'mmd' | 'domain_auc' | 'chisquare_one_sample' | 'z' | null;
  threshold: number | null;
  main: 'psi' | 'jensenshannon' | 'ks' | 'wasserstein' | 'chisquare' | 'total_variation' | 'hellinger' | 'kl_div' | 'anderson' | 'cramer_von_mises' | 'cramers_v' | 'quantile_shift' | 'null_shift' | 'new_share' | 'mmd' | 'domain_auc' | 'chisquare_one_sample' | 'z' | null;
  value: number | null;
  spark: Spark | null;
  nulls: number[];
  trend: (number | null)[];
  marks: string;
  changepoint: string | null;
}

/** Rows that are looked at alone: those with `value` in `column`, or with a number from `low` to below `high`. */
export interface Slice {
  column: string;
  value: string | null;
  low: number | null;
  high: number | null;
}

/** What the kernel can do with this report; `why` says what is missing. */
export interface Offers {
  slices: boolean;
  rows: boolean;
  multivariate: boolean;
  why: string;
}

/** The whole picture. `name` is the variable in the notebook, `windows` those of `trend`. */
export interface DriftView {
  id: string;
  seq: number;
  name: string;
  title: string;
  created_at: number;
  engine: string;
  reference: SourceInfo;
  current: SourceInfo;
  by: string | null;
  windows: string[];
  rules: Rules;
  defaults: Rules;
  drifted: boolean | null;
  summary: string;
  reasons: string[];
  rows: DriftRow[];
  schema_changes: SchemaChange[];
  multivariate: Multivariate | null;
  performance: Performance | null;
  slices: Slice[];
  offers: Offers;
  pages: Record<string, ColumnDrift>;
  notes: string[];
  seconds: number;
}

/** Another verdict on the row at this place. */
export interface Judged {
  at: number;
  verdict: 'drifted' | 'small' | 'stable' | 'few' | 'skipped';
  reasons: string[];
  p_adjusted: number | null;
  effect: number | null;
  threshold: number | null;
  main: 'psi' | 'jensenshannon' | 'ks' | 'wasserstein' | 'chisquare' | 'total_variation' | 'hellinger' | 'kl_div' | 'anderson' | 'cramer_von_mises' | 'cramers_v' | 'quantile_shift' | 'null_shift' | 'new_share' | 'mmd' | 'domain_auc' | 'chisquare_one_sample' | 'z' | null;
  value: number | null;
  marks: string;
}

/** All that differs from the view with `seq == base`. */
export interface DriftPatch {
  base: number;
  seq: number;
  rules: Rules;
  drifted: boolean | null;
  summary: string;
  reasons: string[];
  judged: Judged[];
  multivariate: Multivariate | null;
}

/** A column as the report has it now. */
export interface ColumnPage {
  column: ColumnDrift;
}

/** Text to copy or to save as `file`. */
export interface Written {
  what: 'gate' | 'code' | 'contract' | 'html' | 'json';
  text: string;
  file: string;
}

/** Everything about one column; answered by a `ColumnPage`. */
export interface AskColumn {
  id: number;
  kind: 'column';
  column: string;
}

/** Other rules: the verdicts follow from what was computed, no data is read. */
export interface Judge {
  id: number;
  kind: 'judge';
  rules: Rules;
}

/** Look at these rows alone, on both sides; none: at all. Reads the data. */
export interface TakeSlices {
  id: number;
  kind: 'slices';
  slices: Slice[];
}

/** The rows that moved most in a column; answered by a `Preview`. */
export interface AskMoved {
  id: number;
  kind: 'moved';
  column: string;
  n?: number;
}

/** Compute what no column shows alone; reads the data. */
export interface AskMultivariate {
  id: number;
  kind: 'multivariate';
}

/** Code, the contract, or the report as a file; answered by a `Written`. */
export interface AskText {
  id: number;
  kind: 'text';
  what: 'gate' | 'code' | 'contract' | 'html' | 'json';
}

export type DriftQuestion = AskColumn | Judge | TakeSlices | AskMoved | AskMultivariate | AskText;

/** What each kind of request is answered with. */
export interface DriftAnswers {
  column: ColumnPage;
  judge: Done;
  slices: Done;
  moved: Preview;
  multivariate: Done;
  text: Written;
}

/** What a person reads for a statistic. */
export const STATISTICS: Record<string, string> = { psi: 'PSI', jensenshannon: 'Jensen-Shannon distance', ks: 'Kolmogorov-Smirnov', wasserstein: 'Wasserstein distance / std', chisquare: 'chi-square', total_variation: 'total variation', hellinger: 'Hellinger distance', kl_div: 'Kullback-Leibler divergence', anderson: 'Anderson-Darling', cramer_von_mises: 'Cramér-von Mises', cramers_v: 'Cramér\'s V', quantile_shift: 'quantile shift', null_shift: 'null shift', new_share: 'share of new values', mmd: 'MMD', domain_auc: 'domain classifier AUC', chisquare_one_sample: 'one-sample chi-square', z: 'z test' };
