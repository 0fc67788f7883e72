// Generated from aios_workbench/widgets/explain_protocol.py by `python -m aios_workbench.widgets.generate_ts`. Do not edit.

import type { Done, Preview } from './protocol';

export type Level = 'ok' | 'warn' | 'fail' | 'skipped';
export type CheckName = 'additivity' | 'precision' | 'local_fit' | 'stability' | 'agreement' | 'background' | 'correlation' | 'outside' | 'accelerator' | 'grouping';
export type ColumnKind = 'numeric' | 'categorical' | 'boolean' | 'datetime' | 'text';
export type Scale = 'probability' | 'log-odds' | 'value' | 'score';
export type Picture = 'overview' | 'importance' | 'beeswarm' | 'waterfall' | 'force' | 'compare' | 'dependence' | 'agreement' | 'interactions';
export type Text = 'code' | 'html' | 'json' | 'svg' | 'png' | 'card';
export type AxisOf = 'value' | 'shap' | 'lime' | 'prediction' | 'surprise' | 'agreement' | 'outside' | 'first' | 'second';

/** A column as the user has it, before any encoding. Of a numeric one `low`, `high` are the background's smallest and largest value, `quantiles` those at 0.05, 0.25, 0.5, 0.75, 0.95; a datetime in seconds since 1970. `values` are a categorical one's, the most frequent first; `more` counts those that are left out. `whole`: only whole numbers occur. `correlated` are columns that carry the same information (|rank correlation| or association of 0.7 and more), so that credit between them is arbitrary. */
export interface Column {
  name: string;
  kind: 'numeric' | 'categorical' | 'boolean' | 'datetime' | 'text';
  low: number | null;
  high: number | null;
  quantiles: number[] | null;
  values: string[];
  more: number;
  whole: boolean;
  nulls: number;
  correlated: string[];
}

/** Which model; `fingerprint` changes when the model does, None where that cannot be told. */
export interface ModelInfo {
  type: string;
  title: string;
  uri: string | null;
  fingerprint: string | null;
  steps: string[];
}

/** How Shapley values were computed and what it cost. `evaluations` are rows predicted, `calls` calls of the model. `why` is a sentence: why this explainer and not another. `background` rows were used; `summarised` says how they were chosen from more. `exact`: no sampling error. */
export interface MethodInfo {
  name: 'tree_path_dependent' | 'tree_interventional' | 'linear' | 'exact' | 'sampling' | 'permutation' | 'kernel' | 'partition';
  title: string;
  why: string;
  exact: boolean;
  background: number;
  summarised: string;
  evaluations: number;
  calls: number;
  seconds: number;
  stopped: 'done' | 'tolerance' | 'budget' | 'cancelled';
  tolerance: number | null;
  accelerator: string | null;
  versions: Record<string, string>;
  notes: string[];
}

/** How LIME was run: `samples` a row, over `seeds`; `stability`: mean Jaccard overlap of the top `top` columns. */
export interface LimeInfo {
  rows: number;
  samples: number;
  seeds: number[];
  discretized: boolean;
  kernel_width: number;
  r2: number | null;
  stability: number | null;
  top: number;
  evaluations: number;
  calls: number;
  seconds: number;
  stopped: 'done' | 'tolerance' | 'budget' | 'cancelled';
  notes: string[];
}

/** One thing that can be wrong with an explanation, measured. `rows` are positions in the explained rows. */
export interface Check {
  name: 'additivity' | 'precision' | 'local_fit' | 'stability' | 'agreement' | 'background' | 'correlation' | 'outside' | 'accelerator' | 'grouping';
  title: string;
  level: 'ok' | 'warn' | 'fail' | 'skipped';
  value: number | null;
  threshold: number | null;
  words: string;
  columns: string[];
  rows: number[];
}

/** How far SHAP and LIME agree over the rows both explained: medians, and the rows that agree least, worst first. `rank` is Spearman's correlation of absolute contributions, `overlap` the share of the top `k` columns in common, `sign` the share of SHAP's top `k` columns whose LIME contribution has the same sign. */
export interface Agreement {
  rows: number;
  k: number;
  rank: number | null;
  overlap: number | null;
  sign: number | null;
  worst: number[];
}

/** Numbers as bytes, little-endian: codes from 0 to `top` stand for numbers from `low` to `high`, evenly. `i8` runs from -127 to 127, `u32` are numbers themselves (`top` 0). `missing` is the code of what is no number. */
export interface Packed {
  dtype: 'u8' | 'i8' | 'u16' | 'u32';
  length: number;
  low: number;
  high: number;
  top: number;
  missing: number | null;
  base64: string | null;
  buffer: number | null;
}

