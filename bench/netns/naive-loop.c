// Program: naive-loop TAP LOCAL REMOTE. Ethernet in GRE over IPv4 the way one writes it first: wait, read one, send one.
// Not a tunnel to use: no counters, no rules for what is received beyond the header it expects. The bench measures it.
// Invariant: one system call takes a frame or packet in and one gives it out; nothing is batched, merged or split.

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { ROOM = 65536, ETHERNET_HEADER = 14 };

static const uint8_t GRE_HEADER[4] = {0x00, 0x00, 0x65, 0x58}; // no options, ETH_P_TEB

static void require(int holds, const char *what) {
  if (holds) return;
  perror(what);
  exit(1);
}

static int open_tap(const char *name) {
  int tap = open("/dev/net/tun", O_RDWR);
  require(tap >= 0, "/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  require(ioctl(tap, TUNSETIFF, &request) == 0, name);
  return tap;
}

static struct sockaddr_in host(const char *text) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  require(inet_pton(AF_INET, text, &address.sin_addr) == 1, text);
  return address;
}

static int open_underlay(const char *local, const char *remote) {
  struct sockaddr_in from = host(local), to = host(remote);
  int underlay = socket(AF_INET, SOCK_RAW, IPPROTO_GRE);
  require(underlay >= 0, "raw socket");
  require(bind(underlay, (struct sockaddr *)&from, sizeof from) == 0, local);
  require(connect(underlay, (struct sockaddr *)&to, sizeof to) == 0, remote);
  return underlay;
}

// A frame that cannot be sent is lost, as on any Ethernet.
static void encapsulate(int tap, int underlay) {
  static uint8_t packet[sizeof GRE_HEADER + ROOM];
  memcpy(packet, GRE_HEADER, sizeof GRE_HEADER);
  ssize_t frame = read(tap, packet + sizeof GRE_HEADER, ROOM);
  if (frame > 0 && send(underlay, packet, sizeof GRE_HEADER + frame, 0) < 0) return;
}

static void decapsulate(int underlay, int tap) {
  static uint8_t packet[ROOM];
  ssize_t length = recv(underlay, packet, ROOM, 0); // with the IP header, as raw(7) says
  if (length <= 0) return;
  ssize_t gre = (packet[0] & 0x0f) * 4, frame = gre + sizeof GRE_HEADER;
  if (length < frame + ETHERNET_HEADER || memcmp(packet + gre, GRE_HEADER, sizeof GRE_HEADER) != 0) return;
  if (write(tap, packet + frame, length - frame) < 0) return;
}

int main(int count, char **words) {
  if (count != 4) {
    fprintf(stderr, "usage: naive-loop TAP LOCAL REMOTE\n");
    return 2;
  }
  struct pollfd ends[2] = {{.fd = open_tap(words[1]), .events = POLLIN},
                           {.fd = open_underlay(words[2], words[3]), .events = POLLIN}};
  puts("ready");
  fflush(stdout);
  for (;;) {
    require(poll(ends, 2, -1) > 0, "poll");
    if (ends[0].revents & POLLIN) encapsulate(ends[0].fd, ends[1].fd);
    if (ends[1].revents) decapsulate(ends[1].fd, ends[0].fd);
  }
}
