// Interleaved rounds: everyone in turn, round after round, so that what disturbs the machine for minutes disturbs them all.
// Invariant: one that fails leaves a hole in its round and the others go on; one that never worked is not tried again.

/** One entry a contender, its rounds by their number; a round in which it failed is undefined. */
export type Rounds<Contender, Result> = ReadonlyMap<Contender, readonly (Result | undefined)[]>

const LONGEST = 100

function short(line: string): string {
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line
}

/** In one line: what failed comes first in a message of the rig, and what the program said of it last. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const lines = message.split('\n').map((line) => line.trim())
  const told = lines.filter(Boolean)
  return told.length > 1 ? `${short(told[0]!)} ${short(told.at(-1)!)}` : short(told[0] ?? 'no reason told')
}

const worked = (own: readonly unknown[]): boolean => own.some((result) => result !== undefined)

/** `say` gets a line for everyone that fails. */
export async function inTurns<Contender extends { readonly name: string }, Result>(
  contenders: readonly Contender[],
  rounds: number,
  run: (contender: Contender, round: number) => Promise<Result>,
  say: (line: string) => void = console.log,
): Promise<Rounds<Contender, Result>> {
  const results = new Map(contenders.map((contender): [Contender, (Result | undefined)[]] => [contender, []]))
  for (let round = 0; round < rounds; round++) {
    // Another one begins each time: what comes first after a pause is not always the same.
    const first = round % contenders.length
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      const own = results.get(contender)!
      if (round > 0 && !worked(own)) continue
      try {
        own[round] = await run(contender, round)
      } catch (error) {
        own[round] = undefined
        const left = worked(own) ? 'has no result in this round' : 'is left out'
        say(`${round + 1} ${contender.name} ${left}: ${reasonOf(error)}`)
      }
    }
  }
  return results
}