/** How much a column counts over all rows: mean absolute contribution by SHAP and by LIME, standard errors. */
export interface ImportanceBar {
  at: number;
  value: number;
  error: number | null;
  signed: number;
  lime: number | null;
  lime_error: number | null;
  lime_rank: number | null;
}

/** An output as a whole; the most important column first. */
export interface GlobalPage {
  output: number;
  base: number;
  importance: ImportanceBar[];
  agreement: Agreement | null;
}

/** A beeswarm: for each of `columns` a point for each of `rows`, so `columns` x `rows` points, column by column. `x` is the contribution, one scale for all columns. `colour` is the column's value: of a number 0 to 254 from its 5 % to its 95 % quantile, of a category its place in `Column.values` (254: another); 255: none. `offset`, from -127 to 127, is how far from the middle of its line a point lies so that none hides another. `of` rows there are. */
export interface Swarm {
  output: number;
  columns: number[];
  of: number;
  rows: Packed;
  x: Packed;
  colour: Packed;
  offset: Packed;
}

/** A column's part in a row's prediction; `value` as text, `number` where it is one. Errors are standard errors. */
export interface Bar {
  at: number;
  value: string;
  number: number | null;
  shap: number;
  error: number | null;
  lime: number | null;
  lime_error: number | null;
  agrees: boolean | null;
}

/** A piece of a text, in its order, white space included; `shap` is None of what was not explained. */
export interface Token {
  text: string;
  shap: number | null;
  error: number | null;
  lime: number | null;
  agrees: boolean | null;
}

/** One row taken apart: `base`, all bars and `rest` make `prediction` (up to `gap`); the largest first. `rest` sums the columns that have no bar of their own (`left` of them). `values` are the row's, one for each column, for what-if; none where raw rows are not at hand. `image` is a data URI: the picture with what counts marked. */
export interface RowPage {
  row: number;
  label: string;
  output: number;
  base: number;
  prediction: number;
  gap: number;
  probabilities: Record<string, number>;
  bars: Bar[];
  rest: number;
  left: number;
  lime_r2: number | null;
  lime_intercept: number | null;
  stability: number | null;
  outside: number | null;
  agreement: number | null;
  surprise: number | null;
  values: (boolean | number | string | null)[];
  tokens: Token[];
  image: string | null;
  notes: string[];
}

/** A row in the table of rows; `cells` are its values in the columns of the page. */
export interface RowLine {
  row: number;
  label: string;
  prediction: number;
  surprise: number | null;
  agreement: number | null;
  outside: number | null;
  cells: (boolean | number | string | null)[];
}

/** Some of the rows: from `offset`, of `total` that were found. `columns` are those shown. */
export interface RowsPage {
  output: number;
  offset: number;
  total: number;
  columns: number[];
  lines: RowLine[];
}

/** What is shown along an axis, or as colour: of a column, or of the row as a whole (`column` is None then). */
export interface Axis {
  of: 'value' | 'shap' | 'lime' | 'prediction' | 'surprise' | 'agreement' | 'outside' | 'first' | 'second';
  column: number | null;
}

/** An axis as it is labelled. Of a categorical one the numbers are places in `values`, from 0. */
export interface AxisInfo {
  of: 'value' | 'shap' | 'lime' | 'prediction' | 'surprise' | 'agreement' | 'outside' | 'first' | 'second';
  column: number | null;
  title: string;
  kind: 'numeric' | 'categorical' | 'boolean' | 'datetime' | 'text';
  values: string[];
}

/** A point for each of `rows`. A number that is missing has the code `missing`; such a point lies at the axis. */
export interface Scatter {
  output: number;
  of: number;
  x_axis: AxisInfo;
  y_axis: AxisInfo;
  colour_axis: AxisInfo | null;
  rows: Packed;
  x: Packed;
  y: Packed;
  colour: Packed | null;
}

/** A place on a curve with its 95 % interval; `x` is a place in the axis's values where it is categorical. */
export interface CurvePoint {
  x: number;
  y: number;
  low: number | null;
  high: number | null;
  n: number;
}

/** How a column's contribution depends on its value; `curve` is the mean. `why` this colour and not another. */
export interface DependencePage {
  scatter: Scatter;
  curve: CurvePoint[];
  candidates: number[];
  why: string;
  notes: string[];
}

/** What is predicted on average when a column is set to `x` in all rows (PDP), and for single rows (ICE). */
export interface EffectPage {
  output: number;
  axis: AxisInfo;
  curve: CurvePoint[];
  lines: ((number | null)[])[];
  rows: number[];
  notes: string[];
}

