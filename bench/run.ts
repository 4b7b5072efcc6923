// Starts benches: node .build/bench/run.js [netns|scale] [peer…] [--rounds N]…, or [micro|flow] [name…]; netns unless given.
// A bench of micro and flow is a file NAME.bench.ts that exports `bench()`; nothing else has to list it. Without names: all.

import { existsSync, readdirSync } from 'node:fs'
import { machineLine, ROUNDS } from './measure.js'
import { main as netns } from './netns/main.js'
import { main as scale } from './scale/main.js'

interface BenchModule {
  bench(): void | Promise<void>
}

const SUFFIX = '.bench.js'

function benchesOf(kind: string): string[] {
  const folder = new URL(`./${kind}/`, import.meta.url)
  const files = existsSync(folder) ? readdirSync(folder) : []
  const names = files.filter((file) => file.endsWith(SUFFIX)).map((file) => file.slice(0, -SUFFIX.length))
  return names.sort()
}

async function runFiles(kind: string, wanted: string[]): Promise<number> {
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

const PARTS: Record<string, (words: string[]) => Promise<number>> = {
  netns,
  scale,
  micro: (words) => runFiles('micro', words),
  flow: (words) => runFiles('flow', words),
}

async function run(words: string[]): Promise<number> {
  const [first, ...rest] = words
  if (first === undefined || first.startsWith('-')) return netns(words)
  const part = PARTS[first]
  if (part) return part(rest)
  console.error(`no part of the bench is named ${first}; there are: ${Object.keys(PARTS).join(', ')}`)
  return 2
}

process.exitCode = await run(process.argv.slice(2))
