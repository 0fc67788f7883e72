// A drift report on one screen: the verdict in words, then the columns, and what no column shows alone.
import { useCallback, useMemo, useState } from 'react';

import type { DriftView, Slice } from '../../drift_protocol';
import { Boundary } from '../inspector/boundary';
import { Nothing } from '../inspector/parts';
import { Tabs } from '../tabs';
import { Columns } from './columns';
import { Head } from './head';
import { MultivariateView } from './multivariate';
import { PerformanceView } from './performance';
import { counted } from './picture';
import { Quality } from './quality';
import { RulesForm } from './rules';
import { OverTime } from './time';
import type { DriftHost } from './types';
import { useAsk, useRules } from './use-ask';

const TABS = ['Columns', 'Data quality', 'Over time', 'Multivariate', 'Performance', 'Rules'] as const;
type Tab = (typeof TABS)[number];

interface Props {
  view: DriftView;
  host: DriftHost;
  /** Empty: somebody is there. */
  lost: string;
}

export function DriftScreen({ view, host, lost }: Props): JSX.Element {
  const [tab, setTab] = useState<Tab>('Columns');
  const [open, setOpen] = useState<string | null>(null);
  const slicing = useAsk(host, 'slices');
  const rejudging = useRules(view, host);
  const { offers, slices } = view;
  const counts = useMemo(() => counted(view.rows), [view.rows]);
  const { ask: slice } = slicing;
  const onSlices = useCallback((next: Slice[]) => void slice({ kind: 'slices', slices: next }), [slice]);
  const onSlice = host.canAct && offers.slices && !slicing.busy ? (s: Slice) => onSlices([...slices.filter(t => t.column !== s.column), s]) : null;
  const onOpen = useCallback((name: string) => {
    setOpen(name);
    setTab('Columns');
  }, []);
  const problem = slicing.problem ?? rejudging.problem;
  const later = view.rows.some(r => r.trend.length > 0);
  const panel = (t: Tab): JSX.Element => {
    switch (t) {
      case 'Columns':
        return view.rows.length === 0 ? (
          <Nothing title="No column to compare">{view.reference.rows === 0 || view.current.rows === 0 ? 'One of the sides has no rows.' : 'The two sides have no column in common.'}</Nothing>
        ) : (
          <Columns view={view} host={host} open={open} onOpen={setOpen} onSlice={onSlice} rejudging={rejudging} />
        );
      case 'Data quality':
        return <Quality view={view} onOpen={onOpen} />;
      case 'Over time':
        return later ? <OverTime view={view} onOpen={onOpen} /> : <Nothing title="No windows">Compare with <code>by="month"</code>, or another window, to see since when a column differs.</Nothing>;
      case 'Multivariate':
        return <MultivariateView view={view} host={host} />;
      case 'Performance':
        return <PerformanceView performance={view.performance} />;
      default:
        return <RulesForm view={view} host={host} rejudging={rejudging} />;
    }
  };
  return (
    <div className="aiosw aiosw-drift" data-place="cell" aria-busy={slicing.busy}>
      <Head view={view} host={host} busy={slicing.busy} onSlices={onSlices} />
      {lost && <p className="aiosw-notice" data-tone="quiet" role="status">{lost}</p>}
      {problem && <p className="aiosw-notice" data-tone="failed" role="alert">{problem.message}</p>}
      <Tabs
        tabs={TABS}
        tab={tab}
        label="Parts of the report"
        counts={{ Columns: view.rows.length, 'Data quality': view.schema_changes.length }}
        onChoose={setTab}
        panel={t => <Boundary what={t}>{panel(t)}</Boundary>}
      />
      <p className="aiosw-hidden" role="status">
        {`${view.summary}. ${counts.drifted} drifted, ${counts.small} small, ${counts.stable} stable.${slices.length ? ` ${slices.length} slices.` : ''}`}
      </p>
    </div>
  );
}
