// An Execute that answers from a list and remembers what it was asked: for comparing argv.

import { HostError } from '#tsgre/errors.js'
import type { Execute } from '#tsgre/host/execute.js'

export interface Script {
  readonly run: Execute
  /** Every command line so far. */
  readonly asked: string[]
  /** Those that change something. */
  readonly changes: () => string[]
}

/** Answers by command line; text is stdout, a failure is `fails(stderr)`; a line not listed prints nothing. */
export function script(answers: Record<string, string | HostError>): Script {
  const asked: string[] = []
  return {
    asked,
    changes: () => asked.filter((line) => !line.startsWith('ip -json')),
    async run(command, args) {
      const line = [command, ...args].join(' ')
      asked.push(line)
      const answer = answers[line] ?? ''
      if (answer instanceof HostError) throw answer
      return answer
    },
  }
}

export function fails(stderr: string): HostError {
  return new HostError('TSGRE_COMMAND_FAILED', 'ip …', stderr)
}

/** The error `body` throws or rejects with; fails the test when there is none. */
export async function errorOf(body: () => unknown): Promise<Error & Record<string, unknown>> {
  try {
    await body()
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  throw new Error('nothing was thrown')
}
