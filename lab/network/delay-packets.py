"""
Delays packets: what the kernel routes into a TUN device is handed back to it through the same device so much later.

Usage: delay-packets.py DEVICE MICROSECONDS [DEVICE MICROSECONDS ...]; it prints "ready" when all devices are there.

Packets stay as large as the sender's network made them (up to 64 KiB: the device takes segmentation offload), so that
few of them are handled for many bytes. What waits is bounded: beyond it, packets are lost, as on a real link.
"""

import collections
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
TUNSETOFFLOAD = 0x400454D0
TUN, NO_PACKET_INFORMATION, OFFLOAD_HEADER = 0x0001, 0x1000, 0x4000
CHECKSUM, SEGMENT_IPV4, SEGMENT_ECN = 0x01, 0x02, 0x08
LARGEST_PACKET = 65536 + 64
MOST_WAITING_BYTES = 256 * 1024 * 1024


class Delay:
    def __init__(self, name, microseconds):
        self.seconds = microseconds / 1e6
        self.waiting = collections.deque()
        self.waiting_bytes = 0
        self.descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        flags = TUN | NO_PACKET_INFORMATION | OFFLOAD_HEADER
        fcntl.ioctl(self.descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
        fcntl.ioctl(self.descriptor, TUNSETOFFLOAD, CHECKSUM | SEGMENT_IPV4 | SEGMENT_ECN)

    def take(self):
        """Everything that has come."""
        while True:
            try:
                packet = os.read(self.descriptor, LARGEST_PACKET)
            except BlockingIOError:
                return
            if self.waiting_bytes + len(packet) > MOST_WAITING_BYTES:
                continue
            self.waiting_bytes += len(packet)
            self.waiting.append((time.monotonic() + self.seconds, packet))

    def give_back(self, now):
        """Everything whose time has come."""
        while self.waiting and self.waiting[0][0] <= now:
            _, packet = self.waiting.popleft()
            self.waiting_bytes -= len(packet)
            try:
                os.write(self.descriptor, packet)
            except OSError:
                pass  # The device is down, or the packet is none that it takes: it is lost.


def main():
    words = sys.argv[1:]
    delays = [Delay(name, int(delay)) for name, delay in zip(words[::2], words[1::2])]
    poll = select.epoll()
    by_descriptor = {}
    for delay in delays:
        by_descriptor[delay.descriptor] = delay
        poll.register(delay.descriptor, select.EPOLLIN)
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        first = min((delay.waiting[0][0] for delay in delays if delay.waiting), default=now + 3600)
        for descriptor, _ in poll.poll(max(0.0, first - now)):
            by_descriptor[descriptor].take()
        now = time.monotonic()
        for delay in delays:
            delay.give_back(now)


main()
