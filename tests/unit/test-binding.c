/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-binding.c - STUN Binding messages: those of RFC 5769, and ours as another reads them. */
#include "media/binding.h"
#include "tests/media/stun.h"
#include <string.h>

#define PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"

/* RFC 5769 2.1 */
static const guint8 request[] = { 0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7,
				  0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22,
				  0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74,
				  0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04,
				  0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9,
				  0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76,
				  0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00,
				  0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56,
				  0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5, 0x71,
				  0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf };

/* RFC 5769 2.2 */
static const guint8 response[] = { 0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7,
				   0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
				   0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76,
				   0x65, 0x63, 0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08,
				   0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43, 0x00, 0x08,
				   0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3,
				   0x8c, 0x74, 0x89, 0xf9, 0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b,
				   0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96 };

static const guint8 transaction[BINDING_TRANSACTION] = "transactions";
static const ConsentKeys keys = { .local_ufrag = (char *)"ours",
				  .local_pwd = (char *)"the password of ours..",
				  .remote_ufrag = (char *)"theirs",
				  .remote_pwd = (char *)"the password of theirs",
				  .priority = 0x6e0001ff };

static void
test_rfc5769(void)
{
	Binding binding;

	g_assert_true(binding_parse(request, sizeof request, &binding));
	g_assert_cmpint(binding.type, ==, BINDING_REQUEST);
	g_assert_cmpmem(binding.transaction, BINDING_TRANSACTION, request + 8, 12);
	g_assert_cmpmem(binding.username, binding.username_length, "evtj:h6vY", 9);
	g_assert_true(binding.controlled);
	g_assert_false(binding.controlling);
	g_assert_false(binding.unknown);
	g_assert_true(binding_is_sealed(request, &binding, PASSWORD));
	g_assert_false(binding_is_sealed(request, &binding, PASSWORD "x"));
	g_assert_true(binding_parse(response, sizeof response, &binding));
	g_assert_cmpint(binding.type, ==, BINDING_SUCCESS);
	g_assert_null(binding.username);
	g_assert_true(binding_is_sealed(response, &binding, PASSWORD));
}

static void
test_each_bit_counts(void)
{
	guint8 copy[sizeof request];

	for (gsize i = 0; i < sizeof request - 8; i++) { /* the fingerprint is not looked at */
		Binding binding;

		memcpy(copy, request, sizeof copy);
		copy[i] ^= 0x10;
		g_assert_false(binding_parse(copy, sizeof copy, &binding) &&
			       binding_is_sealed(copy, &binding, PASSWORD));
	}
}

static void
test_request(void)
{
	guint8 *data = g_malloc(BINDING_MAX);
	gsize length = binding_request(data, transaction, &keys, 0x0102030405060708);
	const guint8 *value;
	guint size;

	g_assert_cmpuint(stun_type(data), ==, STUN_BINDING_REQUEST);
	g_assert_true(stun_is_sealed(data, length, keys.remote_pwd));
	value = stun_find(data, length, STUN_USERNAME, &size);
	g_assert_cmpmem(value, size, "theirs:ours", 11);
	value = stun_find(data, length, STUN_PRIORITY, &size);
	g_assert_cmpmem(value, size, "\x6e\x00\x01\xff", 4);
	value = stun_find(data, length, STUN_CONTROLLED, &size);
	g_assert_cmpmem(value, size, "\1\2\3\4\5\6\7\10", 8);
	g_assert_null(stun_find(data, length, STUN_USE, &size));
	g_free(data);
}

/* Byte for byte what another makes. */
static void
test_answer(void)
{
	g_autoptr(GByteArray) other = stun_new(STUN_BINDING_SUCCESS, transaction);
	guint8 *data = g_malloc(BINDING_MAX);
	NetAddress from;
	gsize length;

	g_assert_true(net_address_parse("192.0.2.1", 32853, &from));
	length = binding_answer(data, transaction, &keys, &from);
	stun_put_mapped(other, &from);
	stun_seal(other, keys.local_pwd);
	g_assert_cmpmem(data, length, other->data, other->len);
	g_assert_true(net_address_parse("2001:db8:1234:5678:11:2233:4455:6677", 32853, &from));
	length = binding_answer(data, transaction, &keys, &from);
	g_byte_array_set_size(other, STUN_HEADER);
	stun_put_mapped(other, &from);
	stun_seal(other, keys.local_pwd);
	g_assert_cmpmem(data, length, other->data, other->len);
	g_free(data);
}

static void
test_error_and_unknown(void)
{
	g_autoptr(GByteArray) error = stun_new(STUN_BINDING_ERROR, transaction);
	g_autoptr(GByteArray) strange = stun_new(STUN_BINDING_REQUEST, transaction);
	Binding binding;

	stun_put_number(error, STUN_ERROR, 4 << 8 | 3);
	stun_seal(error, PASSWORD);
	g_assert_true(binding_parse(error->data, error->len, &binding));
	g_assert_cmpuint(binding.error, ==, 403);
	stun_put_number(strange, 0x7777, 1);
	stun_seal(strange, PASSWORD);
	g_assert_true(binding_parse(strange->data, strange->len, &binding));
	g_assert_true(binding.unknown);
}

static void
test_no_message(void)
{
	guint8 copy[sizeof request];
	Binding binding;

	for (gsize length = 0; length < sizeof request; length++)
		g_assert_false(binding_parse(request, length, &binding));
	memcpy(copy, request, sizeof copy);
	copy[0] = 0x03; /* another method */
	g_assert_false(binding_parse(copy, sizeof copy, &binding));
	memcpy(copy, request, sizeof copy);
	copy[23] = 0xff; /* an attribute beyond the end */
	g_assert_false(binding_parse(copy, sizeof copy, &binding));
}

static void
test_long_names(void)
{
	g_autofree char *name = g_strnfill(256, 'u'), *longer = g_strnfill(257, 'u');
	g_autofree guint8 *data = g_malloc(BINDING_MAX);
	ConsentKeys all = keys;
	Binding binding;
	gsize length;

	all.local_ufrag = all.remote_ufrag = name;
	length = binding_request(data, transaction, &all, 1);
	g_assert_cmpuint(length, <=, BINDING_MAX);
	g_assert_true(binding_parse(data, length, &binding));
	g_assert_cmpuint(binding.username_length, ==, 513);
	all.remote_ufrag = longer;
	g_assert_cmpuint(binding_request(data, transaction, &all, 1), ==, 0);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/binding/RFC 5769", test_rfc5769);
	g_test_add_func("/binding/each bit counts", test_each_bit_counts);
	g_test_add_func("/binding/request", test_request);
	g_test_add_func("/binding/answer", test_answer);
	g_test_add_func("/binding/error and unknown", test_error_and_unknown);
	g_test_add_func("/binding/no message", test_no_message);
	g_test_add_func("/binding/long names", test_long_names);
	return g_test_run();
}
