// A stored picture or figure. Always through <img>: what is inside an SVG cannot run there.
import { useEffect, useState } from 'react';

import type { Media } from '../../../protocol';
import { isAbort } from '../abort';
import type { Host } from '../types';
import { TextView } from './text-view';

export type MediaState = { media: Media | null; busy: boolean; problem: string };

export function useMedia(host: Host, runId: string | null, hash: string | null): MediaState {
  const { ask } = host;
  const [state, setState] = useState<MediaState>({ media: null, busy: hash !== null, problem: '' });
  useEffect(() => {
    if (hash === null) {
      return;
    }
    const controller = new AbortController();
    ask({ kind: 'media', run_id: runId, hash }, { signal: controller.signal }).then(
      media => setState({ media, busy: false, problem: '' }),
      (e: Error) => !isAbort(e) && setState({ media: null, busy: false, problem: e.message })
    );
    return () => controller.abort();
  }, [ask, runId, hash]);
  return state;
}

export function MediaView({ host, media, label }: { host: Host; media: Media; label: string }): JSX.Element {
  const [full, setFull] = useState(false);
  const [size, setSize] = useState('');
  const [cut, setCut] = useState(false);
  if (!media.mime.startsWith('image/')) {
    return <TextView host={host} text={media.data} truncated={false} what={label} />;
  }
  const source = media.mime === 'image/svg+xml' && !/^[A-Za-z0-9+/=\s]+$/.test(media.data)
    ? `data:image/svg+xml;charset=utf-8,${encodeURIComponent(media.data)}`
    : `data:${media.mime};base64,${media.data}`;
  return (
    <figure className="aiosw-media" data-full={full || undefined}>
      <button type="button" className="aiosw-media-button" aria-pressed={full} aria-label={full ? 'Fit the picture into the page' : 'Show the picture in full size'} onClick={() => setFull(!full)}>
        <img
          src={source}
          alt={label}
          onLoad={e => {
            const image = e.currentTarget;
            setSize(`${media.width ?? image.naturalWidth} × ${media.height ?? image.naturalHeight}`);
            setCut(image.clientWidth < image.naturalWidth);
          }}
          onError={() => setSize('the picture cannot be drawn')}
        />
      </button>
      <figcaption className="aiosw-quiet">
        {[size, media.mime.replace('image/', '').replace('+xml', ''), full ? 'full size, click to fit' : cut ? 'click for full size' : '', media.note].filter(Boolean).join(' · ')}
      </figcaption>
    </figure>
  );
}
