/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* config_check.c - what a start would find: addresses, files, folders, plugins, the trunk
 * for emergency calls.
 *
 * `tandemd --check-config` is asked by root, and the daemon runs as the owner of the
 * database's folder: files are tried as that user, in a child that has become him.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <net/if.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gio/gio.h>
#include "b2bua/config_check.h"
#include "db/store.h"
#include "media/certificate.h"

static void G_GNUC_PRINTF(2, 3) say(GPtrArray *problems, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_ptr_array_add(problems, g_strdup_vprintf(format, arguments));
	va_end(arguments);
}

/* --- addresses --- */

/* A port that is free, since the daemon may be running: the address alone is asked for. */
static int
try_bind(const char *text)
{
	g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string(text, 0);
	struct sockaddr_storage raw;
	gssize size = address ? g_socket_address_get_native_size(address) : 0;
	int fd, code;

	if (!address || !g_socket_address_to_native(address, &raw, sizeof raw, NULL))
		return EINVAL;
	fd = socket(raw.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	code = bind(fd, (struct sockaddr *)&raw, (socklen_t)size) < 0 ? errno : 0;
	close(fd);
	return code;
}

static void
check_address(GPtrArray *problems, const char *key, const char *text)
{
	int code = text ? try_bind(text) : 0;

	if (code == EADDRNOTAVAIL || code == EAFNOSUPPORT)
		say(problems, "%s = %s: not an address of this machine; see 'ip address'", key,
		    text);
	else if (code)
		say(problems, "%s = %s: %s", key, text, g_strerror(code));
}

static void
check_addresses(GPtrArray *problems, const Config *config)
{
	const MediaOptions *media = &config->media;

	check_address(problems, "[sip] address", config->sip_address);
	if (strcmp(media->rtp_address, config->sip_address) != 0)
		check_address(problems, "[media] rtp_address", media->rtp_address);
	if (config->http_port)
		check_address(problems, "[http] address", config->http_address);
	for (char **address = media->local_addresses; address && *address; address++)
		if (strcmp(*address, media->rtp_address) != 0)
			check_address(problems, "[media] local_addresses", *address);
}

/* --- files --- */

/* Whom the daemon runs as: the owner of the folder of its database. */
static uid_t
daemon_user(const Config *config)
{
	g_autofree char *folder = g_path_get_dirname(config->database);
	struct stat status;

	return stat(folder, &status) == 0 ? status.st_uid : geteuid();
}

static gboolean
become(uid_t uid)
{
	const struct passwd *user = getpwuid(uid);

	return user && initgroups(user->pw_name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0 &&
	       setuid(uid) == 0;
}

/* access(2) as that user; 0, or why not. */
static int
try_access(uid_t uid, const char *path, int mode)
{
	int status;
	pid_t child;

	if (geteuid() != 0 || uid == 0)
		return access(path, mode) == 0 ? 0 : errno;
	child = fork();
	if (child == 0)
		_exit(!become(uid) || access(path, mode) == 0 ? 0 : errno);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 0; /* it cannot be told */
	return WEXITSTATUS(status);
}

static void
check_file(GPtrArray *problems, uid_t uid, const char *key, const char *path, int mode)
{
	int code = path ? try_access(uid, path, mode) : 0;
	const struct passwd *user = getpwuid(uid);
	g_autofree char *name =
		user ? g_strdup(user->pw_name) : g_strdup_printf("uid %u", (guint)uid);

	if (code == EACCES)
		say(problems,
		    "%s = %s: %s for %s, the owner of the database's folder; change its "
		    "mode or group",
		    key, path,
		    mode & W_OK	  ? "not writable"
		    : mode & R_OK ? "not readable"
				  : "not executable",
		    name);
	else if (code)
		say(problems, "%s = %s: %s", key, path, g_strerror(code));
}

static char *
date_of(gint64 seconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);

	return time ? g_date_time_format(time, "%Y-%m-%d %H:%M UTC") : g_strdup("a time unknown");
}

/* Of files that the daemon's user can read. */
static void
check_pair(GPtrArray *problems, const char *file, const char *key_file)
{
	CertificateFacts facts;
	CertificateState state =
		certificate_look(file, key_file, g_get_real_time() / G_USEC_PER_SEC, &facts);
	g_autofree char *began = date_of(facts.since), *ended = date_of(facts.until);
	const char *key = key_file ? "[sip] tls_key" : "[sip] tls_certificate";

	g_clear_error(&facts.error); /* that they can be read has been looked at as another user */
	switch (state) {
	case CERTIFICATE_GOOD:
		break;
	case CERTIFICATE_NOT_PEM:
		say(problems,
		    "[sip] tls_certificate = %s: not a PEM file with a certificate; name the file "
		    "that has the certificate first, then the intermediate ones",
		    file);
		break;
	case CERTIFICATE_NO_KEY:
		say(problems,
		    "%s = %s: no PEM key without a passphrase in it; %s the certificate's key", key,
		    key_file ? key_file : file, key_file ? "name the file of" : "set tls_key to");
		break;
	case CERTIFICATE_OTHERS_KEY:
		say(problems,
		    "%s = %s: the key of another certificate than %s; name the two files of one "
		    "pair",
		    key, key_file ? key_file : file, file);
		break;
	case CERTIFICATE_EARLY:
		say(problems,
		    "[sip] tls_certificate = %s: valid from %s on; look at the clock, or name the "
		    "certificate of now",
		    file, began);
		break;
	case CERTIFICATE_EXPIRED:
		say(problems, "[sip] tls_certificate = %s: it expired on %s; renew it", file,
		    ended);
		break;
	}
}

static void
check_tls(GPtrArray *problems, uid_t uid, const Config *config)
{
	const guint before = problems->len;

	check_file(problems, uid, "[sip] tls_certificate", config->sip_tls_certificate, R_OK);
	check_file(problems, uid, "[sip] tls_key", config->sip_tls_key, R_OK);
	if (problems->len == before)
		check_pair(problems, config->sip_tls_certificate, config->sip_tls_key);
}

static void
check_database(GPtrArray *problems, uid_t uid, const char *path)
{
	g_autoptr(GError) error = NULL;
	guint before = problems->len;

	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return; /* it is made by the start */
	if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
		say(problems, "[gateway] database = %s: not a file; write the name of a file",
		    path);
		return;
	}
	check_file(problems, uid, "[gateway] database", path, R_OK | W_OK);
	if (problems->len == before && !store_peek(path, &error))
		say(problems, "[gateway] database: %s", error->message);
}

