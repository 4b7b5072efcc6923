// The machine's own headers have the last word: a C program prints what the compiler makes of them.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as abi from '#tsgre/sys/abi.js'
import { CAPABILITIES } from '#tsgre/sys/capabilities.js'
import * as constants from '#tsgre/sys/constants.js'
import { ERRNO } from '#tsgre/sys/errno.js'

const HEADERS = [
  'stddef.h',
  'stdio.h',
  'errno.h',
  'fcntl.h',
  'poll.h',
  'sys/eventfd.h',
  'sys/ioctl.h',
  'sys/socket.h',
  'sys/uio.h',
  'sys/un.h',
  'netinet/in.h',
  'netinet/udp.h',
  'net/if.h',
  'net/if_arp.h',
  'netpacket/packet.h',
  'linux/capability.h',
  'linux/errqueue.h',
  'linux/filter.h',
  'linux/if_tun.h',
  'linux/virtio_net.h',
]

/** From Linux 6.2 on; Debian 12 has the headers of 6.1. */
const RECENT = ['TUN_F_USO4', 'TUN_F_USO6']

function program(): string {
  const lines = HEADERS.map((header) => `#include <${header}>`)
  const print = (label: string, value: string) => `  printf("%s %lld\\n", "${label}", (long long)(${value}));`
  const sizes = Object.entries(abi).flatMap(([code, { at }]) => {
    const struct = `struct ${code.toLowerCase()}`
    const fields = Object.keys(at).flatMap((field) => [
      print(`${code}.${field}.offset`, `offsetof(${struct}, ${field})`),
      print(`${code}.${field}.size`, `sizeof(((${struct} *)0)->${field})`),
    ])
    return [print(`${code}.size`, `sizeof(${struct})`), ...fields]
  })
  const capabilities = CAPABILITIES.map((name) => name.toUpperCase())
  const numbers = [...Object.keys(constants), ...Object.keys(ERRNO), ...capabilities].map((name) =>
    RECENT.includes(name) ? `#ifdef ${name}\n${print(name, name)}\n#endif` : print(name, name),
  )
  const model = ['int', 'long', 'void *', 'size_t'].map((type) =>
    print(`sizeof ${type}`.replace(/ /g, '_'), `sizeof(${type})`),
  )
  const others = [
    print('CMSG_SPACE', 'CMSG_SPACE(sizeof(int))'),
    print('CMSG_LEN', 'CMSG_LEN(sizeof(int))'),
    print('little_endian', '__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__'),
  ]
  return ['#define _GNU_SOURCE', ...lines, 'int main(void) {', ...sizes, ...numbers, ...model, ...others, '}', ''].join(
    '\n',
  )
}

function ask(): Map<string, number> {
  const folder = mkdtempSync(join(tmpdir(), 'tsgre-abi-'))
  try {
    const source = join(folder, 'abi.c')
    const binary = join(folder, 'abi')
    writeFileSync(source, program())
    execFileSync('cc', ['-Wall', '-Werror', '-o', binary, source], { stdio: ['ignore', 'ignore', 'pipe'] })
    const lines = execFileSync(binary, { encoding: 'utf8' }).trim().split('\n')
    return new Map(lines.map((line) => [line.split(' ')[0]!, Number(line.split(' ')[1])]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

let answers = new Map<string, number>()

test('a C compiler takes the headers with every name we use (cc: build-essential)', () => {
  answers = ask()
})

test('every structure and field lies where the headers put it', () => {
  for (const [code, { size, at }] of Object.entries(abi)) {
    assert.is(size, answers.get(`${code}.size`), `sizeof ${code}`)
    for (const [field, { offset, size: bytes }] of Object.entries(at)) {
      assert.is(offset, answers.get(`${code}.${field}.offset`), `offset of ${code}.${field}`)
      assert.is(bytes, answers.get(`${code}.${field}.size`), `size of ${code}.${field}`)
    }
  }
})

test('every constant has the value of the headers', () => {
  for (const [name, value] of Object.entries(constants)) {
    if (answers.has(name) || !RECENT.includes(name)) assert.is(value, answers.get(name), name)
  }
})

test('every errno has the value of the headers', () => {
  for (const [name, value] of Object.entries(ERRNO)) assert.is(value, answers.get(name), name)
})

test('every capability has the number of the headers', () => {
  for (const [value, name] of CAPABILITIES.entries()) assert.is(value, answers.get(name.toUpperCase()), name)
})

test('the machine is LP64 and little-endian, as the notes say of x86-64 and arm64', () => {
  assert.is(answers.get('little_endian'), 1)
  const sizes = ['sizeof_int', 'sizeof_long', 'sizeof_void_*', 'sizeof_size_t'].map((label) => answers.get(label))
  assert.equal(sizes, [4, 8, 8, 8])
})

test('a control message with an int takes 24 bytes and says 20', () => {
  assert.is(answers.get('CMSG_SPACE'), 24)
  assert.is(answers.get('CMSG_LEN'), 20)
})

test.run()
