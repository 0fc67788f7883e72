// Numbers that travel as bytes: beside a kernel's answer, or as base64 within it.
import type { Packed } from '../../explain_protocol';

const TYPES = { u8: Uint8Array, i8: Int8Array, u16: Uint16Array, u32: Uint32Array } as const;
export type Codes = Uint8Array | Int8Array | Uint16Array | Uint32Array;

/** What an answer with bytes looks like here: the client has put them on it. */
export interface WithBuffers {
  buffers?: DataView[];
}

/** The codes as they were sent. */
export function codes(packed: Packed, { buffers }: WithBuffers): Codes {
  const Made = TYPES[packed.dtype];
  let bytes: Uint8Array<ArrayBuffer>;
  if (packed.buffer !== null) {
    const view = buffers?.[packed.buffer];
    if (view === undefined) {
      throw new Error('The numbers of this picture did not arrive with it.');
    }
    // Copied: a typed array must begin at a multiple of its size.
    bytes = new Uint8Array(view.byteLength);
    bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  } else {
    const text = atob(packed.base64 ?? '');
    bytes = Uint8Array.from(text, c => c.charCodeAt(0));
  }
  return new Made(bytes.buffer, 0, Math.min(packed.length, Math.floor(bytes.byteLength / Made.BYTES_PER_ELEMENT)));
}

/** The numbers they stand for; NaN where there is none. */
export function numbers(packed: Packed, from: WithBuffers): Float64Array {
  const raw = codes(packed, from);
  const step = packed.top > 0 ? (packed.high - packed.low) / packed.top : 1;
  const low = packed.top > 0 ? packed.low : 0;
  const out = new Float64Array(raw.length);
  for (let i = 0; i < raw.length; i++) {
    out[i] = raw[i] === packed.missing ? Number.NaN : low + raw[i] * step;
  }
  return out;
}
