// SPDX-License-Identifier: MIT
/*
 * The kernel's part of NAT64: a classifier on what network devices receive (tcx, Linux 6.6).
 *
 * The translator's thread enters established flows of TCP and UDP into two hash maps, one for each direction. This program
 * translates their packets and gives them to the kernel as if they came from the TUN device, so that routing, the firewall
 * and the MTU treat them like packets that the thread translated. Whatever is not plain data of a known flow is left alone
 * (TC_ACT_UNSPEC) and takes the way through the thread: SYN, FIN and RST, fragments, options and extension headers,
 * what has to be answered, what is in any way odd. So everything is looked at before the first byte is written.
 *
 * Both directions go through `translate`, in the order of RFC 6146 section 3.3.
 *
 * Built by `npm run build:bpf`; the object beside this file is committed.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "fast-path-record.h"
#include "fast-path-maps.h"

#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff
#define IPV4_DONT_FRAGMENT 0x4000
#define IPV4_WITHOUT_OPTIONS 0x45

/* In the byte with the flags of a TCP header. */
#define TCP_FIN_SYN_RST 0x07

/*
 * On the way through the thread three routers see a packet one after the other: the kernel, the translator, the kernel. Of
 * a packet that this program translates, the last of them takes its hop itself.
 */
#define HOPS_BEFORE_FORWARDING 2

/* RFC 7915 section 5.1: up to here an IPv4 packet has DF clear, because its sender could not be told of a smaller MTU. */
#define LARGEST_FRAGMENTABLE_BYTES 1260

/* The packet as it came. */
struct incoming {
	/* Of the IP packet in all, and of its transport header. */
	__u32 total_bytes;
	__u32 transport_bytes;
	/* Of the payload of each segment, when the packet stands for several; else 0. */
	__u32 gso_bytes;
	__be32 ports;
	__u32 protocol;
	__u8 traffic_class;
	/* As the new packet has it. */
	__u8 hop_limit;
	bool may_be_fragmented;
};

/* The packet as it leaves. */
struct outgoing {
	__u32 total_bytes;
	/* Of the packet on the wire, or of its largest segment. */
	__u32 wire_bytes;
	union {
		struct iphdr ip4;
		struct ipv6hdr ip6;
	};
};

/* The one's-complement sum of words (RFC 1071), folded to 16 bits. */
static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* The readable part of the packet. The verifier knows the two loads as pointers, but not what clang may make of them. */
#define LOAD_POINTER(skb, field)                                      \
	({                                                            \
		void *pointer;                                        \
		asm volatile("%0 = *(u32 *)(%1 + %2)"                 \
			     : "=r"(pointer)                          \
			     : "r"(skb), "i"(__builtin_offsetof(struct __sk_buff, field))); \
		pointer;                                              \
	})

struct readable {
	void *data;
	void *end;
};

/* Makes `least_bytes` from the start of the packet readable, or if it has so many `wanted_bytes`. False: too short. */
static __always_inline bool make_readable(struct __sk_buff *skb, __u32 least_bytes, __u32 wanted_bytes,
					  struct readable *packet)
{
	packet->data = LOAD_POINTER(skb, data);
	packet->end = LOAD_POINTER(skb, data_end);
	if (packet->data + wanted_bytes <= packet->end)
		return true;
	bpf_skb_pull_data(skb, skb->len < wanted_bytes ? skb->len : wanted_bytes);
	packet->data = LOAD_POINTER(skb, data);
	packet->end = LOAD_POINTER(skb, data_end);
	return packet->data + least_bytes <= packet->end;
}

/* RFC 6146 section 3.4, from IPv6. False: not for this program. */
static __always_inline bool read_ipv6(const struct ipv6hdr *ip, struct incoming *in)
{
	const __u32 start = bpf_ntohl(*(const __be32 *)ip);

	/* RFC 7915 section 5.1: what runs out of hops is answered by the thread. */
	if (start >> 28 != 6 || ip->hop_limit <= HOPS_BEFORE_FORWARDING)
		return false;
	in->traffic_class = start >> 20;
	in->hop_limit = ip->hop_limit - HOPS_BEFORE_FORWARDING;
	in->protocol = ip->nexthdr;
	in->total_bytes = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	in->may_be_fragmented = false;
	return true;
}

