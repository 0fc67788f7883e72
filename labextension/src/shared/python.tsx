// Python source with colours: a small tokenizer of our own, since the notebook widget has no editor to borrow from.
import { memo } from 'react';

const KEYWORDS = new Set(
  ('and as assert async await break case class continue def del elif else except finally for from global if import in is ' +
    'lambda match nonlocal not or pass raise return try while with yield').split(' ')
);
const CONSTANTS = new Set(['None', 'True', 'False', 'self', 'cls']);
const BUILTINS = new Set(
  ('abs all any bool bytes dict enumerate filter float format getattr hasattr int isinstance len list map max min object open ' +
    'print property range repr reversed round set setattr sorted str sum super tuple type zip').split(' ')
);
// In this order: comment, string (triple before single; unfinished ones up to the end), number, decorator, name.
const TOKEN =
  /(#[^\n]*)|((?:\b[rbfuRBFU]{1,2})?(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*(?:"|$|(?=\n))|'(?:\\.|[^'\\\n])*(?:'|$|(?=\n))))|(\b(?:0[xXoObB][\da-fA-F_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?)\b)|(@[\w.]+)|([^\W\d]\w*)/gu;

type Kind = 'comment' | 'string' | 'number' | 'decorator' | 'keyword' | 'constant' | 'builtin' | 'defined' | '';

export interface Token {
  text: string;
  kind: Kind;
}

export function tokens(source: string): Token[] {
  const out: Token[] = [];
  let at = 0;
  let before = '';
  const plain = (until: number): void => {
    if (until > at) {
      out.push({ text: source.slice(at, until), kind: '' });
    }
  };
  for (const m of source.matchAll(TOKEN)) {
    const [text, comment, string, number, decorator, name] = m;
    let kind: Kind = '';
    if (comment) {
      kind = 'comment';
    } else if (string) {
      kind = 'string';
    } else if (number) {
      kind = 'number';
    } else if (decorator) {
      // `a @ b` multiplies matrices: a decorator begins its line.
      kind = /(^|\n)[ \t]*$/.test(source.slice(Math.max(0, m.index - 200), m.index)) ? 'decorator' : '';
    } else if (name) {
      kind = KEYWORDS.has(name) ? 'keyword' : CONSTANTS.has(name) ? 'constant' : before === 'def' || before === 'class' ? 'defined' : BUILTINS.has(name) && source[m.index - 1] !== '.' ? 'builtin' : '';
      before = name;
    }
    if (kind) {
      plain(m.index);
      out.push({ text, kind });
      at = m.index + text.length;
    }
  }
  plain(source.length);
  return out;
}

export const Python = memo(function Python({ source }: { source: string }): JSX.Element {
  return <>{tokens(source).map((t, i) => (t.kind ? <span key={i} data-token={t.kind}>{t.text}</span> : t.text))}</>;
});
