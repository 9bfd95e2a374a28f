import { z } from 'zod';

/** The value of a parameter as the URL has it: a text, several of them, or none. */
export type RawParameters = Readonly<Record<string, unknown>>;

const NAME_CHARACTERS_SHOWN = 40;
const NUMBER = /^-?\d{1,16}$/;

/** What the parameters of a request came to: values that fit the schema, or a sentence that says which one does not. */
export type ReadParameters<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly detail: string; readonly parameter: string };

/**
 * Checks the parameters of a request against a schema of one object. Texts are turned into what the schema has under the name, and in
 * one way only: a number is decimal digits, a boolean is true or false. A name that the schema has not, and a name that is there twice,
 * are refused.
 */
export class ParameterReader<T extends z.ZodObject> {
  private readonly types: ReadonlyMap<string, string>;

  constructor(private readonly schema: T) {
    this.types = new Map(Object.entries(schema.shape).map(([name, field]) => [name, typeOf(field as z.ZodType)]));
  }

  read(raw: RawParameters): ReadParameters<z.output<T>> {
    const values: Record<string, unknown> = Object.create(null);
    for (const [name, value] of Object.entries(raw)) {
      const type = this.types.get(name);
      const shown = shownName(name);
      if (type === undefined)
        return { ok: false, parameter: shown, detail: `There is no parameter ${shown}; there are: ${this.namesText()}.` };
      if (typeof value !== 'string') return { ok: false, parameter: shown, detail: `The parameter ${shown} is there twice.` };
      values[name] = fromText(type, value);
    }
    const result = this.schema.safeParse({ ...values });
    if (result.success) return { ok: true, value: result.data };
    const [issue] = result.error.issues;
    const name = String(issue?.path[0] ?? '');
    return { ok: false, parameter: name, detail: `The parameter ${name} is not valid: ${issue?.message ?? 'it does not fit'}.` };
  }

  private namesText(): string {
    return this.types.size === 0 ? 'none' : [...this.types.keys()].join(', ');
  }
}

/** The type that JSON Schema has for a field. */
function typeOf(field: z.ZodType): string {
  const { type } = z.toJSONSchema(field, { io: 'input', unrepresentable: 'any' }) as { type?: string };
  return type ?? 'string';
}

/** A text that is no number stays one; the schema then refuses it. */
function fromText(type: string, text: string): unknown {
  if (type === 'integer' || type === 'number') return NUMBER.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

/** A name that came from outside: shortened, and nothing in it but what names are made of. */
function shownName(name: string): string {
  const plain = name.replaceAll(/[^\w.-]/g, '?');
  return plain.length > NAME_CHARACTERS_SHOWN ? `${plain.slice(0, NAME_CHARACTERS_SHOWN)}…` : plain;
}
