import type { StepNode } from '../../protocol';
import { bytes, count } from '../format';
import type { Labels } from './memory';
import type { Link } from './scene';

/** What goes along an edge, as words: "1,204 rows", "3.4 MB"; empty where it is not known. */
export function carried(link: Link, byName: ReadonlyMap<string, StepNode>, what: Labels): string {
  if (what === 'none') {
    return '';
  }
  let sum = 0;
  let known = false;
  for (const name of link.sources) {
    const value = byName.get(name)?.[what];
    if (value !== null && value !== undefined) {
      sum += value;
      known = true;
    }
  }
  return !known ? '' : what === 'rows' ? `${count(sum)} row${sum === 1 ? '' : 's'}` : bytes(sum);
}
