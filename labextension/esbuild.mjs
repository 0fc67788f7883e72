// Bundles each notebook widget into one ES module for anywidget. React is inside: a notebook host shares none.
import * as esbuild from 'esbuild';

const options = {
  entryPoints: ['widgets/graph.tsx', 'widgets/tuning.tsx', 'widgets/drift.tsx', 'widgets/explain.tsx'],
  outdir: '../aios_workbench/static',
  bundle: true,
  format: 'esm',
  target: 'es2020',
  jsx: 'automatic',
  minify: true,
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'info'
};

if (process.argv.includes('--watch')) {
  const context = await esbuild.context(options);
  await context.watch();
} else {
  await esbuild.build(options);
}
