/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* tls_memory.c - where OpenSSL's large buffers are.
 *
 * One range of addresses, reserved once.  Each half has blocks of one size; those that were
 * freed are a list, the newest first.  Pages become resident when they are written, and are
 * given back to the system when many blocks are free.
 */
#include "media/tls_memory.h"
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HALF	  (64UL << 20)
#define LEAST	  4096 /* what is smaller is the heap's */
#define KEPT_FREE 32   /* blocks of a size that keep their pages */

typedef struct Block Block;
struct Block {
	Block *next;
};

typedef struct {
	const gsize size;
	guint8 *memory; /* HALF bytes */
	gsize taken;	/* bytes of it that have been in use */
	Block *free;
	guint n_free;
} Half;

/* By the sizes of OpenSSL 3.0: 4,096 and 7,608; 16,602, 16,720 and 21,848. */
static Half halves[] = { { .size = 8192 }, { .size = 24576 } };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards halves */

static Half *
half_for(gsize length)
{
	for (guint i = 0; length >= LEAST && i < G_N_ELEMENTS(halves); i++)
		if (length <= halves[i].size)
			return &halves[i];
	return NULL;
}

static Half *
half_of(const void *block)
{
	for (guint i = 0; i < G_N_ELEMENTS(halves); i++)
		if ((const guint8 *)block >= halves[i].memory &&
		    (const guint8 *)block < halves[i].memory + HALF)
			return &halves[i];
	return NULL;
}

gboolean
tls_memory_owns(const void *block)
{
	return half_of(block) != NULL;
}

/* NULL: all are in use. */
static void *
take(Half *half)
{
	void *block = NULL;

	pthread_mutex_lock(&mutex);
	if (half->free) {
		block = half->free;
		half->free = half->free->next;
		half->n_free--;
	} else if (half->taken + half->size <= HALF) {
		block = half->memory + half->taken;
		half->taken += half->size;
	}
	pthread_mutex_unlock(&mutex);
	return block;
}

static void
give_back(Half *half, void *memory)
{
	Block *block = memory;

	pthread_mutex_lock(&mutex);
	/* a size is whole pages, and so is where it lies */
	if (half->n_free >= KEPT_FREE)
		madvise(memory, half->size, MADV_DONTNEED);
	block->next = half->free;
	half->free = block;
	half->n_free++;
	pthread_mutex_unlock(&mutex);
}

static void *
tls_malloc(size_t length, const char *file, int line)
{
	Half *half = half_for(length);
	void *block = half ? take(half) : NULL;

	if (length == 0) /* as OpenSSL's own */
		return NULL;
	return block ? block : malloc(length);
}

static void
tls_free(void *block, const char *file, int line)
{
	Half *half = half_of(block);

	if (half)
		give_back(half, block);
	else
		free(block);
}

static void *
tls_realloc(void *block, size_t length, const char *file, int line)
{
	Half *half = half_of(block);
	void *other;

	if (!block)
		return tls_malloc(length, file, line);
	if (length == 0) {
		tls_free(block, file, line);
		return NULL;
	}
	if (!half)
		return realloc(block, length);
	if (length <= half->size)
		return block;
	other = tls_malloc(length, file, line);
	if (!other)
		return NULL;
	memcpy(other, block, half->size);
	give_back(half, block);
	return other;
}

gboolean
tls_memory_use(void)
{
	guint8 *memory = mmap(NULL, G_N_ELEMENTS(halves) * HALF, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(halves); i++)
		halves[i].memory = memory + i * HALF;
	return CRYPTO_set_mem_functions(tls_malloc, tls_realloc, tls_free) == 1;
}
