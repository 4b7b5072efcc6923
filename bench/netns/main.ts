// The tunnel beside its peers: bench netns [peer…] [--rounds N] [--seconds N] [--save|--no-save].
// Every peer of every round has a fresh rig; the peers take turns within a round. Slowness is a result, not an error.

import { Hosts } from '../../test/rig/hosts.js'
import { machineLine } from '../measure.js'
import { json, save, versions } from '../record.js'
import { inTurns } from '../rounds.js'
import { parseWords, type Wanted } from '../words.js'
import { FIGURES, measure, type Round } from './figures.js'
import type { Peer } from './peers/peer.js'
import { PEERS } from './peers.js'
import { markdown, pictures, svg, tables } from './report.js'

const UNDERLAY_MTU = 1500

async function runOnce(peer: Peer, seconds: number): Promise<Round> {
  using rig = new Hosts({ overlay: 'flat', mtu: UNDERLAY_MTU, containerMtu: UNDERLAY_MTU - peer.overhead })
  const { down } = await peer.up(rig)
  await rig.reach('cA', 'cB')
  await rig.reach('cB', 'cA')
  const { figures, details } = await measure(rig, seconds, peer.only)
  return { figures, details: { ...details, end: await down() } }
}

function progress(round: number, peer: Peer, { figures }: Round): string {
  const names = (['forth', 'back', 'cpu', 'packets', 'p50', 'foreign'] as const).filter(
    (name) => !Number.isNaN(figures[name]),
  )
  const shown = names.map((name) => `${FIGURES[name].title} ${figures[name].toFixed(FIGURES[name].digits)}`)
  return `${round + 1} ${peer.name.padEnd(14)} ${shown.join(' · ')}`
}

async function run({ peers, all, rounds, seconds, save: saved }: Wanted): Promise<void> {
  const how = `${rounds} rounds, a fresh topology for each peer in each, ${seconds} s a TCP stream`
  console.log(`${machineLine()}\n${versions()}\n${how}\n`)
  const leftOut: string[] = []
  const measureOne = async (peer: Peer, round: number) => {
    const measured = await runOnce(peer, seconds)
    console.log(progress(round, peer, measured))
    return measured
  }
  const results = await inTurns(peers, rounds, measureOne, (line) => {
    leftOut.push(line)
    console.log(line)
  })
  console.log(`\n${tables(results, !all)}\n\n${pictures(results)}`)
  if (!saved) return
  const record = {
    machine: machineLine(),
    versions: versions(),
    peers: Object.fromEntries([...results].map(([peer, own]) => [peer.name, own])),
  }
  save({
    '.md': markdown(results, how, !all, leftOut),
    '.json': json(record),
    '.svg': svg(results, rounds),
  })
}

/** Returns the exit code. */
export async function main(words: string[]): Promise<number> {
  const wanted = parseWords(words, { peers: PEERS, seconds: 3 })
  if (typeof wanted === 'string') {
    console.error(wanted)
    return 2
  }
  await run(wanted)
  return 0
}
