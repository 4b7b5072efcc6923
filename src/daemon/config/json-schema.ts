// The JSON Schema of configuration files (draft 2020-12), for editors: docs/config.schema.json. Of the same making as what reads them,
// but for what only a program can tell (two TAPs of one name, a setting of a remote in one text).

import { z } from 'zod'
import { MANY, ONE } from './schema.js'

export function configSchema(): object {
  const schema = z.toJSONSchema(z.union([ONE, MANY]), { io: 'input', unrepresentable: 'any', reused: 'ref' })
  const { $schema, ...rest } = schema
  return {
    $schema,
    title: 'tsgre configuration',
    description: 'A tunnel at the top, or tunnels under "tunnels"',
    ...rest,
  }
}
