import { LabIcon } from '@jupyterlab/ui-components';

// Three steps of a workflow, the last one running: reads at 16 px and follows the theme's icon colour.
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="none" stroke="#616161" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
    <circle cx="5" cy="6" r="2.5"/><circle cx="5" cy="18" r="2.5"/>
    <path d="M7.5 6H10a3 3 0 0 1 3 3v0a3 3 0 0 0 2 2.8M7.5 18H10a3 3 0 0 0 3-3v0a3 3 0 0 1 2-2.8"/>
  </g>
  <path class="jp-icon3" fill="#616161" d="M15.5 7.6a1 1 0 0 1 1.5-.86l6 3.9a1.6 1.6 0 0 1 0 2.72l-6 3.9a1 1 0 0 1-1.5-.86z"/>
</svg>`;

export const aiosIcon = new LabIcon({ name: 'aios-workbench:aios', svgstr: svg });
