// How every bench measures and prints: five rounds, the candidates in turn within each, median and spread, the machine
// beside the figures. Not a test: nothing here compares a time with a limit.
// Invariant: the first candidate is the 1.00× that the others are held against.

import { cpus, release } from 'node:os'

export const ROUNDS = 5
const ROUND_MS = 100

export interface Candidate {
  name: string
  /** Does the work `times` times, and returns a number that depends on it, so that none of it can be left out. */
  run(times: number): number
  /** Nanoseconds of it since somebody asked last; without, all that `run` took. */
  spent?(): bigint
}

export function machineLine(): string {
  const all = cpus()
  const model = all[0]?.model.trim() || 'unknown CPU'
  return `${model} × ${all.length} · Linux ${release()} · ${process.arch} · Node ${process.version}`
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Half the way from the smallest to the largest, as a share of the median: what stands behind ±. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / 2 / median(values)
}

/** Measures the candidates and prints one line for each: median nanoseconds, spread, speed against the first. */
export function compare(title: string, candidates: readonly Candidate[]): void {
  const times = candidates.map(calibrate)
  const rounds = candidates.map((): number[] => [])
  for (let round = 0; round < ROUNDS; round++) {
    candidates.forEach((candidate, i) => {
      rounds[i].push(nanoseconds(candidate, times[i]))
    })
  }
  console.log(`\n${title}`)
  const first = median(rounds[0])
  candidates.forEach(({ name }, i) => {
    const middle = median(rounds[i])
    const figures = [middle.toFixed(1).padStart(10), `±${(spread(rounds[i]) * 100).toFixed(0)} %`.padStart(7)]
    console.log(`  ${name.padEnd(16)}${figures.join(' ns  ')}  ${(first / middle).toFixed(2).padStart(7)}×`)
  })
}

/** How many times fill a round; by then the code is compiled, too. */
function calibrate(candidate: Candidate): number {
  let times = 1000
  for (;;) {
    const elapsed = (nanoseconds(candidate, times) * times) / 1e6
    if (elapsed >= ROUND_MS) return times
    times = Math.ceil(times * Math.min(10, (1.2 * ROUND_MS) / Math.max(elapsed, 1)))
  }
}

let sink = 0

function nanoseconds(candidate: Candidate, times: number): number {
  const start = process.hrtime.bigint()
  sink += candidate.run(times)
  const whole = process.hrtime.bigint() - start
  const elapsed = Number(candidate.spent?.() ?? whole)
  if (Number.isNaN(sink)) throw new Error(`${candidate.name}: the work came to nothing`)
  return elapsed / times
}
