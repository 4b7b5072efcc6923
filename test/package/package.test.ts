// The package as somebody gets it: what `npm pack` puts in, and what a program in an empty folder can do with it.
// Packed from the dist that all tests run; needs the registry, as `npm ci` does.

import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { tsgreArgv } from '../rig/daemon.js'
import { Hosts } from '../rig/hosts.js'
import { ROOT } from '../rig/root.js'

const REPOSITORY = fileURLToPath(ROOT)
const folder = mkdtempSync(join(tmpdir(), 'tsgre-package-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/** What an npm around this one says of this project must not reach an npm that works on another; how to get at packages must. */
const WAY_TO_PACKAGES =
  /^npm_config_(registry|cache|userconfig|globalconfig|cafile|strict_ssl|proxy|https_proxy|noproxy|nodedir)$/
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => WAY_TO_PACKAGES.test(name) || !/^(npm_|INIT_CWD)/.test(name)),
)

function run(cwd: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const options = { cwd, encoding: 'utf8', env: { ...ENVIRONMENT, ...env }, timeout: 100_000 } as const
  return spawnSync(argv[0]!, argv.slice(1), options)
}

/** Returns stdout. */
function succeed(cwd: string, argv: readonly string[], env?: NodeJS.ProcessEnv): string {
  const { status, stdout, stderr } = run(cwd, argv, env)
  assert.is(status, 0, `${argv.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

// `--ignore-scripts`: prepack would build dist anew under the feet of the tests beside this one.
const pack = ['npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder]
const [packed] = JSON.parse(succeed(REPOSITORY, pack)) as [
  { filename: string; files: { path: string; mode: number }[] },
]
const paths = packed.files.map(({ path }) => path)

/** A program's folder with the package installed. */
function install(name: string, flags: readonly string[] = [], env?: NodeJS.ProcessEnv): string {
  const app = join(folder, name)
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }\n')
  succeed(app, ['npm', 'install', ...flags, join(folder, packed.filename)], env)
  return app
}

/** A PATH on which every compiler says no. */
function withoutCompiler(): NodeJS.ProcessEnv {
  const bin = join(folder, 'no-compiler')
  mkdirSync(bin)
  for (const name of ['cc', 'c++', 'gcc', 'g++', 'clang', 'clang++', 'make', 'ninja', 'cmake']) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name}: not found" >&2\nexit 127\n`)
    chmodSync(join(bin, name), 0o755)
  }
  return { PATH: bin + delimiter + process.env.PATH, CC: 'false', CXX: 'false' }
}

test('ships what runs, and nothing else', () => {
  const other = paths.filter(
    (path) => !/^(dist\/.+\.(js|d\.ts)|docs\/tsgre\.8|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(path),
  )
  assert.equal(other, [])
  for (const path of ['README.md', 'LICENSE', 'package.json', 'dist/index.js', 'dist/index.d.ts']) {
    assert.ok(paths.includes(path), path)
  }
})

test('ships every file its package.json points at, and a command that can be run', () => {
  const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'))
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target as object),
  )
  for (const target of [...targets, ...manifest.man, manifest.bin.tsgre])
    assert.ok(paths.includes(target.replace('./', '')), target)
  const command = packed.files.find(({ path }) => path === manifest.bin.tsgre)!
  assert.is(command.mode & 0o111, 0o111)
})

test('asks npm to run the install scripts of its native dependencies, and of no others', () => {
  const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'))
  assert.equal(manifest.allowScripts, { koffi: true, 'raw-socket': true })
  assert.ok(manifest.dependencies.koffi)
  assert.ok(manifest.optionalDependencies['raw-socket'])
})

const PROGRAM = `
import { ConfigError, DROP_REASONS, openTunnel, type Tunnel, type TunnelOptions, type TunnelStats } from 'tsgre'
import { Batch, memoryPorts, type Port, parseAddress } from 'tsgre/io'
import { greHeader, parseGre } from 'tsgre/wire'
import { Changes, parseCidr } from 'tsgre/host'
import manifest from 'tsgre/package.json' with { type: 'json' }

const options: TunnelOptions = { name: 'tap0', remote: 'nowhere' }
const opened: Promise<Tunnel> = openTunnel(options)
const refusal = await opened.catch((error: unknown) => error)
if (!(refusal instanceof ConfigError)) throw refusal
const ports: [Port, Port] = memoryPorts()
const drops: keyof TunnelStats['drops'] = DROP_REASONS[0]
const gre = greHeader()
const length: number = parseGre(Uint8Array.of(0, 0, 0x65, 0x58), 0, 4, gre)
const seen = [refusal.code, ports.length, new Batch(1).capacity, drops, length, gre.protocol, parseAddress('::1')?.text]
console.log(JSON.stringify([...seen, parseCidr('192.0.2.0/24').network, await new Changes().unwind(), manifest.name]))
`
const SEEN = ['TSGRE_NOT_AN_ADDRESS', 2, 1, 'truncated', 4, 0x6558, '::1', '192.0.2.0/24', [], 'tsgre']

test('serves a program in an empty folder: the command, four doors, and their types', () => {
  const app = install('app')
  const { version } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'))
  assert.is(succeed(app, ['npx', 'tsgre', '--version']), `${version}\n`)
  assert.match(succeed(app, ['npx', 'tsgre', '--help']), /--remote.*host A .*tsgre --remote/s)

  writeFileSync(join(app, 'program.ts'), PROGRAM)
  const compilerOptions = {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    resolveJsonModule: true,
    types: ['node'],
    typeRoots: [join(REPOSITORY, 'node_modules/@types')],
  }
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
  // Checks the package's own declarations too: skipLibCheck is off.
  succeed(app, [join(REPOSITORY, 'node_modules/.bin/tsc')])
  assert.equal(JSON.parse(succeed(app, [process.execPath, 'program.js'])), SEEN)
})

const unbuilt: [how: string, name: string, flags: string[], env: () => NodeJS.ProcessEnv][] = [
  ['there is no compiler', 'no-compiler-app', [], withoutCompiler],
  ['npm runs no install scripts', 'no-scripts-app', ['--ignore-scripts'], () => ({})],
]
for (const [how, name, flags, env] of unbuilt) {
  test(`works without raw-socket where ${how}, and says what --io raw-socket would need`, async () => {
    const app = install(name, flags, env())
    assert.not(existsSync(join(app, 'node_modules/raw-socket/build')))
    const bin = join(app, 'node_modules/tsgre/dist/cli/main.js')
    using rig = new Hosts({ overlay: 'flat' })
    const args = ['--remote', '192.168.56.5', '--tap', 'tap0', '--io', 'raw-socket']
    const { code, stdout, stderr } = await rig.exec('A', tsgreArgv(args, bin), { anyCode: true })
    assert.is(code, 2, stderr)
    assert.is(stdout, '')
    assert.match(stderr, /^tsgre: --io raw-socket: .*C\+\+ compiler.*npm rebuild raw-socket.*or leave --io away\n$/)
    await Promise.all([rig.tsgre('A', [], { bin }), rig.tsgre('B')])
    await rig.reach('cA', 'cB')
  })
}

test.run()