static void
check_files(GPtrArray *problems, const Config *config)
{
	g_autofree char *folder = g_path_get_dirname(config->database);
	g_autofree char *socket_folder = g_path_get_dirname(config->control_socket);
	g_autofree char *usual_folder = g_path_get_dirname(RUNSTATEDIR "/tandem/control.sock");
	uid_t uid = daemon_user(config);
	struct stat status;

	check_file(problems, uid, "[gateway] database, its folder", folder, R_OK | W_OK | X_OK);
	check_database(problems, uid, config->database);
	/* the usual one is made by the service before the start */
	if (g_file_test(socket_folder, G_FILE_TEST_EXISTS) ||
	    strcmp(socket_folder, usual_folder) != 0)
		check_file(problems, uid, "[gateway] control_socket, its folder", socket_folder,
			   W_OK | X_OK);
	if (lstat(config->control_socket, &status) == 0 && !S_ISSOCK(status.st_mode))
		say(problems,
		    "[gateway] control_socket = %s: the path is taken by something that is not a "
		    "socket; remove that, or choose another path",
		    config->control_socket);
	if (config->hook && g_path_is_absolute(config->hook))
		check_file(problems, uid, "[records] hook", config->hook, X_OK);
	if (config->sip_tls_port)
		check_tls(problems, uid, config);
}

static void
check_plugins(GPtrArray *problems, const Config *config)
{
	for (char **name = config->plugins; name && *name; name++) {
		g_autofree char *file = g_strconcat(*name, ".so", NULL);
		g_autofree char *path = g_build_filename(config->plugin_dir, file, NULL);

		if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
			say(problems,
			    "[gateway] plugins: %s: there is no %s; remove the name, or install "
			    "the plugin or say plugin_dir",
			    *name, path);
	}
}

/* --- the store --- */

static void
check_emergency(GPtrArray *problems, const Config *config)
{
	const char *name = config->emergency && g_str_has_prefix(config->emergency, "trunk:")
				   ? config->emergency + strlen("trunk:")
				   : NULL;
	g_autoptr(GError) error = NULL;
	gboolean enabled;

	if (!name || !g_file_test(config->database, G_FILE_TEST_EXISTS))
		return; /* a new gateway has its trunks made after its first start */
	if (!store_peek_trunk(config->database, name, &enabled, &error))
		say(problems, "[gateway] emergency = trunk:%s: %s", name, error->message);
	else if (!enabled)
		say(problems,
		    "[gateway] emergency = trunk:%s: the trunk is not enabled; write tandemctl "
		    "trunk set %s enabled=yes",
		    name, name);
}

gboolean
config_chooses_emergency(const Config *config)
{
	return config->emergency || !g_strv_contains((const char *const *)config->plugins, "sip");
}

GPtrArray *
config_check_machine(const Config *config)
{
	GPtrArray *problems = g_ptr_array_new_with_free_func(g_free);

	check_addresses(problems, config);
	check_files(problems, config);
	check_plugins(problems, config);
	check_emergency(problems, config);
	return problems;
}
