// A check that cannot be made is a finding, and the others are made. What was asked for wrongly ends the command.

import { ConfigError } from '../../errors.js'
import type { Check, Finding } from './finding.js'

export async function guarded(check: Check, body: () => Finding[] | Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await body()
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const text = `this check could not be made: ${(error as Error).message}`
    return [{ check, level: 'unknown', code: 'check-failed', text, remedy: '' }]
  }
}
