/* SPDX-License-Identifier: MIT */
/* What the maps of fast-path.bpf.c hold. The translator's thread knows the same layout as offsets: fast-path-record.ts. */
#pragma once

#include <stdbool.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/types.h>

/* Key of a packet from the IPv6 side: addresses and ports as they lie in the packet. */
struct key6 {
	struct in6_addr source;
	struct in6_addr destination;
	__be32 ports;
	__u32 protocol;
};

/* Key of a packet from the IPv4 side. */
struct key4 {
	__be32 source;
	__be32 destination;
	__be32 ports;
	__u32 protocol;
};

/* One direction of a flow: what a packet of it becomes. Written by the thread, unless it says otherwise. */
struct flow {
	/* The new IP header; fields that depend on the packet are 0. */
	union {
		struct iphdr ip4;
		struct ipv6hdr ip6;
	};
	/* What the change of addresses adds to the checksum of TCP and UDP, as bpf_l4_csum_replace takes it. */
	__u32 address_delta;
	/* Both ports that the packet gets, as they stand in it. */
	__be32 ports;
	/* To IPv4: the folded sum of the words of the new header that are the same in each packet, without the TOS octet. */
	__u16 header_sum;
	/* Bits of the traffic class that are copied; those that are always set are in `ip4`. */
	__u8 copied_class;
	/* Packets of this direction come in lists; written here. */
	bool has_lists;
	/*
	 * The largest packet on the other side, and to IPv6 the same for packets that may be fragmented. Volatile, and both
	 * are read: clang would choose between their addresses, which the verifier accepts with CAP_PERFMON only.
	 */
	volatile __u16 mtu_bytes;
	volatile __u16 fragmentable_mtu_bytes;
	/* When the last packet came: nanoseconds of CLOCK_MONOTONIC_COARSE; written here. */
	__u64 last_used;
};

/* What the program counts in each direction, for each CPU. */
enum direction { FROM_IPV6 = 0, FROM_IPV4 = 1, DIRECTIONS = 2 };
struct tally {
	/* As they leave on the wire. */
	__u64 packets;
	__u64 bytes;
	/* Packets that could not be rewritten: dropped, as they may be half written. */
	__u64 dropped;
};
