import type { NotebookParameter } from '../../api';

/** A notebook's parameters as one schema, for a form; a default that is computed is left to the notebook. */
export function schemaOf(parameters: NotebookParameter[], given: Record<string, unknown> = {}): Record<string, unknown> {
  const properties = parameters.map(p => {
    const own: Record<string, unknown> = { ...p.schema, title: p.name };
    if (p.name in given) {
      own.default = given[p.name];
    } else if (p.computed) {
      own.description = 'Empty: the notebook computes it.';
    } else if (!p.required) {
      own.default = p.default;
    }
    return [p.name, own];
  });
  return { type: 'object', properties: Object.fromEntries(properties), required: parameters.filter(p => p.required).map(p => p.name) };
}
