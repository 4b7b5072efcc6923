// The TAP's names, and its coming and going in a network of the test's own.

import { execFileSync } from 'node:child_process'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError } from '#tsgre/errors.js'
import { openTap, refuseTapName } from '#tsgre/io/open-tap.js'
import { TUNGETVNETHDRSZ, TUNSETOFFLOAD, TUNSETVNETHDRSZ } from '#tsgre/sys/constants.js'
import { close as closeDescriptor, ioctl } from '#tsgre/sys/libc.js'
import { slab } from '#tsgre/sys/memory.js'
import { inOwnNetwork } from '../../rig/reexec.js'

inOwnNetwork(import.meta.url)

const ip = (command: string) => execFileSync('ip', command.split(' '), { encoding: 'utf8' })

function refused(body: () => unknown, value: string, wayOut: RegExp): void {
  try {
    body()
  } catch (error) {
    assert.instance(error, ConfigError)
    const { code, option, value: its, message } = error as ConfigError
    assert.equal([code, option, its], ['TSGRE_BAD_TAP', 'tap', value])
    assert.ok(message.startsWith(`--tap ${JSON.stringify(value)}: `), message)
    assert.match(message, wayOut)
    return
  }
  assert.unreachable(`accepted ${JSON.stringify(value)}`)
}

test('takes the names the kernel takes', () => {
  for (const name of ['tap0', 'a', 'a23456789012345', 'tap-0.1_x', 'tör']) refuseTapName(name)
})

test('refuses no name, a long one, and what the kernel forbids in one', () => {
  refused(() => refuseTapName(''), '', /such as tap0/)
  refused(() => refuseTapName('a234567890123456'), 'a234567890123456', /at most 15 bytes, this one has 16/)
  refused(() => refuseTapName('äääääääää'), 'äääääääää', /this one has 18/)
  for (const name of ['.', '..', 'a/b', 'a:1', 'tap%d', 'a b', 'a\tb', 'a\n']) {
    refused(() => refuseTapName(name), name, /has no "\/", ":", "%" or space/)
  }
})

test('refuses a name with a NUL in it: the kernel would cut it there', () => {
  refused(() => refuseTapName('tap0\0x'), 'tap0\0x', /a device name has no/)
})

test('refuses a name that commands would take for an option', () => {
  for (const name of ['-', '-x', '--tap'])
    refused(() => refuseTapName(name), name, /starts with "-" for an option; choose another/)
})

test('refuses a name that belongs to no TAP, and leaves that device alone', () => {
  ip('link add taken type veth peer name other')
  const before = ip('link show taken')
  refused(() => openTap({ name: 'taken' }), 'taken', /is no TAP.*choose another name/)
  assert.is(ip('link show taken'), before)
})

test('refuses a TAP that is held already', () => {
  const tap = openTap({ name: 'tap0' })
  refused(() => openTap({ name: 'tap0' }), 'tap0', /another program holds that TAP; choose another name/)
  tap.close()
})

test('makes a TAP, named, up, with a hardware address above every other, and takes it away again', () => {
  const tap = openTap({ name: 'tap0', mtu: 1400 })
  const shown = ip('link show tap0')
  assert.match(shown, /<[^>]*\bUP\b/)
  assert.match(shown, /mtu 1400/)
  assert.match(shown, /link\/ether fe:/)
  assert.equal([tap.name, tap.mtu], ['tap0', 1400])
  tap.close()
  tap.close()
  assert.throws(() => execFileSync('ip', ['link', 'show', 'tap0'], { stdio: 'ignore' }))
})

test('takes over a TAP that was there and leaves it as it was found', () => {
  ip('tuntap add tap1 mode tap')
  ip('link set tap1 address 02:00:00:00:00:99 mtu 1300')
  const look = () => /mtu \d+|[^<]*\bUP\b|link\/ether \S+/g[Symbol.match](ip('link show tap1'))?.join()
  const before = look()
  const tap = openTap({ name: 'tap1', mtu: 1450, mac: '02:00:00:00:00:01' })
  assert.match(ip('link show tap1'), /<[^>]*\bUP\b.*mtu 1450.*02:00:00:00:00:01/s)
  tap.close()
  assert.is(look(), before)
  const kept = openTap({ name: 'tap1', up: false })
  assert.equal([kept.mtu, /<[^>]*\bUP\b/.test(ip('link show tap1'))], [1300, false])
  assert.match(ip('link show tap1'), /02:00:00:00:00:99/)
  kept.close()
})

test('leaves no TAP behind when a setting is refused by the kernel', () => {
  assert.throws(() => openTap({ name: 'tap2', mtu: 70_000 }), /SIOCSIFMTU/)
  assert.throws(() => execFileSync('ip', ['link', 'show', 'tap2'], { stdio: 'ignore' }))
})

/** What the kernel may leave to the reader, as ethtool shows it. */
function features(name: string): string {
  const shown = execFileSync('ethtool', ['-k', name], { encoding: 'utf8' })
  const wanted = /^\t?(tx-checksum-ip-generic|tx-tcp-segmentation|tx-tcp6-segmentation|tx-udp-segmentation): (on|off)/gm
  return [...shown.matchAll(wanted)].map(([, , state]) => state).join(' ')
}

test('takes as much offload as it is asked for, and tells the kernel', () => {
  for (const [offload, shown] of [
    ['off', 'off off off off'],
    ['csum', 'on off off off'],
    ['tso', 'on on on off'],
    ['uso', 'on on on on'],
  ] as const) {
    const tap = openTap({ name: 'tap3', offload })
    assert.is(tap.offload, offload)
    assert.is(features('tap3'), shown, offload)
    tap.close()
  }
})

test('leaves a TAP that was there without the offload it set, and with the header size it had', () => {
  ip('tuntap add tap4 mode tap')
  const headerSize = () => {
    const tap = openTap({ name: 'tap4', up: false, offload: 'off' })
    const int = slab(8)
    assert.is(ioctl(tap.fd, TUNGETVNETHDRSZ, int.address), 0)
    tap.close()
    return int.view.getInt32(0, true)
  }
  const setHeaderSize = (bytes: number) => {
    const tap = openTap({ name: 'tap4', up: false })
    const int = slab(8)
    int.view.setInt32(0, bytes, true)
    assert.is(ioctl(tap.fd, TUNSETVNETHDRSZ, int.address), 0)
    tap.close()
  }
  setHeaderSize(12)
  const before = features('tap4')
  const tap = openTap({ name: 'tap4', offload: 'uso' })
  assert.is(features('tap4'), 'on on on on')
  tap.close()
  assert.equal([features('tap4'), headerSize()], [before, 12])
})

test('sets the offload of a TAP that another program left with more than we take', () => {
  ip('tuntap add tap5 mode tap')
  const theirs = openTap({ name: 'tap5', up: false, offload: 'off' })
  assert.is(ioctl(theirs.fd, TUNSETOFFLOAD, 0x6f), 0)
  closeDescriptor(theirs.fd) // as if it were killed: nothing is put back
  assert.is(features('tap5'), 'on on on on')
  const tap = openTap({ name: 'tap5', offload: 'off' })
  assert.is(features('tap5'), 'off off off off')
  tap.close()
})

test.run()
