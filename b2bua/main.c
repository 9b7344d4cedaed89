/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* main.c - tandemd: everything is made here, in order, and undone in reverse.
 *
 *   configuration, log → store, journal → workers → gateway → plugins → what a crash
 *   left → control socket → hook → HTTP → ready
 *
 * SIGTERM and SIGINT drain: no new calls, the live ones end by themselves; a
 * second signal hangs them up.  SIGHUP tells the plugins that the store changed.
 * Thread: signalling.
 */
#include <config.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <glib-unix.h>
#include "b2bua/config_check.h"
#include "b2bua/admin/control.h"
#include "b2bua/admin/reception.h"
#include "b2bua/call/call_bury.h"
#include "b2bua/call/call_stop.h"
#include "b2bua/call/core.h"
#include "b2bua/route/meter.h"
#include "b2bua/text/texts.h"
#include "b2bua/descriptors.h"
#include "b2bua/gateway.h"
#include "b2bua/http/hook.h"
#include "b2bua/http/http.h"
#include "b2bua/service.h"
#include "b2bua/route/way_out.h"
#include "db/journal.h"
#include "media/codec.h"

#define DEFAULT_CONFIG	       SYSCONFDIR "/tandem/tandem.conf"
#define MAX_CONTROL_LINE_BYTES 65536

typedef struct {
	char *config_file, *database;
	gboolean control, print_config, check_config, version;
} Options;

typedef struct {
	Config *config;
	const char *config_file;
	Store *store;
	Workers *workers;
	Gateway *gateway;
	Control *control;
	Http *http;
	Hook *hook;
	Journal *journal;
	GMainLoop *loop;
	guint stop_signals;
} Daemon;

/* --- log --- */

static LogFormat log_format = LOG_AUTO; /* written by the signalling thread alone */
static GLogLevelFlags shown_levels = G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL |
				     G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO;

static GLogWriterOutput
write_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user)
{
	g_autofree char *line = NULL;

	if (!(level & shown_levels & G_LOG_LEVEL_MASK))
		return G_LOG_WRITER_HANDLED;
	if (service_log(log_format, level, fields, n_fields))
		return G_LOG_WRITER_HANDLED;
	line = g_log_writer_format_fields(level, fields, n_fields, FALSE);
	fprintf(stderr, "%s\n", line);
	return G_LOG_WRITER_HANDLED;
}

static void
set_log(const Config *config)
{
	const char *name = config->log_level;
	static const struct {
		const char *name;
		GLogLevelFlags levels;
	} LEVELS[] = {
		{ "error", G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL },
		{ "warning", G_LOG_LEVEL_WARNING },
		{ "info", G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO },
		{ "debug", G_LOG_LEVEL_DEBUG },
	};

	log_format_find(config->log_format, &log_format);
	shown_levels = 0;
	for (guint i = 0; i < G_N_ELEMENTS(LEVELS); i++) {
		shown_levels |= LEVELS[i].levels;
		if (strcmp(name, LEVELS[i].name) == 0)
			break;
	}
}

/* --- the process --- */

/* libnice and sofia-sip both export this function.  When sofia's is found
 * first, libnice builds empty STUN messages and every call fails without a word. */
static gboolean
check_link_order(GError **error)
{
	void *function = dlsym(RTLD_DEFAULT, "stun_message_length");
	Dl_info info = { 0 };

	if (function && dladdr(function, &info) && info.dli_fname &&
	    strstr(info.dli_fname, "libnice"))
		return TRUE;
	g_set_error(error, CONFIG_ERROR, 0,
		    "stun_message_length comes from %s, not from libnice: this build is linked in "
		    "the wrong order, libnice must come before sofia-sip",
		    info.dli_fname ? info.dli_fname : "nowhere");
	return FALSE;
}

static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	/* a hardened unit forbids setrlimit(); its own limit is the highest already */
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		g_warning("the limit of file descriptors cannot be raised: %s", g_strerror(errno));
}

/* --- signals --- */

static void
on_drained(gpointer user)
{
	Daemon *self = user;

	g_main_loop_quit(self->loop);
}

static gboolean
on_stop_signal(gpointer user)
{
	Daemon *self = user;

	if (self->stop_signals++ > 0) {
		g_message("stopping at once");
		calls_end_all(self->gateway, REASON_SHUTDOWN);
		return G_SOURCE_CONTINUE;
	}
	g_message("stopping: waiting for %u calls to end, %u s at most", calls_live(self->gateway),
		  self->config->drain_seconds);
	service_stopping(self->config->drain_seconds);
	calls_drain(self->gateway, on_drained, self);
	return G_SOURCE_CONTINUE;
}

static Daemon *running; /* for control_reload() */

static char *
renew_config(GError **error)
{
	char *text = NULL;

	if (!config_renew(running->config, running->config_file, &text, error))
		return NULL;
	set_log(running->config);
	g_message("reload: %s: %s", running->config_file, text);
	return text;
}

