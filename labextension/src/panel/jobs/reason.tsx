// A question that wants a reason before something is done.
import { type FormEvent, useEffect, useRef, useState } from 'react';
import type { ApiError } from '../../api';
import { Button, Failure } from '../hooks';

export function Reason(props: {
  label: string;
  help?: string;
  yes: string;
  danger?: boolean;
  required?: boolean;
  busy: boolean;
  error: ApiError | null;
  onYes: (reason: string) => void;
  onNo: () => void;
}): JSX.Element {
  const [reason, setReason] = useState('');
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const onSubmit = (e: FormEvent): void => {
    e.preventDefault();
    props.onYes(reason.trim());
  };
  return (
    <form className="aios-one-off" onSubmit={onSubmit} noValidate data-testid="aios-reason">
      <label className="aios-field">
        <span className="aios-field-name">{props.label}</span>
        <textarea ref={field} className="aios-input" rows={2} value={reason} onChange={e => setReason(e.target.value)} />
        {props.help && <span className="aios-field-help">{props.help}</span>}
      </label>
      <Failure error={props.error} />
      <div className="aios-actions">
        <Button kind={props.danger ? 'danger' : 'primary'} submit disabled={props.busy || (props.required === true && reason.trim() === '')}>
          {props.yes}
        </Button>
        <Button onClick={props.onNo}>Close</Button>
      </div>
    </form>
  );
}