/* RFC 6146 section 3.4, from IPv4. */
static __always_inline bool read_ipv4(const struct iphdr *ip, struct incoming *in)
{
	const __u32 *words = (const __u32 *)ip;
	__u64 sum = 0;

	if (*(const __u8 *)ip != IPV4_WITHOUT_OPTIONS || ip->ttl <= HOPS_BEFORE_FORWARDING)
		return false;
	if (ip->frag_off & bpf_htons(IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET))
		return false;
	/* RFC 7915 section 4.1: nobody has looked at the header's checksum yet, and IPv6 has none. */
#pragma unroll
	for (int i = 0; i < (int)(sizeof(*ip) / sizeof(*words)); i++)
		sum += words[i];
	if (fold(sum) != 0xffff)
		return false;
	in->traffic_class = ip->tos;
	in->hop_limit = ip->ttl - HOPS_BEFORE_FORWARDING;
	in->protocol = ip->protocol;
	in->total_bytes = bpf_ntohs(ip->tot_len);
	in->may_be_fragmented = !(ip->frag_off & bpf_htons(IPV4_DONT_FRAGMENT));
	return true;
}

/*
 * RFC 6146 section 3.5: TCP that neither opens nor ends a connection, and UDP with a checksum (RFC 7915 section 4.5: the
 * thread makes one where there is none). `end` is that of what is readable.
 */
static __always_inline bool read_transport(const void *transport, const void *end, __u32 ip_bytes, struct incoming *in)
{
	in->ports = *(const __be32 *)transport;
	if (in->protocol == IPPROTO_TCP) {
		const struct tcphdr *tcp = transport;

		if ((const void *)(tcp + 1) > end || ((const __u8 *)tcp)[13] & TCP_FIN_SYN_RST)
			return false;
		in->transport_bytes = (((const __u8 *)tcp)[12] >> 4) * 4;
		if (in->transport_bytes < sizeof(*tcp))
			return false;
	} else if (in->protocol == IPPROTO_UDP) {
		const struct udphdr *udp = transport;
		const __u32 end_bytes = ip_bytes + bpf_ntohs(udp->len);

		if (udp->check == 0 || end_bytes > in->total_bytes || end_bytes < ip_bytes + sizeof(*udp))
			return false;
		/* Data behind the datagram is for the thread to judge; with several in one, senders differ in what they say. */
		if (in->gso_bytes == 0 && end_bytes != in->total_bytes)
			return false;
		in->transport_bytes = sizeof(*udp);
	} else {
		return false;
	}
	return in->total_bytes >= ip_bytes + in->transport_bytes;
}

static __always_inline struct flow *find6(const struct ipv6hdr *ip, const struct incoming *in)
{
	const struct key6 key = {
		.source = ip->saddr,
		.destination = ip->daddr,
		.ports = in->ports,
		.protocol = in->protocol,
	};

	return bpf_map_lookup_elem(&flows6, &key);
}

static __always_inline struct flow *find4(const struct iphdr *ip, const struct incoming *in)
{
	const struct key4 key = {
		.source = ip->saddr,
		.destination = ip->daddr,
		.ports = in->ports,
		.protocol = in->protocol,
	};

	return bpf_map_lookup_elem(&flows4, &key);
}

/* RFC 7915 section 5.1. */
static __always_inline void make_ipv4(const struct flow *flow, const struct incoming *in, struct outgoing *out)
{
	const bool may_be_fragmented = out->wire_bytes <= LARGEST_FRAGMENTABLE_BYTES;
	const __u16 identification = may_be_fragmented ? bpf_get_prandom_u32() : 0;
	const __u16 fragment = may_be_fragmented ? 0 : IPV4_DONT_FRAGMENT;
	const __u8 tos = (in->traffic_class & flow->copied_class) | flow->ip4.tos;
	const __u32 sum =
		flow->header_sum + tos + out->total_bytes + identification + fragment + (in->hop_limit << 8);

	out->ip4 = (struct iphdr){
		.version = 4,
		.ihl = sizeof(struct iphdr) / 4,
		.tos = tos,
		.tot_len = bpf_htons(out->total_bytes),
		.id = bpf_htons(identification),
		.frag_off = bpf_htons(fragment),
		.ttl = in->hop_limit,
		.protocol = in->protocol,
		.check = bpf_htons(~fold(sum)),
		.saddr = flow->ip4.saddr,
		.daddr = flow->ip4.daddr,
	};
}

