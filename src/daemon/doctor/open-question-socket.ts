// Opens the socket that the doctor asks by, beside that of a tsgre that may run: each gets every packet. In the order that lets
// nothing foreign slip in: filter shut, bind, connect, empty the queue, filter open.

import { SystemError } from '../../errors.js'
import { DROP_ALL, PASS_ALL } from '../../io/gre-filter.js'
import { IP_OPTIONS } from '../../io/ip-options.js'
import { drain } from '../../io/open-raw-socket.js'
import { IP_PMTUDISC_DO, IPPROTO_GRE, IPPROTO_UDP, SOCK_DGRAM, SOCK_RAW } from '../../sys/constants.js'
import { close } from '../../sys/libc.js'
import { attachFilter, bindTo, bindToDevice, connectTo, openSocket, setOption } from '../../sys/sockets.js'
import type { Subject, Target } from './subject.js'
import type { Way } from './way-checks.js'

export interface QuestionSocket {
  readonly fd: number
  /** False where another socket has the UDP port: an answer would go there. */
  readonly listens: boolean
}

export function openQuestionSocket({ dev, udpPort }: Subject, { address }: Target, way: Way): QuestionSocket {
  const udp = udpPort !== undefined
  const fd = openSocket(address.family, udp ? SOCK_DGRAM : SOCK_RAW, udp ? IPPROTO_UDP : IPPROTO_GRE)
  try {
    attachFilter(fd, DROP_ALL)
    const numbers = IP_OPTIONS[address.family]
    if (dev) bindToDevice(fd, dev)
    setOption(fd, numbers.level, numbers.discover, IP_PMTUDISC_DO, 'MTU_DISCOVER')
    setOption(fd, numbers.level, numbers.errors, 1, 'RECVERR')
    const listens = bound(fd, way, udpPort)
    connectTo(fd, address, udpPort ?? 0)
    drain(fd)
    attachFilter(fd, PASS_ALL)
    return { fd, listens }
  } catch (error) {
    close(fd)
    throw error
  }
}

function bound(fd: number, { local }: Way, port: number | undefined): boolean {
  try {
    bindTo(fd, local, port ?? 0)
    return true
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EADDRINUSE') throw error
    bindTo(fd, local)
    return false
  }
}
