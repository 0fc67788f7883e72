// The figures behind a verdict, each with what holds it and how it was reached.
import type { ColumnDrift, Side } from '../../drift_protocol';
import { count } from '../format';
import { percent } from '../grid/spark';
import { interval, method, named, number, pText, statistic, valueOf } from './words';

const LEVELS = ['1 %', '5 %', '25 %', 'median', '75 %', '95 %', '99 %'];

export function Statistics({ column: c }: { column: ColumnDrift }): JSX.Element {
  const rows = Object.entries(c.statistics);
  if (rows.length === 0) {
    return <p className="aiosw-quiet">No statistic was computed.</p>;
  }
  return (
    <div className="aiosw-scroll aiosw-tall" tabIndex={0} role="region" aria-label={`Statistics of ${named(c.name)}`}>
      <table className="aiosw-table aiosw-dr-stats">
        <thead><tr><th scope="col">Statistic</th><th scope="col" data-number>Value</th><th scope="col" data-number>p</th><th scope="col">From</th></tr></thead>
        <tbody>
          {rows.map(([name, s]) => (
            <tr key={name}>
              <th scope="row">{statistic(name)} {name === c.test && <em className="aiosw-badge">test</em>} {name === c.effect_of && <em className="aiosw-badge">effect</em>}</th>
              <td data-number>{interval(s)}</td>
              <td data-number>{pText(s.p_value)}</td>
              <td>{method(s)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Sides({ column: c }: { column: ColumnDrift }): JSX.Element {
  const [a, b] = [c.reference, c.current];
  if (a === null || b === null) {
    return <p className="aiosw-quiet">Only one side has this column.</p>;
  }
  const share = (s: Side): string => (s.rows > 0 ? `${count(s.nulls)} (${percent(s.nulls, s.rows)})` : '0');
  const value = (v: number | null): string => valueOf(c.kind, v);
  const distinct = (s: Side): string => (s.distinct === null ? '–' : `${s.distinct_exact ? '' : 'about '}${count(s.distinct)}`);
  const width = (s: Side): string => (s.std === null ? '–' : c.kind === 'datetime' ? `${number(s.std / 86400)} days` : number(s.std));
  const lines: [string, (s: Side) => string, boolean][] = [
    ['rows', s => count(s.rows), true],
    ['nulls', share, true],
    ['infinite', s => count(s.infinite), a.infinite + b.infinite > 0],
    ['different values', distinct, a.distinct !== null || b.distinct !== null],
    ['mean', s => value(s.mean), a.mean !== null || b.mean !== null],
    ['standard deviation', width, a.std !== null || b.std !== null],
    ['least', s => value(s.minimum), a.minimum !== null || b.minimum !== null],
    ...LEVELS.map((name, i): [string, (s: Side) => string, boolean] => [name, s => value(s.quantiles?.[i] ?? null), a.quantiles !== null || b.quantiles !== null]),
    ['greatest', s => value(s.maximum), a.maximum !== null || b.maximum !== null]
  ];
  return (
    <div className="aiosw-scroll aiosw-tall" tabIndex={0} role="region" aria-label={`Both sides of ${named(c.name)}`}>
      <table className="aiosw-table">
        <thead><tr><th scope="col"><span className="aiosw-hidden">figure</span></th><th scope="col" data-number>Reference</th><th scope="col" data-number>Current</th></tr></thead>
        <tbody>
          {lines.filter(l => l[2]).map(([name, of]) => (
            <tr key={name}><th scope="row">{name}</th><td data-number>{of(a)}</td><td data-number>{of(b)}</td></tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}


