// Terminal colours in printed text, as names for style; all other escapes are dropped.

export interface Piece {
  text: string;
  /** Colour and weight, e.g. "red bold"; empty for plain text. */
  look: string;
}

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const ESCAPE = String.fromCharCode(27);
// CSI sequences, OSC sequences up to BEL or ST, and two-character escapes.
const SEQUENCE = new RegExp(`${ESCAPE}(?:\\[([0-9;:?]*)[ -/]*([@-~])|\\][^\\u0007${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)?|[@-Z\\\\-_])`, 'g');
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f]/g;

/** A line of a terminal cut into pieces of one look. A carriage return begins the line anew, as a progress bar does. */
export function pieces(line: string): Piece[] {
  const last = line.replace(/\r+$/, '').lastIndexOf('\r');
  const text = last >= 0 ? line.slice(last + 1) : line;
  if (!text.includes(ESCAPE)) {
    return [{ text: text.replace(CONTROL, ''), look: '' }];
  }
  const out: Piece[] = [];
  let look = new Set<string>();
  let at = 0;
  const push = (until: number): void => {
    const part = text.slice(at, until).replace(CONTROL, '').replaceAll(ESCAPE, '');
    if (part) {
      out.push({ text: part, look: [...look].join(' ') });
    }
  };
  for (const match of text.matchAll(SEQUENCE)) {
    push(match.index);
    at = match.index + match[0].length;
    if (match[2] === 'm') {
      look = styled(look, match[1]);
    }
  }
  push(text.length);
  return out;
}

export function stripped(line: string): string {
  return pieces(line).map(p => p.text).join('');
}

function styled(look: Set<string>, codes: string): Set<string> {
  const next = new Set(look);
  const numbers = codes.split(/[;:]/).map(Number);
  for (let i = 0; i < numbers.length; i++) {
    const n = numbers[i];
    if (n === 0) {
      next.clear();
    } else if (n === 38 || n === 48) {
      i += numbers[i + 1] === 5 ? 2 : 4; // 256 colours and true colours: the theme could not keep them readable
    } else if (n === 22) {
      next.delete('bold');
      next.delete('dim');
    } else if (n === 23 || n === 24) {
      next.delete(n === 23 ? 'italic' : 'underline');
    } else if (n >= 1 && n <= 4) {
      next.add(['bold', 'dim', 'italic', 'underline'][n - 1]);
    } else if ((n >= 30 && n <= 37) || (n >= 90 && n <= 97) || n === 39) {
      COLOURS.forEach(c => next.delete(c));
      if (n !== 39) {
        next.add(COLOURS[n % 10]);
      }
    }
  }
  return next;
}
