// A network namespace for one test: made, handed over, taken away also after a failure.

import { type Execute, execute } from '#tsgre/host/execute.js'

export interface Namespace {
  readonly name: string
  /** Runs a command in the namespace, as the product's Execute. */
  readonly run: Execute
  /** `ip` with words as typed: `ip('link set lo up')`. */
  ip(words: string): Promise<string>
}

let count = 0

export async function withNamespace(body: (namespace: Namespace) => Promise<void>): Promise<void> {
  // As the rigs name theirs: the test runner finds by it whose it is.
  const name = `tsgre-${process.pid}-test${count++}`
  const run: Execute = (command, args) => execute('ip', ['netns', 'exec', name, command, ...args])
  await execute('ip', ['netns', 'add', name])
  try {
    await body({ name, run, ip: (words) => run('ip', words.split(' ')) })
  } finally {
    await execute('ip', ['netns', 'del', name])
  }
}
