// `tsgre capture`: what goes through a running tunnel, as a pcapng for tshark or as lines for a person. It asks the daemon's
// control socket, and needs no more rights than that.

import type { Argv, CommandModule } from 'yargs'
import { type CaptureWanted, snaplenOf } from '../daemon/capture/wanted.js'
import { ConfigError } from '../errors.js'
import { once, type Text } from './arguments.js'
import { BlockSplitter } from './block-splitter.js'
import { fileOutput, lineOutput, type Output, pipeOutput } from './capture-output.js'
import { compileFilter } from './compile-filter.js'
import { UsageError } from './failure.js'

export interface CaptureRequest extends CaptureWanted {
  /** The TAP of the tunnel, where the instance has several. */
  readonly tunnel?: string | undefined
}

/** Asks the instance of that name (or the only one there is) for a capture: pcapng until `signal`. */
export type FetchCapture = (
  name: string | undefined,
  request: CaptureRequest,
  signal: AbortSignal,
) => AsyncIterable<Uint8Array>

interface Arguments {
  name: string | undefined
  inner: boolean
  outer: boolean
  drops: boolean
  tap: Text
  remote: Text
  filter: Text
  snaplen: Text
  count: Text
  write: Text
}

const text = { type: 'string', requiresArg: true } as const
const flag = { type: 'boolean', default: false } as const

export function captureCommand(fetch: FetchCapture): CommandModule {
  return {
    command: 'capture [name]',
    describe: 'show what a running tunnel carries and drops, or write it as pcapng',
    builder: (yargs: Argv) =>
      yargs
        .positional('name', { type: 'string', describe: 'which tsgre, by its name; not needed where one runs' })
        .option('inner', { ...flag, describe: 'Ethernet frames, as the containers see them; so without --outer' })
        .option('outer', { ...flag, describe: 'packets of the underlay, with their outer headers' })
        .option('tap', { ...text, describe: 'the tunnel, by its TAP, where the instance has several' })
        .option('remote', { ...text, describe: 'only of and to this peer' })
        .option('drops', { ...flag, describe: 'only what was dropped' })
        .option('filter', { ...text, describe: 'an expression of pcap-filter(7), such as "arp or icmp"' })
        .option('snaplen', { ...text, describe: 'keep so many octets of each [all]' })
        .option('count', { ...text, alias: 'c', describe: 'end after so many [never]' })
        .option('write', { ...text, alias: 'w', describe: 'write pcapng to this file; - is the standard output' })
        .epilogue('tsgre capture -w - | tshark -r -     shows every detail')
        .hide('version'),
    handler: (argv: unknown) => runCapture(argv as Arguments, fetch),
  } as unknown as CommandModule
}

async function runCapture(argv: Arguments, fetch: FetchCapture): Promise<void> {
  if (argv.inner && argv.outer) throw new UsageError('--inner and --outer exclude each other')
  const most = countOf(once('count', argv.count))
  const output = outputOf(once('write', argv.write))
  const request = await requestOf(argv)
  const ended = new AbortController()
  const end = () => ended.abort()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, end)
  let readerGone = false
  const leave = () => {
    readerGone = true
    end()
  }
  process.stdout.once('error', leave) // its reader has seen enough
  try {
    const packets = await copy(fetch(argv.name, request, ended.signal), output, most, ended)
    output.close()
    if (!readerGone) process.stderr.write(`${summary(packets, output.lost)}\n`)
  } finally {
    for (const signal of signals) process.off(signal, end)
    process.stdout.off('error', leave)
  }
}

async function requestOf(argv: Arguments): Promise<CaptureRequest> {
  const side = argv.outer ? 'outer' : 'inner'
  const expression = once('filter', argv.filter)
  return {
    side,
    tunnel: once('tap', argv.tap),
    remote: once('remote', argv.remote),
    dropsOnly: argv.drops,
    snaplen: snaplenOf(once('snaplen', argv.snaplen) ?? '0'),
    filter: expression === undefined ? undefined : await compileFilter(expression, side),
  }
}

/** Until the stream ends, or `most` packets have come; returns how many came. */
async function copy(
  chunks: AsyncIterable<Uint8Array>,
  output: Output,
  most: number,
  ended: AbortController,
): Promise<number> {
  const splitter = new BlockSplitter()
  let packets = 0
  try {
    for await (const chunk of chunks) {
      for (const block of splitter.push(chunk)) if (packets < most && output.take(block)) packets++
      await output.flush()
      if (packets >= most || ended.signal.aborted) break
    }
  } catch (error) {
    if (!ended.signal.aborted) {
      output.close()
      throw error
    }
  }
  ended.abort()
  return packets
}

function outputOf(write: string | undefined): Output {
  if (write === undefined) return lineOutput(process.stdout)
  return write === '-' ? pipeOutput(process.stdout) : fileOutput(write)
}

function countOf(given: string | undefined): number {
  if (given === undefined) return Number.POSITIVE_INFINITY
  if (/^[1-9]\d{0,14}$/.test(given)) return Number(given)
  throw new ConfigError('TSGRE_BAD_OPTION', 'count', given, `--count ${given}: it is a number, 1 or more`)
}

function summary(packets: number, lost: number): string {
  const came = `tsgre: ${packets} captured`
  if (lost === 0) return came
  return `${came}, ${lost} lost because they were not read fast enough; --filter, --drops or --snaplen make it fewer`
}
