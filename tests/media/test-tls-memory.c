/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-tls-memory.c - OpenSSL's large buffers lie apart from the heap. */
#include "media/tls_memory.h"
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <string.h>

static void
test_large_ones_are_apart(void)
{
	static const gsize sizes[] = { 4096, 7608, 8192, 16602, 21848, 24576 };
	void *small = OPENSSL_malloc(4095), *huge = OPENSSL_malloc(24577);

	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		void *block = OPENSSL_malloc(sizes[i]);

		g_assert_true(tls_memory_owns(block));
		memset(block, 0xff, sizes[i]);
		OPENSSL_free(block);
	}
	g_assert_false(tls_memory_owns(small));
	g_assert_false(tls_memory_owns(huge));
	OPENSSL_free(small);
	OPENSSL_free(huge);
	g_assert_null(OPENSSL_malloc(0));
	OPENSSL_free(NULL);
}

static void
test_freed_is_taken_again(void)
{
	void *first = OPENSSL_malloc(5000), *second = OPENSSL_malloc(5000), *again;

	g_assert_true(first != second);
	OPENSSL_free(first);
	again = OPENSSL_malloc(8000);
	g_assert_true(again == first);
	OPENSSL_free(again);
	OPENSSL_free(second);
}

/* From the heap into the range, through both sizes, and out again. */
static void
test_grows(void)
{
	static const gsize sizes[] = { 100, 5000, 8192, 20000, 24576, 100000, 6000 };
	char *block = OPENSSL_malloc(10), expected[10];

	memset(block, 'x', 10);
	memset(expected, 'x', 10);
	for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
		block = OPENSSL_realloc(block, sizes[i]);
		g_assert_cmpmem(block, 10, expected, 10);
		block[sizes[i] - 1] = 'y';
	}
	OPENSSL_free(block);
	block = OPENSSL_realloc(NULL, 9000);
	g_assert_true(tls_memory_owns(block));
	g_assert_null(OPENSSL_realloc(block, 0));
}

/* Whoever comes when all are taken has the heap. */
static void
test_all_are_taken(void)
{
	g_autoptr(GPtrArray) blocks = g_ptr_array_new();
	guint apart = 0, n;

	do {
		guint8 *block = OPENSSL_malloc(24576);

		block[0] = block[24575] = 1;
		g_ptr_array_add(blocks, block);
		apart += tls_memory_owns(block);
	} while (blocks->len < apart + 5);
	n = apart;
	g_assert_cmpuint(n, >, 2000);
	for (guint i = 0; i < blocks->len; i++)
		OPENSSL_free(g_ptr_array_index(blocks, i));
	/* none was lost, nor is one there twice */
	for (guint i = 0; i < blocks->len; i++)
		blocks->pdata[i] = OPENSSL_malloc(24576);
	apart = 0;
	for (guint i = 0; i < blocks->len; i++)
		apart += tls_memory_owns(blocks->pdata[i]);
	g_assert_cmpuint(apart, ==, n);
	for (guint i = 0; i < blocks->len; i++)
		memset(blocks->pdata[i], (int)(i % 251), 24576);
	for (guint i = 0; i < blocks->len; i++) {
		guint8 *block = blocks->pdata[i];

		g_assert_cmpuint(block[0], ==, i % 251);
		g_assert_cmpuint(block[24575], ==, i % 251);
		OPENSSL_free(block);
	}
}

static void
test_a_handshake_has_its_state_there(void)
{
	SSL_CTX *context = SSL_CTX_new(DTLS_method());
	SSL *ssl = SSL_new(context);

	g_assert_true(tls_memory_owns(ssl));
	SSL_free(ssl);
	SSL_CTX_free(context);
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_assert_true(tls_memory_use());
	g_test_add_func("/tls-memory/large-ones-are-apart", test_large_ones_are_apart);
	g_test_add_func("/tls-memory/freed-is-taken-again", test_freed_is_taken_again);
	g_test_add_func("/tls-memory/grows", test_grows);
	g_test_add_func("/tls-memory/all-are-taken", test_all_are_taken);
	g_test_add_func("/tls-memory/a-handshake-has-its-state-there",
			test_a_handshake_has_its_state_there);
	return g_test_run();
}
