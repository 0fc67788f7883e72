// A unified diff with line numbers; what was taken away and added says so by a sign, not by colour alone.
import { CopyButton } from '../copy';

interface Line {
  kind: 'same' | 'added' | 'removed' | 'hunk';
  a: number | null;
  b: number | null;
  text: string;
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)$/;

export function parse(diff: string): Line[] {
  const lines: Line[] = [];
  let [a, b] = [1, 1];
  let inside = false;
  for (const text of diff.replace(/\n$/, '').split('\n')) {
    const hunk = HUNK.exec(text);
    if (hunk) {
      [a, b, inside] = [Number(hunk[1]), Number(hunk[2]), true];
      lines.push({ kind: 'hunk', a: null, b: null, text: lines.length ? '…' : '' });
    } else if (!inside || text.startsWith('\\')) {
      continue; // the names of the two files, "No newline at end of file"
    } else if (text.startsWith('+')) {
      lines.push({ kind: 'added', a: null, b: b++, text: text.slice(1) });
    } else if (text.startsWith('-')) {
      lines.push({ kind: 'removed', a: a++, b: null, text: text.slice(1) });
    } else {
      lines.push({ kind: 'same', a: a++, b: b++, text: text.slice(1) });
    }
  }
  return lines.filter((l, i) => l.kind !== 'hunk' || i > 0);
}

const SIGN = { same: '', added: '+', removed: '−', hunk: '' };

export function CodeDiff({ diff, label }: { diff: string; label: string }): JSX.Element {
  const lines = parse(diff);
  const added = lines.filter(l => l.kind === 'added').length;
  const removed = lines.filter(l => l.kind === 'removed').length;
  return (
    <div className="aiosw-codediff">
      <p className="aiosw-quiet">{`+${added} −${removed} lines`} <CopyButton text={diff} what="the difference" /></p>
      <div className="aiosw-codediff-box" tabIndex={0} role="region" aria-label={label}>
        <table>
          <tbody>
            {lines.map((l, i) => (
              <tr key={i} data-line={l.kind}>
                <td>{l.a ?? ''}</td>
                <td>{l.b ?? ''}</td>
                <td>{SIGN[l.kind]}</td>
                <td><code>{l.text || ' '}</code></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
