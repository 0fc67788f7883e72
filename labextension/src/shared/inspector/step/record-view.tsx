// A model or another object, from how Python prints it: `Ridge(alpha=0.5)` becomes a name and its parameters.

export interface Printed {
  name: string;
  fields: [string, string][];
}

const PAIRS: Record<string, string> = { '(': ')', '[': ']', '{': '}' };

/** null where the text is not one call with named values. */
export function readRepr(text: string): Printed | null {
  const head = /^([A-Za-z_][\w.]*)\(([\s\S]*)\)$/.exec(text.trim());
  if (!head) {
    return null;
  }
  const parts = split(head[2]);
  if (parts === null) {
    return null;
  }
  const fields: [string, string][] = [];
  for (const part of parts) {
    const named = /^\s*([A-Za-z_]\w*)\s*=\s*([\s\S]+?)\s*$/.exec(part);
    if (!named) {
      return null;
    }
    fields.push([named[1], named[2]]);
  }
  return { name: head[1], fields };
}

/** Cut at the commas outside of brackets and strings. */
function split(text: string): string[] | null {
  const out: string[] = [];
  const open: string[] = [];
  let quote = '';
  let part = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quote) {
      part += c;
      if (c === '\\') {
        part += text[++i] ?? '';
      } else if (c === quote) {
        quote = '';
      }
      continue;
    }
    if (c === '"' || c === "'") {
      quote = c;
    } else if (PAIRS[c]) {
      open.push(PAIRS[c]);
    } else if (c === ')' || c === ']' || c === '}') {
      if (open.pop() !== c) {
        return null;
      }
    } else if (c === ',' && open.length === 0) {
      out.push(part);
      part = '';
      continue;
    }
    part += c;
  }
  if (quote || open.length) {
    return null;
  }
  return part.trim() ? [...out, part] : out;
}

export function RecordView({ printed, type }: { printed: Printed; type: string }): JSX.Element {
  return (
    <div className="aiosw-record">
      <p><b>{printed.name}</b> <code className="aiosw-quiet">{type}</code></p>
      {printed.fields.length === 0 ? (
        <p className="aiosw-quiet">All parameters as they are by default.</p>
      ) : (
        <table className="aiosw-table">
          <thead><tr><th scope="col">Parameter</th><th scope="col">Value</th></tr></thead>
          <tbody>
            {printed.fields.map(([name, value]) => (
              <tr key={name}><th scope="row">{name}</th><td><code>{value}</code></td></tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
