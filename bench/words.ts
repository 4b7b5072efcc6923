// The words of the benches that measure peers: [peer…] [--rounds N] [--seconds N] [--save|--no-save].

import { parseArgs } from 'node:util'
import { ROUNDS } from './measure.js'
import type { Peer } from './netns/peers/peer.js'
import { peersNamed } from './netns/peers.js'

export interface Wanted {
  peers: readonly Peer[]
  /** No peer was named: a run of all that are usual. */
  all: boolean
  rounds: number
  seconds: number
  save: boolean
}

const OPTIONS = { rounds: { type: 'string' }, seconds: { type: 'string' }, save: { type: 'boolean' } } as const

/** What the words ask for, or a sentence that says what is wrong with them. Only a run of all is saved unasked. */
export function parseWords(words: string[], usual: Pick<Wanted, 'peers' | 'seconds'>): Wanted | string {
  try {
    const parsed = parseArgs({ args: words, allowPositionals: true, allowNegative: true, options: OPTIONS })
    const { values, positionals } = parsed
    const all = positionals.length === 0
    const rounds = Number(values.rounds ?? ROUNDS)
    const seconds = Number(values.seconds ?? usual.seconds)
    if (!(Number.isInteger(rounds) && rounds >= 1)) return `--rounds ${values.rounds}: a whole number from 1 on`
    if (!(Number.isInteger(seconds) && seconds >= 1)) return `--seconds ${values.seconds}: a whole number from 1 on`
    return { peers: all ? usual.peers : peersNamed(positionals), all, rounds, seconds, save: values.save ?? all }
  } catch (error) {
    return (error as Error).message
  }
}
