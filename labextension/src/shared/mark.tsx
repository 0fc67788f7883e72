// What was searched for, marked where it stands. Text nodes only.

export function marked(text: string, search: string): React.ReactNode {
  const wanted = search.trim().toLowerCase();
  if (!wanted) {
    return text;
  }
  const low = text.toLowerCase();
  // A few letters change their length in lower case: positions would not fit.
  if (low.length !== text.length) {
    return text;
  }
  const out: React.ReactNode[] = [];
  let at = 0;
  for (let next = low.indexOf(wanted); next >= 0 && out.length < 400; next = low.indexOf(wanted, at)) {
    if (next > at) {
      out.push(text.slice(at, next));
    }
    at = next + wanted.length;
    out.push(<mark key={next}>{text.slice(next, at)}</mark>);
  }
  if (out.length === 0) {
    return text;
  }
  out.push(text.slice(at));
  return out;
}

export function hits(text: string, search: string): number {
  const wanted = search.trim().toLowerCase();
  return wanted ? text.toLowerCase().split(wanted).length - 1 : 0;
}