static gboolean
on_reload_signal(gpointer user)
{
	Daemon *self = user;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = renew_config(&error);

	if (!text)
		g_warning("reload: the configuration stays as it was: %s", error->message);
	gateway_changed(self->gateway, CHANGE_CONFIG, NULL);
	return G_SOURCE_CONTINUE;
}

/* --- running --- */

/* Before any call ends.  The hook's thread tries again. */
static void
set_hook(Daemon *self)
{
	g_autoptr(GError) error = NULL;

	if (!store_hook_set(self->store, self->config->hook, &error))
		g_warning("[records] hook: not known to the database yet: %s", error->message);
}

/* Live calls, and as many ended ones that the database has not taken yet; 80 MB at most. */
static gboolean
open_records(Daemon *self, GError **error)
{
	const Config *config = self->config;
	JournalOptions options = { .slots = MIN(2 * config->max_calls + 64, 20000),
				   .keep_days = config->keep_days,
				   .keep_ladder_days = config->keep_ladder_days };

	self->store = store_open(config->database, error);
	if (self->store)
		set_hook(self);
	self->journal = self->store ? journal_start(self->store, &options, error) : NULL;
	return self->journal != NULL;
}

/* What is not learned now is learned at the next start; until then people are asked. */
static void
learn_countries(Gateway *gateway)
{
	g_autoptr(GError) error = NULL;

	if (!meter_learn(gateway_parts(gateway)->meter, &error))
		g_warning("the countries that users have called are not known: %s", error->message);
}

static gboolean
bring_up(Daemon *self, GError **error)
{
	if (!check_link_order(error))
		return FALSE;
	if (!open_records(self, error))
		return FALSE;
	self->workers = workers_new(&self->config->media, error);
	if (!self->workers)
		return FALSE;
	self->gateway = core_new(self->config, self->store, self->workers);
	learn_countries(self->gateway);
	reception_open(self->gateway);
	for (char **name = self->config->plugins; name && *name; name++)
		if (!gateway_load_plugin(self->gateway, *name, error))
			return FALSE;
	calls_bury(self->gateway);
	texts_recover(self->gateway);
	self->control = control_start(self->gateway, error);
	if (!self->control)
		return FALSE;
	if (self->config->hook && !(self->hook = hook_start(self->gateway, error)))
		return FALSE;
	if (self->config->http_port)
		self->http = http_start(self->gateway, self->config->http_address,
					self->config->http_port, error);
	return self->http || !self->config->http_port;
}

static void
take_down(Daemon *self)
{
	http_stop(self->http);
	hook_stop(self->hook);
	control_stop(self->control);
	if (self->gateway) {
		reception_close(self->gateway);
		core_free(self->gateway);
	}
	if (self->workers)
		workers_free(self->workers);
	journal_stop(self->journal);
	store_close(self->store);
}

/* What an operator should know at every start. */
static void
say_policies(Daemon *self)
{
	g_autofree char *emergency = emergency_policy(self->gateway);

	g_message("%s", emergency);
}

/* What a start cannot do fails by itself further on, one thing at a time; what would only be found
 * by a call is heard of now. */
static void
warn_of_machine(const Config *config, const char *config_file)
{
	g_autoptr(GPtrArray) problems = config_check_machine(config);

	for (guint i = 0; i < problems->len; i++)
		g_warning("%s: %s", config_file, (const char *)problems->pdata[i]);
}

static int
run(Config *config, const char *config_file)
{
	Daemon self = { .config = config, .config_file = config_file };
	g_autoptr(GError) error = NULL;
	guint sources[3];

	warn_of_machine(config, config_file);
	raise_descriptor_limit();
	descriptors_keep();
	if (!bring_up(&self, &error)) {
		service_fatal("%s", error->message);
		take_down(&self);
		return EXIT_FAILURE;
	}
	running = &self;
	control_reload = renew_config;
	self.loop = g_main_loop_new(NULL, FALSE);
	sources[0] = g_unix_signal_add(SIGTERM, on_stop_signal, &self);
	sources[1] = g_unix_signal_add(SIGINT, on_stop_signal, &self);
	sources[2] = g_unix_signal_add(SIGHUP, on_reload_signal, &self);
	say_policies(&self);
	g_message("ready");
	service_notify("READY=1");
	service_watch_start();
	g_main_loop_run(self.loop);
	service_watch_stop();
	for (guint i = 0; i < G_N_ELEMENTS(sources); i++)
		g_source_remove(sources[i]);
	g_main_loop_unref(self.loop);
	take_down(&self);
	descriptors_drop();
	g_message("stopped");
	return EXIT_SUCCESS;
}

/* A copy by a process of its own, whether a daemon runs or not: nobody waits for it, and the
 * file belongs to who has asked. */
static char *
answer_backup(const char *config_file, const char *database, const char *line)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Config) config = database ? NULL : config_load(config_file, &error);
	const char *path = config ? config->database : database;

	return path ? control_backup(path, line) : control_failed(error);
}

