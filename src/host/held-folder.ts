// A folder in a directory that others may write to, held by its descriptor: whoever renames it, or puts a link or a folder of their
// own in its place, has no say in what is done inside of this one. Invariant: nothing in it is reached by its path.

import { closeSync, constants, fstatSync, openSync, rmdirSync } from 'node:fs'

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

export class HeldFolder {
  readonly path: string
  readonly #fd: number

  /** @throws an errno where no folder is there, or a link to one */
  constructor(path: string) {
    this.path = path
    this.#fd = openSync(path, FOLDER)
  }

  /** Whether this process's user alone may put anything into it, so that no name in it is a link unless we made it one. */
  get isPrivate(): boolean {
    const { uid, mode } = fstatSync(this.#fd)
    return uid === process.geteuid!() && (mode & 0o077) === 0
  }

  /** A path to what is in it; good until close(). proc(5): the kernel goes by the open folder, not by the name it had. */
  at(name: string): string {
    return `/proc/self/fd/${this.#fd}/${name}`
  }

  /** Takes it away where it is empty; what has its path by now, and anything in it, is left alone. */
  remove(): void {
    try {
      rmdirSync(this.path) // follows no link, and takes nothing along
    } catch {
      // not empty, not there, or not ours
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}
