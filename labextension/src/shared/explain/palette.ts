// Colours for what is drawn on a canvas: read from the style sheet, anew when the theme changes.
import { useEffect, useMemo, useState } from 'react';

export interface Palette {
  /** From low to high, 0 to 254; 255: no value. */
  ramp: string[];
  /** Values of a category, in their order; the last stands for all others. */
  kinds: string[];
  text: string;
  quiet: string;
  line: string;
  back: string;
  brand: string;
}

type Rgb = [number, number, number];

const NAMES = ['--ex-low', '--ex-middle', '--ex-high', '--ex-none', '--aiosw-text', '--aiosw-quiet', '--aiosw-line', '--aiosw-raised', '--aiosw-brand'] as const;

/** Any colour the browser understands, as red, green, blue. */
function rgb(colour: string): Rgb {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext('2d');
  if (pen === null) {
    return [128, 128, 128];
  }
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)] as Rgb;
}

const between = (a: Rgb, b: Rgb, t: number): string => `rgb(${a.map((v, i) => Math.round(v + (b[i] - v) * t)).join(',')})`;

function read(el: HTMLElement): Palette {
  const style = getComputedStyle(el);
  const [low, middle, high, none, text, quiet, line, back, brand] = NAMES.map(n => rgb(style.getPropertyValue(n).trim() || '#888'));
  const plain = (c: Rgb): string => between(c, c, 0);
  const ramp = Array.from({ length: 255 }, (_, i) => (i < 127 ? between(low, middle, i / 127) : between(middle, high, (i - 127) / 127)));
  const kinds = Array.from({ length: 8 }, (_, i) => plain(rgb(style.getPropertyValue(`--ex-kind-${i}`).trim() || '#888')));
  return { ramp: [...ramp, plain(none)], kinds, text: plain(text), quiet: plain(quiet), line: plain(line), back: plain(back), brand: plain(brand) };
}

/** The palette where `el` stands; null before it is in the page. */
export function usePalette(el: HTMLElement | null): Palette | null {
  const [round, setRound] = useState(0);
  useEffect(() => {
    const anew = (): void => setRound(n => n + 1);
    const observer = new MutationObserver(anew);
    for (const host of [document.documentElement, document.body]) {
      observer.observe(host, { attributes: true, attributeFilter: ['data-jp-theme-light', 'data-jp-theme-name', 'theme', 'class'] });
    }
    const forced = matchMedia('(forced-colors: active)');
    forced.addEventListener('change', anew);
    return () => {
      observer.disconnect();
      forced.removeEventListener('change', anew);
    };
  }, []);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- `round` is what makes it read again
  return useMemo(() => (el === null ? null : read(el)), [el, round]);
}

/** A canvas as sharp as the screen, cleared. */
export function pen(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const made = canvas.getContext('2d');
  made?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return made;
}

/** Dots of one size in many colours, drawn once each: a hundred thousand are then copied. */
export class Dots {
  private readonly made = new Map<string, HTMLCanvasElement>();
  private readonly size: number;

  constructor(private readonly radius: number, private readonly alpha: number) {
    this.size = Math.ceil(radius * 2 + 2);
  }

  draw(to: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
    let dot = this.made.get(colour);
    if (dot === undefined) {
      dot = document.createElement('canvas');
      const p = pen(dot, this.size, this.size);
      if (p !== null) {
        p.globalAlpha = this.alpha;
        p.fillStyle = colour;
        p.beginPath();
        p.arc(this.size / 2, this.size / 2, this.radius, 0, 2 * Math.PI);
        p.fill();
      }
      this.made.set(colour, dot);
    }
    to.drawImage(dot, x - this.size / 2, y - this.size / 2, this.size, this.size);
  }
}
