/**
 * The configuration's JSON Schema, for editors: what may be written, with texts, units and defaults.
 */
import { z } from 'zod'

/** @param title what the schema is of */
export function printJsonSchema(schema: z.ZodType, title: string): string {
  const made = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      const { unit, shown, ...rest } = jsonSchema as Record<string, unknown>
      for (const name of Object.keys(jsonSchema)) delete (jsonSchema as Record<string, unknown>)[name]
      Object.assign(jsonSchema, rest)
      if (shown !== undefined && rest['default'] === undefined && shown !== 'none') Object.assign(jsonSchema, { default: shown })
      if (unit !== undefined) Object.assign(jsonSchema, { $comment: `unit: ${String(unit)}` })
    },
  })
  return JSON.stringify({ ...made, title }, null, 2)
}
