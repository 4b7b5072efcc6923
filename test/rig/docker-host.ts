// One host with a real dockerd, in namespaces of its own (network, mounts, host name), at the paths of a real host: /etc/docker,
// /var/lib/docker and /run are private, so dockerd needs no flag to find them. `systemctl` is a script that starts and stops this
// dockerd, and systemd seems to run. Invariant: whatever was started ends, and all goes, with close().

import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Child, type ChildOptions, type Ended } from './child.js'
import { closeWithProcess } from './close-with-process.js'
import { CONTAINERD, SYSTEMCTL } from './docker-unit.js'
import { removeNamespace } from './leftovers.js'

const MAIN = fileURLToPath(import.meta.resolve('#tsgre/cli/main.js'))

// Not "ip netns exec": it mounts a bare sysfs, in which dockerd finds no cgroups.
const SETUP = `set -e
mkdir -p $1/cgroup /var/lib/docker /etc/docker
mount --rbind /sys/fs/cgroup $1/cgroup
mount -t sysfs sysfs /sys
mount --rbind $1/cgroup /sys/fs/cgroup
umount -l $1/cgroup
mount --bind $1/lib /var/lib/docker
mount --bind $1/etc /etc/docker
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
ip link set lo up
touch $1/ready
exec sleep infinity`

const opened = new Set<DockerHost>()
let made = 0

function closeAll(): void {
  for (const host of opened) host.close()
}

export class DockerHost {
  readonly name = `tsgre-${process.pid}-docker${made++}`
  readonly folder = mkdtempSync(join(tmpdir(), `${this.name}-`))
  readonly daemonJson = '/etc/docker/daemon.json'
  #anchor = 0

  /** Makes the host; dockerd does not run yet. */
  static async open(): Promise<DockerHost> {
    const host = new DockerHost()
    if (made === 1) closeWithProcess(closeAll)
    opened.add(host)
    try {
      await host.#build()
      return host
    } catch (error) {
      host.close()
      throw error
    }
  }

