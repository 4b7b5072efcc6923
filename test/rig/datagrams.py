# Program: datagrams.py listen ADDRESS, or send ADDRESS PORT SIZE DISCOVER TIMES. The listener prints the size and the SHA-256 of
# each datagram; the sender sends one a fifth of a second, DISCOVER as IP_MTU_DISCOVER takes it (0 never DF, 1 the kernel's own
# way), and prints "refused" where its kernel knows that it does not fit. An empty one follows them. Node's dgram has no such option.

import errno
import hashlib
import socket
import sys
import time

IP_MTU_DISCOVER = 10
IPV6_MTU_DISCOVER = 23


def opened(address):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    return family, socket.socket(family, socket.SOCK_DGRAM)


def listen(address):
    _, sock = opened(address)
    sock.bind((address, 0))
    print('listening', sock.getsockname()[1], flush=True)
    while True:
        data = sock.recv(65536)
        print(len(data), hashlib.sha256(data).hexdigest(), flush=True)


def send(address, port, size, discover, times):
    family, sock = opened(address)
    if family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, int(discover))
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, int(discover))
    data = bytes((i * 7 + int(size)) & 255 for i in range(int(size)))
    print(hashlib.sha256(data).hexdigest(), flush=True)
    for _ in range(int(times)):
        try:
            sock.sendto(data, (address, int(port)))
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
            print('refused', flush=True)
        time.sleep(0.2)
    sock.sendto(b'', (address, int(port)))


{'listen': listen, 'send': send}[sys.argv[1]](*sys.argv[2:])
