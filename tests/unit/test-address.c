/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* test-address.c - numbers and JIDs, good and bad; reasons, complete and in order. */
#include "b2bua/address.h"
#include "b2bua/reason.h"
#include <string.h>

static void
test_numbers(void)
{
	static const struct {
		const char *text, *number; /* NULL: refused */
	} CASES[] = {
		{ "+14155551234", "+14155551234" },
		{ "tel:+1-415-555-1234", "+14155551234" },
		{ "TEL:+1 (415) 555.1234", "+14155551234" },
		{ "sip:+14155551234", "+14155551234" },
		{ "+1/415/5551234", "+14155551234" },
		{ "+49(0)171-1234567", "+491711234567" },
		{ "(0)12", "012" }, /* no country before it */
		{ "+1234567", "+1234567" },
		{ "+123456789012345", "+123456789012345" },
		{ "112", "112" },
		{ "*100#", "*100#" },
		{ "123456", "123456" },
		{ "+123456", NULL },	       /* too short for E.164 */
		{ "+1234567890123456", NULL }, /* too long */
		{ "1234567", NULL },	       /* neither international nor a short code */
		{ "+", NULL },
		{ "", NULL },
		{ NULL, NULL },
		{ "+1415555123a", NULL },
		{ "++14155551234", NULL },
		{ "+1415555*234", NULL },
		{ "sip:+14155551234@host", NULL },
		{ "anna", NULL },
		{ "+1415\x01"
		  "5551234",
		  NULL },
	};

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *number = NULL;

		g_test_message("%s", CASES[i].text);
		g_assert_cmpint(number_normalise(CASES[i].text, &number), ==,
				CASES[i].number != NULL);
		g_assert_cmpstr(number, ==, CASES[i].number);
	}
	g_assert_true(number_is_e164("+4912345678"));
	g_assert_false(number_is_e164("4912345678"));
	g_assert_false(number_is_e164("112"));
	g_assert_false(number_is_e164(NULL));
}

static void
test_jids(void)
{
	static const struct {
		const char *text, *full, *bare; /* NULL: no JID */
	} CASES[] = {
		{ "Anna@Example.ORG", "anna@example.org", "anna@example.org" },
		{ "anna@example.org/Phone", "anna@example.org/Phone", "anna@example.org" },
		{ "example.org", "example.org", "example.org" },
		{ "example.org/a@b/c", "example.org/a@b/c", "example.org" },
		{ "anna@example.org/a/b@c", "anna@example.org/a/b@c", "anna@example.org" },
		{ "+14155551234@gw.example.org/gw", "+14155551234@gw.example.org/gw",
		  "+14155551234@gw.example.org" },
		{ "d\\27artagnan@example.org", "d\\27artagnan@example.org",
		  "d\\27artagnan@example.org" },
		{ "\xc3\x84nna@example.org", "\xc3\xa4nna@example.org", "\xc3\xa4nna@example.org" },
		{ "anna@[2001:db8::1]", "anna@[2001:db8::1]", "anna@[2001:db8::1]" },
		{ "", NULL, NULL },
		{ "@example.org", NULL, NULL },
		{ "anna@", NULL, NULL },
		{ "anna@example.org/", NULL, NULL },
		{ "/phone", NULL, NULL },
		{ "an na@example.org", NULL, NULL },
		{ "anna@exam ple.org", NULL, NULL },
		{ "an<na@example.org", NULL, NULL },
		{ "anna@b@c", NULL, NULL },
		{ "anna@example.org/a\nb", NULL, NULL },
		{ "\xff@example.org", NULL, NULL },
		{ NULL, NULL, NULL },
	};
	g_autofree char *long_user = g_strnfill(1024, 'a');
	g_autofree char *long_jid = g_strconcat(long_user, "@example.org", NULL);

	for (guint i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(Address) address = address_from_jid(CASES[i].text);
		g_autofree char *full = address ? address_full_jid(address) : NULL;
		g_autofree char *bare = address ? address_bare_jid(address) : NULL;

		g_test_message("%s", CASES[i].text);
		g_assert_cmpstr(full, ==, CASES[i].full);
		g_assert_cmpstr(bare, ==, CASES[i].bare);
	}
	g_assert_null(address_from_jid(long_jid));
	g_assert_nonnull(strchr(long_jid + 1, '@'));
	long_jid[1022] = '@'; /* 1022 of user; the rest is a host with a letter and an "@" */
	g_assert_null(address_from_jid(long_jid));
}

