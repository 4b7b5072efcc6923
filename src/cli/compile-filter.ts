// A filter expression as people type it, compiled to the BPF program that runs in the daemon. tcpdump does that, and does nothing
// else: with -ddd and a link type it opens no device.

import { tooLongWords } from '../daemon/capture/wanted.js'
import { ConfigError, type HostError } from '../errors.js'
import { execute } from '../host/execute.js'

/**
 * @throws ConfigError TSGRE_BAD_FILTER with tcpdump's words, or those for its absence
 */
export async function compileFilter(expression: string, side: 'inner' | 'outer', run = execute): Promise<number[][]> {
  if (expression.trim() === '') refuse(expression, 'it is empty; leave it away to capture everything')
  const linkType = side === 'inner' ? 'EN10MB' : 'RAW'
  let text: string
  try {
    text = await run('tcpdump', ['-ddd', '-y', linkType, '--', expression])
  } catch (error) {
    const { stderr, message } = error as HostError
    refuse(expression, stderr?.trim() ? stderr.trim() : message)
  }
  const program = text
    .trim()
    .split('\n')
    .slice(1) // how many follow
    .map((line) => line.split(' ').map(Number))
  const tooLong = tooLongWords(program)
  if (tooLong) refuse(expression, `it makes a program of ${tooLong}; make it shorter`)
  return program
}

function refuse(expression: string, why: string): never {
  throw new ConfigError('TSGRE_BAD_FILTER', 'filter', expression, `--filter ${JSON.stringify(expression)}: ${why}`)
}
