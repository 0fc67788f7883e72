import { useState } from 'react';

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https there is no clipboard API: the old way.
    const area = document.createElement('textarea');
    area.value = text;
    area.style.position = 'fixed';
    area.style.opacity = '0';
    document.body.appendChild(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (!done) {
      throw new Error('the browser does not allow copying');
    }
  }
}

export function CopyButton({ text, what }: { text: string; what: string }): JSX.Element {
  const [said, setSaid] = useState('');
  const onClick = (): void => {
    copy(text).then(() => setSaid('Copied'), () => setSaid('Not copied'));
    setTimeout(() => setSaid(''), 1500);
  };
  return (
    <button type="button" className="aiosw-copy" aria-label={`Copy ${what}`} onClick={onClick}>
      <span aria-live="polite">{said || 'Copy'}</span>
    </button>
  );
}
