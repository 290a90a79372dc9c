/* SPDX-License-Identifier: MIT */
/* The memory that the kernel's part of NAT64 shares with its loader and with the translator's thread. */

/* The loader says how many flows there can be. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct key6);
	__type(value, struct flow);
} flows6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct key4);
	__type(value, struct flow);
} flows4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DIRECTIONS);
	__type(key, __u32);
	__type(value, struct tally);
} tally SEC(".maps");

/* Index of the TUN device; written by the loader. */
const volatile __u32 tun_index = 0;

/* The thread takes all flows back at once, and then removes them bit by bit: until it has, this is not 0. */
volatile __u32 is_paused = 0;
