// In what a tunnel that runs here is another one than was asked for, in the words of its options. Pure.

import type { Target } from './subject.js'

/** What decides whether the other host takes a packet, and its answer is taken for one. */
export interface Terms extends Pick<Target, 'keyIn' | 'keyOut' | 'checksum'> {
  readonly udpPort: number | undefined
}

export interface Difference {
  readonly runs: string
  readonly asked: string
}

const WORDS: readonly ((terms: Terms) => string)[] = [
  ({ udpPort }) => (udpPort === undefined ? 'no --encap udp' : `UDP port ${udpPort}`),
  ({ keyIn, keyOut }) => (keyIn === keyOut ? keyWords(keyIn) : `${keyWords(keyIn)} in and ${keyWords(keyOut)} out`),
  ({ checksum }) => (checksum ? '--csum' : 'no --csum'),
]

function keyWords(key: number | undefined): string {
  return key === undefined ? 'no key' : `key ${key}`
}

export function differencesOf(runs: Terms, asked: Terms): Difference[] {
  return WORDS.map((word) => ({ runs: word(runs), asked: word(asked) })).filter(({ runs, asked }) => runs !== asked)
}
