// A run on one page: what with, who, when, where, what it cost and gave, and where its time went.
import { useMemo, useState } from 'react';

import type { Environment, Fact, Overview, Rules } from '../../protocol';
import { CopyButton } from '../copy';
import { bytes, cell, duration, figure, moment } from '../format';
import { Await, Code, Facts, many, RunLink, Search, Section } from './parts';
import { TimeSplit } from './timesplit';
import type { Host } from './types';
import { useAnswer } from './use';

interface Props {
  host: Host;
  runId: string;
  onOpenStep: (step: string) => void;
  onCompare: (other: string) => void;
}

export function OverviewPage({ host, runId, onOpenStep, onCompare }: Props): JSX.Element {
  const answer = useAnswer(host, { kind: 'overview', run_id: runId }, runId);
  return (
    <Await of={answer} what="the overview">
      {o => (
        <div className="aiosw-overview">
          {o.error && o.status !== 'failed' && <p className="aiosw-error-title">{o.error}</p>}
          {o.message && <p className="aiosw-quiet">{o.message}</p>}
          <TimeSplit overview={o} />
          {o.kpis.length + o.metrics.length > 0 && (
            <div className="aiosw-columns">
              <Figures title="Business figures" facts={o.kpis} onOpenStep={onOpenStep} />
              <Figures title="Metrics" facts={o.metrics} onOpenStep={onOpenStep} />
            </div>
          )}
          <div className="aiosw-columns">
            <Section title="Run">
              <RunFacts o={o} />
            </Section>
            <Section title="Parameters">
              <Parameters params={o.params} />
            </Section>
            {o.cost.length > 0 && (
              <Section title="Cost">
                <Facts items={o.cost.map(f => ({ name: label(f), value: value(f), title: f.step ? `reported by ${f.step}` : undefined }))} />
              </Section>
            )}
            <Section title="Related runs">
              <Lineage o={o} host={host} onCompare={onCompare} />
            </Section>
            {o.rules.map(r => <RulesSection key={r.title} rules={r} onOpenStep={onOpenStep} />)}
          </div>
          <EnvironmentSection environment={o.environment} />
          <Code code={o.code} />
        </div>
      )}
    </Await>
  );
}