/** Mean absolute interaction of pairs: `strength[i][j]` of `columns[i]` and `columns[j]`; [i][i]: main effects. */
export interface InteractionsPage {
  output: number;
  columns: number[];
  strength: ((number | null)[])[];
  errors: ((number | null)[])[];
  rows: number;
  method: string;
  exact: boolean;
  seconds: number;
  stopped: 'done' | 'tolerance' | 'budget' | 'cancelled';
  notes: string[];
}

/** Rows that are looked at together: those named, those of a value or a range (to below `high`), or all others. */
export interface Cohort {
  name: string;
  rows: number[] | null;
  column: number | null;
  value: string | null;
  low: number | null;
  high: number | null;
}

/** A cohort that was found: how many rows, and what is predicted for them on average, with a 95 % interval. */
export interface CohortInfo {
  name: string;
  rows: number;
  prediction: number;
  low: number | null;
  high: number | null;
}

/** A column's part in the difference of two cohorts (a minus b), with a 95 % interval; `clear`: it excludes 0. */
export interface Difference {
  at: number;
  a: number;
  b: number;
  difference: number;
  low: number | null;
  high: number | null;
  clear: boolean | null;
  words: string;
}

/** Why these differ from those: the differences of all columns make the difference in predictions. */
export interface CohortsPage {
  output: number;
  a: CohortInfo;
  b: CohortInfo;
  differences: Difference[];
  summary: string;
  notes: string[];
}

/** A row with other values: predicted anew, and explained anew where that was asked (`after` is None else). */
export interface WhatIfPage {
  row: number;
  output: number;
  before: number;
  prediction: number;
  probabilities: Record<string, number>;
  after: RowPage | null;
  outside: number | null;
  seconds: number;
  notes: string[];
}

/** How far both agree on a column over the rows both explained; `sign`: share of rows with the same sign. */
export interface ColumnAgreement {
  at: number;
  rank: number | null;
  sign: number | null;
  shap: number;
  lime: number;
}

/** SHAP against LIME: a point for each column of each row both explained, the columns of `rows[i]` after another. `points` have one scale for both axes; point p is of `rows[p // len(columns)]` and `columns[p % len(columns)]`. */
export interface AgreementPage {
  output: number;
  agreement: Agreement | null;
  columns: number[];
  rows: Packed;
  shap: Packed;
  lime: Packed;
  by_column: ColumnAgreement[];
  worst: RowLine[];
}

/** A column with all of its values; the view has the most frequent ones only. */
export interface ColumnPage {
  column: Column;
}

/** Text to copy or to save as `file`; `base64` says that it is bytes in base64. */
export interface Written {
  what: 'code' | 'html' | 'json' | 'svg' | 'png' | 'card';
  text: string;
  file: string;
  mime: string;
  base64: boolean;
}

/** A picture that is to be in the model card. */
export interface Pinned {
  picture: 'overview' | 'importance' | 'beeswarm' | 'waterfall' | 'force' | 'compare' | 'dependence' | 'agreement' | 'interactions';
  title: string;
  output: number;
  row: number | null;
  column: number | null;
}

/** What the kernel can do with this explanation; `why` says what is missing. `model`: what-if, effects and counterfactuals; `values`: the rows' own values; `lime`: there is a second opinion. */
export interface Offers {
  model: boolean;
  values: boolean;
  lime: boolean;
  interactions: boolean;
  why: string;
}

/** The whole picture. `name` is the variable in the notebook, `unit` the scale in words ("probability of yes"). */
export interface ExplainView {
  id: string;
  seq: number;
  name: string;
  title: string;
  created_at: number;
  subject: 'tabular' | 'text' | 'image';
  task: 'binary' | 'multiclass' | 'regression' | 'anomaly';
  scale: 'probability' | 'log-odds' | 'value' | 'score';
  unit: string;
  outputs: string[];
  output: number;
  rows: number;
  columns: Column[];
  model: ModelInfo;
  method: MethodInfo;
  lime: LimeInfo | null;
  summary: string;
  checks: Check[];
  page: GlobalPage;
  swarm: Swarm | null;
  scatter: Scatter | null;
  pages: RowPage[];
  pinned: Pinned[];
  offers: Offers;
  notes: string[];
  seconds: number;
  cached: boolean;
}

/** What differs from the view with `seq == base`. */
export interface ExplainPatch {
  base: number;
  seq: number;
  pinned: Pinned[];
}

/** Another output as a whole; answered by a `GlobalPage`. */
export interface AskGlobal {
  id: number;
  output?: number | null;
  kind: 'global';
}

/** A beeswarm of the most important columns (or of `columns`), with at most so many points in all. */
export interface AskSwarm {
  id: number;
  output?: number | null;
  kind: 'swarm';
  top?: number;
  columns?: number[] | null;
  points?: number;
}

