// The service on this host: its user, its directory for configurations, its unit. Installed step by step, each of which says what it
// did; what is there already is left, and a unit that somebody else wrote is never written over.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HostError } from '../errors.js'
import { type Execute, execute, typed } from './execute.js'
import { refuseEnabled } from './service-refusals.js'
import { serviceUnit, UNIT_MARK } from './service-unit.js'
import { fileError } from './whole-file.js'

const CONFIG_DIRECTORY = 'etc/tsgre'
const UNIT_FILE = 'etc/systemd/system/tsgre@.service'
const SYSTEMD_RUNS = 'run/systemd/system'

export interface ServiceOptions {
  readonly command: readonly string[]
  readonly user: string
  /** Where the file system begins: `/`, or a folder that stands for it. */
  readonly root?: string
  readonly run?: Execute
}

export interface ServiceStep {
  /** As one would type it, or the file that is written. */
  readonly text: string
  readonly why: string
  readonly take: () => unknown
}

/** What is left to do; nothing is changed. @throws HostError TSGRE_FILE_CHANGED where a unit of that name is somebody else's */
export function planService({ command, user, root = '/', run = execute }: ServiceOptions): ServiceStep[] {
  const at = (path: string) => join(root, path)
  const steps: ServiceStep[] = []
  const call = (why: string, ...words: string[]) =>
    steps.push({ text: typed(words[0]!, words.slice(1)), why, take: () => run(words[0]!, words.slice(1)) })
  const prefix = root === '/' ? [] : ['--prefix', root]
  if (!isListed(at('etc/group'), user))
    call('the group that may use the control sockets', 'groupadd', ...prefix, '--system', user)
  if (!isListed(at('etc/passwd'), user)) {
    const words = [
      '--system',
      '--gid',
      user,
      '--no-create-home',
      '--home-dir',
      '/nonexistent',
      '--shell',
      '/usr/sbin/nologin',
    ]
    call('the user the service runs as', 'useradd', ...prefix, ...words, user)
  }
  if (!existsSync(at(CONFIG_DIRECTORY)))
    steps.push(
      step(`mkdir /${CONFIG_DIRECTORY}`, 'for configurations', () => mkdirSync(at(CONFIG_DIRECTORY), { mode: 0o755 })),
    )
  const unit = serviceUnit({ command, user })
  const before = readUnit(at(UNIT_FILE))
  if (before !== unit) {
    steps.push(
      step(`/${UNIT_FILE}`, before === undefined ? 'the unit, new' : 'the unit, written anew', () => {
        mkdirSync(join(at(UNIT_FILE), '..'), { recursive: true })
        writeFileSync(at(UNIT_FILE), unit, { mode: 0o644 })
      }),
    )
    if (existsSync(at(SYSTEMD_RUNS))) call('so that systemd reads it', 'systemctl', 'daemon-reload')
  }
  return steps
}

/** Whom the unit that is there runs as; undefined without one. @throws HostError TSGRE_FILE_CHANGED where it is somebody else's */
export function installedUser(root = '/'): string | undefined {
  return /^User=(.*)$/m.exec(readUnit(join(root, UNIT_FILE)) ?? '')?.[1]
}

/**
 * The unit goes; user, group and configurations stay, since files may be theirs.
 * @throws HostError where the unit is somebody else's, or instances of it start at boot
 */
export function planRemoval({ root = '/', run = execute }: Pick<ServiceOptions, 'root' | 'run'>): ServiceStep[] {
  const file = join(root, UNIT_FILE)
  if (readUnit(file) === undefined) return []
  refuseEnabled(root)
  const steps = [step(`rm /${UNIT_FILE}`, 'the unit', () => rmSync(file))]
  if (!existsSync(join(root, SYSTEMD_RUNS))) return steps
  const words = ['daemon-reload']
  return [...steps, step(typed('systemctl', words), 'so that systemd forgets it', () => run('systemctl', words))]
}

/** Takes them in order. @throws SystemError, HostError at the first that fails */
export async function takeSteps(steps: readonly ServiceStep[], told: (step: ServiceStep) => void): Promise<void> {
  for (const one of steps) {
    try {
      await one.take()
    } catch (error) {
      throw error instanceof HostError ? error : fileError(error, one.text)
    }
    told(one)
  }
}

function step(text: string, why: string, take: () => unknown): ServiceStep {
  return { text, why, take }
}

/** undefined where there is none. */
function readUnit(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  const text = readFileSync(path, 'utf8')
  if (text.startsWith(UNIT_MARK)) return text
  const why = `${path} was not written by tsgre: move it away, or put what is yours into a drop-in (systemctl edit tsgre@.service)`
  throw new HostError('TSGRE_FILE_CHANGED', path, '', why)
}

function isListed(path: string, name: string): boolean {
  return (
    existsSync(path) &&
    readFileSync(path, 'utf8')
      .split('\n')
      .some((line) => line.startsWith(`${name}:`))
  )
}
