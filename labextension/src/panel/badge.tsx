// A state as mark, word and colour; where room is short the word is for screen readers and the tooltip.
import { StateChip, StateMark } from '../shared';

export function StatusBadge({ status, word = true }: { status: string; word?: boolean }): JSX.Element {
  if (word) {
    return <StateChip status={status} />;
  }
  return (
    <span className="aiosw-chip" data-status={status} title={status}>
      <StateMark status={status} />
      <span className="aios-hidden">{status}</span>
    </span>
  );
}
