// `tsgre cleanup`: takes back what tunnels left on this host that were killed.

import type { Argv, CommandModule } from 'yargs'
import { cleanUp, findLeftovers, type Leftover } from '../host/cleanup.js'

interface Arguments {
  dryRun: boolean
  json: boolean
}

const flag = { type: 'boolean', default: false } as const

export const cleanupCommand = {
  command: 'cleanup',
  describe: 'take back what a tsgre that was killed has left on this host',
  builder: (yargs: Argv) =>
    yargs
      .option('dry-run', { ...flag, describe: 'print what would be taken back, and do nothing' })
      .option('json', { ...flag, describe: 'one JSON object, errors too' })
      .epilogue(
        'Tunnels write down what they change, in /run/tsgre, or where TSGRE_RUN_DIR says. One that runs is left alone.',
      )
      .hide('version'),
  async handler(argv: Arguments) {
    const leftovers = await (argv.dryRun ? findLeftovers() : cleanUp())
    const words = argv.dryRun ? 'would be taken back' : 'taken back'
    process.stdout.write(argv.json ? asJson(leftovers, argv.dryRun) : asText(leftovers, words))
    if (leftovers.some(({ failures }) => failures.length > 0)) process.exitCode = 1
  },
} as unknown as CommandModule

function asJson(leftovers: readonly Leftover[], dryRun: boolean): string {
  const tunnels = leftovers.map(({ tap, pid, alive, entries, failures }) => ({
    tap,
    pid,
    alive,
    changes: entries.map(({ what }) => what),
    failed: failures.map(({ what, error }) => ({ what, message: error.message })),
  }))
  return `${JSON.stringify({ event: 'cleanup', dryRun, tunnels })}\n`
}

function asText(leftovers: readonly Leftover[], words: string): string {
  const dead = leftovers.filter(({ alive }) => !alive)
  const lines = leftovers.flatMap(({ tap, pid, alive, entries, failures }) => {
    if (alive) return [`${tap}: its tsgre runs (process ${pid}); left alone`]
    const done = entries.filter(({ what }) => !failures.some((failure) => failure.what === what))
    const failed = failures.map(({ what, error }) => `${tap}: NOT ${words}: ${what}: ${error.message}`)
    return [...done.map(({ what }) => `${tap}: ${words}: ${what}`).reverse(), ...failed]
  })
  return `${[...lines, ...(dead.length === 0 ? ['nothing to clean up: no killed tsgre has left anything here'] : [])].join('\n')}\n`
}
