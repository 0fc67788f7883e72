import type { RenderProps } from '@anywidget/types';
import { createRoot } from 'react-dom/client';

import './graph.css';

function render({ el }: RenderProps) {
  const root = createRoot(el);
  root.render(<div className="aiosw" />);
  return () => root.unmount();
}
export default { render };
