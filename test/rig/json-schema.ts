// As much of JSON Schema (draft 2020-12) as the schema of configuration files uses. A keyword it does not know is an error, and not
// passed over: a check that skips is none.

type Schema = Readonly<Record<string, unknown>>
type Check = (value: unknown, argument: never, schema: Schema, root: Schema) => boolean

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isMap,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isInteger,
  number: (value) => typeof value === 'number',
}

const CHECKS: Readonly<Record<string, Check>> = {
  type: (value, type: string) => TYPES[type]!(value),
  enum: (value, allowed: unknown[]) => allowed.includes(value),
  const: (value, only: unknown) => value === only,
  minimum: (value, least: number) => typeof value !== 'number' || value >= least,
  maximum: (value, most: number) => typeof value !== 'number' || value <= most,
  minLength: (value, least: number) => typeof value !== 'string' || [...value].length >= least,
  pattern: (value, pattern: string) => typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  minItems: (value, least: number) => !Array.isArray(value) || value.length >= least,
  maxItems: (value, most: number) => !Array.isArray(value) || value.length <= most,
  items: (value, items: Schema, _, root) => !Array.isArray(value) || value.every((item) => fits(item, items, root)),
  required: (value, names: string[]) => !isMap(value) || names.every((name) => name in value),
  properties: (value, properties: Record<string, Schema>, _, root) =>
    !isMap(value) ||
    Object.entries(properties).every(([name, inner]) => !(name in value) || fits(value[name], inner, root)),
  additionalProperties: (value, inner: Schema | false, { properties = {} }, root) =>
    !isMap(value) ||
    Object.entries(value).every(
      ([name, item]) => name in (properties as object) || (inner !== false && fits(item, inner, root)),
    ),
  propertyNames: (value, inner: Schema, _, root) =>
    !isMap(value) || Object.keys(value).every((name) => fits(name, inner, root)),
  anyOf: (value, schemas: Schema[], _, root) => schemas.some((inner) => fits(value, inner, root)),
  $ref: (value, reference: string, _, root) =>
    fits(value, (root.$defs as Record<string, Schema>)[reference.replace('#/$defs/', '')]!, root),
}

const WORDS = ['$schema', '$defs', 'title', 'description']

/** @throws Error at a keyword it does not know */
export function fits(value: unknown, schema: Schema, root = schema): boolean {
  return Object.entries(schema).every(([keyword, argument]) => {
    if (WORDS.includes(keyword)) return true
    const check = CHECKS[keyword]
    if (!check) throw new Error(`the checker does not know ${keyword}`)
    return check(value, argument as never, schema, root)
  })
}
