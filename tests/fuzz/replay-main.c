/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* replay-main.c - runs a fuzz target without a fuzzing compiler.
 *
 * A parser called NAME gets
 *   tests/fuzz/fuzz-NAME.c      int LLVMFuzzerTestOneInput(const uint8_t *, size_t)
 *   tests/fuzz/corpus/NAME/     at least one input; crashes that were found stay here
 *   tests/fuzz/NAME.dict        optional, libFuzzer's dictionary format
 * and four lines in tests/fuzz/Makefile.inc, where an example stands.
 *
 * `make check` links the target with this file: every input is replayed as it
 * is, then in mutations that are the same in every run.  The input of a crash,
 * or of an endless loop, is left as crash-NAME in the working folder.
 * `make fuzz T=NAME SECONDS=60` builds it with clang for libFuzzer instead.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <glib.h>

#define TOTAL_RUNS    20000			   /* over all inputs of a target */
#define TOTAL_TIME    (3 * G_TIME_SPAN_SECOND / 2) /* then a slow machine stops */
#define INPUT_MAX     (64 * 1024)		   /* bytes */
#define INPUT_SECONDS 60			   /* one input that takes longer is a loop */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

typedef struct {
	char *name;
	guint8 *data;
	gsize size;
} Input;

static GPtrArray *inputs;
static char *crash_name;
static guint64 random_state;

/* What the target is working on, for on_crash(). */
static const guint8 *volatile current;
static volatile gsize current_size;

static void
on_crash(int number)
{
	int fd = open(crash_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd >= 0) {
		/* nothing is left to do about a short write */
		ssize_t written = write(fd, current, current_size);
		(void)written;
		close(fd);
	}
	signal(number, SIG_DFL);
	raise(number);
}

static void
catch_crashes(void)
{
	signal(SIGABRT, on_crash);
	signal(SIGALRM, on_crash);
#ifndef __SANITIZE_ADDRESS__ /* its own report says more, and ends in SIGABRT */
	signal(SIGSEGV, on_crash);
	signal(SIGBUS, on_crash);
	signal(SIGFPE, on_crash);
#endif
}

/* In a block of exactly its size, so that a sanitizer sees the first byte too many. */
static void
run(const guint8 *data, gsize size)
{
	g_autofree guint8 *exact = size ? g_memdup2(data, size) : g_malloc(1);

	current = exact;
	current_size = size;
	alarm(INPUT_SECONDS);
	LLVMFuzzerTestOneInput(exact, size);
	alarm(0);
}

static guint32
random_below(gsize limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return limit ? (guint32)((random_state >> 32) % limit) : 0;
}

/* --- mutations: each changes the array in place --- */

static void
shorten(GByteArray *input)
{
	g_byte_array_set_size(input, random_below(input->len));
}

static void
flip(GByteArray *input)
{
	for (guint n = 1 + random_below(4); n > 0; n--)
		input->data[random_below(input->len)] ^= (guint8)(1 << random_below(8));
}

static void
overwrite(GByteArray *input)
{
	static const guint8 telling[] = {
		0, 1, 0x7f, 0x80, 0xff, '0', '9', '-', ' ', '\n', '<', '%'
	};

	for (guint n = 1 + random_below(4); n > 0; n--)
		input->data[random_below(input->len)] = telling[random_below(sizeof(telling))];
}

static void
cut(GByteArray *input)
{
	guint from = random_below(input->len);

	g_byte_array_remove_range(input, from, 1 + random_below(MIN(input->len - from, 64)));
}

static void
insert(GByteArray *input, guint at, const guint8 *piece, guint size)
{
	guint old = input->len;

	if (old + size > INPUT_MAX)
		return;
	g_byte_array_set_size(input, old + size);
	memmove(input->data + at + size, input->data + at, old - at);
	memcpy(input->data + at, piece, size);
}

