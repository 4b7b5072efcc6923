// Starts benches: node .build/bench/run.js [micro|flow] [name…]; without names, all of that folder.
// A bench is a file NAME.bench.ts that exports `bench()`; nothing else has to list it. `netns` is one bench by itself,
// whose words are the peers it measures (netns/main.ts).

import { existsSync, readdirSync } from 'node:fs'
import { machineLine, ROUNDS } from './measure.js'
import { main as netns } from './netns/main.js'

interface BenchModule {
  bench(): void | Promise<void>
}

const KINDS = ['micro', 'flow']
const SUFFIX = '.bench.js'

function benchesOf(kind: string): string[] {
  const folder = new URL(`./${kind}/`, import.meta.url)
  const files = existsSync(folder) ? readdirSync(folder) : []
  const names = files.filter((file) => file.endsWith(SUFFIX)).map((file) => file.slice(0, -SUFFIX.length))
  return names.sort()
}

async function run(words: string[]): Promise<number> {
  if (words[0] === 'netns') return netns(words.slice(1))
  const kind = KINDS.includes(words[0]) ? words[0] : 'micro'
  const wanted = kind === words[0] ? words.slice(1) : words
  const known = benchesOf(kind)
  const unknown = wanted.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    console.error(`no ${kind} bench named ${unknown.join(', ')}; there are: ${known.join(', ') || 'none'}`)
    return 2
  }
  console.log(`${machineLine()} · ${ROUNDS} rounds, median and spread`)
  for (const name of wanted.length > 0 ? wanted : known) {
    const module: BenchModule = await import(new URL(`./${kind}/${name}${SUFFIX}`, import.meta.url).href)
    await module.bench()
  }
  return 0
}

process.exitCode = await run(process.argv.slice(2))
