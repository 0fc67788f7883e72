// Versions that wait for somebody to agree: who did so far, and whether I may.
import { useState } from 'react';
import { type Job, type JobApproval, sentence } from '../../api';
import { StateMark } from '../../shared';
import { ago, moment } from '../format';
import { Button, useAction, useAsk } from '../hooks';
import type { PanelModel } from '../model';
import { Reason } from './reason';

interface Props {
  model: PanelModel;
  job: Job;
  now: number;
}

export function ApprovalNotice({ model, job, now }: Props): JSX.Element | null {
  const { data, again } = useAsk(() => model.api.jobs.approvals(job.job_id), [job.job_id, job.version, model.snapshot?.seq]);
  if (!data || data.approvals.length === 0) {
    return null;
  }
  return (
    <>
      {data.approvals.map(found => (
        <Waiting key={found.version} model={model} job={job} now={now} approval={found} onDone={again} />
      ))}
    </>
  );
}

function Waiting(props: Props & { approval: JobApproval; onDone: () => void }): JSX.Element {
  const { model, job, now, approval: a, onDone } = props;
  const action = useAction();
  const [asking, setAsking] = useState<'' | 'approve' | 'reject'>('');
  const agreed = a.given.filter(g => g.decision === 'approve' || g.decision === 'approved').length;
  const decide = (reason: string): void =>
    action.go(async () => {
      await model.api.jobs.approve(job.job_id, { version: a.version, bundle_hash: a.bundle_hash, decision: asking === 'reject' ? 'reject' : 'approve', reason: reason || null });
      setAsking('');
      await model.refresh();
      onDone();
    });
  return (
    <section className="aios-notice aios-approval" aria-label={`Version ${a.version} waits for approval`} data-testid="aios-approval">
      <div className="aios-row">
        <span className="aiosw-chip" data-status="waiting">
          <StateMark status="waiting" />
        </span>
        <b>{`Version ${a.version} waits for approval: ${agreed} of ${a.needed}`}</b>
      </div>
      {a.given.length > 0 && (
        <ul className="aios-given">
          {a.given.map(g => (
            <li key={g.actor}>
              <span title={moment(g.at)}>{`${g.actor} ${g.decision.startsWith('approve') ? 'approved' : 'rejected'} ${ago(g.at, now)}`}</span>
              {g.reason && <span className="aios-dim">{`: ${g.reason}`}</span>}
            </li>
          ))}
        </ul>
      )}
      <p className="aios-quiet-line">
        {`${a.created_by ?? 'Somebody'} promoted it; ${a.why}.`}
        {!a.may_approve && ` ${sentence(a.why_not)}.`}
      </p>
      {asking === '' && (a.may_approve || a.may_reject) && (
        <div className="aios-actions">
          {a.may_approve && (
            <Button kind="primary" onClick={() => setAsking('approve')}>
              Approve…
            </Button>
          )}
          {a.may_reject && (
            <Button kind="danger" onClick={() => setAsking('reject')}>
              {a.may_approve ? 'Reject…' : 'Take it back…'}
            </Button>
          )}
        </div>
      )}
      {asking !== '' && (
        <Reason
          label={asking === 'approve' ? `Why is version ${a.version} fit to run?` : `What is wrong with version ${a.version}?`}
          help="Kept with the version and in the audit trail."
          yes={asking === 'approve' ? 'Approve' : 'Reject'}
          danger={asking === 'reject'}
          required={asking === 'reject'}
          busy={action.busy}
          error={action.error}
          onYes={decide}
          onNo={() => setAsking('')}
        />
      )}
    </section>
  );
}
