/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* doctor_machine.c - ports, addresses, files, the disk, the kernel. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "b2bua/doctor/doctor_private.h"
#include "media/certificate.h"

#define PORTS_PER_CALL 4 /* RTP and RTCP of two sides */
#define PORTS_SPARE    16
#define DISK_MB	       200
#define SPLIT_MS       500

static int
udp_socket(const char *host, guint port)
{
	NetAddress address;

	if (net_address_parse(host, (guint16)port, &address))
		return udp_open(&address);
	errno = EINVAL;
	return -1;
}

/* --- ports --- */

static guint
count_taken(Doctor *doctor)
{
	const Facts *facts = &doctor->facts;
	guint taken = 0;

	for (guint port = facts->port_min; port <= facts->port_max; port++) {
		const int fd = udp_socket(facts->rtp_address, port);

		if (fd >= 0)
			close(fd);
		else if (errno == EADDRINUSE)
			taken++;
		if (g_cancellable_is_cancelled(doctor->cancel))
			break;
	}
	return taken;
}

/* The kernel gives these to any program that asks for one. */
static gboolean
overlaps_kernel(const Facts *facts, guint *first, guint *last)
{
	g_autofree char *text = NULL;

	return g_file_get_contents("/proc/sys/net/ipv4/ip_local_port_range", &text, NULL, NULL) &&
	       sscanf(text, "%u %u", first, last) == 2 && *first <= facts->port_max &&
	       *last >= facts->port_min;
}

void
doctor_ports(Doctor *doctor, gconstpointer unused)
{
	static const char name[] = "ports";
	const Facts *facts = &doctor->facts;
	const guint n = facts->port_max - facts->port_min + 1;
	const guint most = n / PORTS_PER_CALL;
	const guint ours = facts->live_calls * 2 * PORTS_PER_CALL + PORTS_SPARE;
	guint taken, first, last;

	if (most < facts->max_calls) {
		doctor_bad(
			doctor, name,
			"make the range of [media] port_min and port_max wider, in the firewall as "
			"well, or make [limits] max_calls smaller",
			"%u ports are enough for %u calls, and [limits] max_calls allows %u", n,
			most, facts->max_calls);
		return;
	}
	taken = count_taken(doctor);
	if (taken > ours)
		doctor_bad(doctor, name,
			   "find the other program by 'ss -lunp', and move it or [media] port_min "
			   "and port_max",
			   "%u of the ports %u to %u are taken by other programs", taken,
			   facts->port_min, facts->port_max);
	else if (overlaps_kernel(facts, &first, &last))
		doctor_bad(doctor, name,
			   "keep [media] port_min and port_max outside of that range, or change "
			   "net.ipv4.ip_local_port_range",
			   "the kernel gives ports from %u to %u to any program, and those of "
			   "[media] are among them",
			   first, last);
	else
		doctor_good(doctor, name, "%u to %u, enough for %u calls", facts->port_min,
			    facts->port_max, most);
}

/* --- addresses --- */

static gboolean
check_address(Doctor *doctor, const char *key, const char *address)
{
	g_autofree char *remedy = NULL;
	const int fd = address ? udp_socket(address, 0) : -1;

	if (fd >= 0)
		close(fd);
	if (fd >= 0 || !address)
		return TRUE;
	remedy = g_strdup_printf("write an address of this machine in %s; 'ip address' shows them",
				 key);
	doctor_bad(doctor, "addresses", remedy, "%s = %s: %s", key, address, g_strerror(errno));
	return FALSE;
}

void
doctor_addresses(Doctor *doctor, gconstpointer unused)
{
	const Facts *facts = &doctor->facts;
	gboolean good = check_address(doctor, "[sip] address", facts->sip_address);

	if (g_strcmp0(facts->rtp_address, facts->sip_address) != 0)
		good &= check_address(doctor, "[media] rtp_address", facts->rtp_address);
	for (char **at = facts->local_addresses; at && *at; at++)
		good &= check_address(doctor, "[media] local_addresses", *at);
	if (good)
		doctor_good(doctor, "addresses", "all are of this machine");
}

/* --- the kernel --- */

/* Of the next packet; -1: none comes. */
static int
first_byte(int fd)
{
	GPollFD ready = { .fd = fd, .events = G_IO_IN };
	guint8 byte;

	return g_poll(&ready, 1, SPLIT_MS) > 0 && recv(fd, &byte, 1, 0) > 0 ? byte : -1;
}

/* One like RTP and one like STUN are sent to the port: each must come to its own socket. */
static gboolean
split_works(int agent, int split)
{
	static const guint8 rtp[] = { 0x80, 0, 0, 1 }, stun[] = { 0, 1, 0, 0 };
	NetAddress to = { .length = sizeof(struct sockaddr_in6) };
	const int sender = udp_socket("127.0.0.1", 0);
	const gboolean good = sender >= 0 && getsockname(agent, &to.any, &to.length) == 0 &&
			      sendto(sender, rtp, sizeof rtp, 0, &to.any, to.length) > 0 &&
			      sendto(sender, stun, sizeof stun, 0, &to.any, to.length) > 0;
	if (sender >= 0)
		close(sender);
	return good && first_byte(split) == rtp[0] && first_byte(agent) == stun[0];
}

