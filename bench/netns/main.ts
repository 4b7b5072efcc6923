// The tunnel beside its peers: bench netns [peer…] [--rounds N] [--seconds N] [--no-save].
// Every peer of every round has a fresh rig; the peers take turns within a round. Slowness is a result, not an error.

import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Hosts } from '../../test/rig/hosts.js'
import { ROOT } from '../../test/rig/root.js'
import { machineLine, ROUNDS } from '../measure.js'
import { FIGURES, measure, type Round } from './figures.js'
import { PEERS, type Peer, peerNamed } from './peers.js'
import { figuresTable, machineName, markdown, ratiosTable, versions } from './report.js'

const TCP_SECONDS = 4
const RESULTS = new URL('bench/results/', ROOT)

interface Wanted {
  peers: readonly Peer[]
  rounds: number
  seconds: number
  save: boolean
}

/** What the words ask for; throws a sentence that says what is wrong with them. */
function wanted(words: string[]): Wanted {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    allowNegative: true,
    options: {
      rounds: { type: 'string', default: `${ROUNDS}` },
      seconds: { type: 'string', default: `${TCP_SECONDS}` },
      save: { type: 'boolean', default: true },
    },
  })
  const unknown = positionals.filter((word) => !peerNamed(word))
  if (unknown.length > 0) {
    const known = PEERS.map(({ name }) => name).join(', ')
    throw new Error(
      `no peer named ${unknown.join(', ')}; there are ${known}, and NAME=PATH for another build's command`,
    )
  }
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
  if (!(rounds >= 1 && seconds >= 1)) throw new Error('--rounds and --seconds take a number from 1 on')
  const peers = positionals.length > 0 ? positionals.map((word) => peerNamed(word)!) : PEERS
  return { peers, rounds, seconds, save: values.save }
}

async function runOnce(peer: Peer, seconds: number): Promise<Round> {
  using rig = new Hosts({ overlay: 'flat', containerMtu: peer.containerMtu })
  const { down } = await peer.up(rig)
  await rig.reach('cA', 'cB')
  await rig.reach('cB', 'cA')
  const { figures, details } = await measure(rig, seconds)
  return { figures, details: { ...(details as object), end: await down() } }
}

function progress(round: number, peer: Peer, { figures }: Round): string {
  const shown = (['forth', 'back', 'cpu', 'packets', 'p50', 'foreign'] as const).map(
    (name) => `${FIGURES[name].title} ${figures[name].toFixed(FIGURES[name].digits)}`,
  )
  return `${round + 1} ${peer.name.padEnd(10)} ${shown.join(' · ')}`
}

function save(results: ReadonlyMap<Peer, readonly Round[]>, text: string): void {
  const name = `${new Date().toISOString().slice(0, 10)}-${machineName()}`
  const record = {
    machine: machineLine(),
    versions: versions(),
    peers: Object.fromEntries([...results].map(([peer, rounds]) => [peer.name, rounds])),
  }
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(new URL(`${name}.json`, RESULTS), `${JSON.stringify(record, null, 1)}\n`)
  writeFileSync(new URL(`${name}.md`, RESULTS), text)
  console.log(`\nbench/results/${name}.md and .json`)
}

export async function main(words: string[]): Promise<number> {
  let order: Wanted
  try {
    order = wanted(words)
  } catch (error) {
    console.error((error as Error).message)
    return 2
  }
  const { peers, rounds, seconds } = order
  const how = `${rounds} rounds, a fresh topology for each peer in each, ${seconds} s a TCP stream; median (least–most)`
  console.log(`${machineLine()}\n${versions()}\n${how}\n`)
  const results = new Map(peers.map((peer): [Peer, Round[]] => [peer, []]))
  for (let round = 0; round < rounds; round++) {
    // Another one begins each time: what comes first after a pause is not always the same.
    const first = round % peers.length
    for (const peer of [...peers.slice(first), ...peers.slice(0, first)]) {
      const measured = await runOnce(peer, seconds)
      results.get(peer)!.push(measured)
      console.log(progress(round, peer, measured))
    }
  }
  console.log(`\n${figuresTable(results)}\n\n${ratiosTable(results)}`)
  if (order.save) save(results, markdown(results, how))
  return 0
}
