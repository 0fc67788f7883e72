// The search: words of names and tags, and `state:failed`, `tag:nightly`, `kind:gate`, `is:stale`, `is:cached`.
import type { StepNode } from '../../protocol';

type Test = (node: StepNode) => boolean;

export function finder(query: string): Test | null {
  const tests: Test[] = [];
  for (const [, field, quoted, plain] of query.matchAll(/(?:(state|status|tag|kind|is|name):)?(?:"([^"]*)"?|(\S+))/gi)) {
    const word = (quoted ?? plain ?? '').toLowerCase();
    if (word) {
      tests.push(test((field ?? '').toLowerCase(), word));
    }
  }
  return tests.length ? node => tests.every(t => t(node)) : null;
}

function test(field: string, word: string): Test {
  switch (field) {
    case 'state':
    case 'status':
      return n => n.status.startsWith(word);
    case 'tag':
      return n => n.tags.some(t => t.toLowerCase().includes(word));
    case 'kind':
      return n => n.kind.startsWith(word);
    case 'is':
      return n => (word === 'stale' ? n.stale : word === 'cached' ? n.cached : n.status.startsWith(word));
    case 'name':
      return n => n.name.toLowerCase().includes(word);
    default:
      return n => n.name.toLowerCase().includes(word) || n.tags.some(t => t.toLowerCase().includes(word));
  }
}

export function matches(nodes: readonly StepNode[], query: string): string[] {
  const wanted = finder(query.trim());
  return wanted ? nodes.filter(wanted).map(n => n.name) : [];
}