static void
double_piece(GByteArray *input)
{
	guint from = random_below(input->len);
	guint size = 1 + random_below(MIN(input->len - from, 128));
	g_autofree guint8 *piece = g_memdup2(input->data + from, size);

	for (guint n = 1 + random_below(3); n > 0; n--)
		insert(input, from, piece, size);
}

static void
cross(GByteArray *input)
{
	const Input *other = g_ptr_array_index(inputs, random_below(inputs->len));
	guint from = random_below(other->size);

	if (other->size > 0)
		insert(input, random_below(input->len), other->data + from,
		       1 + random_below(MIN(other->size - from, 256)));
}

static void
mutate(GByteArray *input)
{
	static void (*const mutations[])(GByteArray *) = { shorten, flip,	  overwrite,
							   cut,	    double_piece, cross };

	for (guint n = 1 + random_below(3); n > 0 && input->len > 0; n--)
		mutations[random_below(G_N_ELEMENTS(mutations))](input);
}

static void
test_input(gconstpointer data)
{
	const Input *input = data;
	guint runs = TOTAL_RUNS / inputs->len;
	gint64 deadline = g_get_monotonic_time() + TOTAL_TIME / inputs->len;
	guint step = input->size > 512 ? (guint)(input->size / 512) : 1;

	random_state = 0x9e3779b97f4a7c15u ^ g_str_hash(input->name);
	run(input->data, input->size);
	for (gsize size = 0; size < input->size; size += step) {
		run(input->data, size);
		if (g_get_monotonic_time() > deadline)
			return;
	}
	for (guint i = 0; i < runs && g_get_monotonic_time() < deadline; i++) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		g_byte_array_append(bytes, input->data, (guint)input->size);
		mutate(bytes);
		run(bytes->data, bytes->len);
	}
}

/* --- the corpus --- */

static void
input_free(gpointer data)
{
	Input *input = data;

	g_free(input->name);
	g_free(input->data);
	g_free(input);
}

static gint
by_name(gconstpointer one, gconstpointer other)
{
	return strcmp((*(Input *const *)one)->name, (*(Input *const *)other)->name);
}

static void
read_corpus(const char *folder)
{
	g_autoptr(GError) error = NULL;
	GDir *dir = g_dir_open(folder, 0, &error);
	const char *name;

	if (!dir)
		g_error("%s", error->message);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		Input *input = g_new0(Input, 1);

		input->name = g_strdup(name);
		if (!g_file_get_contents(path, (char **)&input->data, &input->size, &error))
			g_error("%s", error->message);
		input->size = MIN(input->size, INPUT_MAX);
		g_ptr_array_add(inputs, input);
	}
	g_dir_close(dir);
	if (inputs->len == 0)
		g_error("%s: a corpus needs at least one input", folder);
	g_ptr_array_sort(inputs, by_name);
}

/* "…/.libs/lt-fuzz-sdp" -> "sdp" */
static char *
target_name(const char *program)
{
	g_autofree char *base = g_path_get_basename(program);
	const char *found = strstr(base, "fuzz-");

	return g_strdup(found ? found + strlen("fuzz-") : base);
}

int
main(int argc, char **argv)
{
	g_autofree char *name = target_name(argv[0]);
	g_autofree char *folder = NULL;
	int status;

	g_test_init(&argc, &argv, NULL);
	folder = g_test_build_filename(G_TEST_DIST, "fuzz", "corpus", name, NULL);
	crash_name = g_strconcat("crash-", name, NULL);
	inputs = g_ptr_array_new_with_free_func(input_free);
	read_corpus(folder);
	catch_crashes();
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (guint i = 0; i < inputs->len; i++) {
		const Input *input = g_ptr_array_index(inputs, i);
		g_autofree char *path = g_strdup_printf("/fuzz/%s/%s", name, input->name);
		g_test_add_data_func(path, input, test_input);
	}
	status = g_test_run();
	g_ptr_array_unref(inputs);
	g_free(crash_name);
	return status;
}