/* RFC 7915 section 4.1. */
static __always_inline void make_ipv6(const struct flow *flow, const struct incoming *in, struct outgoing *out)
{
	const __u32 start = 6 << 28 | (in->traffic_class & flow->copied_class) << 20;

	*(__be32 *)&out->ip6 = bpf_htonl(start);
	out->ip6.payload_len = bpf_htons(out->total_bytes - sizeof(struct ipv6hdr));
	out->ip6.nexthdr = in->protocol;
	out->ip6.hop_limit = in->hop_limit;
	out->ip6.saddr = flow->ip6.saddr;
	out->ip6.daddr = flow->ip6.daddr;
}

/*
 * Puts the new header in place of the old one, and changes ports and checksum. False: the packet may be half written. That
 * takes a lack of memory: the headers are readable, and the first of these steps makes them this packet's own.
 */
static __always_inline bool rewrite(struct __sk_buff *skb, __u32 link_bytes, __be16 ethertype, void *header,
				    __u32 header_bytes, const struct flow *flow, const struct incoming *in)
{
	const __u32 transport = link_bytes + header_bytes;
	const bool is_tcp = in->protocol == IPPROTO_TCP;
	const __u32 check = transport + (is_tcp ? __builtin_offsetof(struct tcphdr, check)
						: __builtin_offsetof(struct udphdr, check));
	/* In UDP a checksum of 0 means none: it stays 0, and no other becomes 0. */
	const __u64 flags = is_tcp ? 0 : BPF_F_MARK_MANGLED_0;

	if (bpf_skb_change_proto(skb, ethertype, 0))
		return false;
	if (bpf_skb_store_bytes(skb, link_bytes, header, header_bytes, BPF_F_RECOMPUTE_CSUM))
		return false;
	/* RFC 7915 sections 4.5 and 5.5. In two steps: a checksum that the device completes covers only the addresses. */
	if (bpf_l4_csum_replace(skb, check, 0, flow->address_delta, flags | BPF_F_PSEUDO_HDR))
		return false;
	if (bpf_l4_csum_replace(skb, check, in->ports, flow->ports, flags | sizeof(in->ports)))
		return false;
	return bpf_skb_store_bytes(skb, transport, &flow->ports, sizeof(flow->ports), 0) == 0;
}

/* How many packets the device makes of this one. */
static __always_inline __u32 segments(const struct incoming *in, __u32 ip_bytes)
{
	const __u32 payload_bytes = in->total_bytes - ip_bytes - in->transport_bytes;

	if (in->gso_bytes == 0 || payload_bytes <= in->gso_bytes)
		return 1;
	return (payload_bytes + in->gso_bytes - 1) / in->gso_bytes;
}

/* A packet that left, for so many on the wire, or one that was dropped. */
static __always_inline void count(__u32 direction, bool has_left, __u32 packets, __u32 bytes)
{
	struct tally *counts = bpf_map_lookup_elem(&tally, &direction);

	if (!counts)
		return;
	/* All of them in any case: of two that differ in their address clang would make an address that differs. */
	counts->packets += has_left ? packets : 0;
	counts->bytes += has_left ? bytes : 0;
	counts->dropped += has_left ? 0 : 1;
}

