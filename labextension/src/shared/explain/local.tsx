// One row: chosen on the left or above, taken apart beside it.
import type { RowPage } from '../../explain_protocol';
import { Loading, Nothing, Trouble } from '../inspector/parts';
import type { Answered } from '../inspector/use';
import { Picker } from './picker';
import { RowView } from './row';
import type { Looked } from './types';

export function LocalView({ looked, asked }: { looked: Looked; asked: Answered<RowPage> }): JSX.Element {
  const { view, row, host } = looked;
  if (view.rows === 0) {
    return <Nothing title="No row to explain">The explained data has no rows.</Nothing>;
  }
  const page = asked.data;
  return (
    <div className="aiosw-ex-local">
      <div className="aiosw-ex-picker"><Picker looked={looked} /></div>
      <div className="aiosw-ex-row" aria-busy={asked.busy}>
        {asked.problem && <Trouble problem={asked.problem} again={asked.again} stale={page !== null} />}
        {page !== null ? <RowView looked={looked} page={page} /> : row === null ? <Nothing title="No row chosen">Choose one in the table.</Nothing> : !asked.problem && (host.canAct ? <Loading what={`row ${row}`} rows={6} /> : <Nothing title="Nobody to ask">This row was not saved with the notebook.</Nothing>)}
      </div>
    </div>
  );
}