/** One row taken apart; bars of `most` columns. */
export interface AskRow {
  id: number;
  output?: number | null;
  kind: 'row';
  row: number;
  most?: number;
}

/** Rows for the picker: those with `search` in a value or in the label, of `among` alone where that is given. */
export interface AskRows {
  id: number;
  output?: number | null;
  kind: 'rows';
  offset?: number;
  limit?: number;
  order?: 'row' | 'label' | 'prediction' | 'surprise' | 'agreement' | 'outside' | 'value' | 'shap';
  column?: number | null;
  descending?: boolean;
  search?: string;
  among?: number[] | null;
}

/** A point for each row; default: predictions over the direction in which explanations differ most. */
export interface AskScatter {
  id: number;
  output?: number | null;
  kind: 'scatter';
  x?: Axis;
  y?: Axis;
  colour?: Axis | null;
  points?: number;
}

/** How a column's contribution depends on its value; `colour` None: the column it interacts with most. */
export interface AskDependence {
  id: number;
  output?: number | null;
  kind: 'dependence';
  column: number;
  colour?: number | null;
  points?: number;
}

/** What is predicted when a column is set to one value after another; asks the model. */
export interface AskEffect {
  id: number;
  output?: number | null;
  kind: 'effect';
  column: number;
  lines?: number;
}

/** Interactions of the most important columns; may ask the model for long. */
export interface AskInteractions {
  id: number;
  output?: number | null;
  kind: 'interactions';
  top?: number;
}

/** Why do these differ from those; `b` None: from all others. */
export interface AskCohorts {
  id: number;
  output?: number | null;
  kind: 'cohorts';
  a: Cohort;
  b?: Cohort | null;
}

/** A row with other values, by column's place; a newer one of the same widget ends this one. `explain` False: only predicted, at once. `seconds`: the longest that explaining may take. */
export interface AskWhatIf {
  id: number;
  output?: number | null;
  kind: 'what_if';
  row: number;
  changes: Record<string, boolean | number | string | null>;
  explain?: boolean;
  lime?: boolean;
  seconds?: number;
  most?: number;
}

/** SHAP against LIME; at most so many points. */
export interface AskAgreement {
  id: number;
  output?: number | null;
  kind: 'agreement';
  points?: number;
}

/** A column with all of its values. */
export interface AskColumn {
  id: number;
  output?: number | null;
  kind: 'column';
  column: number;
}

/** The nearest rows that would be predicted otherwise; `target`: a class or a number, None: the other side. */
export interface AskCounterfactual {
  id: number;
  output?: number | null;
  kind: 'counterfactual';
  row: number;
  target?: string | number | null;
  immutable?: number[];
}

/** Rows that are like this one and are explained alike. */
export interface AskPrototypes {
  id: number;
  output?: number | null;
  kind: 'prototypes';
  row: number;
  n?: number;
}

/** Code, a picture, the page, the data or the model card; `raw`: with single rows' values. */
export interface AskText {
  id: number;
  output?: number | null;
  kind: 'text';
  what: 'code' | 'html' | 'json' | 'svg' | 'png' | 'card';
  picture?: 'overview' | 'importance' | 'beeswarm' | 'waterfall' | 'force' | 'compare' | 'dependence' | 'agreement' | 'interactions';
  row?: number | null;
  column?: number | null;
  dark?: boolean;
  raw?: boolean;
}

/** Put a picture into the model card, or take it out again. */
export interface Pin {
  id: number;
  output?: number | null;
  kind: 'pin';
  picture: 'overview' | 'importance' | 'beeswarm' | 'waterfall' | 'force' | 'compare' | 'dependence' | 'agreement' | 'interactions';
  row?: number | null;
  column?: number | null;
  remove?: boolean;
}

export type ExplainQuestion = AskGlobal | AskSwarm | AskRow | AskRows | AskScatter | AskDependence | AskEffect | AskInteractions | AskCohorts | AskWhatIf | AskAgreement | AskColumn | AskCounterfactual | AskPrototypes | AskText | Pin;

/** What each kind of request is answered with. */
export interface ExplainAnswers {
  global: GlobalPage;
  swarm: Swarm;
  row: RowPage;
  rows: RowsPage;
  scatter: Scatter;
  dependence: DependencePage;
  effect: EffectPage;
  interactions: InteractionsPage;
  cohorts: CohortsPage;
  what_if: WhatIfPage;
  agreement: AgreementPage;
  column: ColumnPage;
  counterfactual: Preview;
  prototypes: Preview;
  text: Written;
  pin: Done;
}
