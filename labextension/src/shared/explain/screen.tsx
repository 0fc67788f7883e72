// An explanation on one screen: what counts over all rows, one row taken apart by both methods, what if, and why so.
import { useCallback, useEffect, useMemo, useState } from 'react';

import type { ExplainView } from '../../explain_protocol';
import { Boundary } from '../inspector/boundary';
import { Trouble } from '../inspector/parts';
import { Tabs } from '../tabs';
import { AgreementView } from './agreement';
import { Checks } from './checks';
import { CohortsView } from './cohorts';
import { GlobalView } from './global';
import { Head } from './head';
import { InteractionsView } from './interactions';
import { LocalView } from './local';
import { MethodView } from './method';
import type { ExplainHost, Looked, Marked } from './types';
import { useFetch } from './use-ask';
import { WhatIfView } from './whatif';

const TABS = ['All rows', 'One row', 'What if', 'Interactions', 'Cohorts', 'Agreement', 'Method'] as const;
type Tab = (typeof TABS)[number];

interface Props {
  view: ExplainView;
  host: ExplainHost;
  /** Empty: somebody is there. */
  lost: string;
}

export function ExplainScreen({ view, host, lost }: Props): JSX.Element {
  // A text or an image is looked at one by one; a table as a whole first.
  const [tab, setTab] = useState<Tab>(view.subject === 'tabular' ? 'All rows' : 'One row');
  const [output, setOutput] = useState(view.output);
  const [row, setRow] = useState<number | null>(view.pages[0]?.row ?? (view.rows > 0 ? 0 : null));
  const [column, setColumn] = useState<number | null>(null);
  const [marked, onMark] = useState<Marked | null>(null);
  // Another explanation in the same cell.
  useEffect(() => {
    setOutput(view.output);
    setRow(view.pages[0]?.row ?? (view.rows > 0 ? 0 : null));
    setColumn(null);
    onMark(null);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only when it is another one
  }, [view.id]);
  const onRow = useCallback((next: number) => {
    setRow(next);
    setTab(now => (now === 'What if' ? now : 'One row'));
  }, []);
  const onColumn = useCallback((at: number) => {
    setColumn(at);
    setTab('All rows');
  }, []);
  const whole = useFetch(host, output === view.output ? null : ({ kind: 'global', output } as const), output === view.output ? view.page : null);
  const kept = output === view.output ? (view.pages.find(p => p.row === row && p.output === output) ?? null) : null;
  // What came with the notebook is enough only where nobody answers: the kernel has all columns.
  const enough = kept !== null && (!host.canAct || kept.left === 0);
  const asked = useFetch(host, row === null ? null : ({ kind: 'row', row, output } as const), enough ? kept : null);
  const page = asked.data ?? kept;
  const looked = useMemo<Looked>(() => ({ view, host, output, row, onRow, onColumn, marked, onMark }), [view, host, output, row, onRow, onColumn, marked]);
  const shownPage = whole.data ?? view.page;
  const agreement = shownPage.agreement;
  const panel = (t: Tab, shown: boolean): JSX.Element => {
    switch (t) {
      case 'All rows':
        return <GlobalView looked={looked} page={shownPage} busy={whole.busy} column={column} onClose={() => setColumn(null)} />;
      case 'One row':
        return <LocalView looked={looked} asked={{ ...asked, data: page }} />;
      case 'What if':
        return <WhatIfView looked={looked} page={page} shown={shown} />;
      case 'Interactions':
        return <InteractionsView looked={looked} />;
      case 'Cohorts':
        return <CohortsView looked={looked} />;
      case 'Agreement':
        return <AgreementView looked={looked} agreement={agreement} />;
      default:
        return <MethodView view={view} agreement={agreement} />;
    }
  };
  return (
    <div className="aiosw aiosw-explain" data-place="cell">
      <Head looked={looked} onOutput={setOutput} busy={whole.busy} />
      {lost && <p className="aiosw-notice" data-tone="quiet" role="status">{lost}</p>}
      {whole.problem && <Trouble problem={whole.problem} again={whole.again} stale />}
      <Checks key={view.id} checks={view.checks} onRow={onRow} onMark={onMark} />
      <Tabs tabs={TABS} tab={tab} label="Parts of the explanation" onChoose={setTab} panel={(t, shown) => <Boundary what={t}>{panel(t, shown)}</Boundary>} />
    </div>
  );
}