void
doctor_split(Doctor *doctor, gconstpointer unused)
{
	static const char name[] = "kernel split";
	const int agent = udp_socket("127.0.0.1", 0);
	const int split = agent >= 0 ? udp_split_open(agent) : -1;
	const int code = errno;
	const gboolean works = split >= 0 && split_works(agent, split);

	if (!works && doctor->facts.kernel_split)
		doctor_bad(
			doctor, name,
			"run a kernel of 4.6 or later that allows SO_ATTACH_REUSEPORT_CBPF; in a "
			"container look at its seccomp profile",
			"the kernel does not give RTP to a socket of its own, so clients' audio "
			"costs several times as much: %s",
			split < 0 ? g_strerror(code) : "packets come to the wrong socket");
	else if (works && !doctor->facts.kernel_split)
		doctor_bad(doctor, name, "remove [media] kernel_split = no",
			   "the kernel could give RTP to a socket of its own, and is not asked: "
			   "clients' audio costs several times as much");
	else
		doctor_good(doctor, name, "%s", works ? "works" : "not asked for");
	if (split >= 0)
		close(split);
	if (agent >= 0)
		close(agent);
}

/* --- files --- */

static gboolean
check_mode(Doctor *doctor, const char *what, const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *remedy = g_strdup_printf("run 'chmod o= %s'", path);
	struct stat status, above;

	if (stat(path, &status) < 0 || stat(folder, &above) < 0) {
		doctor_bad(doctor, what, "restart the daemon, and let nothing remove its files",
			   "%s: %s", path, g_strerror(errno));
		return FALSE;
	}
	if (!(status.st_mode & S_IRWXO) || !(above.st_mode & S_IXOTH))
		return TRUE;
	doctor_bad(doctor, what, remedy, "any user of this machine may open %s", path);
	return FALSE;
}

static gboolean
check_disk(Doctor *doctor, const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	struct statvfs disk;
	guint64 left;

	if (statvfs(folder, &disk) < 0)
		return TRUE;
	left = (guint64)disk.f_bavail * disk.f_frsize / (1024 * 1024);
	if (left >= DISK_MB)
		return TRUE;
	doctor_bad(doctor, "disk",
		   "make room there, or make [records] keep_days and keep_ladder_days smaller",
		   "%" G_GUINT64_FORMAT " MB are left for %s", left, path);
	return FALSE;
}

void
doctor_files(Doctor *doctor, gconstpointer unused)
{
	const Facts *facts = &doctor->facts;

	if (check_mode(doctor, "control socket", facts->control_socket))
		doctor_good(doctor, "control socket", "for its owner and group alone");
	if (check_disk(doctor, facts->database))
		doctor_good(doctor, "disk", "there is room");
}

void
doctor_database(Doctor *doctor, gconstpointer unused)
{
	static const char name[] = "database";
	const char *path = doctor->facts.database;
	g_autoptr(GError) error = NULL;

	if (!check_mode(doctor, name, path))
		return;
	if (store_verify(path, doctor->cancel, doctor->until_us, &error))
		doctor_good(doctor, name, "whole");
	else if (g_error_matches(error, STORE_ERROR, STORE_ERROR_BUSY))
		doctor_skip(doctor, name, "%s", error->message);
	else
		doctor_bad(
			doctor, name,
			"stop the daemon, keep a copy of the file, and put the last backup in its "
			"place, or what 'sqlite3 FILE .recover' saves",
			"%s", error->message);
}

/* --- the certificate --- */

/* A renewal that went wrong: the daemon keeps what it has until it is started again.  The time is
 * asked of what it shows to others. */
void
doctor_certificate(Doctor *doctor, gconstpointer unused)
{
	static const char name[] = "certificate";
	const char *file = doctor->facts.certificate, *key = doctor->facts.key;
	const gint64 now = g_get_real_time() / G_USEC_PER_SEC;
	CertificateFacts facts = { 0 };
	const CertificateState state =
		file ? certificate_look(file, key, now, &facts) : CERTIFICATE_GOOD;

	if (!file)
		doctor_skip(doctor, name, "[sip] tls_port is not set");
	else if (state == CERTIFICATE_NOT_PEM)
		doctor_bad(doctor, name,
			   "let [sip] tls_certificate name a PEM file that the user of the daemon "
			   "can read",
			   "%s: %s; the next start would fail", file,
			   facts.error ? facts.error->message : "it is not a certificate");
	else if (state == CERTIFICATE_NO_KEY)
		doctor_bad(doctor, name,
			   "let [sip] tls_key name a PEM file that the user of the daemon can read",
			   "%s: %s; the next start would fail", key ? key : file,
			   facts.error ? facts.error->message : "there is no usable key in it");
	else if (state == CERTIFICATE_OTHERS_KEY)
		doctor_bad(doctor, name,
			   "let [sip] tls_certificate and tls_key name the two files of one pair",
			   "%s: the key is of another certificate; the next start would fail",
			   file);
	else
		doctor_good(doctor, name, "readable");
	g_clear_error(&facts.error);
}
