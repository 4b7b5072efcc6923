// How long a test file may take, in seconds: the longest prefix of its name decides. For what hangs; a machine that is some times
// slower than it should be is none of that.

const DEADLINES: readonly (readonly [prefix: string, seconds: number])[] = [
  ['', 300],
  ['netns/', 450],
]

/** `name` as the runner prints it, for example `netns/rig`. The long tests get ten times as much. */
export function deadlineSeconds(name: string, long: boolean): number {
  const matching = DEADLINES.filter(([prefix]) => name.startsWith(prefix))
  const [, seconds] = matching.reduce((a, b) => (b[0].length > a[0].length ? b : a))
  return long ? seconds * 10 : seconds
}
