// How often the garbage collector ran while a function did: the proof that a hot path allocates nothing.
// Invariant: runs before and after the function are not counted, by their time stamps.

import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'

/** Runs `body`, which must be synchronous, and counts the collections during it. */
export async function collectionsDuring(body: () => void): Promise<number> {
  const collections: number[] = []
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) collections.push(entry.startTime)
  })
  observer.observe({ entryTypes: ['gc'] })
  const start = performance.now()
  body()
  const end = performance.now()
  await setTimeout(20) // entries arrive on a later turn of the event loop
  observer.disconnect()
  return collections.filter((time) => time >= start && time <= end).length
}

/**
 * Collections while `body` does its work `times` times: the fewest of up to five runs, since V8 is still compiling in
 * the first ones. What allocates every time has collections in each run.
 */
export async function steadyCollections(times: number, body: (times: number) => void): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY
  for (let run = 0; run < 5 && fewest > 0; run++) {
    const found = await collectionsDuring(() => body(times))
    fewest = Math.min(fewest, found)
  }
  return fewest
}
