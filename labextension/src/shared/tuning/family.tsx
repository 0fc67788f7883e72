// Families are told by colour and by shape. Colours: style/shared/tuning.css, in the place of the family's name.
import type { Family } from '../../tuning_protocol';

/** In the order of the legend. Paths fit a circle of radius 1. */
export const FAMILIES: Record<Family, { name: string; path: string }> = {
  flat: { name: 'exact', path: 'M-1.1-.4H-.4V-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1z' },
  ivf: { name: 'IVF', path: 'M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z' },
  pq: { name: 'PQ scan', path: 'M-.9-.9H.9V.9H-.9z' },
  hnsw: { name: 'HNSW', path: 'M0-1.15L1.1.85H-1.1z' },
  nsg: { name: 'NSG', path: 'M0 1.15L1.1-.85H-1.1z' },
  rabitq: { name: 'RaBitQ', path: 'M0-1.25L1.1 0L0 1.25L-1.1 0z' },
  binary: { name: 'binary', path: 'M-.55-1H.55L1.1 0L.55 1H-.55L-1.1 0z' }
};

export function FamilyMark({ family, size = 13 }: { family: Family; size?: number }): JSX.Element {
  return (
    <svg className="aiosw-tun-mark" data-family={family} viewBox="-1.6 -1.6 3.2 3.2" width={size} height={size} aria-hidden="true">
      <path d={FAMILIES[family].path} />
    </svg>
  );
}
