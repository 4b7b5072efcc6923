// Which test files run at the same time. Most wait more than they work, in namespaces of their own, so two share a machine well.
// Not where they run or what they leave: run.ts knows that. Invariant: every name is run exactly once, and what measures, alone.

/** They count packets the kernel had no room for, measure, or kill or take away at chosen moments. */
const ALONE = /^netns\/(flood|healing|killed|pace)$/
/** Real engines: two of them at once are work enough, and a file may start two. */
const DOCKER = /\/docker/

/** Runs them `lanes` at a time, and those that must be alone after all others, one after the other. */
export async function runInLanes(
  names: readonly string[],
  lanes: number,
  run: (name: string) => Promise<void>,
): Promise<void> {
  const beside = names.filter((name) => !ALONE.test(name))
  // The engines first: theirs is the longest row that cannot be split.
  const waiting = [...beside.filter((name) => DOCKER.test(name)), ...beside.filter((name) => !DOCKER.test(name))]
  let engines = false
  const next = (): string | undefined => {
    const index = waiting.findIndex((name) => !(engines && DOCKER.test(name)))
    return index < 0 ? undefined : waiting.splice(index, 1)[0]
  }
  const lane = async () => {
    // A lane that finds nothing but engines ends: the one that runs an engine takes them all.
    for (let name = next(); name !== undefined; name = next()) {
      const docker = DOCKER.test(name)
      engines ||= docker
      await run(name)
      if (docker) engines = false
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  for (const name of names.filter((name) => ALONE.test(name))) await run(name)
}
