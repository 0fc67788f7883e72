// A state is a mark, a word and a colour: a reader who misses one still has the others.
const STROKE = { fill: 'none', stroke: 'currentColor', strokeWidth: 1.8, strokeLinecap: 'round', strokeLinejoin: 'round' } as const;

function mark(status: string): JSX.Element {
  switch (status) {
    case 'running':
    case 'active':
      return (
        <>
          <circle cx="8" cy="8" r="6.6" {...STROKE} />
          <path d="M6.4 5l4.6 3l-4.6 3z" fill="currentColor" />
        </>
      );
    case 'retrying':
      return <path d="M13.2 8a5.4 5.4 0 1 1-1.7-3.9M13.4 1.9v3.3h-3.3" {...STROKE} />;
    case 'waiting':
      return <path d="M3.5 2h9M3.5 14h9M4.8 2c0 4.4 6.4 7.6 6.4 12M11.2 2c0 4.4-6.4 7.6-6.4 12" {...STROKE} />;
    case 'succeeded':
    case 'approved':
      return <path d="M2.6 8.6l3.7 3.7L13.6 4" {...STROKE} strokeWidth={2.4} />;
    case 'failed':
    case 'rejected':
    case 'timeout':
    case 'expired':
      return <path d="M3.5 3.5l9 9M12.5 3.5l-9 9" {...STROKE} strokeWidth={2.4} />;
    case 'compensated':
      return <path d="M3 6h6a3.4 3.4 0 0 1 0 6.8H5.6M6.2 2.4L2.6 6l3.6 3.6" {...STROKE} />;
    case 'skipped':
      return <path d="M3 3.6l4.4 4.4L3 12.4M8.6 3.6L13 8l-4.4 4.4" {...STROKE} />;
    case 'cancelled':
      return <rect x="3.4" y="3.4" width="9.2" height="9.2" rx="1.2" fill="currentColor" />;
    case 'interrupted':
    case 'lost':
      return <path d="M9 1.6L3.6 9h4L6.8 14.4L12.4 7h-4z" {...STROKE} />;
    case 'paused':
      return <path d="M5.4 3.4v9.2M10.6 3.4v9.2" {...STROKE} strokeWidth={2.4} />;
    case 'queued':
      return <path d="M8 4.4V8l2.4 1.6M14.6 8A6.6 6.6 0 1 1 1.4 8a6.6 6.6 0 0 1 13.2 0z" {...STROKE} />;
    default:
      return <circle cx="8" cy="8" r="5.4" {...STROKE} />;
  }
}

export function StateMark({ status }: { status: string }): JSX.Element {
  return (
    <svg className="aiosw-mark" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      {mark(status)}
    </svg>
  );
}

export function StateChip({ status }: { status: string }): JSX.Element {
  return (
    <span className="aiosw-chip" data-status={status}>
      <StateMark status={status} />
      {status}
    </span>
  );
}
