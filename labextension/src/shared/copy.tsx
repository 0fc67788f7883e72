import { useEffect, useRef, useState } from 'react';

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https there is no clipboard API: the old way.
    const area = document.createElement('textarea');
    area.value = text;
    area.style.position = 'fixed';
    area.style.opacity = '0';
    const focused = document.activeElement as HTMLElement | null;
    document.body.appendChild(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    focused?.focus({ preventScroll: true });
    if (!done) {
      throw new Error('The browser does not allow copying.');
    }
  }
}

interface Props {
  /** The text, or how to get it when it is wanted. */
  text: string | (() => string | Promise<string>);
  what: string;
  /** On the button; "Copy" when left out. */
  label?: string;
  copy?: (text: string) => Promise<void>;
}

export function CopyButton({ text, what, label = 'Copy', copy: put = copy }: Props): JSX.Element {
  const [said, setSaid] = useState('');
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => () => clearTimeout(timer.current), []);
  const onClick = async (): Promise<void> => {
    try {
      await put(typeof text === 'function' ? await text() : text);
      setSaid('Copied');
    } catch {
      setSaid('Not copied');
    }
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setSaid(''), 1500);
  };
  return (
    <button type="button" className="aiosw-copy" aria-label={`Copy ${what}`} title={`Copy ${what}`} onClick={() => void onClick()}>
      <span aria-live="polite">{said || label}</span>
    </button>
  );
}
