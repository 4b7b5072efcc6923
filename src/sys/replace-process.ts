// Another program in this process's place: execve(2), with the same pid, and standard streams as this process got them.
// Node has no call for it. Invariant: where it fails, this process goes on unchanged.

import { F_GETFL, F_SETFD, F_SETFL, FD_CLOEXEC } from './constants.js'
import { systemError } from './fail.js'
import { execve, fcntl } from './libc.js'
import { putPointer, type Slab, slab } from './memory.js'

const STANDARD = [0, 1, 2]
const POINTER = 8

/**
 * As they were inherited: Node makes pipes non-blocking as soon as process.stdout or stderr is touched, puts that back at its
 * exit only, and the next program would take it for what it was given.
 */
const INHERITED = flags()

function flags(): number[] {
  return STANDARD.map((fd) => fcntl(fd, F_GETFL, 0))
}

/** Who shares them finds them as they were before this process. */
export function giveBackStandardStreams(): void {
  setFlags(INHERITED)
}

function setFlags(values: readonly number[]): void {
  for (const fd of STANDARD) if (values[fd]! >= 0) fcntl(fd, F_SETFL, values[fd]!)
}

/**
 * Does not return. `argv` begins with the program's own name.
 * @throws SystemError
 */
export function replaceProcess(path: string, argv: readonly string[], env: NodeJS.ProcessEnv): never {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const { memory, lists } = inMemory([argv, variables])
  const before = flags()
  setFlags(INHERITED)
  // Node marks every descriptor it finds at its start, these three too (uv_disable_stdio_inheritance).
  for (const fd of STANDARD) fcntl(fd, F_SETFD, 0)
  execve(path, memory.address + lists[0]!, memory.address + lists[1]!)
  const error = systemError(`execve(${path})`)
  for (const fd of STANDARD) fcntl(fd, F_SETFD, FD_CLOEXEC)
  setFlags(before)
  throw error
}

/** Lists of strings as C has them, each a table of pointers that ends with NULL; `lists` are where the tables begin. */
function inMemory(wanted: readonly (readonly string[])[]): { memory: Slab; lists: number[] } {
  const texts = wanted.map((list) => list.map((text) => Buffer.from(`${text}\0`)))
  const pointers = texts.reduce((sum, list) => sum + list.length + 1, 0)
  const memory = slab(pointers * POINTER + texts.flat().reduce((sum, text) => sum + text.length, 0))
  let at = 0
  let text = pointers * POINTER
  const lists = texts.map((list) => {
    const begin = at
    for (const bytes of list) {
      putPointer(memory.view, at, memory.address + text)
      memory.bytes.set(bytes, text)
      text += bytes.length
      at += POINTER
    }
    at += POINTER // NULL: the memory is zeroed
    return begin
  })
  return { memory, lists }
}