/** What the run was held to. The state is a word, too: colour alone tells nothing. */
function RulesSection({ rules, onOpenStep }: { rules: Rules; onOpenStep: (step: string) => void }): JSX.Element {
  return (
    <Section title={rules.title}>
      <ul className="aiosw-rules">
        {rules.lines.map((line, i) => (
          <li key={i} data-tone={line.tone || undefined}>
            <span className="aiosw-rule-name">
              {line.step === null ? line.name : <button type="button" className="aiosw-link" onClick={() => onOpenStep(line.step as string)}>{line.name}</button>}
            </span>
            <span>{line.text}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function RunFacts({ o }: { o: Overview }): JSX.Element {
  const steps = Object.entries(o.steps).filter(([, n]) => n > 0);
  return (
    <Facts
      items={[
        { name: 'started by', value: [o.user ?? 'unknown', o.source && `from ${o.source}`].filter(Boolean).join(', ') },
        { name: 'created', value: moment(o.created_at) },
        o.started_at !== null && { name: 'started', value: moment(o.started_at) },
        o.ended_at !== null && { name: 'ended', value: moment(o.ended_at) },
        o.duration !== null && { name: 'took', value: duration(o.duration) },
        o.notebook !== null && { name: 'notebook', value: o.notebook },
        o.job !== null && { name: 'job', value: o.job },
        o.cwd !== null && { name: 'folder', value: <code>{o.cwd}</code> },
        !!o.code_version && { name: 'code version', value: <Hash text={o.code_version} what="the code version" /> },
        steps.length > 0 && { name: 'steps', value: steps.map(([status, n]) => `${n} ${status}`).join(', ') },
        { name: 'written', value: bytes(o.bytes_written) },
        o.adoptions > 0 && { name: 'taken over', value: `${many(o.adoptions, 'time')}, after the process before was lost` }
      ]}
    />
  );
}

function Hash({ text, what }: { text: string; what: string }): JSX.Element {
  return (
    <span className="aiosw-inline">
      <code title={text}>{text.slice(0, 12)}</code>
      <CopyButton text={text} what={what} />
    </span>
  );
}

function Parameters({ params }: { params: Record<string, unknown> }): JSX.Element {
  const all = Object.entries(params);
  return all.length === 0 ? (
    <p className="aiosw-quiet">This workflow takes none.</p>
  ) : (
    <Facts items={all.map(([name, v]) => ({ name, value: <code className="aiosw-value">{v === null ? 'None' : cell(v)}</code> }))} />
  );
}

function label(f: Fact): string {
  return f.name.replaceAll('_', ' ');
}

function value(f: Fact): string {
  if (f.value === null) {
    return f.text ?? '';
  }
  const [n, unit] = f.unit === 'share' ? [100 * f.value, '%'] : [f.value, f.unit];
  return `${figure(n)}${unit ? ` ${unit}` : ''}`;
}

function Figures({ title, facts, onOpenStep }: { title: string; facts: Fact[]; onOpenStep: (step: string) => void }): JSX.Element | null {
  return facts.length === 0 ? null : (
    <Section title={title}>
      <ul className="aiosw-figures">
        {facts.map(f => (
          <li key={`${f.step ?? ''}\u0001${f.name}`}>
            <span className="aiosw-figure-name">{label(f)}</span>
            <b>{value(f)}</b>
            {f.step !== null && (
              <button type="button" className="aiosw-link" onClick={() => onOpenStep(f.step as string)}>{f.step}</button>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Lineage({ o, host, onCompare }: { o: Overview; host: Host; onCompare: (other: string) => void }): JSX.Element {
  const open = host.openRun && ((runId: string) => host.openRun?.(runId));
  const rows: { word: string; runId: string; note?: string }[] = [
    ...(o.parent_run_id ? [{ word: 'rerun of', runId: o.parent_run_id, note: o.rerun_from ? `from ${o.rerun_from}` : '' }] : []),
    ...(o.previous_run_id && o.previous_run_id !== o.parent_run_id ? [{ word: 'run before', runId: o.previous_run_id }] : []),
    ...o.children.map(runId => ({ word: 'rerun as', runId }))
  ];
  if (rows.length === 0) {
    return <p className="aiosw-quiet">No run came before this one, and none was made from it.</p>;
  }
  return (
    <ul className="aiosw-related">
      {rows.map(r => (
        <li key={`${r.word} ${r.runId}`}>
          <span className="aiosw-quiet">{r.word}</span>
          <span className="aiosw-related-run">
            <RunLink runId={r.runId} open={open} />
            {r.note && <span className="aiosw-quiet">{r.note}</span>}
          </span>
          <button type="button" className="aiosw-small" aria-label={`Compare with ${r.runId}`} onClick={() => onCompare(r.runId)}>Compare</button>
        </li>
      ))}
    </ul>
  );
}

const MOST_PACKAGES = 400;

function EnvironmentSection({ environment: e }: { environment: Environment | null }): JSX.Element {
  const [search, setSearch] = useState('');
  const [open, setOpen] = useState(false);
  const packages = useMemo(() => Object.entries(e?.packages ?? {}).sort(([a], [b]) => a.localeCompare(b)), [e]);
  const found = packages.filter(([name, version]) => `${name} ${version}`.toLowerCase().includes(search.trim().toLowerCase()));
  if (e === null) {
    return (
      <Section title="Environment">
        <p className="aiosw-quiet">It was not recorded for this run.</p>
      </Section>
    );
  }
  const machine = [e.cpus !== null && many(e.cpus, 'CPU'), e.memory_bytes !== null && `${bytes(e.memory_bytes)} memory`].filter(Boolean);
  return (
    <Section title="Environment">
      <Facts
        items={[
          { name: 'Python', value: e.python },
          { name: 'system', value: e.platform },
          { name: 'machine', value: [e.host, ...machine].filter(Boolean).join(', ') },
          !!e.executable && { name: 'interpreter', value: <code>{e.executable}</code> },
          e.git_commit !== null && {
            name: 'git',
            value: (
              <span className="aiosw-inline">
                {e.git_branch && <span>{e.git_branch}</span>}
                <Hash text={e.git_commit} what="the commit" />
                {e.git_dirty && <em className="aiosw-badge" data-tone="stale">with changes not committed</em>}
              </span>
            )
          },
          e.lock_hash !== null && { name: 'packages', value: <span className="aiosw-inline">{many(packages.length, 'package')}, together <Hash text={e.lock_hash} what="the hash of all packages" /></span> }
        ]}
      />
      {packages.length > 0 && (
        <>
          <div className="aiosw-tools">
            <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? 'Hide packages' : 'Show packages'}</button>
            {open && <Search value={search} onChange={setSearch} label="Search packages" />}
            {open && search && <span className="aiosw-quiet" role="status">{`${found.length} of ${packages.length}`}</span>}
          </div>
          {open && (
            <ul className="aiosw-packages" tabIndex={0} aria-label="Installed packages">
              {found.slice(0, MOST_PACKAGES).map(([name, version]) => (
                <li key={name}><span>{name}</span><code>{version}</code></li>
              ))}
              {found.length > MOST_PACKAGES && <li className="aiosw-quiet">{`and ${found.length - MOST_PACKAGES} more: search to find them`}</li>}
              {found.length === 0 && <li className="aiosw-quiet">No package is called that.</li>}
            </ul>
          )}
        </>
      )}
    </Section>
  );
}

