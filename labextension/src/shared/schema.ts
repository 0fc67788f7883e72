// A form's JSON schema (as pydantic writes it), read into fields, and checked before anything is sent.

export type Schema = Record<string, unknown>;
export type FieldKind = 'text' | 'long' | 'number' | 'integer' | 'boolean' | 'enum' | 'json' | 'date';

export interface Field {
  name: string;
  label: string;
  description: string;
  kind: FieldKind;
  required: boolean;
  nullable: boolean;
  options: unknown[];
  initial: unknown;
  schema: Schema;
}

export function fields(schema: Schema | null): Field[] {
  const properties = (schema?.properties ?? {}) as Record<string, Schema>;
  const required = new Set((schema?.required ?? []) as string[]);
  return Object.entries(properties).map(([name, given]) => {
    const { own, nullable } = resolve(given, schema as Schema);
    const options = Array.isArray(own.enum) ? own.enum : 'const' in own ? [own.const] : [];
    return {
      name,
      label: typeof given.title === 'string' ? given.title : name,
      description: String(given.description ?? own.description ?? ''),
      kind: kindOf(own, options),
      required: required.has(name),
      nullable,
      options,
      initial: given.default ?? own.default,
      schema: own
    };
  });
}

/** Follows $ref and looks through `X | None`. */
function resolve(given: Schema, root: Schema): { own: Schema; nullable: boolean } {
  let own = given;
  let nullable = false;
  for (let depth = 0; depth < 8; depth++) {
    if (typeof own.$ref === 'string') {
      const name = own.$ref.split('/').pop() as string;
      const { $ref: _, ...rest } = own;
      own = { ...((root.$defs as Record<string, Schema>)?.[name] ?? {}), ...rest };
    } else if (Array.isArray(own.allOf) && own.allOf.length === 1) {
      const { allOf, ...rest } = own;
      own = { ...(allOf as Schema[])[0], ...rest };
    } else if (Array.isArray(own.anyOf)) {
      const { anyOf, ...rest } = own;
      const some = (anyOf as Schema[]).filter(s => s.type !== 'null');
      nullable = nullable || some.length < (anyOf as Schema[]).length;
      if (some.length !== 1) {
        return { own: rest, nullable };
      }
      own = { ...some[0], ...rest };
    } else {
      break;
    }
  }
  return { own, nullable };
}

function kindOf(own: Schema, options: unknown[]): FieldKind {
  if (options.length) {
    return 'enum';
  }
  switch (own.type) {
    case 'boolean':
    case 'integer':
    case 'number':
      return own.type;
    case 'string':
      return own.format === 'date' ? 'date' : Number(own.maxLength ?? 0) > 120 || own.format === 'textarea' ? 'long' : 'text';
    default:
      return 'json';
  }
}

/** What the browser's inputs hold: text, or for a checkbox a boolean. */
export type Draft = Record<string, string | boolean>;

export function draftOf(all: Field[]): Draft {
  const draft: Draft = {};
  for (const f of all) {
    if (f.kind === 'boolean') {
      draft[f.name] = f.initial === true;
    } else if (f.kind === 'enum') {
      draft[f.name] = f.initial === undefined ? '' : JSON.stringify(f.initial);
    } else if (f.initial === undefined || f.initial === null) {
      draft[f.name] = '';
    } else {
      draft[f.name] = f.kind === 'json' ? JSON.stringify(f.initial) : String(f.initial);
    }
  }
  return draft;
}

export interface Checked {
  values: Record<string, unknown>;
  problems: Record<string, string>;
}

export function check(all: Field[], draft: Draft): Checked {
  const values: Record<string, unknown> = {};
  const problems: Record<string, string> = {};
  for (const f of all) {
    const raw = draft[f.name];
    if (f.kind === 'boolean') {
      values[f.name] = raw === true;
      continue;
    }
    const text = String(raw ?? '');
    if (text.trim() === '') {
      if (f.kind === 'text' || f.kind === 'long') {
        if (f.required && Number(f.schema.minLength ?? 0) === 0) {
          problems[f.name] = 'Please fill in.';
        } else if (f.required) {
          problems[f.name] = `At least ${f.schema.minLength} characters.`;
        } else if (f.nullable) {
          values[f.name] = null;
        } else if (f.initial !== undefined) {
          values[f.name] = '';
        }
      } else if (f.nullable) {
        values[f.name] = null;
      } else if (f.required) {
        problems[f.name] = f.kind === 'enum' ? 'Please choose.' : 'Please fill in.';
      }
      continue;
    }
    const { value, problem } = read(f, text);
    if (problem) {
      problems[f.name] = problem;
    } else {
      values[f.name] = value;
    }
  }
  return { values, problems };
}

function read(f: Field, text: string): { value?: unknown; problem?: string } {
  const s = f.schema;
  switch (f.kind) {
    case 'enum':
      return { value: JSON.parse(text) };
    case 'json':
      try {
        return { value: JSON.parse(text) };
      } catch {
        return { problem: 'Not valid JSON.' };
      }
    case 'integer':
    case 'number': {
      const value = Number(text);
      if (!Number.isFinite(value)) {
        return { problem: 'Not a number.' };
      }
      if (f.kind === 'integer' && !Number.isInteger(value)) {
        return { problem: 'A whole number, please.' };
      }
      if (typeof s.minimum === 'number' && value < s.minimum) {
        return { problem: `At least ${s.minimum}.` };
      }
      if (typeof s.maximum === 'number' && value > s.maximum) {
        return { problem: `At most ${s.maximum}.` };
      }
      if (typeof s.exclusiveMinimum === 'number' && value <= s.exclusiveMinimum) {
        return { problem: `More than ${s.exclusiveMinimum}.` };
      }
      if (typeof s.exclusiveMaximum === 'number' && value >= s.exclusiveMaximum) {
        return { problem: `Less than ${s.exclusiveMaximum}.` };
      }
      return { value };
    }
    default: {
      const length = [...text].length;
      if (typeof s.minLength === 'number' && length < s.minLength) {
        return { problem: `At least ${s.minLength} characters.` };
      }
      if (typeof s.maxLength === 'number' && length > s.maxLength) {
        return { problem: `At most ${s.maxLength} characters.` };
      }
      if (typeof s.pattern === 'string') {
        try {
          if (!new RegExp(s.pattern, 'u').test(text)) {
            return { problem: `Does not fit the pattern ${s.pattern}.` };
          }
        } catch {
          // A pattern of Python's that JavaScript does not know: the kernel checks it.
        }
      }
      return { value: text };
    }
  }
}
