# Program: udp-gre-sender.py SOURCE REMOTE PORT [zero]. An end of GRE-in-UDP that shares nothing with ours, not even the language.
# Sends the frames that stand as hexadecimal lines in its standard input, each behind a GRE header, from any port of SOURCE, with
# `zero` without a UDP checksum; prints what comes to PORT there, hexadecimal, until it is killed.
import socket
import sys

source, remote, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ':' in remote else socket.AF_INET
receiver = socket.socket(family, socket.SOCK_DGRAM)
receiver.bind((source, port))
sender = socket.socket(family, socket.SOCK_DGRAM)
sender.bind((source, 0))
if sys.argv[4:] == ['zero']:
    sender.setsockopt(socket.SOL_SOCKET, 11, 1)  # SO_NO_CHECK
    if family == socket.AF_INET6:
        sender.setsockopt(socket.IPPROTO_UDP, 101, 1)  # UDP_NO_CHECK6_TX
for line in sys.stdin:
    sender.sendto(bytes.fromhex('00006558' + line.strip()), (remote, port))
print('sent', flush=True)
while True:
    data, address = receiver.recvfrom(65536)
    print(address[1], data.hex(), flush=True)