static void
test_equal_and_text(void)
{
	g_autoptr(Address) here = address_new(ADDRESS_NUMBER, "+15550001", "gw.example.org", NULL);
	g_autoptr(Address) there = address_new(ADDRESS_NUMBER, "+15550001", NULL, NULL);
	g_autoptr(Address) other = address_new(ADDRESS_NUMBER, "+15550002", NULL, NULL);
	g_autoptr(Address) named = address_with_name(here, "Anna");
	g_autoptr(Address) sip = address_new(ADDRESS_SIP, "Anna", "Example.org", NULL);
	g_autoptr(Address) jid = address_from_jid("anna@example.org/a");
	g_autoptr(Address) bare = address_from_jid("anna@example.org");
	g_autoptr(Address) nobody = address_new(ADDRESS_ANONYMOUS, NULL, NULL, NULL);
	g_autoptr(Address) copy = address_copy(named);
	const struct {
		const Address *address;
		const char *text;
	} TEXTS[] = {
		{ named, "+15550001" },
		{ sip, "sip:Anna@example.org" },
		{ jid, "anna@example.org/a" },
		{ nobody, "anonymous" },
	};

	g_assert_true(address_equal(here, there));
	g_assert_true(address_equal(here, named));
	g_assert_false(address_equal(here, other));
	g_assert_false(address_equal(jid, bare));
	g_assert_false(address_equal(jid, sip));
	g_assert_true(address_equal(nobody, nobody));
	g_assert_cmpstr(copy->name, ==, "Anna");
	for (guint i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
		g_autofree char *text = address_text(TEXTS[i].address);

		g_assert_cmpstr(text, ==, TEXTS[i].text);
	}
	address_free(NULL);
}

static void
test_reasons_total(void)
{
	for (Reason one = REASON_NONE; one < N_REASONS; one++) {
		g_assert_nonnull(reason_name(one));
		g_assert_cmpuint(strlen(reason_sentence(one)), >, 0);
		g_assert_cmpint(reason_from_name(reason_name(one)), ==, one);
		/* of two different ones, always the same tells more, however they are asked for */
		for (Reason other = REASON_NONE; other < N_REASONS; other++)
			g_assert_cmpint(reason_more_telling(one, other), ==,
					reason_more_telling(other, one));
	}
	g_assert_cmpint(reason_from_name("no such"), ==, REASON_NONE);
	g_assert_cmpint(reason_from_name(NULL), ==, REASON_NONE);
}

static void
test_reasons_order(void)
{
	static const Reason FALLING[] = { REASON_BUSY,	    REASON_DECLINED,	  REASON_NO_ANSWER,
					  REASON_NOT_FOUND, REASON_UNREACHABLE,	  REASON_FORBIDDEN,
					  REASON_TIMEOUT,   REASON_NETWORK_ERROR, REASON_NONE };

	for (guint i = 0; i + 1 < G_N_ELEMENTS(FALLING); i++)
		g_assert_cmpint(reason_more_telling(FALLING[i + 1], FALLING[i]), ==, FALLING[i]);
}

/* A person's refusal always tells more than the network's: so one reason is enough
 * to decide whether another way is tried. */
static void
test_reasons_network(void)
{
	static const Reason PERSON[] = { REASON_BUSY,	     REASON_DECLINED,  REASON_NO_ANSWER,
					 REASON_UNREACHABLE, REASON_NOT_FOUND, REASON_GONE,
					 REASON_INCOMPLETE };
	static const Reason NETWORK[] = { REASON_NETWORK_ERROR, REASON_TIMEOUT,
					  REASON_OVERLOAD,	REASON_NOT_AUTHORIZED,
					  REASON_FORBIDDEN,	REASON_PROTOCOL_ERROR };

	for (guint i = 0; i < G_N_ELEMENTS(PERSON); i++) {
		g_assert_false(reason_is_network(PERSON[i]));
		for (Reason other = REASON_NONE; other < N_REASONS; other++)
			if (reason_is_network(other))
				g_assert_cmpint(reason_more_telling(other, PERSON[i]), ==,
						PERSON[i]);
	}
	for (guint i = 0; i < G_N_ELEMENTS(NETWORK); i++)
		g_assert_true(reason_is_network(NETWORK[i]));
}

int
main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/address/numbers", test_numbers);
	g_test_add_func("/address/jids", test_jids);
	g_test_add_func("/address/equal-and-text", test_equal_and_text);
	g_test_add_func("/reason/total", test_reasons_total);
	g_test_add_func("/reason/order", test_reasons_order);
	g_test_add_func("/reason/network", test_reasons_network);
	return g_test_run();
}