/* One packet, whose IP header is behind `link_bytes`, in either direction. */
static __always_inline int translate(struct __sk_buff *skb, const __u32 link_bytes, const bool from6)
{
	const __u32 ip_bytes = from6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	const __u32 new_ip_bytes = from6 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	const __u32 transport_at = link_bytes + ip_bytes;
	struct incoming in = { .gso_bytes = skb->gso_size };
	struct outgoing out;
	struct flow *flow;
	struct readable packet;
	__u16 mtu_bytes, fragmentable_mtu_bytes;
	void *ip;

	/* RFC 6146 section 3.4: the incoming tuple. */
	if (!make_readable(skb, transport_at + sizeof(struct udphdr), transport_at + sizeof(struct tcphdr), &packet))
		return TC_ACT_UNSPEC;
	ip = packet.data + link_bytes;
	if (!(from6 ? read_ipv6(ip, &in) : read_ipv4(ip, &in)))
		return TC_ACT_UNSPEC;
	/* Padding of the link layer may follow the packet, but nothing may be missing. */
	if (in.total_bytes > skb->len - link_bytes)
		return TC_ACT_UNSPEC;
	if (!read_transport(packet.data + transport_at, packet.end, ip_bytes, &in))
		return TC_ACT_UNSPEC;

	/* RFC 6146 sections 3.5 and 3.6: the session, which knows the outgoing tuple. */
	flow = from6 ? find6(ip, &in) : find4(ip, &in);
	if (!flow || flow->has_lists || is_paused)
		return TC_ACT_UNSPEC;

	/* RFC 7915 sections 4.1 and 5.1: what is too big is answered, or becomes fragments, in the thread. */
	out.total_bytes = in.total_bytes - ip_bytes + new_ip_bytes;
	out.wire_bytes = out.total_bytes;
	if (in.gso_bytes != 0 && new_ip_bytes + in.transport_bytes + in.gso_bytes < out.wire_bytes)
		out.wire_bytes = new_ip_bytes + in.transport_bytes + in.gso_bytes;
	mtu_bytes = flow->mtu_bytes;
	fragmentable_mtu_bytes = flow->fragmentable_mtu_bytes;
	if (out.wire_bytes > (in.may_be_fragmented ? fragmentable_mtu_bytes : mtu_bytes))
		return TC_ACT_UNSPEC;
	if (from6 && out.total_bytes > 0xffff)
		return TC_ACT_UNSPEC;
	/*
	 * A list of whole packets (GSO by fraglist, `ethtool -K DEVICE rx-gro-list on`): helpers change the first alone, and
	 * kernels before the spring of 2026 sent the others as they were. Other packets that stand for several leave their
	 * checksum to the device; of these it is known to be right. From now on the thread has all of this direction: a
	 * single packet shall not overtake a list.
	 */
	if (in.gso_bytes != 0 && bpf_csum_level(skb, BPF_CSUM_LEVEL_QUERY) >= 0) {
		flow->has_lists = true;
		return TC_ACT_UNSPEC;
	}

	/* RFC 6146 section 3.7: the packet. From here on it is translated or dropped. */
	if (from6)
		make_ipv4(flow, &in, &out);
	else
		make_ipv6(flow, &in, &out);
	const bool is_whole = rewrite(skb, link_bytes, bpf_htons(from6 ? ETH_P_IP : ETH_P_IPV6),
				      from6 ? (void *)&out.ip4 : (void *)&out.ip6, new_ip_bytes, flow, &in);

	count(from6 ? FROM_IPV6 : FROM_IPV4, is_whole, segments(&in, ip_bytes), out.total_bytes);
	if (!is_whole)
		return TC_ACT_SHOT;
	flow->last_used = bpf_ktime_get_coarse_ns();
	return bpf_redirect(tun_index, BPF_F_INGRESS);
}

static __always_inline int fast_path(struct __sk_buff *skb, const __u32 link_bytes)
{
	/* Only what is addressed to us, and of this device itself rather than of a VLAN on it. */
	if (skb->pkt_type != PACKET_HOST || skb->vlan_present)
		return TC_ACT_UNSPEC;
	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return translate(skb, link_bytes, true);
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return translate(skb, link_bytes, false);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int nat64_ethernet(struct __sk_buff *skb)
{
	return fast_path(skb, ETH_HLEN);
}

/* On devices without link layer: PPP, WireGuard, TUN. */
SEC("tc")
int nat64_bare(struct __sk_buff *skb)
{
	return fast_path(skb, 0);
}

/* Lets the kernel's program loader allow any helper: MIT is compatible. */
char LICENSE[] SEC("license") = "Dual MIT/GPL";
