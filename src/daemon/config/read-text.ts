// The text of a configuration file, as it lies there: found by path or name, bounded, UTF-8. Its meaning is for others.

import { constants, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { BadConfigError } from './problem.js'

/** Where a mere name is looked for. */
export const CONFIG_DIRECTORY = '/etc/tsgre'

const EXTENSIONS = ['.yaml', '.yml', '.json']

/** No configuration comes near it; what does is another file. */
const MOST_BYTES = 1 << 20

export interface ConfigText {
  readonly file: string
  readonly text: string
}

/**
 * Reads what was typed: a path, or a NAME that stands for /etc/tsgre/NAME.yaml, .yml or .json.
 * @throws BadConfigError where there is no such file, or none that could be a configuration
 */
export async function readConfigText(typed: string, directory = CONFIG_DIRECTORY): Promise<ConfigText> {
  if (typed === '') refuse(typed, 'name a file, as in --config /etc/tsgre/office.yaml')
  const files = candidates(typed, directory)
  for (const file of files) {
    const text = await readBounded(file)
    if (text !== undefined) return { file, text }
  }
  const isName = files.length > 1
  refuse(typed, isName ? `there is none of ${files.join(', ')}` : 'there is no such file')
}

/** The name of the instance a file makes. */
export function instanceName(file: string): string {
  const extension = extname(file)
  return basename(file, EXTENSIONS.includes(extension) ? extension : '')
}

function candidates(typed: string, directory: string): string[] {
  if (typed.includes('/') || EXTENSIONS.includes(extname(typed))) return [typed]
  return EXTENSIONS.map((extension) => join(directory, typed + extension))
}

/** undefined where there is no such file. */
async function readBounded(file: string): Promise<string | undefined> {
  let handle: FileHandle | undefined
  try {
    const isInherited = INHERITED.test(file)
    // Without it the opening of a FIFO nobody writes to has no end, and reading one neither.
    handle = await open(file, isInherited ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK)
    refuseSpecial(file, await handle.stat(), isInherited)
    return decode(file, await firstBytes(handle))
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (error instanceof BadConfigError) throw error
    if (code === 'ENOENT') return undefined
    return refuse(file, REASONS[code] ?? message)
  } finally {
    await handle?.close()
  }
}

/** What this process was given open, `/dev/stdin` and what a shell makes of `<(…)`: that may be a pipe, and is read to its end. */
const INHERITED = /^\/(dev\/(stdin|fd\/\d+)|proc\/(self|\d+)\/fd\/\d+)$/

function refuseSpecial(file: string, stats: Stats, isInherited: boolean): void {
  if (stats.isFile()) return
  if (stats.isDirectory()) refuse(file, 'that is a directory; name a file in it')
  if (isInherited) return
  const what = stats.isFIFO()
    ? 'a FIFO'
    : stats.isCharacterDevice() || stats.isBlockDevice()
      ? 'a device'
      : 'a special file'
  refuse(file, `that is ${what}, and a configuration is read anew at each reload: name a regular file`)
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'its mode forbids reading it; `ls -l` shows it',
  ENXIO: 'that is a socket, or a device that is not there: name a regular file',
  ENOTDIR: 'a part of the path is no directory',
}

/** No more than one byte too many, also of what has no end or no size. */
async function firstBytes(handle: FileHandle): Promise<Uint8Array> {
  const buffer = Buffer.alloc(MOST_BYTES + 1)
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.subarray(0, length)
}

function decode(file: string, bytes: Uint8Array): string {
  if (bytes.length > MOST_BYTES) refuse(file, `larger than ${MOST_BYTES} bytes: that is no configuration of tsgre`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    refuse(file, 'not UTF-8 text')
  }
}

function refuse(file: string, message: string): never {
  throw new BadConfigError(file, [{ line: 0, column: 0, key: '', message }])
}
