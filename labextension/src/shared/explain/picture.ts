// State and patch to one picture.
import type { ExplainPatch, ExplainView } from '../../explain_protocol';

/** The view with what came since; a patch of another base has nothing to say about this one. */
export function apply(view: ExplainView, patch: ExplainPatch | Record<string, never>): ExplainView {
  if (!('base' in patch) || patch.base !== view.seq) {
    return view;
  }
  const { base: _, ...plain } = patch as ExplainPatch;
  return { ...view, ...plain };
}