/* A daemon that cannot be reached, since its socket was removed or is another's, would not hear
 * of what is written here, and would go on by what it knows. */
static Store *
open_alone(const char *database, GError **error)
{
	if (!journal_has_database(database))
		return store_open(database, error);
	g_set_error(error, STORE_ERROR, STORE_ERROR_IN_USE,
		    "database %s: a running tandemd uses this database, but does not answer at the "
		    "control_socket of this configuration; restart that tandemd, or name its "
		    "configuration with --config",
		    database);
	return NULL;
}

/* What tandemctl asks when no daemon runs: lines in, replies out.  Help is there
 * before anything is configured. */
static int
answer_control(const char *config_file, const char *database)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Config) config = NULL;
	g_autoptr(Store) store = NULL;
	g_autofree char *line = g_malloc(MAX_CONTROL_LINE_BYTES);

	while (fgets(line, MAX_CONTROL_LINE_BYTES, stdin)) {
		g_autofree char *reply = NULL;

		if (g_str_has_prefix(line, "[\"backup\"")) {
			reply = answer_backup(config_file, database, g_strchomp(line));
			printf("%s\n", reply);
			fflush(stdout);
			continue;
		}
		if (!store && !g_str_has_prefix(line, "[\"help\"")) {
			config = config_load(config_file, &error);
			control_config = config;
			store = config ? open_alone(config->database, &error) : NULL;
			if (!store) {
				fprintf(stderr, "tandemd: %s\n", error->message);
				return config ? EXIT_FAILURE : 2;
			}
		}
		reply = control_execute(NULL, store, g_strchomp(line));
		printf("%s\n", reply);
		fflush(stdout);
	}
	return EXIT_SUCCESS;
}

static gboolean
parse_options(int *argc, char ***argv, Options *options, GError **error)
{
	const GOptionEntry entries[] = {
		{ "config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config_file,
		  "configuration; default " DEFAULT_CONFIG, "FILE" },
		{ "control", 0, 0, G_OPTION_ARG_NONE, &options->control,
		  "answer control requests from standard input, then stop", NULL },
		{ "database", 0, 0, G_OPTION_ARG_FILENAME, &options->database,
		  "with --control, for a backup: this database instead of the configuration's",
		  "FILE" },
		{ "print-config", 0, 0, G_OPTION_ARG_NONE, &options->print_config,
		  "print every key with its default and meaning", NULL },
		{ "check-config", 0, 0, G_OPTION_ARG_NONE, &options->check_config,
		  "read the configuration, say what is wrong, stop", NULL },
		{ "version", 'V', 0, G_OPTION_ARG_NONE, &options->version,
		  "print the version and the codecs that are built in", NULL },
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);

	g_option_context_set_summary(context, "A telephone gateway between XMPP and SIP.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, argc, argv, error))
		return FALSE;
	if (*argc > 1) {
		g_set_error(error, CONFIG_ERROR, 0, "%s: not an option", (*argv)[1]);
		return FALSE;
	}
	return TRUE;
}

/* All that a start would stumble over, a line each. */
static int
check_machine(const Config *config, const char *config_file)
{
	g_autoptr(GPtrArray) problems = config_check_machine(config);

	for (guint i = 0; i < problems->len; i++)
		fprintf(stderr, "tandemd: %s: %s\n", config_file, (const char *)problems->pdata[i]);
	return problems->len ? 2 : EXIT_SUCCESS;
}

static void
say_version(void)
{
	g_autofree char *codecs = codec_names();

	printf("tandemd %s\ncodecs: %s\n", PACKAGE_VERSION, codecs);
}

int
main(int argc, char **argv)
{
	Options options = { 0 };
	g_autofree char *template = NULL, *config_file = NULL;
	g_autoptr(Config) config = NULL;
	g_autoptr(GError) error = NULL;

	media_prepare_process();
	signal(SIGPIPE, SIG_IGN); /* libstrophe sends without MSG_NOSIGNAL */
	g_log_set_writer_func(write_log, NULL, NULL);
	if (!parse_options(&argc, &argv, &options, &error)) {
		fprintf(stderr, "tandemd: %s\n", error->message);
		return 2;
	}
	config_file = options.config_file ? options.config_file : g_strdup(DEFAULT_CONFIG);
	if (options.version) {
		say_version();
		return EXIT_SUCCESS;
	}
	if (options.print_config) {
		template = config_template();
		printf("%s", template);
		return EXIT_SUCCESS;
	}
	if (options.control)
		return answer_control(config_file, options.database);
	config = config_load(config_file, &error);
	if (!config) {
		service_fatal("%s", error->message);
		return 2;
	}
	if (!config_chooses_emergency(config)) {
		service_fatal("%s: [gateway] emergency is not set, and there are telephones: write "
			      "emergency=refuse (callers are told to take another telephone) or "
			      "emergency=trunk:NAME",
			      config_file);
		return 2;
	}
	if (options.check_config)
		return check_machine(config, config_file);
	set_log(config);
	return run(config, config_file);
}
