// `tsgre top [NAME]`: the rates of every peer, looked at once a second, on the whole terminal. What is drawn, top-screen.ts says.
// Invariant: however it ends short of SIGKILL, the terminal is as it was.

import { setTimeout as sleep } from 'node:timers/promises'
import type { CommandModule } from 'yargs'
import { findInstances, statusesOf } from '../daemon/control/instances.js'
import { ConfigError } from '../errors.js'
import { type InstanceArguments, instanceOptions, nameOf } from './instance-options.js'
import { type Look, topScreen } from './top-screen.js'

const STEP_MS = 1000
const ENTER = '\x1b[?1049h\x1b[?25l' // the other screen, no cursor
const LEAVE = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const EMPTY_LINE = '\x1b[2K' // before the text: behind a full line it would take its last letter
const REST_OF_SCREEN = '\x1b[J'
const QUIT = new Set(['q', 'Q', '\x03', '\x04']) // Ctrl-C and Ctrl-D come as letters: the terminal is raw

export const topCommand = {
  command: 'top [name]',
  describe: 'the traffic of every peer, live',
  builder: (yargs: Parameters<typeof instanceOptions>[0]) =>
    instanceOptions(yargs).epilogue('q or Ctrl-C quits. Without colours where NO_COLOR is set.').hide('json'),
  async handler(argv: InstanceArguments) {
    if (!process.stdout.isTTY || argv.json) {
      const words = 'tsgre top draws on a terminal and this is none; `tsgre status --json` is for programs'
      throw new ConfigError('TSGRE_BAD_OPTION', 'top', undefined, words)
    }
    const name = nameOf(argv)
    await findInstances(name) // what is wrong from the start is said where it can be read afterwards
    await watch(name)
  },
} as unknown as CommandModule

async function watch(name: string | undefined): Promise<void> {
  const ended = new AbortController()
  const release = takeTerminal(() => ended.abort())
  let before: Look | undefined
  let now: Look | undefined
  const draw = () => now && paint(before, now)
  process.stdout.on('resize', draw)
  try {
    while (!ended.signal.aborted) {
      const look = await lookAt(name)
      if (ended.signal.aborted) break
      ;[before, now] = [now, look]
      draw()
      await sleep(STEP_MS, undefined, { signal: ended.signal }).catch(() => {})
    }
  } finally {
    process.stdout.off('resize', draw)
    release()
  }
}

/** One that ends while it is watched is no reason to end too: it may come back. */
async function lookAt(name: string | undefined): Promise<Look> {
  const told = async () => (await statusesOf(await findInstances(name))).map(({ status }) => status)
  const [instances, trouble] = await told().then(
    (statuses) => [statuses] as const,
    (error: Error) => [[], error.message] as const,
  )
  const clock = new Date().toTimeString().slice(0, 8)
  return { at: performance.now(), clock, instances, ...(trouble !== undefined && { trouble }) }
}

function paint(before: Look | undefined, now: Look): void {
  const { columns = 80, rows = 24 } = process.stdout
  const lines = topScreen(before, now, { columns, rows }, !process.env.NO_COLOR)
  process.stdout.write(`${HOME}${lines.map((line) => EMPTY_LINE + line).join('\r\n')}${REST_OF_SCREEN}`)
}

/** Returns how to give it back. */
function takeTerminal(quit: () => void): () => void {
  const { stdin, stdout } = process
  const onKey = (keys: Buffer) => {
    if ([...keys.toString()].some((key) => QUIT.has(key))) quit()
  }
  let taken = true
  const release = () => {
    if (!taken) return
    taken = false
    if (stdin.isTTY) stdin.setRawMode(false)
    stdout.write(LEAVE)
  }
  stdout.write(ENTER)
  process.once('exit', release)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, quit)
  stdout.on('error', quit) // the terminal is gone
  if (stdin.isTTY) {
    stdin.setRawMode(true)
    stdin.on('data', onKey)
  }
  return () => {
    release()
    stdin.off('data', onKey)
    stdin.pause()
  }
}
