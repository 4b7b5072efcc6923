# Numbered datagrams: numbered.py listen PORT, which at SIGTERM prints one JSON object, how often each number came from each sender;
# numbered.py send ADDRESS PORT FIRST COUNT GAP_MS, to a broadcast address too.
import collections
import json
import signal
import socket
import struct
import sys
import time

SO_RCVBUFFORCE = 33


def listen(port):
    came = collections.Counter()
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
    end.bind(("", port))

    def take():
        data, (host, _) = end.recvfrom(2048)
        came[(host, struct.unpack("!I", data[:4])[0])] += 1

    def stop(*_):
        end.setblocking(False)
        try:
            while True:
                take()
        except BlockingIOError:
            pass
        print(json.dumps({f"{host} {number}": count for (host, number), count in came.items()}), flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    print("listening", flush=True)
    while True:
        take()


def send(address, port, first, count, gap):
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for number in range(first, first + count):
        end.sendto(struct.pack("!I", number) + bytes(60), (address, port))
        if gap:
            time.sleep(gap / 1000)


if sys.argv[1] == "listen":
    listen(int(sys.argv[2]))
else:
    send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6]))
