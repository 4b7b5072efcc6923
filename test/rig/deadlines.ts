// How long a test file may take, in seconds: the longest prefix of its name decides.

const DEADLINES: readonly (readonly [prefix: string, seconds: number])[] = [
  ['', 120],
  ['netns/', 300],
  ['netns/docker', 600],
  ['host/docker-', 300], // a dockerd takes some seconds to stop
]

/** `name` as the runner prints it, for example `netns/rig`. The long tests get ten times as much. */
export function deadlineSeconds(name: string, long: boolean): number {
  const matching = DEADLINES.filter(([prefix]) => name.startsWith(prefix))
  const [, seconds] = matching.reduce((a, b) => (b[0].length > a[0].length ? b : a))
  return long ? seconds * 10 : seconds
}
