// Generated from aios_workbench/widgets/tuning_protocol.py by `python -m aios_workbench.widgets.generate_ts`. Do not edit.

import type { Done } from './protocol';

export type Family = 'flat' | 'pq' | 'ivf' | 'hnsw' | 'nsg' | 'rabitq' | 'binary';
export type TuningStatus = 'running' | 'paused' | 'finished' | 'stopped' | 'failed';
export type System = 'milvus' | 'pgvector' | 'qdrant' | 'weaviate' | 'pinecone';

/** The task: fixed for a tuning. `fingerprint` names the vectors, the queries, `k` and the metric. */
export interface Problem {
  fingerprint: string;
  source: string;
  rows: number;
  dimensions: number;
  k: number;
  metric: 'l2' | 'ip' | 'cosine';
  tuning_queries: number;
  held_out_queries: number;
  queries_given: boolean;
  budget_seconds: number;
  threads: number;
  seed: number;
  machine: string;
  repairs: string[];
}

/** What an index has to hold. `recall` is recall@k; None means: not asked for. */
export interface Constraints {
  recall: number;
  latency_ms: number | null;
  memory_bytes: number | null;
  build_seconds: number | null;
}

/** Times of single queries as a histogram: `counts` in bins of equal width on a log scale, `low` to `high` ms. */
export interface Latency {
  low: number;
  high: number;
  counts: number[];
}

/** A measured point as it is drawn. Points of one `curve` share everything but `knob`, what is turned between searches; `setting` is its value. `part` marks a trial on fewer than all vectors: shown, never chosen. */
export interface TuningPoint {
  id: string;
  label: string;
  family: Family;
  codec: string;
  curve: string;
  knob: string | null;
  setting: number | null;
  recall: number;
  recall_low: number;
  recall_high: number;
  queries: number;
  qps: number;
  qps_low: number;
  qps_high: number;
  batch: number;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  latency: Latency | null;
  bytes_per_vector: number;
  build_seconds: number;
  vectors: number;
  part: boolean;
  at: number;
  verified: number | null;
  verified_low: number | null;
  verified_high: number | null;
}

/** What was not tried further, and why. `qps_at_best` is the optimistic prediction it was judged by. */
export interface Pruned {
  label: string;
  family: Family;
  reason: string;
  qps_at_best: number | null;
  at: number;
}

/** What a recall costs among the points measured: the answer of the slider. None: no point reaches it. */
export interface Cost {
  recall: number;
  point: string | null;
  qps: number | null;
  p95_ms: number | null;
  bytes_per_vector: number | null;
  slower: number | null;
}

/** The whole picture. `costs` are the slider's answers at round recalls, `name` the variable in the notebook. */
export interface TuningView {
  id: string;
  seq: number;
  now: number;
  name: string;
  problem: Problem;
  constraints: Constraints;
  status: TuningStatus;
  phase: string;
  doing: string;
  elapsed: number;
  points: TuningPoint[];
  pruned: Pruned[];
  front: string[];
  chosen: string | null;
  picked_by_hand: boolean;
  costs: Cost[];
  notes: string[];
  error: string | null;
}

/** All that came or changed since the view with `seq == base`: points and what was pruned are appended. A point whose id is known takes the known one's place. `front`, `costs` and `notes` are null when they are the same. */
export interface TuningPatch {
  base: number;
  seq: number;
  now: number;
  constraints: Constraints;
  status: TuningStatus;
  phase: string;
  doing: string;
  elapsed: number;
  points: TuningPoint[];
  pruned: Pruned[];
  front: string[] | null;
  chosen: string | null;
  picked_by_hand: boolean;
  costs: Cost[] | null;
  notes: string[] | null;
  error: string | null;
}

/** A row near a query. `distance`: smaller is nearer, whatever the metric. */
export interface Neighbour {
  id: string;
  distance: number;
  text: string;
  hit: boolean;
}

/** A query's neighbours, exact beside approximate. */
export interface Explored {
  query: string;
  exact: Neighbour[];
  approximate: Neighbour[];
  recall: number;
  scanned: number | null;
  milliseconds: number | null;
}

/** A query that the chosen point answers badly. */
export interface HardQuery {
  query: number;
  label: string;
  recall: number;
  missed: number;
}

/** Queries that are answered badly, the worst first. */
export interface HardQueries {
  queries: HardQuery[];
}

/** Source to copy. */
export interface Snippet {
  code: string;
}

/** Parameters for another system, as text to copy, and what they leave out. */
export interface Exported {
  system: System;
  text: string;
  notes: string[];
}

/** Stop, pause or go on. */
export interface Control {
  id: number;
  kind: 'control';
  action: 'stop' | 'pause' | 'resume';
}

/** Take this point, whatever the constraints say; without one the constraints decide again. */
export interface Choose {
  id: number;
  kind: 'choose';
  point?: string | null;
}

/** Other constraints: the choice follows from what was measured. */
export interface Constrain {
  id: number;
  kind: 'constrain';
  constraints: Constraints;
}

/** What would this recall cost? Answered by a `Cost`, without a search. */
export interface AskCost {
  id: number;
  kind: 'cost';
  recall: number;
}

/** The neighbours of a query, exact beside approximate: a text to embed, or a row of the query set. */
export interface Explore {
  id: number;
  kind: 'explore';
  row?: number | null;
  text?: string | null;
  k?: number | null;
  point?: string | null;
}

/** The queries a point answers worst; answered by `HardQueries`. */
export interface AskHard {
  id: number;
  kind: 'hard';
  point?: string | null;
  n?: number;
}

/** Python for a point: to take it from this tuning (`use`), or to build it without us (`build`). */
export interface AskCode {
  id: number;
  kind: 'code';
  what: 'use' | 'build';
  point?: string | null;
}

/** A point's parameters as another system wants them; answered by `Exported`. */
export interface AskExport {
  id: number;
  kind: 'export';
  system: System;
  point?: string | null;
}

export type TuningQuestion = Control | Choose | Constrain | AskCost | Explore | AskHard | AskCode | AskExport;

/** What each kind of request is answered with. */
export interface TuningAnswers {
  control: Done;
  choose: Done;
  constrain: Done;
  cost: Cost;
  explore: Explored;
  hard: HardQueries;
  code: Snippet;
  export: Exported;
}