  async #build(): Promise<void> {
    for (const directory of ['lib', 'etc', 'bin']) mkdirSync(join(this.folder, directory))
    writeFileSync(join(this.folder, 'bin', 'systemctl'), SYSTEMCTL)
    chmodSync(join(this.folder, 'bin', 'systemctl'), 0o755)
    writeFileSync(join(this.folder, 'containerd.toml'), CONTAINERD)
    this.setFlags('')
    execFileSync('ip', ['netns', 'add', this.name])
    const inside = `hostname ${this.name}\n${SETUP}`
    const argv = [`--net=/run/netns/${this.name}`, 'unshare', '-m', '-u', '--propagation', 'slave', 'sh', '-c', inside]
    const anchor = spawn('nsenter', [...argv, 'sh', this.folder], { stdio: ['ignore', 'ignore', 'inherit'] })
    this.#anchor = anchor.pid!
    for (let waited = 0; !existsSync(join(this.folder, 'ready')); waited += 50) {
      if (anchor.exitCode !== null || waited > 10_000) throw new Error('the namespaces could not be made')
      await sleep(50)
    }
  }

  /** What the unit gives dockerd at its next start. */
  setFlags(flags: string): void {
    writeFileSync(join(this.folder, 'flags'), flags)
  }

  /** The text of daemon.json; undefined when there is none. */
  get file(): string | undefined {
    const path = join(this.folder, 'etc', 'daemon.json')
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined
  }

  set file(text: string | undefined) {
    const path = join(this.folder, 'etc', 'daemon.json')
    if (text === undefined) rmSync(path, { force: true })
    else writeFileSync(path, text)
  }

  /** Runs a program on the host to its end. */
  async run(command: string, ...words: string[]): Promise<Ended> {
    return await this.spawn([command, ...words]).ended
  }

  /** Starts a program on the host. */
  spawn(argv: readonly string[], options: ChildOptions = {}): Child {
    const enter = ['nsenter', '-t', String(this.#anchor), '-m', '-u', '-n', '--', ...argv]
    return new Child(enter, {
      ...options,
      env: { PATH: `${join(this.folder, 'bin')}:${process.env.PATH}`, ...options.env },
    })
  }

  /** Which back end `iptables` is, for dockerd from its next start. */
  useIptables(backEnd: 'nft' | 'legacy'): void {
    for (const name of ['iptables', 'ip6tables'].flatMap((one) => ['', '-save', '-restore'].map((end) => [one, end]))) {
      const path = join(this.folder, 'bin', name.join(''))
      rmSync(path, { force: true })
      symlinkSync(`/usr/sbin/${name[0]}-${backEnd}${name[1]}`, path)
    }
  }

  /** `tsgre docker WORDS`. */
  async tsgre(words: string): Promise<Ended> {
    return await this.run(...this.command(words))
  }

  /** The same, as a command line for another program to start. */
  command(words: string): [command: string, ...words: string[]] {
    return [process.execPath, MAIN, 'docker', ...words.split(' ')]
  }

  /** `systemctl WORD docker`; what tsgre asked of it before is forgotten. */
  async systemctl(word: 'start' | 'stop' | 'restart'): Promise<void> {
    await this.run('systemctl', 'reset-failed', 'docker')
    const { code, stderr } = await this.run('systemctl', word, 'docker')
    rmSync(join(this.folder, 'asked'), { force: true })
    if (code !== 0) throw new Error(`${stderr}\n${this.log.slice(-2000)}`)
  }

  /** What was asked of systemctl. */
  get asked(): string[] {
    const path = join(this.folder, 'asked')
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
  }

  get log(): string {
    return readFileSync(join(this.folder, 'dockerd.log'), 'utf8')
  }

  /** Runs a program that must not fail; gives what it prints. */
  async must(line: string): Promise<string> {
    const [command = '', ...words] = line.split(' ')
    const { code, stdout, stderr } = await this.run(command, ...words)
    if (code !== 0) throw new Error(`${line}: ${stderr}`)
    return stdout.trim()
  }

  /** A word to the engine. */
  async docker(words: string): Promise<string> {
    return await this.must(`/usr/bin/docker ${words}`)
  }

  /** Makes the image `box`, which holds /busybox and nothing else. */
  async importBox(): Promise<void> {
    const tar = join(this.folder, 'box.tar')
    execFileSync('tar', ['-C', '/bin', '-cf', tar, 'busybox'])
    await this.docker(`import ${tar} box`)
  }

  /** docker0's IPv4 address. */
  async address(): Promise<string> {
    return (await this.must('ip -4 -brief address show dev docker0')).split(/\s+/)[2] ?? ''
  }

  /** Kills everything on the host and removes it: nothing in it outlives its namespaces. Twice is once. */
  close(): void {
    if (!opened.delete(this)) return
    removeNamespace(this.name)
    removeCgroups(this.name)
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

/** A host for one test, with dockerd running; `file` is daemon.json's text. */
export async function withDockerHost(
  body: (host: DockerHost) => Promise<void>,
  flags = '',
  file?: string,
): Promise<void> {
  const host = await DockerHost.open()
  try {
    host.setFlags(flags)
    host.file = file
    await host.systemctl('start')
    await body(host)
  } finally {
    host.close()
  }
}

/** A container outlives its dockerd where live-restore is on, or a test failed. */
function removeCgroups(name: string): void {
  const remove = `for d in /sys/fs/cgroup/${name} /sys/fs/cgroup/*/${name}; do
  [ -d $d ] || continue
  find $d -name cgroup.procs -exec cat {} + | xargs -r kill -9 2>/dev/null
  for i in 1 2 3 4 5; do find $d -depth -type d -exec rmdir {} + 2>/dev/null && break; sleep 0.1; done
done; true`
  execFileSync('sh', ['-c', remove], { stdio: 'ignore' })
}
